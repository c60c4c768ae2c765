"""Which events belong to which call: every call has one end, whatever way it took."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from recording import Recorded

from tamis.trace.format import CLOSING_KINDS

Record = Callable[..., Recorded]
# `close()` of a generator that is suspended outside `try` is reported by some versions only.
REPORTS_CLOSE = sys.version_info < (3, 13)


def paired(recorded: Recorded) -> Recorded:
    """The recording, after a look at what must hold for every one: each call has one closing row, which is
    its last, at most one `call` row, which is its first, and a parent that is a call of its process; the
    events of a thread are numbered without a gap, in the order of their times."""
    closed: Counter[tuple[int, int]] = Counter()
    begun: Counter[tuple[int, int]] = Counter()
    last: dict[tuple[int, int], int] = {}
    times: dict[tuple[int, int], int] = {}
    for event in recorded.events:
        key = (event.part, event.call)
        assert not closed[key], f"an event follows the end of its call: {event}"
        if event.kind == "call":
            assert key not in begun, event
            begun[key] += 1
        begun[key] += 0
        closed[key] += event.kind in CLOSING_KINDS
        thread = (event.part, event.thread)
        assert event.seq == last.get(thread, -1) + 1, event
        last[thread] = event.seq
        assert event.time >= times.get(thread, 0), event
        times[thread] = event.time
        if event.parent is not None:
            assert (event.part, event.parent) in begun or event.parent < event.call, event
    assert set(closed.values()) <= {1}
    assert closed.keys() == begun.keys()
    numbers = sorted(begun)
    parts = {part for part, _ in numbers}
    assert all([n for p, n in numbers if p == part] == list(range(len([1 for p, _ in numbers if p == part])))
               for part in parts)  # fmt: skip
    return recorded


def names(recorded: Recorded) -> dict[tuple[int, int], str]:
    return {(call.part, call.call): call.qualname or "" for call in recorded.all_calls}


def parents(recorded: Recorded, qualname: str) -> list[str | None]:
    """The functions that called this one."""
    known = names(recorded)
    return [
        None if call.parent is None else known[call.part, call.parent] for call in recorded.calls(qualname)
    ]


@pytest.mark.parametrize("api", [None, "by_slot=False"])
def test_calls_and_returns(record: Record, api: str | None) -> None:
    """Calls nest as they did; own time is what the calls below did not take, and sums up to the whole."""
    recorded = paired(
        record(
            """
            import time
            def leaf(n):
                time.sleep(0.01)
                return n
            def node(n):
                time.sleep(0.02)
                return [leaf(n), leaf(n + 1)]
            def root():
                return node(1), node(3)
            root()
            """,
            api=api,
        ).ok()
    )
    assert [call.qualname for call in recorded.all_calls if call.qualname != "<module>"] == [
        "root", "node", "leaf", "leaf", "node", "leaf", "leaf",
    ]  # fmt: skip
    assert recorded.results("leaf") == [1, 2, 3, 4]
    assert parents(recorded, "leaf") == ["node"] * 4
    assert parents(recorded, "root") == ["<module>"]
    root = recorded.call("root")
    below = [call for call in recorded.all_calls if call.qualname in ("root", "node", "leaf")]
    assert sum(call.own or 0 for call in below) == root.duration
    for node in recorded.calls("node"):
        assert 18e6 < (node.own or 0) < 200e6
        assert (node.duration or 0) >= (node.own or 0) + 18e6


def test_signal_at_the_start_of_a_frame(record: Record) -> None:
    """A signal whose handler raises at the very start of a frame, where nothing told that the frame had
    begun, ends this call only: what runs around it stays whole."""
    recorded = paired(
        record("""
            import ctypes, signal
            # A function of C that, other than `os.kill`, does not run the handler itself.
            send = ctypes.CDLL(None)["raise"]
            class Stop(Exception): pass
            def handler(number, frame):
                raise Stop
            signal.signal(signal.SIGUSR1, handler)
            def target(value):
                return value
            def around():
                # No bytecode runs between the signal and the call: it is met by the first of `target`.
                try:
                    list(map(target, map(send, [int(signal.SIGUSR1)])))
                except Stop:
                    return "stopped"
            for _ in range(20):
                assert around() == "stopped"
            assert target("after") == "after"
            """).ok()
    )
    assert recorded.outcomes("target") == ["raised"] * 20 + ["returned"]
    assert recorded.results("around") == ["stopped"] * 20
    assert parents(recorded, "target") == ["around"] * 20 + ["<module>"]
    assert recorded.outcomes("handler") == ["raised"] * 20
    assert recorded.arguments("target")[-1] == {"value": "after"}
    assert len(recorded.exceptions) == 20
    assert {row.handled_in for row in recorded.exceptions} == {"around"}


def test_throw_into_a_generator_that_has_not_begun(record: Record) -> None:
    """`throw()` into a generator that has not begun: a call that only a throw began, and that raised."""
    recorded = paired(
        record("""
            def generator(): yield 1
            def thrower():
                try:
                    generator().throw(ValueError("early"))
                except ValueError:
                    return "caught"
            thrower()
            thrower()
            """).ok()
    )
    assert recorded.outcomes("generator") == ["raised"] * 2
    assert recorded.results("thrower") == ["caught"] * 2
    assert [kind for kind in recorded.kinds("generator") if kind in ("call", "throw", "unwind")] == [
        "throw", "unwind", "throw", "unwind",
    ]  # fmt: skip
    assert len(recorded.exceptions) == 2


FORGET = {
    "close": "g.close()",
    "del": "del g",
    "rebound": "g = None",
}


@pytest.mark.parametrize("how", FORGET)
def test_suspended_generators_that_are_closed(record: Record, how: str) -> None:
    """A generator that is closed or forgotten while it is suspended did not return: its call is
    `abandoned`, at the latest when another call takes its frame; what is called meanwhile belongs to the
    right calls."""
    recorded = paired(
        record(f"""
            def generator(n):
                yield n
                yield "never"
            def after(n): return n
            def use(n):
                g = generator(n)
                next(g)
                {FORGET[how]}
                return after(n)
            for n in range(50):
                use(n)
            """).ok()
    )
    outcomes = Counter(recorded.outcomes("generator"))
    assert sum(outcomes.values()) == 50
    if REPORTS_CLOSE:
        assert outcomes == {"raised": 50}
    else:
        assert set(outcomes) <= {"abandoned", "unfinished"}
        assert outcomes["abandoned"] >= 49
    assert recorded.results("use") == list(range(50))
    assert parents(recorded, "after") == ["use"] * 50


def test_close_inside_try(record: Record) -> None:
    """A generator that is closed inside `try` runs its `finally`, and its call ends as it ended."""
    recorded = paired(
        record("""
            def quiet():
                try:
                    yield 1
                except GeneratorExit:
                    cleanup()
            def loud():
                try:
                    yield 1
                finally:
                    cleanup()
            def cleanup(): pass
            for make in (quiet, loud):
                g = make()
                next(g)
                g.close()
            """).ok()
    )
    assert recorded.outcomes("quiet") == ["returned"]
    assert recorded.outcomes("loud") == ["raised"]
    assert parents(recorded, "cleanup") == ["quiet", "loud"]


def test_frames_in_flight_at_the_start(record: Record) -> None:
    """Frames that ran when recording began are calls without a start and without arguments, and end as they
    end; so do generators that were suspended then."""
    recorded = paired(
        record(
            """
            import sys
            import tamis
            def generator():
                yield "before"
                yield called("inside")
            def called(value): return value
            suspended = generator()
            next(suspended)
            def inner(unseen):
                tamis.start(sys.argv[1])
                called(1)
                return "inner"
            def outer():
                result = inner("x")
                called(2)
                return result
            def failing():
                outer()
                raise ValueError("out")
            try:
                failing()
            except ValueError:
                called(3)
            called(next(suspended))
            list(suspended)
            """,
            itself=True,
        ).ok()
    )
    flight = {name: recorded.call(name) for name in ("inner", "outer", "failing", "generator")}
    assert {name: call.outcome for name, call in flight.items()} == {
        "inner": "returned", "outer": "returned", "failing": "raised", "generator": "returned",
    }  # fmt: skip
    for call in flight.values():
        assert (call.start, call.duration, call.args) == (None, None, None)
    assert json.loads(flight["inner"].result or "") == "inner"
    assert recorded.arguments("called") == [{"value": value} for value in (1, 2, 3, "inside", "inside")]
    assert parents(recorded, "called")[3] == "generator"
    (row,) = recorded.exceptions
    assert (row.raised_in, row.handled_in) == ("failing", "<module>")


def test_recursion_to_the_limit(record: Record) -> None:
    """Recursion to the limit: every call ends by the one exception, which is handled where it was."""
    recorded = paired(
        record("""
            import sys
            sys.setrecursionlimit(400)
            def down(n):
                return down(n + 1) + 1
            def handles():
                try:
                    down(0)
                except RecursionError:
                    return "handled"
            handles()
            handles()
            """).ok()
    )
    outcomes = Counter(recorded.outcomes("down"))
    assert set(outcomes) == {"raised"}
    assert 2 * 300 < outcomes["raised"] < 2 * 400
    assert recorded.results("handles") == ["handled"] * 2
    assert [(row.type, row.handled_in) for row in recorded.exceptions] == [("RecursionError", "handles")] * 2
    assert [len(row.passed) for row in recorded.exceptions] == [outcomes["raised"] // 2] * 2


def test_yields_and_resumes(record: Record) -> None:
    """A generator's call is one call: each yield with its value, each resume with who resumed it."""
    recorded = paired(
        record("""
            def generator(n):
                for i in range(n):
                    got = yield i
                return "end"
            def outer():
                result = yield from generator(3)
                return result
            def first(g): return next(g)
            def second(g): return list(g)
            g = outer()
            first(g)
            second(g)
            """).ok()
    )
    call = recorded.call("generator")
    assert (call.outcome, call.result) == ("returned", '"end"')
    rows = [event for event in recorded.events if event.call == call.call]
    assert [event.kind for event in rows] == ["call", *["yield", "resume"] * 3, "return"]
    assert [event.value for event in rows if event.kind == "yield"] == ["0", "1", "2"]
    known = names(recorded)
    assert {known[0, event.resumed_by] for event in rows if event.resumed_by is not None} == {"outer"}
    outer = [event for event in recorded.events if event.qualname == "outer" and event.resumed_by is not None]
    assert {known[0, event.resumed_by or 0] for event in outer} == {"second"}
    assert parents(recorded, "outer") == ["first"]


def test_generator_that_wanders_between_threads(record: Record) -> None:
    """A generator that several threads resume is one call, resumed by each of them."""
    recorded = paired(
        record("""
            import threading
            def generator():
                for i in range(6):
                    yield helper(i)
            def helper(i): return i
            g = generator()
            def worker():
                next(g)
            for _ in range(5):
                thread = threading.Thread(target=worker)
                thread.start()
                thread.join()
            list(g)
            """).ok()
    )
    assert recorded.outcomes("generator") == ["returned"]
    assert parents(recorded, "helper") == ["generator"] * 6
    call = recorded.call("generator")
    rows = [event for event in recorded.events if event.call == call.call]
    assert [event.kind for event in rows] == ["call", *["yield", "resume"] * 6, "return"]
    assert len({event.thread for event in rows}) == 6


def test_tasks(record: Record) -> None:
    """Each event of a coroutine has its asyncio task, and so has what it calls; cancelled tasks end by the
    cancellation."""
    recorded = paired(
        record("""
            import asyncio
            def step(name, n): return n
            async def waiter(name):
                try:
                    await asyncio.sleep(60)
                finally:
                    step(name, "cleanup")
            async def counter(name):
                for n in range(3):
                    step(name, n)
                    await asyncio.sleep(0.001)
                return name
            async def never(name): pass
            async def main():
                tasks = [asyncio.create_task(waiter("w")), asyncio.create_task(counter("a")),
                         asyncio.create_task(counter("b"))]
                unstarted = asyncio.create_task(never("n"))
                unstarted.cancel()
                await asyncio.sleep(0.05)
                tasks[0].cancel()
                results = await asyncio.gather(*tasks, unstarted, return_exceptions=True)
                kinds = [type(result).__name__ for result in results]
                assert kinds == ["CancelledError", "str", "str", "CancelledError"]
            asyncio.run(main())
            """).ok()
    )
    assert recorded.outcomes("waiter") == ["raised"]
    assert recorded.outcomes("counter") == ["returned"] * 2
    assert recorded.outcomes("main") == ["returned"]
    assert set(recorded.outcomes("never")) <= {"raised"}
    tasks: dict[str, set[int | None]] = {}
    for call in recorded.calls("step"):
        tasks.setdefault(json.loads(call.args or "")["name"], set()).add(call.task)
    assert all(len(found) == 1 and None not in found for found in tasks.values()), tasks
    assert len({next(iter(found)) for found in tasks.values()}) == 3
    assert parents(recorded, "step").count("counter") == 6
    (cancelled,) = [row for row in recorded.exceptions if row.raised_in == "waiter"]
    assert cancelled.type == "asyncio.exceptions.CancelledError"


def test_asynchronous_generators(record: Record) -> None:
    """Asynchronous generators: iterated to the end, thrown into, closed."""
    recorded = paired(
        record("""
            import asyncio
            async def numbers(n):
                try:
                    for i in range(n):
                        yield i
                        await asyncio.sleep(0)
                finally:
                    done(n)
            def done(n): pass
            async def main():
                assert [i async for i in numbers(3)] == [0, 1, 2]
                g = numbers(4)
                await anext(g)
                await g.aclose()
                g = numbers(5)
                await anext(g)
                try:
                    await g.athrow(ValueError("in"))
                except ValueError:
                    pass
                async for i in numbers(6):
                    break
            asyncio.run(main())
            """).ok()
    )
    assert recorded.arguments("done") == [{"n": n} for n in (3, 4, 5, 6)]
    assert recorded.outcomes("numbers") == ["returned", "raised", "raised", "raised"]
    assert recorded.outcomes("main") == ["returned"]
    code = next(row for row in recorded.trace.code() if row.qualname == "numbers")
    assert code.kind == "async generator"


def test_what_is_unfinished_at_the_end(record: Record) -> None:
    """What runs or is suspended when the process ends is `unfinished`."""
    recorded = paired(
        record("""
            import os, threading
            def generator(): yield 1
            g = generator()
            next(g)
            ready = threading.Event()
            def thread():
                ready.set()
                threading.Event().wait()
            threading.Thread(target=thread, daemon=True).start()
            ready.wait()
            def ends(): os._exit(0)
            ends()
            """).ok()
    )
    for name in ("generator", "thread", "ends", "<module>"):
        assert recorded.outcomes(name) == ["unfinished"], name
