"""Opening traces, whatever became of their recording."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from builder import MS, Builder, Lock

from tamis.errors import TamisError, TraceError, UsageError
from tamis.trace import open as open_trace
from tamis.trace.files import read_tail
from tamis.trace.format import SCHEMAS
from tamis.trace.reader import Trace
from tamis.trace.rows import Call


def loop(segment_rows: int = 5, times: int = 6) -> Builder:
    """A main that calls `step` some times, over several segments."""
    build = Builder(segment_rows=segment_rows)
    main, step = build.code("main"), build.code("step")
    build.process()
    outer = build.call(main, {})
    for i in range(times):
        inner = build.call(step, {"i": i, "name": f"user-{i}"})
        build.end(inner, result=i * i)
    build.end(outer)
    return build


def calls_of(path: Path) -> list[Call]:
    with open_trace(path) as trace:
        return list(trace.calls())


def test_calls(tmp_path: Path) -> None:
    """A call has its arguments, its result, its times, its parent, and where its function stands."""
    path = loop().write(tmp_path / "t")
    main, first, *_ = calls_of(path)
    assert (main.qualname, main.parent, main.outcome, main.duration) == ("main", None, "returned", 13 * MS)
    assert main.own == 13 * MS - 6 * MS
    assert first._replace(code=0) == Call(
        part=0, thread=0, call=1, parent=0, code=0, module="app", qualname="step", file="app.py", line=1,
        start=2 * MS, end=3 * MS, duration=MS, own=MS, outcome="returned", args='{"i": 0, "name": "user-0"}',
        result="0", exception=None, task=None,
    )  # fmt: skip


def test_events_in_order(tmp_path: Path) -> None:
    """Events come in order of happening, with the value that the segment of each holds under its number."""
    path = loop().write(tmp_path / "t")
    with open_trace(path) as trace:
        events = list(trace.events())
    assert [event.seq for event in events] == list(range(14))
    assert [event.value for event in events if event.kind == "call"][1:] == [
        json.dumps({"i": i, "name": f"user-{i}"}) for i in range(6)
    ]
    assert [event.value for event in events if event.kind == "return"][:-1] == [str(i * i) for i in range(6)]
    assert {event.qualname for event in events} == {"main", "step"}


@pytest.mark.parametrize("tail_from", [0, 1, 2])
def test_tails_read_as_parquet(tmp_path: Path, tail_from: int) -> None:
    """A recording that was killed reads the same from its tails as it would, sealed, from Parquet."""
    build = loop()
    sealed, killed = build.write(tmp_path / "a"), build.write(tmp_path / "b", tail_from=tail_from)
    with open_trace(sealed) as one, open_trace(killed) as other:
        assert (one.state, other.state) == ("closed", "interrupted")
        assert list(one.calls()) == list(other.calls())
        assert list(one.events()) == list(other.events())
        for name in SCHEMAS:
            assert one.table(name) == other.table(name)


def test_segment_goes_before_its_tail(tmp_path: Path) -> None:
    """A segment that is there in both forms, or half renamed, is read once."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1)
    expected = calls_of(path)
    whole = build.write(tmp_path / "whole")
    (whole / "events-0001.parquet").rename(path / "events-0001.parquet")
    (whole / "code.parquet").rename(path / "code.parquet")
    assert calls_of(path) == expected


def test_every_torn_end(tmp_path: Path) -> None:
    """A tail that is cut at any byte gives its whole batches and no error."""
    path = loop(segment_rows=100).write(tmp_path / "t", tail_from=0, batch=4)
    file = path / "tail-0000-events.arrows"
    whole = file.read_bytes()
    lengths: dict[int, int] = {}
    for length in range(0, len(whole) + 1, 4):
        file.write_bytes(whole[:length])
        seqs = [seq for part in read_tail(file, "events") for seq in part.column("seq").to_pylist()]
        assert seqs == list(range(len(seqs)))
        lengths[len(seqs)] = length
    assert list(lengths) == [0, 4, 8, 12, 14]
    for count, length in lengths.items():
        file.write_bytes(whole[:length])
        with open_trace(path) as trace:
            assert len(list(trace.events())) == count


@pytest.mark.parametrize(
    "noise", [b"\0" * 4096, b"\xff" * 4096, bytes(range(256)) * 8], ids=["nul", "ff", "any"]
)
def test_noise_behind_a_tail(tmp_path: Path, noise: bytes) -> None:
    """Blocks that a power cut left behind the last batch of a tail are not read, and are no error."""
    path = loop(segment_rows=100).write(tmp_path / "t", tail_from=0, batch=4)
    file = path / "tail-0000-events.arrows"
    end_of_stream = 8
    file.write_bytes(file.read_bytes()[:-end_of_stream] + noise)
    with open_trace(path) as trace:
        assert [event.seq for event in trace.events()] == list(range(14))


def test_last_row_of_a_process_counts(tmp_path: Path) -> None:
    """A tail tells a process at its start and again at its end: the later row is read."""
    build = loop()
    build.process(end="lost", ended=5)
    build.rows["processes"].insert(0, {**build.rows["processes"][0], "end": "recording", "exit_status": None})
    with open_trace(build.write(tmp_path / "t", tail_from=0)) as trace:
        assert [(process.end, process.ended) for process in trace.processes] == [("lost", 5)]


def test_calls_that_nothing_ended(tmp_path: Path) -> None:
    """When program and helper died together, a call that had begun is there, unfinished, without an end."""
    build = Builder()
    main, step = build.code("main"), build.code("step")
    build.call(main, {"a": 1})
    build.end(build.call(step))
    build.call(step, {"b": 2})
    rows = calls_of(build.write(tmp_path / "t", tail_from=0))
    assert [(row.qualname, row.outcome, row.args, row.end) for row in rows] == [
        ("main", "unfinished", '{"a": 1}', None),
        ("step", "returned", "null", 3 * MS),
        ("step", "unfinished", '{"b": 2}', None),
    ]
    assert [row.start for row in rows] == [MS, 2 * MS, 4 * MS]


def test_call_that_ran_before_the_recording(tmp_path: Path) -> None:
    """A frame in flight at the start is a call without start, duration and arguments."""
    build = Builder()
    build.end(build.call(build.code("main"), seen=False), result=1)
    (row,) = calls_of(build.write(tmp_path / "t"))
    assert (row.start, row.duration, row.args, row.result) == (None, None, None, "1")


OUTCOMES = [
    ("return", "returned"),
    ("unwind", "raised"),
    ("abandoned", "abandoned"),
    ("unfinished", "unfinished"),
]


@pytest.mark.parametrize(("kind", "outcome"), OUTCOMES)
def test_outcomes(tmp_path: Path, kind: str, outcome: str) -> None:
    """Each way to end a call has its name; only a call that returned has a result."""
    build = Builder()
    build.end(build.call(build.code("f")), kind, exception=0 if kind == "unwind" else None)
    (row,) = calls_of(build.write(tmp_path / "t"))
    assert row.outcome == outcome
    assert (row.result is not None) == (kind == "return")


def test_exceptions(tmp_path: Path) -> None:
    """An exception is one row: where it was raised, what it left, where it was handled, if at all."""
    build = Builder()
    outer_code, inner_code = build.code("outer"), build.code("inner")
    error = {"$type": "builtins.ValueError", "$id": 1, "args": {"$tuple": ["bad"]}}
    outer = build.call(outer_code)
    inner = build.call(inner_code)
    build.happen("raise", inner, value=error, exception=0, line=7)
    build.end(inner, "unwind", exception=0, line=7)
    build.happen("raise", outer, exception=0, line=3)
    build.happen("handled", outer, exception=0, line=4)
    build.happen("raise", outer, value={"$type": "app.Lost"}, exception=1, line=5)
    build.happen("handled", outer, exception=1, line=6)
    build.happen("reraise", outer, exception=1, line=6)
    build.end(outer, "unwind", exception=1, line=6)
    with open_trace(build.write(tmp_path / "t")) as trace:
        handled, lost = trace.exceptions()
    assert (handled.type, handled.raised_in, handled.raised_line) == ("ValueError", "inner", 7)
    assert json.loads(handled.value or "") == error
    assert (handled.passed, handled.handled_in, handled.handled_line) == (["inner"], "outer", 4)
    assert (lost.type, lost.raised_in, lost.passed) == ("app.Lost", "outer", ["outer"])
    assert (lost.handled_in, lost.handled_line) == (None, None)


def test_exception_left_all_in_order(tmp_path: Path) -> None:
    """The functions that an exception left stand innermost first."""
    build = Builder()
    stack = [build.call(build.code(name)) for name in "abc"]
    build.happen("raise", stack[-1], value={"$type": "E"}, exception=0, line=1)
    for call in reversed(stack):
        build.end(call, "unwind", exception=0, line=1)
    with open_trace(build.write(tmp_path / "t")) as trace:
        (row,) = trace.exceptions()
    assert row.passed == ["c", "b", "a"]


def test_redactions_by_event(tmp_path: Path) -> None:
    """One row of the ledger, which is of a distinct value, stands for every event that has this value."""
    build = Builder()
    login = build.code("login")
    for _ in range(3):
        call = build.call(login, {"password": {"$redacted": True, "$type": "str"}})
        if call.number == 0:
            build.redaction("$.password")
        build.end(call)
    with open_trace(build.write(tmp_path / "t")) as trace:
        rows = list(trace.redactions())
    assert [(row.seq, row.qualname, row.path, row.kind, row.event) for row in rows] == [
        (seq, "login", "$.password", "argument", "call") for seq in (0, 2, 4)
    ]


def test_no_trace(tmp_path: Path) -> None:
    """What is no trace is said to be none, and why."""
    file = tmp_path / "file"
    file.write_text("x")
    loop().write(tmp_path / "traces" / "run-1")
    for path, message in [
        (tmp_path / "missing", "does not exist"),
        (file, "is a file; a trace is a directory"),
        (tmp_path / "traces", "has no `trace_metadata.json`"),
    ]:
        with pytest.raises(TraceError, match=message):
            open_trace(path)
    with pytest.raises(TraceError) as caught:
        open_trace(tmp_path / "traces")
    assert "run-1" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "does not say the format"),
        ('{"format": 1}', "does not say the format and state"),
        ('{"format": 2, "state": "closed", "tamis": "9.9"}', "format 2, and this Tamis reads up to 1"),
    ],
)
def test_bad_metadata(tmp_path: Path, text: str, message: str) -> None:
    """Metadata that are damaged, or of a newer format, are a clear error."""
    path = loop().write(tmp_path / "t")
    (path / "trace_metadata.json").write_text(text)
    with pytest.raises(TraceError, match=message):
        open_trace(path)


@pytest.mark.parametrize("name", ["events-0001.parquet", "code.parquet"])
def test_damaged_parquet(tmp_path: Path, name: str) -> None:
    """A Parquet file that is cut or has the wrong columns is named in the error."""
    path = loop().write(tmp_path / "t")
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TraceError, match=name):
        open_trace(path)
    (path / name).write_bytes((path / "values-0000.parquet").read_bytes())
    with pytest.raises(TraceError, match=f"{name}.* has no column"):
        open_trace(path)


def test_page_damaged_inside(tmp_path: Path) -> None:
    """Damage that shows only when the data are read is a `TraceError`, too."""
    path = loop(segment_rows=100).write(tmp_path / "t")
    file = path / "events-0000.parquet"
    data = bytearray(file.read_bytes())
    data[8:400] = os.urandom(392)
    file.write_bytes(data)
    with pytest.raises(TraceError, match="damaged"), open_trace(path) as trace:
        list(trace.events())


def test_recording_is_read_as_it_is(tmp_path: Path) -> None:
    """A trace that is being recorded opens at once, and says that it is."""
    path = loop().write(tmp_path / "t", tail_from=1)
    lock = Lock(path)
    with open_trace(path) as trace:
        assert trace.state == "recording"
        assert trace.sql("select count(*) from events").fetchall() == [(14,)]
    lock.release()
    with open_trace(path) as trace:
        assert trace.state == "interrupted"


def test_waits_for_a_closing_helper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While a helper closes the trace, opening waits and says so."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1, state="closing")
    lock = Lock(path)

    def close() -> None:
        build.write(path)
        lock.release()

    timer = threading.Timer(0.6, close)
    timer.start()
    with open_trace(path) as trace:
        assert trace.state == "closed"
    timer.join()
    assert "waiting until the recording" in capsys.readouterr().err


def test_segment_sealed_while_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tail that becomes Parquet between the look at the directory and the reading of it is found again."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1)
    lock = Lock(path)
    from tamis.trace import reader

    whole = reader.contents

    def then_seal(directory: Path) -> object:
        found = whole(directory)
        monkeypatch.setattr(reader, "contents", whole)
        for tail in path.glob("tail-0001-*"):
            tail.unlink()
        build.write(path, tail_from=2)
        return found

    monkeypatch.setattr(reader, "contents", then_seal)
    with open_trace(path) as trace:
        assert trace.sql("select count(*), count(distinct seq) from events").fetchall() == [(14, 14)]
    lock.release()


@pytest.mark.parametrize("name", ["a [x] {1,2} ?*.trace", "l'été “ü”", "with space, comma"])
def test_any_name(tmp_path: Path, name: str) -> None:
    """A trace opens whatever its path is called; nothing in a name is a pattern or ends a literal."""
    assert len(calls_of(loop().write(tmp_path / name))) == 7


def test_empty_trace(tmp_path: Path) -> None:
    """A recording in which nothing happened has tables without rows."""
    with open_trace(Builder().write(tmp_path / "t")) as trace:
        assert [len(trace.table(name)) for name in SCHEMAS] == [0] * len(SCHEMAS)
        assert list(trace.calls()) == list(trace.events()) == list(trace.exceptions()) == []


def test_iterators_interleave(tmp_path: Path) -> None:
    """Iterators and queries of one trace can be used at the same time."""
    with open_trace(loop().write(tmp_path / "t")) as trace:
        pairs = []
        for call, event in zip(trace.calls(), trace.events(), strict=False):
            pairs.append((call.call, event.seq))
            trace.sql("select count(*) from calls").fetchall()
    assert pairs == [(i, i) for i in range(7)]


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


@pytest.mark.parametrize(
    "query",
    [
        "select qualname, sum(own) from calls group by all",
        "select code, count(*) from calls where duration > 5 group by all",
        "select outcome, max(duration) from calls group by all",
    ],
)
def test_one_scan(tmp_path: Path, query: str) -> None:
    """What asks for times reads the events once: starts and ends are not joined."""
    with open_trace(loop().write(tmp_path / "t")) as trace:
        plan = trace.sql(query).explain()
        assert plan.count("Read Parquet") == 1, plan
        assert trace.sql(query).fetchall()


@pytest.mark.parametrize(
    "query",
    [
        "select args from calls",
        "from calls order by call",
        "table calls",
        "select c from calls c",
        "select count(*) from calls where result = '16'",
        "select columns('ar.*') from calls",
        "select count(args), count(result) from calls",
        "select count(*) from calls where args is null",
        "select count(*) from (select args from calls group by args)",
        "select value from events where kind = 'return'",
        "select count(value) from events",
    ],
)
def test_values_when_asked(tmp_path: Path, query: str) -> None:
    """However a query asks for values, the shortcut for queries that do not is not taken."""
    with open_trace(loop().write(tmp_path / "t")) as trace:
        full = trace._database.connection.sql(query).fetchall()
        assert sorted(map(str, trace.sql(query).fetchall())) == sorted(map(str, full))
        assert "json" in trace.sql(query).explain()


def test_views_have_their_columns(tmp_path: Path) -> None:
    """The columns that are documented are those of the views, in their order, and those of the rows."""
    from tamis.trace import rows
    from tamis.trace.views import VIEWS

    types = {"calls": rows.Call, "exceptions": rows.Raised, "events": rows.Event, "code": rows.Code,
             "redactions": rows.Redaction, "processes": rows.Process}  # fmt: skip
    with open_trace(loop().write(tmp_path / "t")) as trace:
        for view in VIEWS:
            assert trace.sql(f'from "{view.name}"').columns == list(view.columns)
            if view.name in types:
                assert types[view.name]._fields == tuple(view.columns)


def test_closed_trace_frees_its_scratch(tmp_path: Path) -> None:
    """Closing a trace removes the directory for what did not fit into memory."""
    trace = Trace(loop().write(tmp_path / "t"))
    scratch = Path(trace._database._scratch.name)
    assert scratch.stat().st_mode & 0o777 == 0o700
    trace.close()
    assert not scratch.exists()


def test_import_is_light() -> None:
    """`tamis.trace` can be imported by a recorded program without loading DuckDB or pyarrow."""
    code = "import sys, tamis.trace; print([m for m in ('duckdb', 'pyarrow', 'rich') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
