"""The calls of a trace as a tree, in the order in which they started.

A trace may hold any number of calls, so the tree is never built: calls come in pages, each call with its
depth below the calls that are shown, and what stays in memory is a page and the calls that were still open at
its end. What a filter needs to know about calls that are far apart (what is below what) is worked out
natively, from some bytes for each call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tamis.trace.chosen import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tamis.trace.chosen import Selection
    from tamis.trace.reader import Trace

__all__ = ["Node", "Thread", "Tree"]

# Calls in a page. The first is small, so that it comes at once. Up to 5,000 first rows DuckDB finds in one
# scan and little memory; for more it sorts the whole table.
_FIRST_PAGE, _PAGE = 2_000, 4_900
# After so many calls of which hardly any was high enough up, depth is worked out ahead.
_PATIENCE = 50_000


class Thread(NamedTuple):
    """A thread of a process, and how many calls ended in it."""

    part: int
    thread: int
    calls: int


@dataclass
class Node:
    """A call in the tree. `depth` counts the shown calls above it; values are JSON text."""

    part: int
    thread: int
    call: int
    parent: int | None
    task: int | None
    module: str | None
    qualname: str | None
    start: int | None
    end: int | None
    own: int | None
    outcome: str
    result: str | None
    exception: int | None
    depth: int = 0
    parent_task: int | None = None
    args: str | None = None
    yields: int = 0
    error: str | None = None
    """The exception that left it."""
    caught: Sequence[str | None] = ()
    """The exceptions that it handled."""

    @property
    def duration(self) -> int | None:
        return None if self.start is None or self.end is None else self.end - self.start


class Tree:
    """The calls of a trace that a selection leaves."""

    def __init__(self, trace: Trace, selection: Selection) -> None:
        self._trace = trace
        self._selection = selection
        self._cursor = trace.cursor()
        self._code = {row.code: row for row in trace.code()}
        self._chosen: Chosen | None = None

    def threads(self) -> list[Thread]:
        """The threads that the selection leaves, each with all of its calls counted."""
        rows = self._run("select part, thread, count(*) from store.closings group by all order by all", [])
        asked = self._selection
        return [
            Thread(*row) for row in rows if asked.part in (None, row[0]) and asked.thread in (None, row[1])
        ]

    def functions(self) -> list[int]:
        """The code objects that `function` names."""
        return self._selection.functions(self._code.values())

    def names(self) -> list[str]:
        """The qualified names of all functions that were traced."""
        return sorted({code.qualname for code in self._code.values() if code.traced})

    def nodes(self, thread: Thread) -> Iterator[Node]:
        """The calls of a thread, each before those that it made."""
        limit = self._selection.depth
        # Depth alone needs no look ahead, unless hardly any call is that high up.
        ahead = self._selection.function is not None or self._selection.grep is not None
        seen = kept = 0
        above: dict[int, Node] = {}  # the calls that may have children still
        last, size = -1, _FIRST_PAGE
        while True:
            among = self._choose(thread.part).page(last, thread.thread, size) if ahead else None
            page = self._page(thread, last, size, among)
            for node in page:
                parent = above.get(node.parent) if node.parent is not None else None
                if parent is not None:
                    node.depth, node.parent_task = parent.depth + 1, parent.task
                above[node.call] = node
            shown = page if limit is None else [node for node in page if node.depth < limit]
            seen, kept = seen + len(page), kept + len(shown)
            ahead = ahead or (limit is not None and seen > _PATIENCE and kept < seen // 10)
            if shown:
                self._describe(thread.part, shown)
                yield from _preorder(shown)
            if len(page if among is None else among) < size:
                return
            last, size = page[-1].call if among is None else among[-1], _PAGE
            now = (page[-1].start or 0) if page else 0
            above = {call: node for call, node in above.items() if node.end is None or node.end >= now}

    def _run(self, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        return self._trace.run(self._cursor, query, parameters)

    def _page(self, thread: Thread, last: int, size: int, among: list[int] | None) -> list[Node]:
        """The next calls of a thread, or those `among` these, and the table `page` with them."""
        conditions = ["c.part = ?", "c.thread = ?"]
        parameters: list[Any] = [thread.part, thread.thread]
        if among is None:
            shown, values = self._selection.times()
            conditions += ["c.call > ?", *shown]
            parameters += [last, *values]
        else:
            conditions += ["c.call between ? and ?", "c.call in (select unnest(?::bigint[]))"]
            parameters += [among[0], among[-1], among] if among else [0, -1, []]
        self._run(
            "create or replace temp table page as from store.closings c"
            f" where {' and '.join(conditions)} order by c.call limit {size}",
            parameters,
        )
        rows = self._run(
            'select p.call, p.parent, p.task, p.code, p.start, p."end", p.own, p.kind, v.json, p.exception'
            " from page p left join store.values v"
            " on v.segment = p.segment and v.value = p.value and p.kind = 'return' order by p.call",
            [],
        )
        return [self._node(thread, row) for row in rows]

    def _node(self, thread: Thread, row: tuple[Any, ...]) -> Node:
        call, parent, task, number, start, end, own, kind, result, exception = row
        code = self._code.get(number)
        return Node(
            part=thread.part, thread=thread.thread, call=call, parent=parent, task=task,
            module=code.module if code else None, qualname=code.qualname if code else None,
            start=start, end=end, own=own, outcome=_OUTCOMES.get(kind, kind), result=result,
            exception=exception,
        )  # fmt: skip

    def _describe(self, part: int, page: list[Node]) -> None:
        """Adds what other rows than the last of a call tell: arguments, yields, exceptions."""
        rows = self._run(
            """
            select e.call, any_value(v.json) filter (e.kind = 'call'), count(*) filter (e.kind = 'yield'),
                   list(e.exception order by e.seq) filter (e.kind = 'handled')
            from store.events e
            left join store.values v on v.segment = e.segment and v.value = e.value and e.kind = 'call'
            where e.part = ? and e.call between ? and ? and e.kind in ('call', 'yield', 'handled')
              and e.call in (select call from page)
            group by e.call""",
            [part, page[0].call, page[-1].call],
        )
        told = {call: more for call, *more in rows}
        handled = {exception for _, _, caught in told.values() for exception in caught or ()}
        errors = self._errors(part, handled | {node.exception for node in page} - {None})
        for node in page:
            node.args, node.yields, caught = told.get(node.call, (None, 0, None))
            node.error = errors.get(node.exception)
            # What it handled and then let go on is told by what left it.
            node.caught = [errors.get(e) for e in dict.fromkeys(caught or ()) if e != node.exception]

    def _errors(self, part: int, numbers: set[Any]) -> dict[Any, str]:
        """The JSON of exceptions, by number."""
        if not numbers:
            return {}
        return dict(
            self._run(
                """
                select e.exception, arg_min(v.json, e.time) from store.events e
                join store.values v on v.segment = e.segment and v.value = e.value
                where e.part = ? and e.exception in (select unnest(?::bigint[]))
                  and e.kind in ('raise', 'throw', 'unwind')
                group by e.exception""",
                [part, sorted(numbers)],
            )
        )

    def _choose(self, part: int) -> Chosen:
        """The calls of a process that function, depth and text leave."""
        if self._chosen is None or self._chosen.part != part:
            self._chosen = Chosen(self._trace, part, self._selection, self.functions())
        return self._chosen


_OUTCOMES = {"return": "returned", "unwind": "raised"}


def _preorder(page: list[Node]) -> Iterator[Node]:
    """The calls of a page, each followed by those that it made.

    In order of start they are that already, but for generators, which make calls each time they are resumed.
    """
    inside = {node.call for node in page}
    children: dict[int | None, list[Node]] = {}
    for node in page:
        children.setdefault(node.parent if node.parent in inside else None, []).append(node)
    waiting = [iter(children.get(None, ()))]
    while waiting:
        for node in waiting[-1]:
            yield node
            if node.call in children:
                waiting.append(iter(children[node.call]))
                break
        else:
            waiting.pop()
