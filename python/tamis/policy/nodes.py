"""Structured text (YAML, JSON) as values that know where they stand."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # since Python 2.6

import yaml

from tamis._core import Diagnostic
from tamis.errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Node", "Text", "parse"]

# Deeper texts are nobody's rules.
_DEEPEST = 40
_LARGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """A file that is being read."""

    display: str
    """The file, as the user would spell it."""
    lines: tuple[str, ...]

    def diagnostic(
        self, id: str, node: Node, message: str, hint: str | None = None, shift: int = 0
    ) -> Diagnostic:
        """A problem at a node, or so many characters behind its beginning."""
        source = self.lines[node.line] if node.line < len(self.lines) else ""
        start = min(node.column + shift, len(source))
        end = node.end if node.end > start else start + 1
        return Diagnostic(id, self.display, message, hint, (node.line + 1, start + 1, end + 1, source))


@dataclass(frozen=True, slots=True)
class Node:
    """A value: a list, a mapping (as pairs, in order), or a scalar."""

    value: object
    """`list[Node]`, `list[tuple[Node, Node]]` of a mapping, `str`, `bool`, `int`, `float` or `None`."""
    kind: str
    """`list`, `mapping`, `text`, `truth`, `number`, `nothing`."""
    line: int
    """From 0."""
    column: int
    """From 0, in characters."""
    end: int
    """Behind its last character, if that is on the same line; else the end of its first line."""
    written: str | None = None
    """How a scalar without quotes is written."""

    @property
    def items(self) -> list[Node]:
        return self.value if isinstance(self.value, list) and self.kind == "list" else []

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        return self.value if isinstance(self.value, list) and self.kind == "mapping" else []


def parse(display: str, data: bytes) -> tuple[Text, Node]:
    """Reads JSON if the file is called so, else YAML. Raises `PolicyError` if it is neither."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        source = data.split(b"\n")[line].decode(errors="replace")
        begin = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[begin : error.start].decode(errors="replace")) + 1
        place = (line + 1, column, column + 1, source)
        raise PolicyError(
            [Diagnostic("not-utf8", display, "the file is not UTF-8 text", None, place)]
        ) from None
    if len(text) > _LARGEST:
        message = f"the file is larger than {_LARGEST >> 20} MB"
        raise PolicyError([Diagnostic("file-unreadable", display, message)])
    # Lines as YAML and JSON count them, not as `str.splitlines` does.
    file = Text(display, tuple(re.split(r"\r\n|\n|\r", text)))
    node = _Json(file, text).document() if display.endswith(".json") else _yaml(file, text)
    return file, node


# YAML


def _yaml(file: Text, text: str) -> Node:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # First without recursion, which depth could overflow.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                mark = event.start_mark
                place = Node(None, "nothing", mark.line, mark.column, mark.column + 1) if mark else _FIRST
                raise PolicyError([file.diagnostic("yaml-syntax", place, "not rules: nested too deep")])
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Node(None, "nothing", mark.line, mark.column, mark.column + 1) if mark else _FIRST
        says = ", ".join(filter(None, (error.context, error.problem)))
        raise PolicyError([file.diagnostic("yaml-syntax", place, f"not YAML: {says}")]) from None
    except yaml.YAMLError as error:
        raise PolicyError(
            [file.diagnostic("yaml-syntax", _FIRST, f"not YAML: {_first_line(error)}")]
        ) from None
    return _Yaml(file).node(root, 0) if root is not None else Node([], "list", 0, 0, 1)


_FIRST = Node(None, "nothing", 0, 0, 1)
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


class _Yaml:
    """Turns nodes of PyYAML into ours, each at most once: an alias is the node that it names."""

    def __init__(self, file: Text) -> None:
        self._file = file
        self._known: dict[int, Node] = {}

    def node(self, node: yaml.Node, depth: int) -> Node:
        if depth > _DEEPEST:
            place = Node(
                None, "nothing", node.start_mark.line, node.start_mark.column, node.start_mark.column + 1
            )
            raise PolicyError([self._file.diagnostic("yaml-syntax", place, "not rules: nested too deep")])
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._made(node, depth)
        return known

    def _made(self, node: yaml.Node, depth: int) -> Node:
        start, end = node.start_mark, node.end_mark
        last = end.column if end.line == start.line else len(self._file.lines[start.line])
        place = (start.line, start.column, last)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.node(item, depth + 1) for item in node.value], "list", *place)
        if isinstance(node, yaml.MappingNode):
            pairs = [(self.node(key, depth + 1), self.node(value, depth + 1)) for key, value in node.value]
            return Node(pairs, "mapping", *place)
        kind = node.tag.rpartition(":")[2]
        written = str(node.value)
        if kind == "bool":
            return Node(_TRUTHS[written.lower()], "truth", *place, written)
        if kind == "null":
            return Node(None, "nothing", *place, written)
        if kind in ("int", "float"):
            return Node(written, "number", *place, written)
        return Node(
            written, "text", *place, None if isinstance(node, yaml.ScalarNode) and node.style else written
        )


# JSON


class _Json:
    """Reads JSON with the places of its values: `json` says none."""

    _SPACE = re.compile(r"[ \t\n\r]*")
    _WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")

    def __init__(self, file: Text, text: str) -> None:
        self._file = file
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]

    def document(self) -> Node:
        node = self._value(0)
        if self._next():
            raise self._wrong("nothing may follow the first value")
        return node

    def _place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, at) - 1
        return line, at - self._starts[line]

    def _wrong(self, message: str, at: int | None = None) -> PolicyError:
        line, column = self._place(self._at if at is None else at)
        node = Node(None, "nothing", line, column, column + 1)
        return PolicyError([self._file.diagnostic("json-syntax", node, f"not JSON: {message}")])

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        match = self._SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _node(self, value: object, kind: str, start: int, written: str | None = None) -> Node:
        line, column = self._place(start)
        last, end = self._place(self._at)
        return Node(value, kind, line, column, end if last == line else len(self._file.lines[line]), written)

    def _value(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self._wrong("nested too deep")
        first = self._next()
        start = self._at
        if first == "[":
            return self._node(list(self._members("]", depth)), "list", start)
        if first == "{":
            return self._node(list(self._entries(depth)), "mapping", start)
        if first == '"':
            return self._string()
        match = self._WORD.match(self._text, self._at)
        if match is None:
            raise self._wrong("a value is missing here")
        self._at = match.end()
        value = json.loads(match[0])
        kind = "nothing" if value is None else "truth" if isinstance(value, bool) else "number"
        return self._node(value, kind, start)

    def _string(self) -> Node:
        start = self._at
        try:
            value, self._at = scanstring(self._text, self._at + 1, True)
        except json.JSONDecodeError as error:
            raise self._wrong(error.msg.lower(), error.pos) from None
        return self._node(value, "text", start)

    def _members(self, closing: str, depth: int) -> Iterator[Node]:
        self._at += 1
        while self._next() != closing:
            yield self._value(depth + 1)
            self._comma(closing)
        self._at += 1

    def _entries(self, depth: int) -> Iterator[tuple[Node, Node]]:
        self._at += 1
        while (character := self._next()) != "}":
            if character != '"':
                raise self._wrong("a key in double quotes is missing here")
            key = self._string()
            if self._next() != ":":
                raise self._wrong("a `:` is missing here")
            self._at += 1
            yield key, self._value(depth + 1)
            self._comma("}")
        self._at += 1

    def _comma(self, closing: str) -> None:
        character = self._next()
        if character == ",":
            comma = self._at
            self._at += 1
            if self._next() == closing:
                raise self._wrong(f"nothing stands between `,` and `{closing}`", comma)
        elif character != closing:
            raise self._wrong(f"a `,` or `{closing}` is missing here")
