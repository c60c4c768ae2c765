"""Test runners: their own filter is in the chain when they run, and only tests and program are recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import recording
from recording import Recorded

PYTEST = str(Path(sys.executable).with_name("pytest"))
FILES = {
    "pyproject.toml": "",
    "shop.py": "def price(n):\n    return n * 2\n",
    "test_by_pytest.py": """
        import pytest
        from hypothesis import given, settings, strategies
        import shop

        @pytest.fixture
        def n():
            yield 3

        @pytest.mark.parametrize("m", [1, 2])
        def test_price(n, m, tmp_path, monkeypatch, capsys):
            assert shop.price(n) == 6
            with pytest.raises(TypeError):
                shop.price()

        @settings(max_examples=2, database=None)
        @given(strategies.integers())
        def test_random(n):
            shop.price(n)

        def test_wrong():
            assert shop.price("abc") == {"a": 1}
    """,
    "test_by_unittest.py": """
        import unittest
        import shop

        class Prices(unittest.TestCase):
            def setUp(self):
                self.n = 3

            def test_price(self):
                self.assertEqual(shop.price(self.n), 6)
                with self.subTest(), self.assertRaises(TypeError):
                    shop.price()
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    return folder


@pytest.fixture
def run(project: Path) -> Iterator[Recorded]:
    recorded: list[Recorded] = []

    def one(*command: str) -> Recorded:
        trace = project.parent / f"trace-{len(recorded)}"
        words = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), *command]
        recorded.append(recording.run(words, trace, project))
        return recorded[-1]

    yield one
    for one_ in recorded:
        one_.trace.close()


def filters(recorded: Recorded) -> list[str]:
    return [one["name"] for one in recorded.trace.metadata["trace_filter"]["filters"]]


@pytest.mark.parametrize(
    ("command", "filter_", "tests", "exit_"),
    [
        (["-m", "pytest"], "pytest", "test_by_pytest", 1),
        (["-m", "pytest.__main__"], "pytest", "test_by_pytest", 1),
        ([PYTEST], "pytest", "test_by_pytest", 1),
        (["-m", "unittest"], "unittest", "test_by_unittest", 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_run_of_tests(run, command: list[str], filter_: str, tests: str, exit_: int):
    """The runner's filter follows builtin-default, and the only code recorded is that of the project."""
    words = ["-p", "no:cacheprovider", "--color=yes", f"{tests}.py"] if filter_ == "pytest" else [tests]
    recorded = run(*command, *words)
    assert recorded.exit == exit_, recorded.stdout + recorded.stderr
    assert filters(recorded) == ["builtin-default", filter_]
    traced = [code for code in recorded.trace.code() if code.traced]
    # Hypothesis keeps its data in a library that programs use, too: it is not for the filter to skip it.
    assert {m for code in traced if not (m := code.module).startswith("sortedcontainers")} == {"shop", tests}
    called = {call.qualname for call in recorded.all_calls}
    expected = (
        {"test_price", "test_random", "n"} if filter_ == "pytest" else {"Prices.setUp", "Prices.test_price"}
    )
    assert {"price"} | expected <= called


@pytest.mark.parametrize(
    "command",
    [["-c", "import pytest, unittest"], ["-m", "timeit", "-n", "1", "1"], ["shop.py", "pytest"]],
    ids=" ".join,
)
def test_other_programs(run, command: list[str]):
    """A program that merely has to do with a test runner has no filter of one."""
    assert filters(run(*command).ok()) == ["builtin-default"]


def test_the_project_has_the_last_word(run, project: Path):
    """Who develops a plugin of pytest traces it by a rule: the project's filter comes after the runner's."""
    (project / "pytest_mine.py").write_text("def pytest_configure(config):\n    pass\n")
    (project / ".codetracer").mkdir()
    (project / ".codetracer/trace-filter.toml").write_text(
        recording.filter_text('[[scope.rules]]\nselector = "pkg:pytest_mine"\nexec = "trace"', name="mine")
    )
    recorded = run("-m", "pytest", "-p", "pytest_mine", "test_by_unittest.py").ok()
    assert filters(recorded) == ["builtin-default", "pytest", "mine"]
    assert "pytest_configure" in {call.qualname for call in recorded.all_calls}
