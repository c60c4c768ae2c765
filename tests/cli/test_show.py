"""`tamis show`: the call tree as text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from builder import Builder

from tamis.cli import main
from tamis.cli.arguments import time_span
from tamis.cli.calltree import duration_text

SECRET = {"$redacted": True, "$type": "str"}


def story() -> Builder:
    """A program with what a tree has to show: repetition, exceptions, a generator, a redaction."""
    build = Builder()
    codes = {name: build.code(name) for name in ("main", "load", "Shop.login", "parse", "numbers", "square")}
    build.process()
    top = build.call(codes["main"], {})
    login = build.call(codes["Shop.login"], {"self": {"$type": "app.Shop", "$id": 1}, "password": SECRET})
    build.redaction("$.password")
    build.end(login, result=True)
    load = build.call(codes["load"], {"path": "a.toml"})
    parse = build.call(codes["parse"], {"text": "x ="})
    build.happen(
        "raise", parse, value={"$type": "ValueError", "$id": 2, "args": {"$tuple": ["bad"]}}, exception=0
    )
    build.end(parse, "unwind", exception=0)
    build.happen("raise", load, exception=0)
    build.happen("handled", load, exception=0)
    build.end(load, result={"$list": [1, 2], "$cut": 500})
    numbers = build.call(codes["numbers"], {"n": 3})
    for i in range(3):
        build.happen("yield", numbers, value=i)
    build.end(numbers, "abandoned")
    for _ in range(1500):
        build.end(build.call(codes["square"], {"x": 2}), result=4)
    build.end(build.call(codes["square"], {"x": 3}), result=9)
    build.end(top)
    return build


@pytest.fixture(name="trace")
def a_trace(tmp_path: Path) -> Path:
    return story().write(tmp_path / "trace")


def show(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["show", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def tree_of(output: str) -> list[str]:
    """The lines of the tree without header and times."""
    lines = output.split("\n\n", 1)[1].splitlines()
    return [re.sub(r"  [0-9.,]+ (ns|µs|ms|s)( in all)?$", "", line) for line in lines]


TREE = """\
main() → None
  Shop.login(self=<Shop #1>, password=<redacted>) → True
  load(path='a.toml') → [1, 2, … 498 more]  caught ValueError('bad')
    parse(text='x =') ✗ ValueError('bad')
  numbers(n=3) … abandoned  3 yields
  square(x=2) → 4  \N{MULTIPLICATION SIGN} 1,500
  square(x=3) → 9"""


def test_tree(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tree shows arguments, results, exceptions, yields and redactions; the same calls are one line."""
    assert "\n".join(tree_of(show(capsys, trace))) == TREE


def test_header(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The header says what ran and when, how much was recorded, which filters held, what was redacted."""
    head = show(capsys, trace).split("\n\n")[0]
    for text in ("app.py", "CPython 3.13.0", "2026-01-02 03:04:05 UTC", "1,506 calls", "1 process, 1 thread"):
        assert text in head
    assert "filters: builtin-default" in head
    assert "redacted: 1 argument" in head


def only(*numbers: int) -> list[str]:
    return [TREE.splitlines()[number] for number in numbers]


def raised(lines: list[str], levels: int) -> list[str]:
    return [line[2 * levels :] for line in lines]


SELECTIONS: dict[str, tuple[list[str], list[str]]] = {
    "depth": (["--depth", "2"], only(0, 1, 2, 4, 5, 6)),
    "depth 1": (["--depth", "1"], only(0)),
    "function": (["--function", "load"], raised(only(2, 3), 1)),
    "function with module": (["--function", "app.Shop.*"], raised(only(1), 1)),
    "function and depth": (["--function", "l*d", "--depth", "1"], raised(only(2), 1)),
    "grep an argument": (["--grep", "x ="], only(0, 2, 3)),
    "grep an exception": (["--grep", "bad"], only(0, 2, 3)),
    "grep and function": (["--grep", "x =", "--function", "parse"], raised(only(3), 2)),
    "duration": (["--min-duration", "1.1ms"], only(0, 2, 3, 4)),
    "since": (["--since", "3.017s"], only(0, 6)),
    "until": (["--until", "3ms"], only(0, 1)),
    "limit": (["--limit", "2"], only(0, 1)),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_selections(trace: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """Each option leaves what it names; what it leaves keeps its place in the tree."""
    arguments, expected = SELECTIONS[case]
    lines = tree_of(show(capsys, trace, *arguments))
    lines = [line for line in lines if line and not line.startswith("… cut")]
    assert lines == expected


def test_outermost_call_is_the_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a function that calls itself, the outermost call is the root, and depth counts from there."""
    build = Builder()
    fib = build.code("fib")
    calls = [build.call(fib, {"n": n}) for n in (3, 2, 1)]
    for call in reversed(calls):
        build.end(call, result=1)
    lines = tree_of(show(capsys, build.write(tmp_path / "t"), "--function", "fib", "--depth", "2"))
    assert lines == ["fib(n=3) → 1", "  fib(n=2) → 1"]


def test_limit_is_told(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a limit cuts is told, with how to see it; without a limit nothing is cut."""
    output = show(capsys, trace, "--limit", "3")
    assert "… cut after 3 lines: 3 calls of 1,506 shown. --limit 30 or --limit 0 shows more" in output
    assert "cut after" not in show(capsys, trace, "--limit", "0")


def test_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Values are shortened to the line, and whole with `--full`."""
    build = Builder()
    build.end(build.call(build.code("f"), {"text": "x" * 5000}))
    path = build.write(tmp_path / "t")
    (short,) = tree_of(show(capsys, path))
    assert len(short) < 170
    assert "…" in short
    assert "x" * 5000 in show(capsys, path, "--full")


def test_bodies_of_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bodies of modules, which all have the same name, are told apart by their modules."""
    build = Builder()
    build.process()
    for module in ("shop", "shop.cart"):
        build.end(build.call(build.code("<module>", module), {}), result=None)
    out = show(capsys, build.write(tmp_path / "t"))
    assert "<module shop>() → None" in out
    assert "<module shop.cart>() → None" in out


def test_json(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` is one object a call, nothing folded, with the values as the trace has them."""
    rows = [json.loads(line) for line in show(capsys, trace, "--json").splitlines()]
    assert len(rows) == 1506
    login, load = rows[1:3]
    assert login["args"] == {"self": {"$type": "app.Shop", "$id": 1}, "password": SECRET}
    assert (login["qualname"], login["outcome"], login["depth"]) == ("Shop.login", "returned", 1)
    assert load["caught"][0]["args"] == {"$tuple": ["bad"]}
    assert len(show(capsys, trace, "--json", "--limit", "7").splitlines()) == 7


def test_escapes_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that a program recorded, be it a value or a name, can steer the terminal."""
    evil = "\x1b]0;x\x07\x9b2J\r\u202e"
    build = Builder()
    build.process(command=evil)
    build.process(1, command=evil)
    for part in (0, 1):
        code = build.code(f"f{evil}", module=evil)
        call = build.call(code, {evil: evil, "o": {"$type": evil, evil: 1}}, part=part)
        build.end(call, "unwind", exception=0)
    path = build.write(tmp_path / "t", command=evil, error=evil, state="failed")
    for output in (show(capsys, path), show(capsys, path, "--function", "f*")):
        assert all(line.isprintable() for line in output.splitlines())
        assert "\\x1b]0;x\\x07" in output


def test_processes_threads_and_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Processes and threads have headings, a task is named where it begins; one can be chosen."""
    build = Builder()
    f = build.code("f")
    build.process(command="python app.py")
    build.process(1, parent=0, command="worker", end="lost", exit_status=None)
    outer = build.call(f, {"n": 0})
    build.end(build.call(f, {"n": 1}, task=1), result=1)
    build.end(outer)
    build.end(build.call(f, {"n": 2}, thread=1))
    build.end(build.call(f, {"n": 3}, part=1))
    path = build.write(tmp_path / "t")
    lines = [line for line in show(capsys, path).splitlines()[3:] if line]
    assert [re.sub(r"  [0-9.]+ ms$", "", line) for line in lines] == [
        "process 0: python app.py  (exit 0)", "thread 0", "f(n=0) → None", "  [task 1] f(n=1) → 1",
        "thread 1", "f(n=2) → None", "process 1: worker  (lost)", "thread 0", "f(n=3) → None",
    ]  # fmt: skip
    assert "n=3" in show(capsys, path, "--part", "1")
    assert "n=2" not in show(capsys, path, "--part", "1")
    assert "n=2" in show(capsys, path, "--thread", "1")


def test_generator_that_calls_late(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a generator calls stands below it, even after others were called meanwhile."""
    build = Builder()
    top, generator, other, inner = (build.code(name) for name in ("top", "gen", "other", "inner"))
    main_call = build.call(top)
    gen = build.call(generator)
    build.happen("yield", gen, value=1)
    build.stacks[0, 0].remove(gen)
    build.end(build.call(other), result=0)
    build.stacks[0, 0].append(gen)
    build.happen("resume", gen)
    build.end(build.call(inner), result=0)
    build.end(gen)
    build.end(main_call)
    lines = tree_of(show(capsys, build.write(tmp_path / "t")))
    assert [line.split("(")[0] for line in lines] == ["top", "  gen", "    inner", "  other"]


def test_big_subtrees_repeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Subtrees that repeat are folded as wholes; the count of calls knows those that were folded away."""
    build = Builder()
    outer, inner = build.code("outer"), build.code("inner")
    for _ in range(30):
        call = build.call(outer)
        for i in range(5):
            build.end(build.call(inner, {"i": i}), result=i)
        build.end(call, result=0)
    path = build.write(tmp_path / "t")
    lines = tree_of(show(capsys, path))
    assert len(lines) == 6
    assert lines[0].endswith("\N{MULTIPLICATION SIGN} 30")
    assert "30 calls" not in show(capsys, path, "--limit", "1")
    assert "175 calls of 180 shown" in show(capsys, path, "--limit", "1")


def test_deep_recursion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tree that is deeper than a line is wide keeps its lines readable, and tells the depth."""
    build = Builder()
    f = build.code("f")
    calls = [build.call(f, {"n": n}) for n in range(1200)]
    for call in reversed(calls):
        build.end(call, result=1)
    lines = tree_of(show(capsys, build.write(tmp_path / "t"), "--limit", "0"))
    assert len(lines) == 1200
    assert max(map(len, lines)) < 200
    assert "1199 f(n=1199)" in lines[-1]


def test_states(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A trace that is not whole says so."""
    assert "interrupted" in show(capsys, story().write(tmp_path / "a", tail_from=0))
    path = story().write(tmp_path / "b", state="failed", error="could not write: disk full")
    assert "could not write: disk full" in show(capsys, path)


ERRORS = {
    "no trace": (["missing"], "does not exist"),
    "function": (["{trace}", "--function", "lod"], "did you mean `load`?"),
    "part": (["{trace}", "--part", "3"], "the trace has no part 3"),
    "time": (["{trace}", "--since", "soon"], "`soon` is no time"),
    "depth": (["{trace}", "--depth", "0"], "must be 1 or more"),
    "option": (["{trace}", "--dept", "1"], "did you mean `--depth`?"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(trace: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """A mistake is told in a sentence on stderr, with exit code 2."""
    arguments, text = ERRORS[case]
    try:
        code = main(["show", *(argument.format(trace=trace) for argument in arguments)])
    except SystemExit as left:
        code = left.code
    streams = capsys.readouterr()
    assert (code, streams.out) == (2, "")
    assert text in streams.err


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10ms", 10**7), ("1.5s", 1500 * 10**6), ("2m", 120 * 10**9), ("5ns", 5), (".5us", 500)],
)
def test_time_span(text: str, ns: int) -> None:
    """Times are a number and a unit."""
    assert time_span(text) == ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1250, "1.25 µs"),
        (12_500_000, "12.5 ms"),
        (3_600_000_000_000, "3,600 s"),
    ],
)
def test_duration_text(ns: int, text: str) -> None:
    """A duration has three digits and a unit that fits."""
    assert duration_text(ns) == text
