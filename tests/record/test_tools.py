"""Other tools that watch the interpreter beside a recording."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recording import Recorded
from test_pairing import paired
from test_processes import like_plain

Record = Callable[..., Recorded]


@pytest.mark.parametrize("taken", [[4], [4, 3, 2], [0, 1, 2, 3, 4]])
def test_tool_ids_taken_by_others(record: Record, taken: list[int]) -> None:
    """A recording takes a free tool id, whichever that is, and gives it back."""
    recorded = record(
        f"""
        import sys, tamis
        for number in {taken}:
            sys.monitoring.use_tool_id(number, f"other-{{number}}")
        def work(n): return n
        with tamis.trace(sys.argv[1]):
            work(1)
            print(sorted(filter(None, map(sys.monitoring.get_tool, range(6)))))
        print(sorted(filter(None, map(sys.monitoring.get_tool, range(6)))))
        """,
        itself=True,
    ).ok()
    during, after = map(eval, recorded.stdout.splitlines())
    others = sorted(f"other-{number}" for number in taken)
    assert during == sorted([*others, "tamis"])
    assert after == others
    assert recorded.arguments("work") == [{"n": 1}]


def test_a_coverage_tool(record: Record) -> None:
    """A tool that counts lines through `sys.monitoring` and disables what it has seen counts the same."""
    recorded = like_plain(
        record("""
            import sys
            lines = set()
            def line(code, number):
                if code.co_filename == __file__:
                    lines.add((code.co_qualname, number))
                return sys.monitoring.DISABLE
            tool = sys.monitoring.COVERAGE_ID
            sys.monitoring.use_tool_id(tool, "lines")
            sys.monitoring.register_callback(tool, sys.monitoring.events.LINE, line)
            sys.monitoring.set_events(tool, sys.monitoring.events.LINE)
            def work(n):
                if n > 1:
                    return n
                return 0
            for n in range(4): work(n)
            sys.monitoring.set_events(tool, 0)
            print(sorted(lines))
            """)
    )
    assert len(recorded.calls("work")) == 4
    assert "line" not in {call.qualname for call in recorded.calls("line") if call.outcome != "returned"}


@pytest.mark.parametrize("what", ["settrace", "setprofile"])
def test_trace_functions(record: Record, what: str) -> None:
    """`sys.settrace` and `sys.setprofile` see what they see without Tamis."""
    recorded = paired(
        like_plain(
            record(f"""
                import sys
                seen = []
                def tracer(frame, event, arg):
                    if frame.f_code.co_filename == __file__:
                        seen.append((frame.f_code.co_qualname, event, frame.f_lineno))
                    return tracer
                def generator():
                    yield 1
                    yield 2
                def work(n):
                    try:
                        return 1 / n
                    except ZeroDivisionError:
                        return list(generator())
                sys.{what}(tracer)
                work(0); work(1)
                sys.{what}(None)
                print(seen)
                """)
        )
    )
    assert recorded.outcomes("work") == ["returned"] * 2


def test_a_program_that_takes_the_tool_away(record: Record) -> None:
    """A program that frees every tool id ends the recording of itself, and runs on."""
    recorded = record("""
        import sys
        def work(n): return n
        work(1)
        for number in range(6):
            if sys.monitoring.get_tool(number):
                sys.monitoring.set_events(number, 0)
                sys.monitoring.free_tool_id(number)
        work(2)
        print("done")
        """).ok()
    assert recorded.stdout == "done\n"
    assert recorded.arguments("work") == [{"n": 1}]
    assert recorded.trace.state == "closed"


def test_events_that_others_disabled(record: Record) -> None:
    """When a recording begins, what another tool had disabled is reported to it once more, and then no
    more."""
    recorded = record(
        """
        import sys, tamis
        count = 0
        def started(code, offset):
            global count
            if code.co_name == "work": count += 1
            return sys.monitoring.DISABLE
        sys.monitoring.use_tool_id(1, "other")
        sys.monitoring.register_callback(1, sys.monitoring.events.PY_START, started)
        sys.monitoring.set_events(1, sys.monitoring.events.PY_START)
        def work(): pass
        for _ in range(5): work()
        print(count)
        with tamis.trace(sys.argv[1]):
            for _ in range(5): work()
        print(count)
        """,
        itself=True,
    ).ok()
    assert recorded.stdout == "1\n2\n"
    assert len(recorded.calls("work")) == 5


def test_skipped_code_costs_no_callback(record: Record) -> None:
    """Code that a filter skips is switched off: events that can be switched off are reported once for each
    place, however often it runs."""
    from recording import filter_text

    source = """
        import sys, tamis
        def work(n): return n
        def numbers():
            for n in range(3): yield n
        def loop(times):
            for n in range(times):
                work(n)
                list(numbers())
        events = sys.monitoring.events
        with tamis.trace(sys.argv[1], trace_filter="filter-0.toml"):
            loop(10)
            tool = next(n for n in range(6) if sys.monitoring.get_tool(n) == "tamis")
            seen = []
            for name in ("PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME"):
                event = getattr(events, name)
                ours = sys.monitoring.register_callback(tool, event, None)
                def callback(*args, ours=ours, name=name):
                    if args[0].co_name in ("work", "numbers", "loop"):
                        seen.append(name)
                    return ours(*args)
                sys.monitoring.register_callback(tool, event, callback)
            loop(1000)
            print(len(seen))
        """
    recorded = record(
        source, filters=[filter_text('[[scope.rules]]\nselector = "pkg:*"\nexec = "skip"\n')], itself=True
    ).ok()
    assert int(recorded.stdout) <= 6
    assert recorded.all_calls == []
