"""Queries: what they may do, and what is said about those that may not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from builder import loop

from tamis.errors import TamisError, UsageError
from tamis.trace import database
from tamis.trace import open as open_trace

REFUSED = {
    "copy (select 1) to '{outside}'": "only queries that read",
    "explain analyze copy (select 1) to '{outside}'": "only queries that read",
    "attach '{outside}'": "only queries that read",
    "create table t as select 1": "only queries that read",
    "set memory_limit = '3GB'": "only queries that read",
    "install httpfs": "only queries that read",
    "select 1; select 2": "there is 2 statements",
    "": "there is no statement",
    "selec 1": "syntax error",
    "from calll": "calll does not exist",
    "select qualnam from calls": "not found",
    "from read_text('{secret}')": "file system operations are disabled",
    "from read_csv('{secret}')": "file system operations are disabled",
    "from '{secret}'": "",
    "from glob('/*')": "file system operations are disabled",
    "from variable_of_the_test": "does not exist",
}


@pytest.mark.parametrize("query", REFUSED)
def test_refused_queries(tmp_path: Path, query: str) -> None:
    """A query reads this trace: no other file, no Python variable; it writes nothing; mistakes are told."""
    variable_of_the_test = pa.table({"x": [1]})
    secret, outside = tmp_path / "secret.csv", tmp_path / "outside.csv"
    secret.write_text("a,b\n1,2\n")
    with open_trace(loop().write(tmp_path / "t")) as trace, pytest.raises(TamisError) as caught:
        trace.sql(query.format(secret=secret, outside=outside)).fetchall()
    assert isinstance(caught.value, UsageError)
    assert REFUSED[query] in str(caught.value)
    assert not outside.exists()
    assert len(variable_of_the_test) == 1


def test_a_query_that_needs_too_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into memory is said with what to do, not with settings that cannot be set."""
    monkeypatch.setitem(database._CONFIG, "memory_limit", "30MB")
    with open_trace(loop().write(tmp_path / "t")) as trace, pytest.raises(UsageError) as caught:
        list(trace.stream("select list(i::varchar) from range(5000000) as t(i)")[1])
    assert "more than" in str(caught.value)
    assert "limit" in str(caught.value.hint)


def test_trace_files_are_not_written(tmp_path: Path) -> None:
    """Not even the files that the database may read can be written through a relation."""
    import duckdb

    path = loop().write(tmp_path / "t")
    before = (path / "events-0000.parquet").read_bytes()
    with open_trace(path) as trace, pytest.raises(duckdb.Error):
        trace.sql("select 1 as x").write_csv(str(path / "new.csv"))
    assert (path / "events-0000.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("select end from calls", '"end"'),
        ("from calll", "calls"),
        ("select qualnam from calls", "qualname"),
        ("copy calls to 'x'", "--csv"),
    ],
)
def test_hints(tmp_path: Path, query: str, hint: str) -> None:
    """A mistake in a query comes with what was probably meant."""
    with open_trace(loop().write(tmp_path / "t")) as trace, pytest.raises(UsageError) as caught:
        trace.sql(query)
    assert hint in (caught.value.hint or "")
