"""`type` patterns as recordings obey them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import recording
from recording import filter_text

WORD = "open" + "sesame"

PROGRAM = f"""
    from dataclasses import dataclass
    from collections import namedtuple
    import enum
    class SecretStr:
        def __init__(self, text): self.text = text
    class Derived(SecretStr): pass
    class Text(str): pass
    class Pair(namedtuple("Pair", "left right")): pass
    class Colour(enum.Enum):
        RED = {WORD!r}
    class Failure(Exception): pass
    @dataclass
    class Account:
        name: str
        key: SecretStr
    def keep(value): pass
    def give(value): return value
    def fail(value): raise Failure(value)
    s = SecretStr({WORD!r})
    for value in (s, Derived({WORD!r}), [1, s], {{"a": s}}, {{s: 1}}, (s, 2), {{s}}, Account("n", s),
                  [[{{"deep": [s]}}]], Text({WORD!r}), Pair(1, {WORD!r}), Colour.RED, "plain"):
        keep(value)
    give(s)
    try:
        fail({WORD!r})
    except Failure:
        pass
    """


def rule(action: str, *selectors: str, scope: str = "pkg:*") -> str:
    patterns = "".join(
        f'[[scope.rules.value_patterns]]\nselector = "{selector}"\naction = "{action}"\n'
        for selector in selectors
    )
    return f'[[scope.rules]]\nselector = "{scope}"\n{patterns}'


def version_2(body: str) -> str:
    return filter_text(body).replace("version = 1", "version = 2")


def record(folder: Path, *bodies: str, program: str = PROGRAM, name: str = "app.py") -> recording.Recorded:
    return recording.record(folder, program, filters=[version_2(body) for body in bodies], name=name).ok()


ALL = ["*.SecretStr", "*.Text", "*.Pair", "*.Colour", "*.Failure"]


@pytest.mark.parametrize("action", ["redact", "drop"])
def test_values_of_a_type_are_covered_wherever_they_are(tmp_path: Path, action: str) -> None:
    """Arguments, results, exceptions, items, keys, fields, at every depth; and the types derived from it."""
    recorded = record(tmp_path, rule(action, *(f"type:{name}" for name in ALL)))
    raised = [exception.value for exception in recorded.exceptions]
    assert WORD not in json.dumps([recorded.arguments("keep"), recorded.results("give"), raised])
    assert raised
    values = [call.get("value", "absent") for call in recorded.arguments("keep")]
    assert values[-1] == "plain"
    if action == "drop":
        assert values[:2] == ["absent", "absent"]
        assert "Secret" not in json.dumps(values[:4])
        return
    covered = {"$redacted": True, "$type": "__main__.SecretStr"}
    assert values[:4] == [
        covered,
        {"$redacted": True, "$type": "__main__.Derived"},
        [1, covered],
        {"a": covered},
    ]
    assert values[7]["name"] == "n"
    assert values[7]["key"] == covered
    assert recorded.results("give") == [covered]
    redactions = recorded.trace.table("redactions").to_pylist()
    assert {"type:*.SecretStr", "type:*.Failure"} <= {
        row["pattern"] for row in redactions if row["kind"] == "type"
    }
    assert recorded.stats["value_redactions"]["type"] >= 10


# patterns, whether a `SecretStr` is shown, and a `Derived`
NAMES = [
    (["type:__main__.SecretStr"], False, False),
    (["type:literal:app.SecretStr"], False, False),
    (["type:SecretStr"], False, False),
    (["type:regex:.*Secret.*"], False, False),
    (["type:*.Derived"], True, False),
    (["type:*.secretstr", "type:Secret", "type:object"], True, True),
]


@pytest.mark.parametrize(("selectors", "shown", "derived"), NAMES)
def test_names_of_types(tmp_path: Path, selectors: list[str], shown: bool, derived: bool) -> None:
    """A type is called by module and qualified name, at run time and by its file, and by its bare name."""
    recorded = record(tmp_path, rule("redact", *selectors))
    values = [call["value"] for call in recorded.arguments("keep")]
    assert ("$redacted" not in values[0], "$redacted" not in values[1]) == (shown, derived)


@pytest.mark.parametrize("name", ["str", "builtins.str"])
def test_builtin_types(tmp_path: Path, name: str) -> None:
    """Builtin types are types as others are, with and without their module; keys are names, not values."""
    recorded = record(
        tmp_path, rule("redact", f"type:{name}"), program="def keep(value): pass\nkeep({'k': 'v', 1: 2})"
    )
    [[value]] = [call.values() for call in recorded.arguments("keep")]
    assert json.loads(json.dumps(value)) == {"$dict": [["k", {"$redacted": True, "$type": "str"}], [1, 2]]}


def test_an_allowing_type_pattern_undoes_a_type_pattern_only(tmp_path: Path) -> None:
    """`allow` for a type uncovers what a type pattern covered, and no name, no default, no derived type."""
    program = PROGRAM + "    def login(password): pass\n    login(s)\n"
    first = rule("redact", "type:*.SecretStr")
    recorded = record(tmp_path, first, rule("allow", "type:*.SecretStr"), program=program)
    values = [call["value"] for call in recorded.arguments("keep")]
    assert values[0]["text"] == WORD
    assert "$redacted" in values[1]
    assert "$redacted" in recorded.arguments("login")[0]["password"]


def test_only_where_the_rule_holds(tmp_path: Path) -> None:
    """A type pattern covers what the code sees that its rule speaks of."""
    recorded = record(tmp_path, rule("redact", "type:*.SecretStr", scope="obj:*.give"))
    assert "$redacted" in recorded.results("give")[0]
    assert recorded.arguments("keep")[0]["value"]["text"] == WORD


def test_a_type_that_cannot_be_decided(tmp_path: Path) -> None:
    """Where a regular expression hits its bound, nothing of the value is kept."""
    name = "a" * 60
    program = f"class {name}: text = {WORD!r}\ndef keep(value): pass\nkeep({name}())\n"
    recorded = record(tmp_path, rule("redact", r"type:regex:(?:(a+)+\\1)+b"), program=program)
    assert "$unread" in recorded.arguments("keep")[0]["value"]
