"""Values of a trace as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.trace.values import harmless, plain, python_arguments, python_value, short_type

VALUES: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (-7, "-7"),
    (1.0, "1.0"),
    (1e100, "1e+100"),
    ("it's", '"it\'s"'),
    ([1, "a", [True, None]], "[1, 'a', [True, None]]"),
    ({"a": 1, "b": {}}, "{'a': 1, 'b': {}}"),
    ({"$$type": 1}, "{'$type': 1}"),
    ({"$$$x": 1}, "{'$$x': 1}"),
    ({"$float": "nan"}, "nan"),
    ({"$float": "-inf"}, "-inf"),
    ({"$int": "123456789012345678901234567890"}, "123456789012345678901234567890"),
    ({"$int": None, "$bits": 9000}, "<int of 9,000 bits>"),
    ({"$complex": [1.0, -2.0]}, "(1-2j)"),
    ({"$complex": [{"$float": "nan"}, 0.0]}, "(nan+0j)"),
    ({"$const": "Ellipsis"}, "Ellipsis"),
    ({"$str": "a\\ud800", "$escaped": True}, "'a\\ud800'"),
    ({"$str": "begin", "$cut": 12345}, "'begin'… 12,345 characters"),
    ({"$bytes": "a\\x00"}, "b'a\\x00'"),
    ({"$bytes": "a", "$cut": 2000}, "b'a'… 2,000 bytes"),
    ({"$bytearray": "a"}, "bytearray(b'a')"),
    ({"$list": [1, 2], "$cut": 1002}, "[1, 2, … 1,000 more]"),
    ({"$list": [], "$cut": 5}, "[… 5 more]"),
    ({"$tuple": []}, "()"),
    ({"$tuple": [1]}, "(1,)"),
    ({"$tuple": [1, 2]}, "(1, 2)"),
    ({"$set": [1]}, "{1}"),
    ({"$set": []}, "set()"),
    ({"$frozenset": []}, "frozenset()"),
    ({"$frozenset": [1]}, "frozenset({1})"),
    ({"$dict": [[1, "a"], [{"$tuple": [1, 2]}, None]]}, "{1: 'a', (1, 2): None}"),
    ({"$dict": [["k", 1]], "$cut": 3}, "{'k': 1, … 2 more}"),
    ({"$type": "app.User", "$id": 3}, "<User #3>"),
    ({"$type": "app.User", "$id": 3, "name": "x", "age": 4}, "User#3(name='x', age=4)"),
    ({"$type": "app.User", "$id": 3, "name": "x", "$cut": 9}, "User#3(name='x', … 8 more)"),
    ({"$type": "app.Rows", "$id": 3, "$value": [1], "page": 2}, "Rows#3([1], page=2)"),
    ({"$type": "app.Name", "$id": 3, "$value": "x"}, "Name#3('x')"),
    ({"$type": "app.Falsy", "$id": 3, "$value": None}, "Falsy#3(None)"),
    ({"$type": "datetime.datetime", "$value": "2026-01-02T03:04:05"}, "datetime(2026-01-02T03:04:05)"),
    ({"$type": "builtins.ValueError", "$id": 1, "args": {"$tuple": ["bad"]}}, "ValueError('bad')"),
    ({"$type": "list", "$len": 1500}, "<list of 1,500>"),
    ({"$type": "app.Stack", "$id": 7, "$len": 2}, "<Stack #7 of 2>"),
    ({"$type": "app.X", "$unread": "layout"}, "<X, not read: layout>"),
    (
        {"$type": "numpy.ndarray", "$dtype": "float64", "$shape": [2, 3], "$items": [1.0, 2.0]},
        "ndarray(float64, 2x3, [1.0, 2.0, … 4 more])",
    ),
    ({"$cycle": 1}, "<cycle>"),
    ({"$redacted": True, "$type": "str"}, "<redacted>"),
    ({"$dropped": True}, "<dropped>"),
    ({"$corrupt": True}, "<corrupt>"),
    ({"$never heard of": 1}, "<$never heard of>"),
    ("\x1b]0;title\x07\x9b2J\u202e\n", "'\\x1b]0;title\\x07\\x9b2J\\u202e\\n'"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[text for _, text in VALUES])
def test_python_value(value: Any, text: str) -> None:
    """A value reads as Python would write it."""
    assert plain(python_value(json.dumps(value))) == text


def test_kinds() -> None:
    """What was redacted, what was cut and what is a name can be told from the rest."""
    value = {"user": "x", "pin": {"$redacted": True, "$type": "int"}, "rows": {"$list": [1], "$cut": 9}}
    pieces = python_arguments(json.dumps(value))
    assert [piece.text for piece in pieces if piece.kind == "redacted"] == ["<redacted>"]
    assert [piece.text for piece in pieces if piece.kind == "cut"] == [", … 8 more"]
    assert [piece.text for piece in pieces if piece.kind == "name"] == ["user=", "pin=", "rows="]
    assert plain(pieces) == "user='x', pin=<redacted>, rows=[1, … 8 more]"


@pytest.mark.parametrize(
    "text", ["{", '{"$tuple"', "NaN", "[" * 100_000], ids=["open", "half", "nan", "deep"]
)
def test_unreadable(text: str) -> None:
    """JSON that cannot be read is told, and is no error."""
    assert plain(python_value(text)) == "<unreadable>"
    assert plain(python_arguments(text)) == "<unreadable>"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("app.model.User", "User"),
        ("app.Outer.Inner", "Outer.Inner"),
        ("int", "int"),
        ("collections.deque", "deque"),
        ("m.f.<locals>.C", "C"),
    ],
)
def test_short_type(name: str, short: str) -> None:
    """A type is called by its name, and by that of the class around it."""
    assert short_type(name) == short


TAGS = ["$type", "$id", "$value", "$tuple", "$dict", "$str", "$bytes", "$cut", "$complex", "$dtype", "$shape"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["$type", "$id", "$tuple", "$cut"]), inner)
    ),
)


@given(JSON, st.integers(0, 60))
def test_room_and_safety(value: Any, room: int) -> None:
    """Whatever the JSON is, its text fits the room, has no control character, and begins like the whole."""
    text = json.dumps(value)
    whole, short = plain(python_value(text)), plain(python_value(text, room))
    assert whole.isprintable()
    assert short.isprintable()
    if whole != "<unreadable>":
        assert len(short) <= room + 1
        assert short == whole or whole.startswith(short.removesuffix("…"))


@given(st.text())
def test_harmless(text: str) -> None:
    """A name or text is printable, and what was printable stays as it is."""
    assert harmless(text).isprintable()
    if text.isprintable():
        assert harmless(text) == text
