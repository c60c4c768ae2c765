"""Lays filters out anew: where their tokens stand changes, and nothing of what they say.

A filter comes out as `tamis init` would write it: a blank line before each table, four spaces of indent for
a table that belongs to an entry of a list, one space around `=`, a list that was on several lines with an
entry on each. Comments, values and their order stay as they are.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis._core import toml_tokens
from tamis.errors import TamisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.policy.chain import Source

    type Token = tuple[str, str]

__all__ = ["laid_out", "replace"]

_INDENT = " " * 4
# A list that would be longer than that is broken.
_WIDTH = 110
_SPACE = ("blank", "newline")


def laid_out(source: Source) -> bytes:
    """A filter in its layout. Raises `PolicyError` if it is no TOML."""
    tokens = toml_tokens(source)
    newline = next((text for kind, text in tokens if kind == "newline"), "\n")
    new = _Writer(newline).written(_Reader(tokens).entries()).encode()
    if _said(toml_tokens((source[0], source[1], new))) != _said(tokens):
        raise TamisError(
            f"`{source[0]}` cannot be laid out without changing it", hint="this is a fault in Tamis"
        )
    return new


def replace(path: str, text: bytes) -> None:
    """Puts a text in the place of a file at once, so that none is ever half written; a link stays one."""
    path = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".tamis-")
    try:
        with open(descriptor, "wb") as file:
            file.write(text)
        os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _said(tokens: Iterable[Token]) -> tuple[list[str], list[str]]:
    """What must stay: the tokens but for space and commas behind the last entry of a list, and the
    comments."""
    code: list[str] = []
    comments = []
    for kind, text in tokens:
        if kind == "comment":
            comments.append(text.rstrip())
        elif kind not in _SPACE:
            if kind in ("]", "}") and code and code[-1] == ",":
                code.pop()
            code.append(text)
    return code, comments


# What a file consists of


@dataclass
class _Group:
    """A list or an inline table."""

    opening: str
    items: list[_Item] = field(default_factory=list)
    broken: bool = False
    """It is on several lines."""
    last: list[str] = field(default_factory=list)
    """Comments behind the last entry."""

    @property
    def closing(self) -> str:
        return "]" if self.opening == "[" else "}"


@dataclass
class _Item:
    """An entry of a list or an inline table."""

    before: list[str]
    key: str
    """With `=`; empty in a list."""
    value: str | _Group
    comment: str = ""


@dataclass
class _Entry:
    """A table's header, a key with its value, or a comment of its own."""

    blank: bool
    """A blank line stood before it."""
    header: str = ""
    key: str = ""
    value: str | _Group = ""
    comment: str = ""


class _Reader:
    """Reads tokens, of which it is known that they are TOML."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = [*tokens, ("newline", "\n"), ("end", "")]
        self._place = 0

    @property
    def _kind(self) -> str:
        return self._tokens[self._place][0]

    def _take(self) -> str:
        text = self._tokens[self._place][1]
        self._place += 1
        return text

    def entries(self) -> list[_Entry]:
        found: list[_Entry] = []
        while True:
            newlines = self._space()
            entry = _Entry(blank=newlines > (1 if found else 0))
            if self._kind == "end":
                return found
            found.append(entry)
            if self._kind == "[":
                entry.header = self._until("comment", "newline").replace(" ", "").replace("\t", "")
            elif self._kind != "comment":
                entry.key = self._key()
                entry.value = self._value("comment", "newline")
            self._blanks()
            entry.comment = self._take().rstrip() if self._kind == "comment" else ""

    def _space(self) -> int:
        """Skips what is not seen; returns how many lines ended."""
        newlines = 0
        while self._kind in _SPACE:
            newlines += self._kind == "newline"
            self._place += 1
        return newlines

    def _blanks(self) -> None:
        while self._kind == "blank":
            self._place += 1

    def _until(self, *ends: str) -> str:
        """Text up to one of these, without the space behind it."""
        begin = self._place
        while self._kind not in ends:
            self._place += 1
        return "".join(text for _, text in self._tokens[begin : self._place]).rstrip()

    def _key(self) -> str:
        begin = self._place
        while self._kind != "=":
            self._place += 1
        key = "".join(text for kind, text in self._tokens[begin : self._place] if kind != "blank")
        self._place += 1
        self._blanks()
        return key + " ="

    def _value(self, *ends: str) -> str | _Group:
        return self._group() if self._kind in ("[", "{") else self._until(*ends)

    def _group(self) -> _Group:
        group = _Group(self._take())
        before: list[str] = []
        ended = False  # the line of the latest entry
        while True:
            newlines = self._space()
            group.broken |= newlines > 0
            ended |= newlines > 0
            if self._kind == "comment":
                comment = self._take().rstrip()
                if group.items and not (ended or before or group.items[-1].comment):
                    group.items[-1].comment = comment
                else:
                    before.append(comment)
            elif self._kind == ",":
                self._place += 1
            elif self._kind == group.closing:
                self._place += 1
                group.last = before
                return group
            else:
                key = self._key() if group.opening == "{" else ""
                group.items.append(_Item(before, key, self._value(",", "comment", "newline", group.closing)))
                before, ended = [], False


# How it is written


class _Writer:
    """Writes the entries of a file."""

    def __init__(self, newline: str) -> None:
        self._newline = newline

    def written(self, entries: Sequence[_Entry]) -> str:
        for place, entry in enumerate(entries):
            entry.blank = _parted(entries, place)
        lines = []
        for entry, depth in zip(entries, _depths(entries), strict=True):
            indent = _INDENT * depth
            said = f"{entry.key} {self._value(entry.value, indent, entry.key)}" if entry.key else entry.header
            lines += [""] * entry.blank + [indent + "  ".join(filter(None, (said, entry.comment)))]
        return "".join(line + self._newline for line in lines)

    def _value(self, value: str | _Group, indent: str, key: str) -> str:
        """A value behind its key, in a line with this indent."""
        if isinstance(value, str):
            return value
        if not value.broken:
            flat = self._flat(value, indent)
            # An inline table must not be broken before version 1.1 of TOML.
            if value.opening == "{" or not value.items or len(f"{indent}{key} {flat}") <= _WIDTH:
                return flat
        if not value.items and not value.last:
            return value.opening + value.closing
        inner = indent + _INDENT
        lines = [value.opening]
        for place, item in enumerate(value.items):
            lines += [inner + comment for comment in item.before]
            comma = "," if value.opening == "[" or place + 1 < len(value.items) else ""
            said = self._item(item, inner) + comma
            lines.append(inner + "  ".join(filter(None, (said, item.comment))))
        lines += [inner + comment for comment in value.last]
        return self._newline.join([*lines, indent + value.closing])

    def _flat(self, group: _Group, indent: str) -> str:
        inside = ", ".join(self._item(item, indent) for item in group.items)
        space = " " * (group.opening == "{" and bool(inside))
        return group.opening + space + inside + space + group.closing

    def _item(self, item: _Item, indent: str) -> str:
        value = self._value(item.value, indent, item.key)
        return f"{item.key} {value}" if item.key else value


def _parted(entries: Sequence[_Entry], place: int) -> bool:
    """Whether a blank line goes before an entry."""
    entry = entries[place]
    if not place or (not entry.blank and _is_comment(entries[place - 1])):
        return False
    return _is_for_header(entries, place) or (entry.blank and not entries[place - 1].header)


def _is_for_header(entries: Sequence[_Entry], place: int) -> bool:
    """Whether an entry is a header, or one of the comments right above one."""
    while _is_comment(entries[place]) and place + 1 < len(entries) and not entries[place + 1].blank:
        place += 1
    return bool(entries[place].header)


def _is_comment(entry: _Entry) -> bool:
    return not entry.header and not entry.key


def _depths(entries: Sequence[_Entry]) -> list[int]:
    """How far each entry is indented: tables as deep as they are in lists of tables, a comment as what it
    stands right above, or else right below."""
    depths: list[int] = []
    lists: set[tuple[str, ...]] = set()
    depth = 0
    for entry in entries:
        if entry.header:
            path = tuple(entry.header.strip("[]").replace('"', "").replace("'", "").split("."))
            depth = sum(path[:end] in lists for end in range(1, len(path)))
            if entry.header.startswith("[["):
                lists.add(path)
        depths.append(depth)
    below = 0
    for place in reversed(range(len(entries))):
        if not _is_comment(entries[place]):
            below = depths[place]
            continue
        ends = place + 1 == len(entries) or entries[place + 1].blank
        if not ends:
            depths[place] = depths[place + 1]
        elif not _follows(entries, place):
            depths[place] = below
    return depths


def _follows(entries: Sequence[_Entry], place: int) -> bool:
    """Whether the comments that end here stand right below something else."""
    while place and not entries[place].blank and _is_comment(entries[place - 1]):
        place -= 1
    return place > 0 and not entries[place].blank
