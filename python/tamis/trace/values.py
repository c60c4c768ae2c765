"""Makes the values of a trace readable, as Python would write them.

A trace holds values as JSON with `$` keys for what JSON lacks. Here they become text: a list of pieces, each
with the kind of thing it is, so that whoever prints it can give redactions a colour of their own. Whatever a
value holds, the text has no character that a terminal would act on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Piece", "harmless", "plain", "python_arguments", "python_value", "short_type"]


class Piece(NamedTuple):
    """A piece of a text.

    `kind` is `""` for ordinary text, `redacted`, `cut` for what says that there was more, `name` for names of
    arguments and fields.
    """

    text: str
    kind: str = ""


def plain(pieces: Iterable[Piece]) -> str:
    """The text alone."""
    return "".join(piece.text for piece in pieces)


def harmless(text: str) -> str:
    """The text with every character that does not print, or that steers a terminal, as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def short_type(name: str) -> str:
    """The name of a type without its module: `Order.Line` of `shop.model.Order.Line`, by the look of it."""
    parts = name.split(".")
    first = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return harmless(".".join(parts[first:]))


def python_value(text: str | None, room: int | None = None) -> list[Piece]:
    """A value, given as its JSON, in at most about `room` characters; without it, in full.

    What does not fit ends in `…`. Nothing at all for `None`: what the trace does not tell.
    """
    return _written(text, _Writer(room), _Writer.value)


def python_arguments(text: str | None, room: int | None = None) -> list[Piece]:
    """The arguments of a call, given as the JSON object of the trace: `a=1, b='x'`."""
    return _written(text, _Writer(room), _Writer.arguments)


def _written(text: str | None, writer: _Writer, write: Callable[[_Writer, Any], None]) -> list[Piece]:
    if text is None:
        return []
    try:
        write(writer, json.loads(text, parse_constant=_refuse))
    except _NoRoom:
        writer.pieces.append(Piece("…", "cut"))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # JSON that no helper writes: the file is damaged or somebody else's. That is no reason to fail.
        return [Piece("<unreadable>", "cut")]
    return writer.pieces


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


class _NoRoom(Exception):
    """Nothing more fits."""


# How the containers that JSON lacks are written.
_BRACKETS = {
    "$list": ("[", "]"),
    "$tuple": ("(", ")"),
    "$set": ("{", "}"),
    "$frozenset": ("frozenset({", "})"),
}
# Keys of an object that say something about it and are no fields of it.
_OF_AN_OBJECT = frozenset({"$type", "$id", "$value", "$cut"})


class _Writer:
    """Collects the pieces of one value until there is no room left."""

    def __init__(self, room: int | None) -> None:
        self.pieces: list[Piece] = []
        self.room = room

    def put(self, text: str, kind: str = "") -> None:
        text = harmless(text)
        if self.room is not None:
            if len(text) > self.room:
                if self.room > 0:
                    self.pieces.append(Piece(text[: self.room], kind))
                raise _NoRoom
            self.room -= len(text)
        self.pieces.append(Piece(text, kind))

    def value(self, value: Any) -> None:
        if isinstance(value, str):
            self.put(repr(value))
        elif isinstance(value, list):
            self.items(value, "[", "]")
        elif isinstance(value, dict):
            self.mapping(value)
        else:
            self.put(repr(value))

    def mapping(self, value: dict[str, Any]) -> None:
        """A JSON object: a dictionary of the program, or one of ours that says what it is by its `$` keys."""
        if "$type" in value and "$redacted" not in value:
            self.object(value)
            return
        for key in value:
            if key.startswith("$") and not key.startswith("$$"):
                write = getattr(self, f"tag_{key[1:]}", None)
                if write is not None:
                    write(value)
                elif key in _BRACKETS:
                    self.items(value[key], *_BRACKETS[key], cut=value.get("$cut"), lone=key == "$tuple")
                else:
                    self.put(f"<{key}>", "cut")
                return
        self.entries([(_unescaped(key), item) for key, item in value.items()])

    def items(
        self, items: list[Any], opening: str, closing: str, *, cut: int | None = None, lone: bool = False
    ) -> None:
        """The items of a container. `lone`: one item alone is followed by a comma."""
        if not items and cut is None and opening.endswith("{"):
            self.put("set()" if opening == "{" else "frozenset()")
            return
        self.put(opening)
        for position, item in enumerate(items):
            if position:
                self.put(", ")
            self.value(item)
        if lone and len(items) == 1 and cut is None:
            self.put(",")
        self.left_out(len(items), cut)
        self.put(closing)

    def entries(self, entries: list[Any], cut: int | None = None) -> None:
        self.put("{")
        for position, (key, item) in enumerate(entries):
            if position:
                self.put(", ")
            self.value(key)
            self.put(": ")
            self.value(item)
        self.left_out(len(entries), cut)
        self.put("}")

    def left_out(self, kept: int, total: int | None) -> None:
        """Says how much of a container is not in the trace."""
        if total is not None and total > kept:
            self.put(f"{', ' if kept else ''}… {total - kept:,} more", "cut")

    def arguments(self, given: Any) -> None:
        if isinstance(given, dict) and "$dict" not in given:
            self.named(given.items())
        else:
            self.value(given)

    def named(self, entries: Iterable[tuple[str, Any]]) -> None:
        for position, (name, item) in enumerate(entries):
            if position:
                self.put(", ")
            self.put(f"{_unescaped(name)}=", "name")
            self.value(item)

    def object(self, value: dict[str, Any]) -> None:
        """An object, with what was read of it: `Order#3(total=12.5)`."""
        name = short_type(str(value["$type"]))
        number = f"#{value['$id']}" if "$id" in value else ""
        if "$len" in value:
            self.put(f"<{name}{' ' if number else ''}{number} of {value['$len']:,}>", "cut")
            return
        if "$unread" in value:
            self.put(f"<{name}, not read: {value['$unread']!s}>", "cut")
            return
        if "$dtype" in value:
            self.array(name, value)
            return
        fields = [(key, item) for key, item in value.items() if key not in _OF_AN_OBJECT]
        held = value.get("$value")
        arguments = dict(fields).get("args")
        if len(fields) == 1 and held is None and isinstance(arguments, dict) and "$tuple" in arguments:
            # An exception, as Python writes it.
            self.put(name)
            self.items(arguments["$tuple"], "(", ")", cut=arguments.get("$cut"))
            return
        if not fields and "$value" not in value and "$cut" not in value:
            self.put(f"<{name}{' ' if number else ''}{number}>")
            return
        self.put(f"{name}{number}(")
        if "$value" in value:
            # A well-known type is told by its text, which is no string of the program.
            if isinstance(held, str) and "$id" not in value:
                self.put(held)
            else:
                self.value(held)
            self.put(", " if fields else "")
        self.named(fields)
        self.left_out(len(fields), value.get("$cut"))
        self.put(")")

    def array(self, name: str, value: dict[str, Any]) -> None:
        shape = "x".join(str(length) for length in value.get("$shape", []))
        self.put(f"{name}({value['$dtype']!s}, {shape}, ")
        items = value.get("$items", [])
        total = 1
        for length in value.get("$shape", []):
            total *= length
        self.items(items, "[", "]", cut=total)
        self.put(")")

    # One method for each `$` key that says what a value is.

    def tag_redacted(self, value: dict[str, Any]) -> None:
        self.put("<redacted>", "redacted")

    def tag_dropped(self, value: dict[str, Any]) -> None:
        self.put("<dropped>", "redacted")

    def tag_corrupt(self, value: dict[str, Any]) -> None:
        self.put("<corrupt>", "cut")

    def tag_cycle(self, value: dict[str, Any]) -> None:
        self.put("<cycle>", "cut")

    def tag_int(self, value: dict[str, Any]) -> None:
        if value["$int"] is None:
            self.put(f"<int of {value.get('$bits', 0):,} bits>", "cut")
        else:
            self.put(str(value["$int"]))

    def tag_float(self, value: dict[str, Any]) -> None:
        self.put(str(value["$float"]))

    def tag_const(self, value: dict[str, Any]) -> None:
        self.put(str(value["$const"]))

    def tag_complex(self, value: dict[str, Any]) -> None:
        real, imaginary = (
            part if isinstance(part, float) else float(_number(part)) for part in value["$complex"]
        )
        self.put(repr(complex(real, imaginary)))

    def tag_str(self, value: dict[str, Any]) -> None:
        kept = str(value["$str"])
        # Escapes of surrogates are text already; a quote of their own keeps them as they are.
        self.put(f"'{kept}'" if value.get("$escaped") else repr(kept))
        if "$cut" in value:
            self.put(f"… {value['$cut']:,} characters", "cut")

    def tag_bytes(self, value: dict[str, Any]) -> None:
        self.put(f"b'{value['$bytes']!s}'")
        self.bytes_left_out(value)

    def tag_bytearray(self, value: dict[str, Any]) -> None:
        self.put(f"bytearray(b'{value['$bytearray']!s}')")
        self.bytes_left_out(value)

    def bytes_left_out(self, value: dict[str, Any]) -> None:
        if "$cut" in value:
            self.put(f"… {value['$cut']:,} bytes", "cut")

    def tag_dict(self, value: dict[str, Any]) -> None:
        self.entries(value["$dict"], value.get("$cut"))


def _unescaped(key: str) -> str:
    """A key of the program: one that began with `$` was given one more."""
    return key[1:] if key.startswith("$$") else key


def _number(value: Any) -> Any:
    """A number that JSON lacks, as text that `float` reads."""
    return value["$float"] if isinstance(value, dict) else value
