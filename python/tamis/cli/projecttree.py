"""The tree of `tamis explain`: folders, files and functions of a project, with what becomes of them.

What is all alike is folded into one line: a folder of which everything is recorded and nothing redacted, or
nothing recorded. What is left are the places where rules are at work.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tamis.cli import terminal
from tamis.trace.values import Piece, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tamis.cli.screen import Screen
    from tamis.policy.explain import Seen
    from tamis.policy.names import SourceFile

__all__ = ["Tree", "few"]

_INDENT = "  "
# Names on one line; beyond it they are counted.
_MOST_NAMES = 12


class _Total(NamedTuple):
    """Sums over files."""

    files: int = 0
    recorded: int = 0
    code: int = 0
    hidden: int = 0
    allowed: int = 0

    def __add__(self, other: object) -> _Total:
        assert isinstance(other, _Total)
        return _Total(*map(sum, zip(self, other, strict=True)))

    @property
    def alike(self) -> bool:
        return not self.recorded or (self.recorded == self.code and not self.hidden and not self.allowed)

    def words(self) -> str:
        if not self.recorded:
            return "skipped"
        recorded = "recorded" if self.recorded == self.code else f"{self.recorded} of {self.code} recorded"
        hidden = f", {terminal.counted(self.hidden, 'value')} hidden" if self.hidden else ""
        return recorded + hidden + (f", {self.allowed:,} allowed by a pattern" if self.allowed else "")


class _Node:
    """A folder or a file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inner: dict[str, _Node] = {}
        self.seen: list[Seen] = []
        self.total = _Total()


class Tree:
    """`decider` says in words who decided."""

    def __init__(
        self, rows: Iterable[tuple[SourceFile, list[Seen]]], decider: Callable[[dict[str, Any]], str]
    ) -> None:
        self._decider = decider
        self._root = _Node("")
        for file, seen in rows:
            recorded = sum(one.traced for one in seen)
            hidden = sum(len(one.hidden) for one in seen)
            total = _Total(1, recorded, len(seen), hidden, sum(len(one.allowed) for one in seen))
            node = self._root
            node.total += total
            for step in file.file.split("/"):
                node = node.inner.setdefault(step, _Node(step))
                node.total += total
            node.seen = seen

    def print(self, screen: Screen, depth: int | None, *, unfold: bool) -> None:
        """`depth`: so many levels of it, None: all. `unfold`: also of what is all alike."""
        for node in self._root.inner.values() if depth != 0 else ():
            self._print_node(screen, node, 0, depth, unfold)
        self._print_totals(screen)

    def _print_node(self, screen: Screen, node: _Node, level: int, depth: int | None, unfold: bool) -> None:
        # Folders that hold one folder only share a line.
        name = node.name
        while len(node.inner) == 1 and next(iter(node.inner.values())).inner:
            [node] = node.inner.values()
            name += f"/{node.name}"
        folded = (node.total.alike and not unfold) or (depth is not None and level + 1 >= depth)
        name += "/" if node.inner else ""
        files = f"{terminal.counted(node.total.files, 'file')}, " if node.inner else ""
        by = f" by {self._decider(only)}" if (only := self._skipped_by(node)) else ""
        screen.line(
            Piece(_INDENT * level + harmless(name), "function"),
            Piece(f"  {files}", "dim"),
            Piece(node.total.words(), "redacted" if node.total.hidden else "count"),
            Piece(by, "dim"),
        )
        if folded:
            return
        for inner in node.inner.values():
            self._print_node(screen, inner, level + 1, depth, unfold)
        self._print_code(screen, node, level + 1, depth, unfold)

    def _print_code(self, screen: Screen, node: _Node, level: int, depth: int | None, unfold: bool) -> None:
        indent = _INDENT * level
        skipped: dict[str, list[str]] = {}
        for one in node.seen:
            place = harmless(f"{one.code.qualname}:{one.code.line}")
            if not one.traced:
                skipped.setdefault(self._decider(one.by), []).append(place)
                continue
            if one.hidden or one.allowed or unfold:
                screen.line(Piece(f"{indent}{place}", "function"), Piece("  recorded", "count"))
            if depth is not None and level + 1 >= depth:
                continue
            groups: dict[tuple[str, str], list[str]] = {}
            for value in (*one.allowed, *one.hidden):
                groups.setdefault((value["action"], self._decider(value["by"])), []).append(value["name"])
            for (action, decider), names in groups.items():
                kind = "error" if action == "allow" else "redacted"
                screen.line(
                    Piece(f"{indent}{_INDENT}{action}s {few(names)}", kind), Piece(f" by {decider}", "dim")
                )
        if self._skipped_by(node) is None:
            for decider, places in skipped.items():
                screen.line(Piece(f"{indent}skips {few(places)}"), Piece(f" by {decider}", "dim"))

    def _skipped_by(self, node: _Node) -> dict[str, Any] | None:
        """Who decided that nothing of a folder or file is recorded, if that is one."""
        if node.total.recorded:
            return None
        deciders = _deciders(node)
        first = next(deciders, None)
        return first if all(other == first for other in deciders) else None

    def _print_totals(self, screen: Screen) -> None:
        total = self._root.total
        recorded = f"{total.recorded:,} of {total.code:,} code objects are recorded"
        screen.line(Piece(f"{terminal.counted(total.files, 'file')}, {recorded}"))
        for list_ in ("allowed", "hidden"):
            counted = Counter(
                (value["action"], self._decider(value["by"]))
                for one in _code(self._root)
                for value in getattr(one, list_)
            )
            for (action, decider), count in counted.most_common():
                done = {"allow": "allowed", "redact": "redacted", "drop": "dropped"}.get(action, action)
                kind = "error" if action == "allow" else "redacted"
                screen.line(
                    Piece(f"{terminal.counted(count, 'value')} {done}", kind), Piece(f" by {decider}", "dim")
                )
        inside = Counter(pattern for one in _code(self._root) for pattern in one.inside)
        for pattern, count in inside.most_common():
            code = terminal.counted(count, "code object")
            screen.line(Piece(f"inside of the values of {code}: "), Piece(harmless(pattern), "dim"))


def _code(node: _Node) -> Iterator[Seen]:
    yield from node.seen
    for inner in node.inner.values():
        yield from _code(inner)


def _deciders(node: _Node) -> Iterator[dict[str, Any]]:
    return (one.by for one in _code(node))


def few(names: list[str]) -> str:
    """Names on one line, at most a dozen."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
