"""`tamis query`: SQL over a trace."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builder import Builder, loop

from tamis.cli import main
from tamis.trace.reader import Trace
from tamis.trace.views import EXAMPLES, VIEWS


@pytest.fixture(name="trace")
def a_trace(tmp_path: Path) -> Path:
    return loop(times=100).write(tmp_path / "trace")


def query(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["query", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_table(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows come as a table, with their number below."""
    output = query(capsys, trace, "select qualname, count(*) as n from calls group by all order by n")
    assert [line.split() for line in output.splitlines() if "main" in line or "step" in line] == [
        ["│", "main", "│", "1", "│"],
        ["│", "step", "│", "100", "│"],
    ]
    assert output.endswith("2 rows\n")


def test_limit(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is cut says how many rows there are, and how to see them."""
    ask = "select call from calls order by call"
    assert query(capsys, trace, ask).endswith("50 of 101 rows; --limit 0 shows all\n")
    assert query(capsys, trace, ask, "--limit", 3).endswith("3 of 101 rows; --limit 0 shows all\n")
    assert query(capsys, trace, ask, "--limit", 0).endswith("\n101 rows\n")


def test_json(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` is one object a row, all of them; columns of the same name get numbers."""
    output = query(capsys, trace, "select call, call, args, [1, 2.5] as l, null as n from calls", "--json")
    rows = [json.loads(line) for line in output.splitlines()]
    assert len(rows) == 101
    row = next(row for row in rows if row["call"] == 1)
    assert row == {"call": 1, "call_2": 1, "args": '{"i": 0, "name": "user-0"}', "l": [1, 2.5], "n": None}
    assert len(query(capsys, trace, "from calls", "--json", "--limit", 5).splitlines()) == 5


def test_csv(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--csv` is a line of names and a line a row, quoted where it must be."""
    output = query(capsys, trace, "select call, args, null as n from calls order by call limit 2", "--csv")
    assert list(csv.reader(io.StringIO(output))) == [
        ["call", "args", "n"],
        ["0", "{}", ""],
        ["1", '{"i": 0, "name": "user-0"}', ""],
    ]


def test_standard_input(trace: Path) -> None:
    """A query is read from standard input for `-`."""
    done = subprocess.run(
        [sys.executable, "-m", "tamis", "query", str(trace), "-", "--csv"],
        input="select count(*) as n\nfrom calls;\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "n\n101\n"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_options_stand_anywhere(place: int, trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option may stand before, between and behind the trace and the query."""
    arguments: list[object] = [trace, "select 1 as a"]
    arguments.insert(place, "--csv")
    assert query(capsys, *arguments) == "a\n1\n"


def test_beginning(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a query there are the views and queries to begin with, and these run."""
    output = query(capsys, trace)
    assert all(view.name in output and view.row in output for view in VIEWS)
    for title, example in EXAMPLES:
        assert title in output
        assert f'"{example}"' in output
        query(capsys, trace, example)


def test_schema(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--schema` tells every column and its meaning."""
    output = " ".join(query(capsys, trace, "--schema").replace("│", " ").split())
    for view in VIEWS:
        for name, meaning in view.columns.items():
            assert f"{name} {meaning}" in output


def test_wide_answers(
    trace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too wide for the terminal is printed a column a line."""
    monkeypatch.setenv("COLUMNS", "80")
    output = query(capsys, trace, "from calls order by call limit 2")
    assert max(map(len, output.splitlines())) <= 80
    assert "row 2" in output
    assert "│ qualname" in output


def test_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in a trace or a query steers the terminal through a table."""
    evil = "\x1b]0;x\x07\r\u202e"
    build = Builder()
    build.end(build.call(build.code(evil, module=evil), {evil: evil}))
    path = build.write(tmp_path / "t")
    output = query(capsys, path, f'select qualname as "{evil}", args, [qualname] as l from calls')
    assert all(line.isprintable() for line in output.splitlines())


@pytest.mark.parametrize(
    "arguments", [["{t}", "{q}", "--csv"], ["{t}", "--csv", "{q}"], ["--csv", "{t}", "{q}"]], ids=" ".join
)
def test_order_of_arguments(trace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Options may stand before, between and behind the trace and the query."""
    sql = "select count(*) as n from calls"
    assert query(capsys, *(argument.format(t=trace, q=sql) for argument in arguments)) == "n\n101\n"


def test_unknown_option(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt option is told, with what it looks like."""
    with pytest.raises(SystemExit):
        main(["query", str(trace), "from calls", "--jsn"])
    assert "did you mean `--json`?" in capsys.readouterr().err


def test_long_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table tells the beginning of a long text and its length; JSON and CSV have it whole."""
    build = Builder()
    build.end(build.call(build.code("f"), {"text": "x" * 5000}))
    path = build.write(tmp_path / "t")
    cut = query(capsys, path, "select args from calls")
    assert len(cut) < 3000
    assert "5,012" in cut
    for form in ("--json", "--csv"):
        assert "x" * 5000 in query(capsys, path, "select args from calls", form)


ERRORS = {
    "selec 1": "syntax error",
    "select qualnam from calls": "did you mean `qualname`",
    "from call": "did you mean `calls`",
    "select args::int from calls": "Could not convert string",
    "copy calls to 'x.csv'": "only queries that read",
    "": "there is no statement",
    "select end from calls": "double quotes",
}


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=["table", "json", "csv"])
@pytest.mark.parametrize("sql", ERRORS)
def test_errors(trace: Path, capsys: pytest.CaptureFixture[str], sql: str, form: list[str]) -> None:
    """A mistake in SQL is one message with what was meant, on stderr, with exit code 2."""
    assert main(["query", str(trace), sql, *form]) == 2
    message = capsys.readouterr().err
    assert ERRORS[sql] in message
    assert message.startswith("error: ")


def test_ctrl_c(trace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a query that takes too long, without a traceback."""

    def interrupted(self: Trace, query: str) -> None:
        raise RuntimeError("Query interrupted")  # as DuckDB does

    monkeypatch.setattr(Trace, "stream", interrupted)
    assert main(["query", str(trace), "from calls"]) == 130
    assert capsys.readouterr().err == ""


FULL_DISK = [["show"], ["show", "--json"], ["query", "--csv", "from calls"]]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
@pytest.mark.parametrize(
    "words", [["show"], ["show", "--json"], ["query", "--csv", "from calls"]], ids=" ".join
)
def test_full_disk(trace: Path, words: list[str]) -> None:
    """A disk that is full is one clear line, not a traceback."""
    command = [sys.executable, "-m", "tamis", words[0], str(trace), *words[1:]]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
