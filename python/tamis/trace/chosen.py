"""Which calls of a trace a selection leaves.

What is below what is worked out natively, from some bytes for each call, and only as far as somebody looks.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis import _core

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tamis.trace.reader import Trace
    from tamis.trace.rows import Code

__all__ = ["Chosen", "Selection"]

# Of so many calls at a time it is worked out what is below what; of fewer at first, for that may do.
_FIRST_WINDOW, _WINDOW = 500_000, 2_000_000
_MOST = 65_535  # levels, and threads, that are told apart ahead


@dataclass(frozen=True)
class Selection:
    """Which calls to show. Times are nanoseconds since the recording started."""

    part: int | None = None
    thread: int | None = None
    since: int | None = None
    """Calls that ended at this time or later."""
    until: int | None = None
    """Calls that had begun by this time."""
    minimum: int | None = None
    """Calls that took so long."""
    function: str | None = None
    """Glob on the qualified name, with or without module: calls of such functions, and all below them."""
    grep: str | None = None
    """Calls with this text in their values, and the calls that they were made from."""
    depth: int | None = None
    """So many levels."""

    def functions(self, code: Iterable[Code]) -> list[int]:
        """The code objects that `function` names."""
        pattern = self.function or "*"
        return [
            row.code
            for row in code
            if fnmatch.fnmatchcase(row.qualname, pattern)
            or fnmatch.fnmatchcase(f"{row.module}.{row.qualname}", pattern)
        ]

    def times(self) -> tuple[list[str], list[int]]:
        """What is asked of the times of a call `c`: conditions, and their parameters."""
        given = [
            ('(c."end" is null or c."end" >= ?)', self.since),
            ("coalesce(c.start, 0) <= ?", self.until),
            ('c."end" - c.start >= ?', self.minimum),
        ]
        used = [(condition, value) for condition, value in given if value is not None]
        return [condition for condition, _ in used], [value for _, value in used]


class Chosen:
    """The calls of a process that function, depth and text of a selection leave, worked out as far as they
    are asked for. Its times say which of them are told."""

    def __init__(self, trace: Trace, part: int, selection: Selection, functions: list[int]) -> None:
        self.part = part
        self._trace = trace
        self._selection = selection
        self._functions = functions
        self._links = _core.Links(None if selection.depth is None else min(selection.depth, _MOST))
        with trace.cursor() as cursor:
            query = "select max(call) + 1 from store.closings where part = ?"
            self._end = int(trace.run(cursor, query, [part])[0][0] or 0)
        if selection.grep is not None:
            self._narrow(selection.grep)

    def page(self, last: int, thread: int, size: int) -> list[int]:
        """The next calls of a thread after the call `last`; fewer than `size` when these are the last."""
        thread = min(thread, _MOST)
        found = self._links.chosen(last + 1, thread, size)
        while len(found) < size and self._extend():
            after = found[-1] if found else last
            found += self._links.chosen(after + 1, thread, size - len(found))
        return found

    def _narrow(self, text: str) -> None:
        """Leaves the calls with a text in a value, as it is or as JSON writes it, and those above them."""
        while self._extend():
            pass
        hits = self._trace.arrow(
            """
            select distinct e.call::bigint from store.events e
            semi join (
                select segment, value from store.values where contains(json, ?) or contains(json, ?)
            ) v on v.segment = e.segment and v.value = e.value
            where e.part = ? and e.call is not null""",
            [text, _as_json(text), self.part],
        )
        self._links.narrow(*_columns(hits))

    def _extend(self) -> bool:
        """Works out what is chosen of some more calls. False: there are no more."""
        first = len(self._links)
        if first >= self._end:
            return False
        end = min(first + (_WINDOW if first else _FIRST_WINDOW), self._end)
        calls, parents, threads, matches, shown = _columns(self._window(first, end))
        self._links.extend(end, (calls, parents, threads, matches, shown))
        return True

    def _window(self, first: int, end: int) -> pa.Table:
        """What is told of the calls from `first` up to `end`."""
        matches = "true"
        if self._selection.function is not None:
            matches = f"list_contains({self._functions}::integer[], c.code)"
        conditions, values = self._selection.times()
        shown = " and ".join(conditions) or "true"
        return self._trace.arrow(
            "select c.call::bigint, coalesce(c.parent, -1)::bigint,"
            f" least(c.thread, {_MOST})::usmallint, coalesce({matches}, false)::utinyint,"
            f" coalesce({shown}, false)::utinyint"
            " from store.closings c where c.part = ? and c.call >= ? and c.call < ?",
            [*values, self.part, first, end],
        )


def _columns(table: pa.Table) -> list[bytes]:
    """The columns of a table without nulls, as the machine has their numbers."""
    found = []
    for column in table.columns:
        size = column.type.bit_width // 8
        parts = [
            chunk.buffers()[1].slice(chunk.offset * size, len(chunk) * size).to_pybytes()
            for chunk in column.chunks
        ]
        found.append(b"".join(parts))
    return found


def _as_json(text: str) -> str:
    """The text as it stands inside a JSON string."""
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
    return "".join(short.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in text)
