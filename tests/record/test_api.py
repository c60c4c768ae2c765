"""Recording from within a program: `start`, `stop`, `trace`, `open`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from recording import Recorded, filter_text

import tamis

Record = Callable[..., Recorded]


def names(path: Path) -> list[tuple[str | None, str]]:
    """The functions that a trace has calls of, and how these ended."""
    with tamis.open(path) as trace:
        return [(call.qualname, call.outcome) for call in trace.calls()]


def test_start_and_stop(record: Record) -> None:
    """What is between `start` and `stop` is recorded, and the trace is closed when `stop` returns."""
    recorded = record(
        """
        import json, sys, tamis
        def before(): pass
        def between(n): return n
        def after(): pass
        before()
        tamis.start(sys.argv[1])
        between(1)
        tamis.stop()
        with open(sys.argv[1] + "/trace_metadata.json") as file:
            print(json.load(file)["state"])
        after()
        """,
        itself=True,
    ).ok()
    assert recorded.stdout == "closed\n"
    assert recorded.stderr == ""
    assert {call.qualname for call in recorded.all_calls} - {"<module>"} == {"between"}
    (process,) = recorded.trace.processes
    assert process.end == "stop"


def test_ends_with_the_program(record: Record) -> None:
    """A recording that nobody stops ends with the program."""
    recorded = record(
        """
        import sys, tamis
        def work(): pass
        tamis.start(sys.argv[1])
        work()
        """,
        itself=True,
    ).ok()
    assert recorded.outcomes("work") == ["returned"]
    assert [row.end for row in recorded.trace.processes] == ["exit"]


def test_trace_as_a_context_manager_and_decorator(record: Record) -> None:
    """`tamis.trace` records a block, or every call of a function; exceptions pass through it."""
    recorded = record(
        """
        import sys, tamis
        def work(n): return n
        with tamis.trace(sys.argv[1]):
            work(1)
        work(2)
        @tamis.trace(sys.argv[1] + "-decorated", force=True)
        def function(n):
            "Its text."
            return work(n)
        assert function(3) == 3
        assert function(4) == 4
        assert (function.__name__, function.__doc__) == ("function", "Its text.")
        try:
            with tamis.trace(sys.argv[1] + "-failed"):
                work(5)
                raise KeyError
        except KeyError:
            print("passed")
        """,
        itself=True,
    ).ok()
    assert recorded.stdout == "passed\n"
    assert recorded.arguments("work") == [{"n": 1}]
    base = str(recorded.path)
    assert ("function", "returned") in names(Path(base + "-decorated"))
    assert ("work", "returned") in names(Path(base + "-failed"))


def test_two_recordings_with_different_filters(record: Record) -> None:
    """Recordings after one another in one process each give what their filter says: code that the first one
    switched off is seen by the second."""
    skip = filter_text('[[scope.rules]]\nselector = "obj:*.one"\nexec = "skip"\n')
    hide = filter_text('[[scope.rules]]\nselector = "obj:*.two"\nvalue_default = "redact"\n')
    recorded = record(
        """
        import sys, tamis
        def one(n): return two(n)
        def two(n): return n
        first, second = ["filter-0.toml"], ["filter-1.toml"]
        for name, filters in (("a", first), ("b", second), ("c", []), ("d", first)):
            with tamis.trace(sys.argv[1] + name, trace_filter=filters):
                for n in range(3): one(n)
        """,
        filters=[skip, hide],
        itself=True,
    ).ok()
    found = {}
    for name in "abcd":
        with tamis.open(str(recorded.path) + name) as trace:
            calls = [(call.qualname, call.args) for call in trace.calls() if call.qualname in ("one", "two")]
            found[name] = calls
    plain = [(function, f'{{"n":{n}}}') for n in range(3) for function in ("one", "two")]
    assert found["a"] == found["d"] == [row for row in plain if row[0] == "two"]
    assert found["c"] == plain
    marker = '{"n":{"$redacted":true,"$type":"int"}}'
    assert found["b"] == [(function, marker if function == "two" else args) for function, args in plain]


def test_many_recordings(record: Record) -> None:
    """A process that records itself fifty times keeps no descriptor, no thread and no process of it."""
    recorded = record(
        """
        import os, sys, tamis, threading
        def work(): pass
        def look(): return len(os.listdir("/proc/self/fd")), threading.active_count()
        with tamis.trace(sys.argv[1]):
            work()
        first = look()
        for n in range(50):
            with tamis.trace(sys.argv[1], force=True):
                work()
        assert look() == first, (look(), first)
        try:
            os.wait()
        except ChildProcessError:
            print("no child")
        """,
        itself=True,
    ).ok()
    assert recorded.stdout == "no child\n"


ERRORS = [
    ("inside another", "tamis.start(path); tamis.start(path + '2')",
     "this process is being recorded already"),
    ("with inside another", "tamis.start(path)\nwith tamis.trace(path + '2'): pass", "recorded already"),
    ("stop of nothing", "tamis.stop()", "nothing is being recorded"),
    ("on a file", "open(path, 'w').close(); tamis.start(path)", "is a file"),
    ("on a trace", "tamis.start(path); tamis.stop(); tamis.start(path)", "there is a trace in"),
    ("on other files",
     "import os; os.mkdir(path); open(path + '/x', 'w').close(); tamis.start(path, force=True)",
     "not empty and not a trace"),
    ("below a file", "open(path, 'w').close(); tamis.start(path + '/x')", "is a file"),
    ("no tool id",
     "import sys\nfor n in range(6): sys.monitoring.use_tool_id(n, f'tool-{n}')\ntamis.start(path)",
     "every tool id of `sys.monitoring` is taken"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "message"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS]
)
def test_errors(record: Record, source: str, message: str) -> None:
    """What cannot be recorded is a `RecordingError` that says why; nothing is overwritten, and the program
    can go on."""
    indented = textwrap.indent(source, "    ")
    recorded = record(
        f"import sys, tamis\npath = sys.argv[1]\ntry:\n{indented}\nexcept tamis.RecordingError as error:\n"
        "    print(error)\nprint('goes on')\n",
        itself=True,
    ).ok()
    said, goes_on = recorded.stdout.splitlines()
    assert message in said
    assert goes_on == "goes on"
    assert recorded.stderr == ""


def test_invalid_filters(record: Record) -> None:
    """An invalid filter is a `PolicyError` with its diagnostics, before anything is recorded or written."""
    recorded = record(
        """
        import os, sys, tamis
        try:
            tamis.start(sys.argv[1], trace_filter="filter-0.toml")
        except tamis.PolicyError as error:
            print(len(error.diagnostics), os.path.exists(sys.argv[1]))
        """,
        filters=[filter_text('[[scope.rules]]\nselector = "x:y"\n[[scope.rules]]\nselecter = "pkg:a"\n')],
        itself=True,
    ).ok()
    count, exists = recorded.stdout.split()
    assert int(count) >= 2
    assert exists == "False"


def test_recording_inside_a_recording(record: Record) -> None:
    """A program under `tamis run` that records itself gets a clear error."""
    recorded = record("""
        import tamis
        try:
            tamis.start("other")
        except tamis.RecordingError as error:
            print(error)
        """).ok()
    assert "recorded already" in recorded.stdout
    assert recorded.trace.state == "closed"


def test_light_imports(record: Record) -> None:
    """Neither pyarrow nor DuckDB nor a terminal library is imported into the recorded process."""
    recorded = record("""
        import sys
        heavy = {"pyarrow", "duckdb", "rich", "numpy", "asyncio", "multiprocessing", "typing", "dataclasses"}
        print(sorted(heavy & set(sys.modules)))
        """).ok()
    assert recorded.stdout == "[]\n"


def test_options(record: Record) -> None:
    """The options of the API bound what is kept, as those of the command do."""
    recorded = record(
        """
        def keep(value): pass
        keep(["x" * 50, [1, 2]])
        """,
        api="string=10, items=1, depth=2",
    ).ok()
    assert recorded.arguments("keep") == [{"value": {"$list": [{"$str": "x" * 10, "$cut": 50}], "$cut": 2}}]
    capture = recorded.trace.metadata["capture"]
    assert (capture["string"], capture["items"], capture["depth"]) == (10, 1, 2)


def test_other_threads_go_on(record: Record) -> None:
    """Recordings begin and end while other threads run."""
    recorded = record(
        """
        import sys, tamis, threading
        sys.setswitchinterval(1e-5)
        over = False
        def work(n): return [n for _ in range(3)]
        def runs():
            n = 0
            while not over:
                n += len(work(n))
        threads = [threading.Thread(target=runs) for _ in range(4)]
        for thread in threads: thread.start()
        for n in range(20):
            with tamis.trace(sys.argv[1], force=True):
                for n in range(200): work(n)
        over = True
        for thread in threads: thread.join()
        print("done")
        """,
        itself=True,
    ).ok()
    assert recorded.stdout == "done\n"
    assert recorded.trace.state == "closed"
    assert len(recorded.calls("work")) >= 200
