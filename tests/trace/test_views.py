"""What the views say about what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builder import MS, Builder, calls_of, loop

from tamis.trace import open as open_trace
from tamis.trace.rows import Call


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


@pytest.mark.parametrize("type_", ["StopIteration", "StopAsyncIteration"])
def test_end_of_iteration(tmp_path: Path, type_: str) -> None:
    """The end of an iteration, which `for` or `await` took without a handler, did not go unhandled."""
    build = Builder()
    call = build.call(build.code("loop"))
    build.happen("raise", call, value={"$type": type_}, exception=0, line=3)
    build.end(call)
    with open_trace(build.write(tmp_path / "t")) as trace:
        (row,) = trace.exceptions()
    assert (row.type, row.handled_in, row.handled_line, row.passed) == (type_, "loop", 3, [])
