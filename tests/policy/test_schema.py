"""The JSON Schema that editors check filters with, held against the parser that decides.

What a schema cannot say is left to the parser: whether a pattern can be read, what a chain inherits, and
whether an earlier filter names the streams for a capture.
"""

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis._core import Diagnostic, Policy
from tamis.errors import PolicyError
from tamis.policy.chain import BUILTIN, builtin
from tamis.policy.schema import SCHEMA_FILE, schema_text

SCHEMA = json.loads(schema_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# The diagnostics that are about structure; a schema says nothing about the others.
STRUCTURAL = {
    "bad-selector",
    "empty-value",
    "missing-key",
    "missing-table",
    "needs-version-2",
    "not-supported",
    "reserved-key",
    "unknown-key",
    "unknown-kind",
    "unknown-match",
    "unknown-value",
    "unknown-version",
    "wrong-type",
}

BEFORE = b"""
[meta]
name = "before"
version = 1
[io]
streams = ["stdout"]
[scope]
default_exec = "trace"
default_value_action = "allow"
"""

# Every key that a filter can have.
FULL: dict[str, Any] = {
    "include": [],
    "meta": {
        "name": "x",
        "version": 2,
        "description": "",
        "labels": ["a"],
        "locked": False,
        "accept": ["io-not-served"],
    },
    "io": {"capture": True, "streams": ["stdout", "files"], "modes": []},
    "scope": {
        "default_exec": "inherit",
        "default_value_action": "deny",
        "rules": [
            {
                "selector": "pkg:a.*",
                "exec": "skip",
                "value_default": "redact",
                "reason": "why",
                "accept": ["io-not-served"],
                "value_patterns": [
                    {"selector": "arg:regex:a:b", "action": "drop", "reason": "why"},
                ],
            },
            {"selector": "origin:literal:stdlib"},
        ],
    },
}
VERSION_2 = {"include", "locked", "accept"}
TABLES = [
    ("meta",),
    ("io",),
    ("scope",),
    ("scope", "rules", 0),
    ("scope", "rules", 0, "value_patterns", 0),
]
type Path_ = tuple[str | int, ...]


def without_version_2(value: Any) -> Any:
    """The same data without the keys that belong to version 2."""
    if isinstance(value, dict):
        return {key: without_version_2(item) for key, item in value.items() if key not in VERSION_2}
    return [without_version_2(item) for item in value] if isinstance(value, list) else value


def of_version_1() -> dict[str, Any]:
    """The full filter without what belongs to version 2."""
    filter_: dict[str, Any] = without_version_2(FULL)
    filter_["meta"]["version"] = 1
    del filter_["scope"]["rules"][1]
    return filter_


def toml(value: Any) -> str:
    """Data as a TOML value."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def problems(filter_: Any) -> list[Diagnostic]:
    """What the parser says about the structure of a filter."""
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in filter_.items())
    try:
        Policy([("before.toml", None, BEFORE), ("x.toml", None, text.encode())])
    except PolicyError as error:
        found = [problem for problem in error.diagnostics if problem.id in STRUCTURAL]
        return [problem for problem in found if not problem.message.startswith("`capture = true`")]
    return []


def accepts(filter_: Any) -> bool:
    """Whether the parser takes the structure."""
    return problems(filter_) == []


def at(filter_: Any, path: Path_) -> Any:
    for step in path:
        filter_ = filter_[step]
    return filter_


def changed(filter_: Any, path: Path_, value: Any) -> Any:
    """A copy with another value in this place."""
    copied = copy.deepcopy(filter_)
    at(copied, path[:-1])[path[-1]] = value
    return copied


def definition(table: Path_) -> Any:
    """The part of the schema for a table."""
    names = {1: str(table[0]), 3: "rule", 5: "value-pattern"}
    return SCHEMA["$defs"][names[len(table)]]


def named_in_hint(filter_: Any, id: str) -> set[str]:
    """The words that the parser names as known, in its hint on something that resembles none of them."""
    (problem,) = [problem for problem in problems(filter_) if problem.id == id]
    assert problem.hint
    return set(re.findall(r"`([^`]+)`", problem.hint))


def test_it_is_a_schema():
    """The file is a valid JSON Schema of draft 2020-12, and uses nothing that taplo misreads."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("draft/2020-12/schema")
    assert not re.search("unevaluatedProperties|prefixItems", schema_text())
    assert SCHEMA_FILE == ".codetracer/trace-filter.schema.json"


def test_every_key_is_described():
    """An editor has something to say about each key."""
    places = [SCHEMA, *(part for name, part in SCHEMA["$defs"].items() if name != "version-1")]
    keys = {key: part for place in places for key, part in place.get("properties", {}).items()}
    parts = [SCHEMA["$defs"][p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in keys.values()]
    assert len(parts) > 15
    assert all(len(part["description"]) > 10 for part in parts)


@pytest.mark.parametrize("table", [(), *TABLES], ids=str)
def test_the_keys_are_those_of_the_parser(table: Path_):
    """The schema knows each key that the parser knows, and no other."""
    known = named_in_hint(changed(of_version_1(), (*table, "zzzzzzzz"), 1), "unknown-key")
    listed = set((definition(table) if table else SCHEMA)["properties"])
    assert listed - VERSION_2 == known - VERSION_2
    full = set(at(FULL, table))
    assert listed == full, "the tests below look at every key"


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (("scope",), "default_exec"),
        (("scope",), "default_value_action"),
        (("scope", "rules", 0), "exec"),
        (("scope", "rules", 0), "value_default"),
        (("scope", "rules", 0, "value_patterns", 0), "action"),
    ],
)
def test_the_choices_are_those_of_the_parser(table: Path_, key: str):
    """The schema lists each word that the parser takes, and no other."""
    known = named_in_hint(changed(FULL, (*table, key), "zzzzzzzz"), "unknown-value")
    assert set(definition(table)["properties"][key]["enum"]) == known
    for word in known:
        assert accepts(changed(FULL, (*table, key), word))


def test_the_streams_are_those_of_the_parser():
    """The same for the streams."""
    known = named_in_hint(changed(FULL, ("io", "streams"), ["zzzzzzzz"]), "unknown-value")
    assert set(SCHEMA["$defs"]["io"]["properties"]["streams"]["items"]["enum"]) == known


def test_the_warnings_are_those_of_the_parser():
    """What can be accepted is what `tamis check` warns of."""
    assert SCHEMA["$defs"]["accept"]["items"]["enum"] == Diagnostic.WARNINGS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("scope", "rules", 1, "selector"), {"pkg", "file", "obj", "origin"}),
        (
            ("scope", "rules", 0, "value_patterns", 0, "selector"),
            {"local", "global", "arg", "ret", "attr", "type"},
        ),
    ],
)
def test_the_kinds_are_those_of_the_parser(path: Path_, expected: set[str]):
    """Selectors have the kinds that the parser knows; `type` may be still to come."""
    known = named_in_hint(changed(FULL, path, "zzzzzzzz:x"), "unknown-kind")
    assert known | {"type"} == expected | {"type"}
    for kind in expected:
        assert VALIDATOR.is_valid(changed(FULL, path, f"{kind}:stdlib"))
    assert not VALIDATOR.is_valid(changed(FULL, path, "zzzzzzzz:stdlib"))


@pytest.mark.parametrize("version", [1, 2, 3, 0, -1, "1", True, None])
def test_versions(version: Any):
    """Both know the versions 1 and 2."""
    filter_ = changed(of_version_1(), ("meta", "version"), version)
    if version is None:
        del filter_["meta"]["version"]
    assert VALIDATOR.is_valid(filter_) == accepts(filter_) == (version in (1, 2) and version is not True)


@pytest.mark.parametrize(
    "path",
    [
        ("include",),
        ("meta", "locked"),
        ("meta", "accept"),
        ("scope", "rules", 0, "accept"),
        ("scope", "rules", 1),
    ],
    ids=str,
)
def test_what_version_1_does_not_know(path: Path_):
    """What version 2 has brought is wrong in version 1."""
    filter_ = of_version_1()
    assert VALIDATOR.is_valid(filter_)
    assert accepts(filter_)
    if path[-1] == 1:
        filter_["scope"]["rules"].append(at(FULL, path))
    else:
        filter_ = changed(filter_, path, at(FULL, path))
    assert not VALIDATOR.is_valid(filter_)
    assert not accepts(filter_)


def test_type_patterns_belong_to_version_2():
    """The kind `type` is wrong in version 1 and right in version 2."""
    path: Path_ = ("scope", "rules", 0, "value_patterns", 0, "selector")
    assert VALIDATOR.is_valid(changed(FULL, path, "type:decimal.Decimal"))
    assert not VALIDATOR.is_valid(changed(of_version_1(), path, "type:decimal.Decimal"))


def test_the_filters_of_this_project():
    """The filters in the package and in the examples are right by the schema."""
    files = [Path(builtin(name).path) for name in BUILTIN]
    examples = (Path(__file__).parents[2] / "examples").rglob("*.toml")
    files += sorted(file for file in examples if file.name != "pyproject.toml")
    assert len(files) > 5
    for file in files:
        assert list(VALIDATOR.iter_errors(tomllib.loads(file.read_text(encoding="utf-8")))) == []


# Random filters

# A core that does not serve the keys of version 2 yet has no opinion on their values.
SERVED = FULL if not problems(FULL) else without_version_2(FULL)
KEYS = sorted({key for table in ((), *TABLES) for key in at(SERVED, table)} | {"x", "Selector", ""})
SELECTORS = [
    f"{kind}:{match}{pattern}"
    for kind in ("pkg", "file", "obj", "origin", "arg", "ret", "attr", "local", "global", "x", "")
    for match in ("", "glob:", "regex:", "literal:", "x:", ":", "glob", "regex:regex:")
    for pattern in ("stdlib", "project", "a:b", "", ":", "a\nb", "\n", "é", " ")
]
LEAVES = ["trace", "skip", "inherit", "allow", "redact", "drop", "deny", "stdout", "stderr", "files", "", "x"]
values = st.one_of(
    st.sampled_from([*LEAVES, *SELECTORS]),
    st.sampled_from(
        [True, False, 0, 1, 2, 3, 1.5, [], {}, [[]], [{}], ["stdout"], ["a", 1], {"selector": "pkg:x"}]
    ),
).map(copy.deepcopy)


def places(value: Any, before: Path_ = ()) -> list[Path_]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*before, key), *places(item, (*before, key)))]


@st.composite
def filters(draw: st.DrawFn) -> Any:
    """A filter with some changes, most of which make it wrong."""
    filter_ = copy.deepcopy(draw(st.sampled_from([SERVED, of_version_1()])))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(filter_)))
        holder = at(filter_, path[:-1])
        match draw(st.sampled_from(["change", "change", "remove", "add", "selector"])):
            case "change":
                holder[path[-1]] = draw(values)
            case "selector" if "selector" in path:
                holder[path[-1]] = draw(st.sampled_from(SELECTORS))
            case "remove":
                del holder[path[-1]]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = draw(values)
        if not places(filter_):
            break
    return filter_


@given(filters())
def test_schema_and_parser_agree(filter_: Any):
    """A filter is right by the schema if and only if the parser takes its structure."""
    found = [error.message for error in VALIDATOR.iter_errors(filter_)]
    assert (not found) == accepts(filter_), (found, [problem.message for problem in problems(filter_)])


def test_selectors_of_both_kinds():
    """Selectors, right and wrong ones, are judged alike."""
    seen = {True: 0, False: 0}
    for selector in SELECTORS[::3]:
        for path in (
            ("scope", "rules", 0, "selector"),
            ("scope", "rules", 0, "value_patterns", 0, "selector"),
        ):
            filter_ = changed(FULL, path, selector)
            right = VALIDATOR.is_valid(filter_)
            assert right == accepts(filter_), selector
            seen[right] += 1
    assert min(seen.values()) > 20
