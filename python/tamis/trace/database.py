"""The database that a trace is asked in: DuckDB in memory, which reads this trace and nothing else.

A trace, and a query that came with it, may be somebody else's. So the database can open the Parquet files of
the trace and no other file, loads no extension, sees no Python variable, and its settings are locked; queries
that do not merely read are refused before they run.
"""

from __future__ import annotations

import glob
import re
import shutil
import tempfile
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from tamis.errors import TraceError, UsageError
from tamis.trace.files import Contents, open_tail, read_tail
from tamis.trace.format import SCHEMAS, SEGMENTED
from tamis.trace.views import VIEWS, closings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Database", "message_of"]

_BATCH = 5_000  # rows
_MEMORY = "2GB"  # beyond it, sorts and joins go through a temporary directory of their own
_KEYS = {"code": "code", "processes": "part"}

_CONFIG: dict[str, str | int | float | list[str]] = {
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": _MEMORY,
}

_TYPES = {
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.string(): "varchar",
    pa.bool_(): "boolean",
    pa.list_(pa.string()): "varchar[]",
}


# What DuckDB adds to an error, up to the excerpt of the query.
_SUGGESTION = re.compile(
    r"\s*\b(?:Did you mean|Candidate (?:bindings|functions|tables)):?(.*?)(?=\n\nLINE|\Z)", re.DOTALL
)


class _Process:
    """Something that lives as long as the process."""


_PROCESS = _Process()


class Database:
    """A connection with the views of `tamis.trace.views` over the files of one trace."""

    def __init__(self, contents: Contents, *, complete: bool) -> None:
        self._scratch = tempfile.mkdtemp(prefix="tamis-")
        # Not when this object goes: a relation may outlive it, and still need room.
        self._remove_scratch = weakref.finalize(_PROCESS, shutil.rmtree, self._scratch, ignore_errors=True)
        config = {**_CONFIG, "temp_directory": self._scratch}
        self.connection = duckdb.connect(":memory:", config=config)
        self._slim = self.connection.cursor()
        try:
            self._fill(contents, complete=complete)
        except duckdb.Error as error:
            self.close()
            raise TraceError(f"the trace is damaged: {message_of(error)}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection; relations made through it are void from here on."""
        self._slim.close()
        self.connection.close()
        self._remove_scratch()

    def sql(self, query: str, parameters: Iterable[Any] | None = None) -> duckdb.DuckDBPyRelation:
        """The relation that a query describes; it runs when it is fetched. `UsageError`: the SQL is bad."""
        check_reads_only(self.connection, query)
        given = None if parameters is None else list(parameters)
        try:
            relation = self.connection.sql(query, params=given)
        except duckdb.Error as error:
            raise query_error(error) from error
        return self._without_values(relation, query, given) or relation

    def stream(self, query: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """The names of the columns of a query's answer, and its rows, a batch in memory at a time.

        The rows must be read before the next query is asked.
        """
        check_reads_only(self.connection, query)
        try:
            relation = self.connection.sql(query)
            if relation is None:
                raise UsageError("the query gives no table")
            slim = self._without_values(relation, query, None)
            return relation.columns, _rows(self._slim if slim is not None else self.connection, query)
        except duckdb.Error as error:
            raise query_error(error) from error

    def _without_values(
        self, relation: duckdb.DuckDBPyRelation, query: str, given: list[Any] | None
    ) -> duckdb.DuckDBPyRelation | None:
        """The same query over the slim views, if it reads no value; it then does without the joins.

        DuckDB's plan tells: all values come from the column `json`, and a column that nothing needs is in no
        plan. To be sure, the query must also be one that means something without the columns, and the same.
        """
        try:
            with self.connection.cursor() as cursor:
                plan = cursor.execute(f"explain (format json) {query}", given).fetchall()
            if any("json" in str(text) for _, text in plan):
                return None
            slim = self._slim.sql(query, params=given)
        except duckdb.Error:
            return None
        same = slim.columns == relation.columns and slim.types == relation.types
        return slim if same else None

    def _fill(self, contents: Contents, *, complete: bool) -> None:
        run = self.connection.execute
        for connection in (self.connection, self._slim):
            connection.execute("set enable_progress_bar = false")
            connection.execute("set python_enable_replacements = false")
        run("create schema store")
        with ExitStack() as opened:
            # All of them before any is read: while a large one is read, the helper seals others.
            tails = {
                table: [opened.enter_context(open_tail(path)) for path in paths]
                for table, paths in contents.tails.items()
            }
            for table in SCHEMAS:
                self._tail_table(table, tails[table])
                self._table(table, contents)
        paths = [str(path) for paths in contents.parquet.values() for path in paths]
        # DuckDB asks about a path both as it is written in a query and as it is found to be.
        files = {*paths, *map(glob.escape, paths)}
        run(f"create view store.closings as {closings(complete=complete)}")
        run("create schema slim")
        for view in VIEWS:
            run(f'create view main."{view.name}" as {view.sql}')
            run(f'create view slim."{view.name}" as {view.slim or view.sql}')
        self._slim.execute("set schema = 'slim'")
        run(f"set allowed_paths = {_literals(files)}")
        run("set enable_external_access = false")
        run("set lock_configuration = true")

    def _tail_table(self, table: str, tails: list[pa.OSFile]) -> None:
        columns = ", ".join(f'"{column.name}" {_TYPES[column.type]}' for column in SCHEMAS[table])
        self.connection.execute(f"create table store.tail_{table} ({columns})")
        for tail in tails:
            for batch in read_tail(tail, table):
                rows = pa.Table.from_batches([batch])
                self.connection.register("incoming", rows)
                self.connection.execute(f"insert into store.tail_{table} from incoming")
                self.connection.unregister("incoming")

    def _table(self, table: str, contents: Contents) -> None:
        names = ", ".join(f'"{name}"' for name in SCHEMAS[table].names)
        sources = []
        if files := contents.parquet[table]:
            # The names are no patterns, whatever characters are in them.
            escaped = _literals(glob.escape(str(path)) for path in files)
            sources.append(f"select {names} from read_parquet({escaped})")
        if contents.tails[table] or not sources:
            sources.append(f"select {names} from store.tail_{table}")
        query = " union all ".join(sources)
        if table in SEGMENTED:
            self.connection.execute(f"create view store.{table} as {query}")
            return
        # Small, and asked by every view: held in memory. A tail tells a row again when it has changed.
        key = _KEYS[table]
        self.connection.execute(
            f"create table store.{table} as select {names}"
            f" from (select *, row_number() over () as n from ({query}))"
            f" qualify row_number() over (partition by {key} order by n desc) = 1 order by {key}"
        )
        self.connection.execute(f"alter table store.{table} add primary key ({key})")


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        connection.execute(query)
        while batch := connection.fetchmany(_BATCH):
            yield from batch
    except duckdb.Error as error:
        # A mistake that shows only in the data: text that is no number, say.
        raise query_error(error) from error


def check_reads_only(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuses what is not one query that reads."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise query_error(error) from error
    if len(statements) != 1:
        found = f"{len(statements)} statements" if statements else "no statement"
        raise UsageError(f"one query is expected, and there is {found}")
    kind = statements[0].type
    # `explain analyze` runs what it explains, which need not be a query.
    runs = kind == duckdb.StatementType.EXPLAIN and re.search("analy[sz]e", query, re.IGNORECASE)
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN) or runs:
        raise UsageError(
            "only queries that read are run on a trace: `select`, `from`, `with`, `describe`, `explain`",
            hint="a result can be written with `--csv` or `--json`, or from Python",
        )


def query_error(error: duckdb.Error) -> UsageError:
    """What DuckDB says about a query, in our form, with the candidates that it names as the hint."""
    if isinstance(error, duckdb.OutOfMemoryException):
        # DuckDB proposes settings, which are locked here.
        return UsageError(
            f"the query needs more than {_MEMORY} of memory, or more room for temporary files than there is",
            hint="take fewer rows or columns at once: `where`, `limit`, an aggregate instead of `list`",
        )
    text = message_of(error)
    hint = None
    if match := _SUGGESTION.search(text):
        candidates = " ".join(match[1].replace('"', "`").split()).strip(" ?:")
        text = f"{text[: match.start()]}{text[match.end() :]}".strip()
        hint = f"did you mean {candidates}?" if "`" in candidates else f"candidates: {candidates}"
    elif re.search(r'syntax error at or near "end"', text):
        hint = 'the column `end` has the name of a keyword: write it in double quotes, "end"'
    return UsageError(text, hint=hint)


def message_of(error: duckdb.Error) -> str:
    """DuckDB's message without the name of its class."""
    return re.sub(r"^(?:[A-Z]\w+ )+Error: ", "", str(error)).strip()


def _literals(texts: Iterable[str | Path]) -> str:
    quoted = ["'" + str(text).replace("'", "''") + "'" for text in texts]
    return f"[{', '.join(quoted)}]::varchar[]"
