"""Exceptions: one row for each, from where it was raised to where it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from recording import Recorded, filter_text
from test_pairing import paired

Record = Callable[..., Recorded]


class Case(NamedTuple):
    """A function `f` that raises, and the rows that its exceptions leave: type, where it was raised, what it
    left, where it was handled."""

    name: str
    source: str
    rows: list[tuple[str, str, list[str], str | None]]


CASES = [
    Case("except", """
        def f():
            try:
                raise ValueError("a")
            except ValueError:
                pass
        """, [("ValueError", "f", [], "f")]),
    Case("passes functions", """
        def f():
            try:
                one()
            except ValueError:
                pass
        def one(): two()
        def two(): three()
        def three(): raise ValueError("a")
        """, [("ValueError", "three", ["three", "two", "one"], "f")]),
    Case("raised again", """
        def f():
            try:
                one()
            except ValueError:
                pass
        def one():
            try:
                two()
            except ValueError:
                raise
        def two(): raise ValueError("a")
        """, [("ValueError", "two", ["two", "one"], "f")]),
    Case("finally", """
        def f():
            try:
                one()
            except ValueError:
                pass
        def one():
            try:
                raise ValueError("a")
            finally:
                quiet()
        def quiet(): pass
        """, [("ValueError", "one", ["one"], "f")]),
    Case("with", """
        class Manager:
            def __enter__(self): pass
            def __exit__(self, *_): return False
        def f():
            try:
                one()
            except ValueError:
                pass
        def one():
            with Manager():
                raise ValueError("a")
        """, [("ValueError", "one", ["one"], "f")]),
    Case("suppressed by a context manager of the program", """
        class Manager:
            def __enter__(self): pass
            def __exit__(self, *_): return True
        def f():
            with Manager():
                raise ValueError("a")
        """, [("ValueError", "f", [], "f")]),
    Case("contextlib.suppress", """
        import contextlib
        def f():
            with contextlib.suppress(ValueError):
                raise ValueError("a")
        """, [("ValueError", "f", [], "f")]),
    Case("from", """
        def f():
            try:
                try:
                    raise KeyError("first")
                except KeyError as error:
                    raise ValueError("second") from error
            except ValueError:
                pass
        """, [("KeyError", "f", [], "f"), ("ValueError", "f", [], "f")]),
    Case("the wrong handler", """
        def f():
            try:
                one()
            except ValueError:
                pass
        def one():
            try:
                raise ValueError("a")
            except KeyError:
                pass
        """, [("ValueError", "one", ["one"], "f")]),
    Case("raised by C", """
        def f():
            try:
                int("x")
            except ValueError:
                pass
        """, [("ValueError", "f", [], "f")]),
    Case("through C", """
        def f():
            try:
                sorted([2, 1], key=one)
            except ValueError:
                pass
        def one(n): raise ValueError("a")
        """, [("ValueError", "one", ["one"], "f")]),
    Case("taken by C", """
        class Odd:
            def __getattr__(self, name): raise AttributeError(name)
        def f():
            return getattr(Odd(), "x", None), hasattr(Odd(), "y")
        """, [("AttributeError", "Odd.__getattr__", ["Odd.__getattr__"], None)] * 2),
    Case("end of an iterator of the program", """
        class Iterator:
            def __iter__(self): return self
            def __next__(self): raise StopIteration
        def f():
            for _ in Iterator(): pass
        """, [("StopIteration", "Iterator.__next__", ["Iterator.__next__"], "f")]),
    Case("end of an iteration", """
        def numbers():
            yield from [1, 2]
        def f():
            for _ in numbers(): pass
            return list(numbers()), [*range(3)], next(iter([]), None)
        """, []),
    Case("in a generator", """
        def numbers():
            try:
                yield 1
            except KeyError:
                raise ValueError("a")
        def f():
            g = numbers()
            next(g)
            try:
                g.throw(KeyError("b"))
            except ValueError:
                pass
        """, [("KeyError", "numbers", [], "numbers"), ("ValueError", "numbers", ["numbers"], "f")]),
    Case("the same object twice", """
        def f():
            error = ValueError("a")
            for _ in range(2):
                try:
                    raise error
                except ValueError:
                    pass
        """, [("ValueError", "f", [], "f")]),
    Case("one after another in a loop", """
        def f():
            for _ in range(50):
                try:
                    one()
                except ValueError:
                    pass
        def one(): raise ValueError("a")
        """, [("ValueError", "one", ["one"], "f")] * 50),
    Case("a group", """
        def f():
            try:
                raise ExceptionGroup("g", [ValueError("a"), KeyError("b")])
            except* ValueError:
                pass
            except* KeyError:
                pass
        """, [("ExceptionGroup", "f", [], "f")]),
    Case("many frames", """
        def f():
            try:
                down(150)
            except ValueError:
                pass
        def down(n):
            if n == 1:
                raise ValueError("a")
            down(n - 1)
        """, [("ValueError", "down", ["down"] * 150, "f")]),
    Case("handled while another is under way", """
        def f():
            try:
                try:
                    raise ValueError("a")
                finally:
                    quiet()
            except ValueError:
                pass
        def quiet():
            try:
                raise KeyError("b")
            except KeyError:
                pass
        """, [("ValueError", "f", [], "f"), ("KeyError", "quiet", [], "quiet")]),
    Case("replaced in an exit handler of a with block", """
        class Manager:
            def __enter__(self): pass
            def __exit__(self, *_): raise KeyError("b")
        def f():
            try:
                with Manager():
                    raise ValueError("a")
            except KeyError:
                pass
        """, [("ValueError", "f", [], "f"), ("KeyError", "Manager.__exit__", ["Manager.__exit__"], "f")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[str, str, list[str], str | None]]]:
    """What each case left, all recorded in one run, a thread for each so that they are told apart."""
    import textwrap

    import recording

    parts = ["import threading", "def in_thread(function):"]
    parts += ["    thread = threading.Thread(target=function)", "    thread.start()", "    thread.join()"]
    for case in CASES:
        parts += [textwrap.dedent(case.source), "in_thread(f)"]
    recorded = recording.record(tmp_path_factory.mktemp("exceptions"), "\n".join(parts)).ok()
    threads = [call.thread for call in recorded.calls("f")]
    found: dict[int, list[tuple[str, str, list[str], str | None]]] = {thread: [] for thread in threads}
    for row in recorded.exceptions:
        found[row.thread].append((row.type or "", row.raised_in or "", row.passed, row.handled_in))
    paired(recorded).trace.close()
    return [found[thread] for thread in threads]


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case.name for case in CASES])
def test_one_row_for_each(rows: list[Any], index: int) -> None:
    """One row per exception: where it was raised, the functions that it left, where it was handled.
    Handlers that the compiler made, for `with` and `finally` and the ends of iterations, are no
    handlers."""
    assert rows[index] == CASES[index].rows


def test_values_of_exceptions(record: Record) -> None:
    """An exception is shown once, with its arguments and what was set on it."""
    recorded = record("""
        class Trouble(Exception):
            def __init__(self, code):
                super().__init__("message", code)
                self.code = code
        def fails(): raise Trouble(7)
        try:
            fails()
        except Trouble:
            pass
        """).ok()
    (row,) = recorded.exceptions
    value = json.loads(row.value or "")
    assert value["args"] == {"$tuple": ["message", 7]}
    assert (value["$type"], value["code"]) == ("__main__.Trouble", 7)
    assert (row.type, row.raised_line, row.handled_line) == ("__main__.Trouble", 6, 9)


def test_uncaught(record: Record) -> None:
    """An exception that nobody handles left all recorded code."""
    recorded = record("""
        def fails(): raise ValueError("out")
        fails()
        """)
    assert recorded.exit == 1
    (row,) = recorded.exceptions
    assert (row.raised_in, row.passed, row.handled_in) == ("fails", ["fails", "<module>"], None)
    assert recorded.outcomes("<module>")[0] == "raised"


def test_from_thread_to_thread(record: Record) -> None:
    """An exception that is handed from one thread to another is one exception, with a row in each thread."""
    recorded = paired(
        record("""
            from concurrent.futures import ThreadPoolExecutor
            def work(): raise ValueError("there")
            def ask(pool):
                try:
                    pool.submit(work).result()
                except ValueError:
                    pass
            with ThreadPoolExecutor(1) as pool:
                ask(pool)
            """).ok()
    )
    rows = [row for row in recorded.exceptions if row.type == "ValueError"]
    assert len(rows) == 2
    assert {row.exception for row in rows} == {rows[0].exception}
    there, here = sorted(rows, key=lambda row: row.time)
    assert (there.raised_in, there.passed, there.handled_in) == ("work", ["work"], None)
    assert here.handled_in == "ask"


RET = """
    [[scope.rules]]
    selector = "pkg:*"
    [[scope.rules.value_patterns]]
    selector = "ret:literal:guarded"
    action = "ACTION"
    """


@pytest.mark.parametrize("action", ["redact", "drop"])
def test_return_rules_hold_for_what_leaves(record: Record, action: str) -> None:
    """`ret` rules hold for yields and for exceptions that leave, also where a function below raised them
    without the function being traced, and for the same exception where it is met again."""
    word = "open" + "sesame"
    recorded = record(
        f"""
        def guarded():
            yield {word!r}
            raise ValueError({word!r})
        try:
            list(guarded())
        except ValueError:
            pass
        """,
        filters=[filter_text(RET.replace("ACTION", action))],
    ).ok()
    assert word not in recorded.everything()
    assert recorded.stats["value_" + ("redactions" if action == "redact" else "drops")]["return"] >= 2
