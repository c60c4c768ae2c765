"""Reading what the recorder and its helper wrote: the schema as the two sides understand it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tamis.cli import main
from tamis.trace import open as open_trace
from tamis.trace.files import contents
from tamis.trace.format import SCHEMAS

PROGRAM = """
import threading

def double(n):
    return n * 2

def numbers(count):
    for n in range(count):
        yield double(n)

def login(user, password):
    if user == "bob":
        raise ValueError("no such user")
    return True

def main():
    for user in ("alice", "bob"):
        try:
            login(user, "12" * 5)
        except ValueError:
            pass
    list(numbers(3))
    thread = threading.Thread(target=double, args=(21,))
    thread.start()
    thread.join()

main()
"""


@pytest.fixture(name="recording", scope="module")
def a_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    (folder / "app.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "tamis", "run", "--quiet", "-o", "trace", "app.py"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder / "trace"


def test_names_of_the_api() -> None:
    """`tamis.trace` stays the function that records, whatever is imported of the package of that name."""
    code = (
        "import tamis, tamis.trace.reader; from tamis.trace import open;"
        "print(callable(tamis.trace), tamis.open is open)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_files(recording: Path) -> None:
    """A recording that ended leaves each table in Parquet, with the columns of the schema and no others."""
    import pyarrow.parquet as pq

    found = contents(recording)
    assert not any(found.tails.values())
    for table, paths in found.parquet.items():
        assert paths, table
        assert [pq.read_schema(path).names for path in paths] == [SCHEMAS[table].names] * len(paths)


def test_calls(recording: Path) -> None:
    """Calls have their arguments and results; each has one row that ends it; own times add up."""
    with open_trace(recording) as trace:
        assert trace.state == "closed"
        calls = list(trace.calls())
        told = [(c.qualname, c.args, c.result) for c in calls if c.qualname == "double"]
        counters = trace.metadata["counters"]
        assert counters["calls"] == len(calls)
        assert sum(counters["events"].values()) == len(trace.table("events"))
        assert trace.sql("select count(*) from calls where own > duration").fetchall() == [(0,)]
    assert told == [("double", f'{{"n":{n}}}', str(2 * n)) for n in (0, 1, 2, 21)]
    names = {(c.part, c.call): c.qualname for c in calls}
    assert {names[c.part, c.parent] for c in calls if c.qualname == "login" and c.parent is not None} == {
        "main"
    }


def test_exception(recording: Path) -> None:
    """An exception is told from where it was raised to where it was handled."""
    with open_trace(recording) as trace:
        (row,) = [row for row in trace.exceptions() if row.type == "ValueError"]
    assert (row.raised_in, row.passed, row.handled_in) == ("login", ["login"], "main")


def test_redactions(recording: Path) -> None:
    """Each call with a secret argument has a row in the ledger, and the secret is in no file."""
    with open_trace(recording) as trace:
        rows = [row for row in trace.redactions() if row.qualname == "login"]
    assert [(row.path, row.kind, row.action, row.secret) for row in rows] == [
        ("$.password", "argument", "redact", True)
    ] * 2
    for file in recording.iterdir():
        assert b"12" * 5 not in file.read_bytes()


def test_show(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tree of a recording reads as the program ran."""
    assert main(["show", str(recording), "--function", "main"]) == 0
    output = capsys.readouterr().out
    for text in (
        "login(user='alice', password=<redacted>) → True",
        "login(user='bob', password=<redacted>) ✗ ValueError('no such user')",
        "numbers(count=3) → None  3 yields",
        "double(n=2) → 4",
        "caught ValueError('no such user')",
    ):
        assert text in output


# Does so many calls as it is told, and says when: however fast or slow the machine is, the trace stays small.
IN_STEPS = """\
import sys

def f(n):
    return n

n = 0
for line in sys.stdin:
    for _ in range(int(line)):
        f(n)
        n += 1
    print(n, flush=True)
"""


def test_while_it_runs_and_after_a_kill(tmp_path: Path) -> None:
    """A trace opens while its program runs, and after the program was killed; what was done is in it."""
    (tmp_path / "app.py").write_text(IN_STEPS)
    command = [sys.executable, "-m", "tamis", "run", "--quiet", "-o", "trace", "app.py"]
    path = tmp_path / "trace"
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for done in (1000, 2000, 3000):
            print(1000, file=program.stdin, flush=True)
            assert int(program.stdout.readline()) == done
            if done < 3000:
                wait_for_calls(path, done)
        program.kill()
        program.wait()
    wait_until_closed(path)
    with open_trace(path) as trace:
        assert trace.state == "closed"
        assert [p.end for p in trace.processes] == ["lost"]
        ((count, distinct, wrong),) = trace.sql(
            "select count(*), count(distinct args), count(*) filter (args ->> 'n' <> result)"
            " from calls where qualname = 'f'"
        ).fetchall()
    assert (count, distinct, wrong) == (3000, 3000, 0)


def wait_for_calls(path: Path, number: int) -> None:
    """Opens the trace until it has so many calls: what a program has done appears in it by and by."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open_trace(path) as trace:
            assert trace.state == "recording"
            ((count,),) = trace.sql("select count(*) from calls where qualname = 'f'").fetchall()
            if count == number:
                return
            assert count < number
        time.sleep(0.02)
    pytest.fail("the trace does not grow")


def wait_until_closed(path: Path) -> None:
    deadline = time.monotonic() + 60
    while (path / "recording.lock").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
