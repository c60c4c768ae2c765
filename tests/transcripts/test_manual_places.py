"""Places in records: what is found there, and what is put there."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis._core import ContentFields, ContentRules, texts_at

NOTHING = ContentRules([])
NOWHERE = ContentFields([])

WORDS = st.text(st.sampled_from('ab "\\\n\tü💡/{}[]:,'), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**9) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS, inner, max_size=4)
        | st.builds(json.dumps, st.dictionaries(WORDS, inner, min_size=1, max_size=3))
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


def inner(value: Any) -> Any:
    """What is in a text, if that is a document of JSON with something in it."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) and found else None


def leaves(value: Any, way: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], str]:
    """The texts and numbers of a record, by the way to them; of texts that hold documents, those in them."""
    held = inner(value)
    if held is not None:
        return leaves(held, way)
    if isinstance(value, dict):
        found = {}
        for at, (name, part) in enumerate(value.items()):
            found |= leaves(part, (*way, (name, at)))
        return found
    if isinstance(value, list):
        found = {}
        for at, part in enumerate(value):
            found |= leaves(part, (*way, (None, at)))
        return found
    return {} if value is None or isinstance(value, bool) else {way: str(value)}


def put_at(value: Any, way: tuple[Any, ...], put: str) -> Any:
    """A value with another text at the end of a way."""
    if not way:
        return put
    held = inner(value)
    if held is not None:
        return json.dumps(put_at(held, way, put))
    name, number = way[0]
    if name is None:
        return [put_at(part, way[1:], put) if at == number else part for at, part in enumerate(value)]
    return {key: put_at(part, way[1:], put) if key == name else part for key, part in value.items()}


def plain(value: Any) -> Any:
    """A value with the documents in its texts read, so that white space in them is no difference."""
    held = inner(value)
    if held is not None:
        return plain(held)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


@settings(max_examples=400, deadline=None)
@given(RECORDS, st.booleans(), st.data())
def test_a_span_is_replaced_and_nothing_else(
    record: dict[str, Any], ascii: bool, data: st.DataObject
) -> None:
    """What stands in a span of any text of a record, in a document within its texts, too, is replaced, and
    nothing else."""
    text = json.dumps(record, ensure_ascii=ascii)
    known = leaves(record)
    if not known:
        return
    way = data.draw(st.sampled_from(sorted(known, key=repr)))
    said = known[way]
    start = data.draw(st.integers(0, len(said)))
    stop = data.draw(st.integers(start, len(said)))
    put = data.draw(WORDS)
    by_number = data.draw(st.booleans())
    steps = [number if name is None else (number,) if by_number else name for name, number in way]
    span = (start, stop)
    done, fits = NOTHING.redact_by_hand(text, NOWHERE, [(steps, False, span, len(said), put)])
    assert fits != ["lost"]
    assert done is not None
    whole = fits == ["whole"]
    expected = put_at(record, way, put if whole else said[:start] + put + said[stop:])
    assert plain(json.loads(done[0])) == plain(expected)
    other, fits = NOTHING.redact_by_hand(text, NOWHERE, [(steps, False, span, len(said) + 1, put)])
    assert fits == ["whole"]
    assert other is not None
    assert plain(json.loads(other[0])) == plain(put_at(record, way, put))


@settings(max_examples=200, deadline=None)
@given(RECORDS)
def test_what_is_found_can_be_replaced(record: dict[str, Any]) -> None:
    """Where rules find something, the same is replaced by hand: what they change is gone either way."""
    rules = ContentRules([("literal", "a", "<1>", False, False, 0, "", [], False)])
    anywhere = ContentFields([None])
    text = json.dumps(record)
    found = rules.find_in_record(text, anywhere)
    by_hand = [
        ([number if name is None else name for name, number in steps], is_key, (start, stop), length, "<1>")
        for steps, is_key, start, stop, length, _ in found
    ]
    done, fits = NOTHING.redact_by_hand(text, NOWHERE, by_hand)
    assert set(fits) <= {"exact", "whole"}
    after = text if done is None else done[0]
    expected = rules.redact_record(text, anywhere)
    assert json.loads(after) is not None
    left = rules.redact_record(after, anywhere)
    assert left is None or expected is not None
    assert ("a" in after) == ("a" in (text if expected is None else expected[0]))


def test_where_paths_lead() -> None:
    """All texts below a path, and in the documents in texts; a text that the path itself leads to is one."""
    record = json.dumps({"a": {"b": "x", "c": [1, "y"]}, "d": json.dumps({"e": "z", "f": ["w"]})})

    def found(*paths: str) -> list[str]:
        return [it[5] for it in texts_at(record, paths)]

    assert found("a") == ["x", "1", "y"]
    assert found("a.c[1]", "d.e") == ["y", "z"]
    assert found("**.f") == ["w"]
    assert found("d") == [json.dumps({"e": "z", "f": ["w"]})]
    assert found("nowhere") == []


def test_rules_and_people() -> None:
    """Where a rule and people change the same, the last person's text stands for all; beside it, each has its
    own. Counts have both."""
    rules = ContentRules([("literal", "secret", "<R>", True, False, 0, "", [], False)])
    anywhere = ContentFields([None])
    record = json.dumps({"k": "one secret and two", "secret": 1})
    cases: list[tuple[list[tuple[Any, ...]], dict[str, Any]]] = [
        ([("k", False, (0, 3))], {"k": "<0> <R> and two", "<R>": 1}),
        ([("k", False, (2, 6))], {"k": "on<0> and two", "<R>": 1}),
        ([("k", False, (6, 8))], {"k": "one <0> and two", "<R>": 1}),
        ([("k", False, (0, 3)), ("k", False, (2, 6))], {"k": "<1> and two", "<R>": 1}),
        ([("k", False, (2, 6)), ("k", False, (0, 3))], {"k": "<1> and two", "<R>": 1}),
        ([("k", False, (4, 10)), ("k", False, (10, 14))], {"k": "one <0><1> two", "<R>": 1}),
        ([("secret", True, (0, 3))], {"k": "one <R> and two", "<0> (2)": 1}),
        ([("secret", False, (0, 1))], {"k": "one <R> and two", "<R>": "<0>"}),
    ]
    for places, expected in cases:
        lengths = {"k": 18, "secret": 6}
        by_hand = [
            ([name], key, span, lengths[name] if key or name == "k" else 1, f"<{at}>")
            for at, (name, key, span) in enumerate(places)
        ]
        done, fits = rules.redact_by_hand(record, anywhere, by_hand)
        assert done is not None
        assert json.loads(done[0]) == expected
        assert sorted(rule for rule, *_ in done[1]) == [0, 0, *range(1, len(places) + 1)]
        assert fits == ["exact"] * len(places)
