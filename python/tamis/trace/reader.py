"""A trace, opened."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import duckdb

from tamis.errors import TraceError, UsageError
from tamis.trace.database import Database, message_of
from tamis.trace.files import contents, settled_metadata
from tamis.trace.format import SCHEMAS
from tamis.trace.rows import Call, Code, Event, Process, Raised, Redaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    import pyarrow as pa

__all__ = ["Trace"]

_BATCH = 50_000  # rows that an iterator holds at a time
_RETRIES = 10

# The columns of an `Event` that come from its own row; module, qualified name and file stand behind `code`,
# and the value behind `line`.
_EVENT = (
    "part, thread, seq, time, kind, call, parent, resumed_by, code, line, "
    "start, own, own_total, task, exception, segment, value"
)
_UNKNOWN = (None, None, None)


class Trace:
    """A trace that was opened by `tamis.open`. Use it in a `with` block, or `close()` it.

    path      its directory
    metadata  what `trace_metadata.json` says, as dictionaries and lists
    state     `closed`; `failed`: it could not be written to the end (`metadata["error"]` says why);
              `recording`: it is being recorded, and what is here is what there was when it was opened;
              `interrupted`: program and helper died together, and the last moments may be missing

    Tables are read from disk when they are asked for; memory does not grow with the trace, except for the
    results that you keep.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.metadata, self.state = settled_metadata(self.path)
        for attempt in range(_RETRIES):
            try:
                self._database = Database(contents(self.path), complete=self.state == "closed")
                break
            except FileNotFoundError as error:
                # The helper put a segment in the place of its tail while we looked; look again.
                if attempt == _RETRIES - 1:
                    raise TraceError(f"`{self.path}` changes while it is read: {error}") from error
                self.metadata, self.state = settled_metadata(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Trace {os.fspath(self.path)!r} {self.state}>"

    def close(self) -> None:
        """Frees the database and its temporary files; relations that `sql` gave are void from here on."""
        self._database.close()

    @cached_property
    def processes(self) -> Sequence[Process]:
        """The processes of the recording, by number."""
        return tuple(self._rows(Process, "select * from processes order by part"))

    def events(self) -> Iterator[Event]:
        """Everything that happened, by process, and in a process in order of happening."""
        code = {row.code: row[1:4] for row in self.code()}
        values: dict[int, str] = {}
        loaded = None  # the segment that `values` is of
        for (part,) in self._batched("select distinct part from store.events order by part"):
            # Joins would lose the order of happening; the values of one segment are few enough to be held.
            for row in self._batched(f"select {_EVENT} from store.events where part = ?", [part]):
                segment, number = row[-2:]
                if number is not None and segment != loaded:
                    values = dict(
                        self._batched("select value, json from store.values where segment = ?", [segment])
                    )
                    loaded = segment
                value = None if number is None else values.get(number)
                yield Event._make((*row[:9], *code.get(row[8], _UNKNOWN), row[9], value, *row[10:]))

    def calls(self) -> Iterator[Call]:
        """The calls, by process and in the order in which they started."""
        return self._rows(Call, "select * from calls order by part, call")

    def exceptions(self) -> Iterator[Raised]:
        """The exceptions, by process and in the order in which they were raised."""
        return self._rows(Raised, "select * from exceptions order by part, exception, thread")

    def redactions(self) -> Iterator[Redaction]:
        """What was redacted or dropped, event by event."""
        return self._rows(Redaction, "select * from redactions order by part, thread, seq, path")

    def code(self) -> Iterator[Code]:
        """The code objects that were met, and what the filters said about each."""
        return self._rows(Code, "select * from code order by code")

    def table(self, name: str) -> pa.Table:
        """A table as it lies on disk, tails included, whole in memory.

        Its name is one of `events`, `values`, `redactions`, `code`, `processes`.
        """
        if name not in SCHEMAS:
            raise UsageError(f"a trace has no table `{name}`", hint=f"its tables are {', '.join(SCHEMAS)}")
        relation = self._database.connection.sql(f"from store.{name}")
        try:
            table: pa.Table = relation.to_arrow_table()
            return table.cast(SCHEMAS[name])
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def sql(self, query: str, parameters: Iterable[Any] | None = None) -> duckdb.DuckDBPyRelation:
        """The answer to a query in DuckDB's SQL over the views `calls`, `exceptions`, `events`, `code`,
        `redactions`, `processes` and `values`, as a DuckDB relation: `.fetchall()`, `.arrow()`, `.df()` …

        It can read this trace and nothing else. `parameters` stand for the `?` of the query. Raises
        `UsageError` for a query that cannot be run.
        """
        return self._database.sql(query, parameters)

    def _rows[Row: NamedTuple](self, row: type[Row], query: str) -> Iterator[Row]:
        return map(row._make, self._batched(query))

    def stream(self, query: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """As `sql`, but the names of the columns, and the rows one after another, however many there are.

        The rows must be read before the next query is asked.
        """
        return self._database.stream(query)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the database, for `run`: temporary tables in it stay its own."""
        return self._database.connection.cursor()

    def run(
        self, cursor: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """The rows of a query of Tamis's own, whole in memory."""
        try:
            return cursor.execute(query, parameters).fetchall()
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def arrow(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """As `run`, as a table of Arrow."""
        try:
            return self._database.connection.sql(query, params=list(parameters)).to_arrow_table()
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def _batched(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query of our own, a batch in memory at a time; other queries may run in between."""
        with self._database.connection.cursor() as cursor:
            try:
                cursor.execute(query, parameters)
                while batch := cursor.fetchmany(_BATCH):
                    yield from batch
            except duckdb.Error as error:
                raise self._damaged(error) from error

    def _damaged(self, error: duckdb.Error) -> TraceError:
        return TraceError(f"`{self.path}` is damaged: {message_of(error)}")
