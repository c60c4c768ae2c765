"""Real programs under the recorder: CPython's own tests, pytest, and asyncio with very many tasks."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tamis.trace import open as open_trace

TIMEOUT = 180

# Traces what builtin-default skips too: the tests of CPython are part of the standard library.
EVERYTHING = """
[meta]
name = "everything"
version = 1
[scope]
default_exec = "trace"
default_value_action = "allow"
[[scope.rules]]
selector = "pkg:*"
exec = "trace"
"""

# Runs the tests of a module and writes what became of each of them into a file.
RUNNER = """
import json, sys, unittest

class Result(unittest.TextTestResult):
    outcomes = {}

    def note(self, test, outcome):
        self.outcomes[test.id()] = outcome

    def addSuccess(self, test):
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addError(self, test, error):
        super().addError(test, error)
        self.note(test, f"error: {error[0].__name__}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.note(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.note(test, "failed, as expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "passed, unexpectedly")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.note(subtest, f"failed: {error[0].__name__}")

if __name__ == "__main__":
    _, module, outcomes = sys.argv
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    unittest.TextTestRunner(resultclass=Result).run(suite)
    with open(outcomes, "w", encoding="utf-8") as file:
        json.dump(Result.outcomes, file)
"""


def tamis_run(trace: Path, *program: str) -> list[str]:
    filter_file = trace.with_suffix(".toml")
    filter_file.write_text(EVERYTHING, encoding="utf-8")
    options = ["-q", "-o", str(trace), "--trace-filter", str(filter_file)]
    return [sys.executable, "-m", "tamis", "run", *options, *program]


def begin(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """Starts a program in `folder`, without what the tests' own environment would change in it."""
    mine = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST", "TAMIS", "CODETRACER", "COV_"))
    }
    mine["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.Popen(
        command,
        cwd=folder,
        env=mine,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(program: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    try:
        stdout, stderr = program.communicate(timeout=TIMEOUT)
    finally:
        program.kill()
    return program.returncode, stdout, stderr


def metadata(trace: Path) -> Any:
    return json.loads((trace / "trace_metadata.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "test_contextlib",
        "test_coroutines",
        "test_dataclasses",
        "test_exceptions",
        "test_generators",
        "test_sys_settrace",
        "test_threading",
    ],
)
def test_tests_of_cpython(name: str, tmp_path: Path) -> None:
    """CPython's own tests of what recording touches give, one by one, the same results as without it, while
    every function of them and of the standard library is traced."""
    if importlib.util.find_spec("test") is None or importlib.util.find_spec(f"test.{name}") is None:
        pytest.skip("this interpreter comes without its tests")
    runner = tmp_path / "runner.py"
    runner.write_text(RUNNER, encoding="utf-8")
    trace = tmp_path / "trace"
    arguments = [f"test.{name}", "outcomes.json"]
    folders = {"plain": tmp_path / "plain", "recorded": tmp_path / "recorded"}
    for folder in folders.values():
        folder.mkdir()
    # Beside one another: most of their time is waiting.
    plain = begin([sys.executable, str(runner), *arguments], folders["plain"])
    recorded = begin(tamis_run(trace, str(runner), *arguments), folders["recorded"])
    ends = {"plain": end(plain), "recorded": end(recorded)}
    outcomes = {}
    for which, (status, _, stderr) in ends.items():
        assert status == 0, (which, stderr)
        outcomes[which] = json.loads((folders[which] / "outcomes.json").read_text(encoding="utf-8"))
    assert len(outcomes["plain"]) > 30
    assert outcomes["recorded"] == outcomes["plain"], ends["recorded"][2]
    written = metadata(trace)
    assert written["state"] == "closed"
    assert written["counters"]["corrupt"] == 0
    assert written["counters"]["calls"] > 10_000


PACKAGE = {
    "shop/__init__.py": "",
    "shop/cart.py": """
        class Empty(Exception):
            pass

        class Cart:
            def __init__(self):
                self.lines = []

            def add(self, name, price, *, count=1):
                if count < 1:
                    raise ValueError(f"{count} of {name}")
                self.lines.append((name, price, count))
                return self

            def total(self):
                if not self.lines:
                    raise Empty
                return sum(price * count for _, price, count in self.lines)
        """,
    "tests/conftest.py": """
        import pytest
        from shop.cart import Cart

        @pytest.fixture
        def cart():
            cart = Cart()
            yield cart
            cart.lines.clear()
        """,
    "tests/test_cart.py": """
        import pytest
        from shop.cart import Empty

        @pytest.mark.parametrize("count", [1, 2, 3])
        def test_total(cart, count):
            assert cart.add("tea", 5, count=count).total() == 5 * count

        def test_empty(cart):
            with pytest.raises(Empty):
                cart.total()

        def test_wrong(cart):
            print("what it printed")
            assert cart.add("tea", 5).total() == 6

        def test_raises(cart):
            cart.add("tea", 5, count=0)

        def test_output(cart, capfd, tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            print("captured")
            assert capfd.readouterr().out == "captured\\n"

        @pytest.mark.xfail
        def test_expected():
            assert not "this"

        @pytest.mark.skip(reason="not today")
        def test_skipped():
            raise RuntimeError
        """,
}


def test_pytest(tmp_path: Path) -> None:
    """`tamis run -m pytest` prints what pytest prints, down to the explained assertions and tracebacks of
    tests that fail, ends with its exit status and leaves no file; the trace has each test as a call."""
    folder = tmp_path / "project"
    for name, text in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    program = ["-B", "-m", "pytest", "-v", "-p", "no:cacheprovider", "tests"]
    status, stdout, stderr = end(begin([sys.executable, *program], folder))
    assert status == 1, (stdout, stderr)
    before = sorted(folder.rglob("*"))
    trace = tmp_path / "trace"
    command = tamis_run(trace, *program[1:])
    again = end(begin([command[0], "-B", *command[1:]], folder))
    assert (again[0], again[2]) == (status, stderr)
    assert lasting(again[1]) == lasting(stdout)
    assert sorted(folder.rglob("*")) == before
    assert metadata(trace)["state"] == "closed"
    with open_trace(trace) as opened:
        tests = "select qualname, outcome from calls where module = 'test_cart' and qualname like 'test%'"
        outcomes: dict[str, list[str]] = {}
        for qualname, outcome in opened.sql(tests).fetchall():
            outcomes.setdefault(qualname, []).append(outcome)
    assert outcomes == {
        "test_total": ["returned"] * 3,
        "test_empty": ["returned"],
        "test_wrong": ["raised"],
        "test_raises": ["raised"],
        "test_output": ["returned"],
        "test_expected": ["raised"],
    }


def lasting(text: str) -> list[str]:
    """The lines that pytest printed, without what differs from run to run: addresses, and how long it took
    with the padding of that line."""
    text = re.sub(r"=+ (.*) in [0-9.]+s =+", r"\1", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x", text).splitlines()


MANY_TASKS = """
import asyncio, sys, time

async def nap(release):
    await release.wait()

async def main(count):
    release = asyncio.Event()
    begun = time.process_time()
    tasks = [asyncio.create_task(nap(release)) for _ in range(count)]
    await asyncio.sleep(0)
    took = time.process_time() - begun
    release.set()
    await asyncio.gather(*tasks)
    return took

few, many = (min(asyncio.run(main(count)) for _ in range(3)) for count in (2_000, 20_000))
print(many / few)
"""


def test_many_living_tasks(tmp_path: Path) -> None:
    """What a new task costs does not grow with the number of tasks that are alive."""
    script = tmp_path / "tasks.py"
    script.write_text(MANY_TASKS, encoding="utf-8")
    trace = tmp_path / "trace"
    status, stdout, stderr = end(begin(tamis_run(trace, str(script)), tmp_path))
    assert status == 0, stderr
    assert float(stdout) < 10 * 5
    with open_trace(trace) as opened:
        napping = "select count(*), count(distinct task) from calls where qualname = 'nap'"
        assert opened.sql(napping).fetchall() == [(66_000, 66_000)]
