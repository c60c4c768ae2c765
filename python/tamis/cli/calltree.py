"""The lines that `tamis show` prints: one for each call, repeated calls folded into one."""

from __future__ import annotations

from dataclasses import dataclass, field

from tamis.trace.values import Piece, harmless, plain, python_arguments, python_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.trace.tree import Node

__all__ = ["Line", "duration_text", "folded", "line_of"]

# A subtree of more lines is not compared with its neighbours, so that no more than these are held back.
_FOLDABLE = 40
_LEAST = 24  # characters of a line that values get, however deep it is indented


@dataclass
class Line:
    """A call, or so many calls that are the same but for their times, as text."""

    pieces: list[Piece]
    calls: int
    """The calls that it stands for, with those below them that were folded away."""


def duration_text(ns: int) -> str:
    """A time span with three digits and a unit that fits: `1.25 ms`."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if ns >= size:
            number = ns / size
            digits = 0 if number >= 100 else 1 if number >= 10 else 2
            return f"{number:,.{digits}f} {unit}"
    return f"{ns} ns"


def line_of(node: Node, width: int | None, heading: str = "") -> list[Piece]:
    """The text of a call without its time: `name(arguments) → result`, in about `width` characters."""
    indent = _indent(node.depth, width)
    name = harmless(_name(node))
    room = None if width is None else max(_LEAST, width - len(indent) - len(name) - 14)
    pieces = [Piece(indent, "dim"), Piece(heading, "dim"), Piece(name, "function"), Piece("(")]
    arguments = python_arguments(node.args, None if room is None else room * 2 // 3)
    if node.start is None:
        arguments = [Piece("…", "cut")]
    elif node.args is None:
        arguments = []
    pieces += [*arguments, Piece(")")]
    if room is not None:
        room = max(_LEAST // 2, room - len(plain(arguments)))
    return [*pieces, *_ending(node, room)]


def _name(node: Node) -> str:
    """Its name in its module; the bodies of modules all have the same one, and are told apart by theirs."""
    if node.qualname == "<module>" and node.module:
        return f"<module {node.module}>"
    return node.qualname or "<unknown>"


def _ending(node: Node, room: int | None) -> Iterator[Piece]:
    """How a call ended, and what is worth telling of its way there."""
    if node.outcome == "returned":
        if node.result is not None:
            yield Piece(" → ", "dim")
            yield from python_value(node.result, room)
    elif node.outcome == "raised":
        yield Piece(" ✗ ", "error")
        yield from ([Piece(piece.text, piece.kind or "error") for piece in python_value(node.error, room)]
                    or [Piece("an exception", "error")])  # fmt: skip
    else:
        yield Piece(f" … {node.outcome}", "cut")
    if node.yields:
        yield Piece(f"  {node.yields:,} yield{'s' * (node.yields > 1)}", "dim")
    for error in node.caught:
        yield Piece("  caught ", "dim")
        yield from python_value(error, room) or [Piece("an exception")]
    if node.start is None:
        yield Piece("  began before the recording", "dim")


def _indent(depth: int, width: int | None) -> str:
    """Two columns a level; beyond a third of the line the level is told as a number."""
    most = depth if width is None else max(4, width // 6)
    return "  " * depth if depth <= most else "  " * (most - 2) + f"{depth:>3} "


@dataclass
class _Group:
    """Calls of one parent, one after another, that are the same with all that is below them."""

    key: object
    node: Node
    text: list[Piece]
    below: list[Line]
    count: int = 1
    total: int = 0


@dataclass
class _Open:
    """A call whose children are still coming. `committed`: its line is out, and so are those before it."""

    node: Node | None
    text: list[Piece]
    committed: bool = False
    below: list[Line] = field(default_factory=list)
    keys: list[object] = field(default_factory=list)
    last: _Group | None = None


def folded(nodes: Iterable[Node], width: int | None) -> Iterator[Line]:
    """The lines of a tree that comes in preorder. Of the tree, a path and a few lines at a time are held.

    Neighbours that read the same, with everything below them, become one line. A call whose subtree has grown
    beyond what is compared is written at once, and its subtree as it comes.
    """
    path = [_Open(None, [], committed=True)]
    for node in nodes:
        while len(path) > node.depth + 1:
            yield from _close(path)
        task = f"[task {node.task}] " if node.task is not None and node.task != node.parent_task else ""
        path.append(_Open(node, line_of(node, width, task)))
    while len(path) > 1:
        yield from _close(path)
    yield from _flush(path, 0)


def _close(path: list[_Open]) -> Iterator[Line]:
    """Ends the innermost call: it joins the group before it, or begins one."""
    yield from _flush(path, len(path) - 1)
    done = path.pop()
    parent = path[-1]
    if done.committed or done.node is None:
        return
    key = (plain(done.text), tuple(done.keys))
    if parent.last is None or parent.last.key != key:
        yield from _flush(path, len(path) - 1)
        parent.last = _Group(key, done.node, done.text, done.below, count=0)
    parent.last.count += 1
    parent.last.total += done.node.duration or 0


def _flush(path: list[_Open], at: int) -> Iterator[Line]:
    """Writes the group that waits below a call of the path, or adds it to what the call itself holds back."""
    call = path[at]
    group, call.last = call.last, None
    if group is None:
        return
    lines = [_line(group), *group.below]
    if call.committed:
        yield from lines
        return
    call.below += lines
    call.keys.append((group.key, group.count))
    if len(call.below) > _FOLDABLE:
        yield from _commit(path, at)


def _commit(path: list[_Open], at: int) -> Iterator[Line]:
    """Writes the calls of the path down to this one, after what comes before them."""
    for level in range(1, at + 1):
        call = path[level]
        if call.committed or call.node is None:
            continue
        yield from _flush(path, level - 1)
        call.committed = True
        group = _Group(None, call.node, call.text, [], total=call.node.duration or 0)
        yield _line(group, alone=True)
        yield from call.below
        call.below, call.keys = [], []


def _line(group: _Group, *, alone: bool = False) -> Line:
    pieces = list(group.text)
    if group.count > 1:
        pieces.append(Piece(f"  × {group.count:,}", "count"))
    if group.node.duration is not None:
        total = " in all" if group.count > 1 else ""
        pieces.append(Piece(f"  {duration_text(group.total)}{total}", "dim"))
    below = 0 if alone else sum(line.calls for line in group.below)
    # The lines below stand for the calls below the first of the group; those below the others are here.
    return Line(pieces, group.count + (group.count - 1) * below)
