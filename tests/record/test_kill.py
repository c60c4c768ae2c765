"""Programs that are killed at any moment: what was published is in the trace, and nothing is torn."""

from __future__ import annotations

import random
import signal
import struct
from collections import Counter
from pathlib import Path

import pytest
import recording
from recording import Recorded

KILLS = 50

# The program notes each call that it has completed in a file that it shares, after the call; so what is noted
# was published before.
PROGRAM = """
    import ctypes, mmap, os, signal, struct, sys, threading, time

    how, after, threads = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with open("notes", "w+b") as file:
        file.truncate(4096)
        notes = memoryview(mmap.mmap(file.fileno(), 4096)).cast("q")  # stores a number at once

    def work(thread, n):
        return inner(n, f"text-{n}")

    def inner(n, text):
        if n % 7 == 0:
            try:
                raise ValueError(text)
            except ValueError:
                pass
        return sum(numbers(n % 3))

    def numbers(count):
        for number in range(count):
            yield number

    def runs(thread):
        n = 0
        while True:
            work(thread, n)
            n += 1
            notes[thread] = n

    def die():
        if how == "exit":
            os._exit(0)
        if how == "segv":
            ctypes.string_at(0)
        os.kill(os.getpid(), signal.SIGKILL)

    def killer():
        time.sleep(after)
        die()

    for thread in range(1, threads):
        threading.Thread(target=runs, args=(thread,), daemon=True).start()
    threading.Thread(target=killer, daemon=True).start()
    runs(0)
    """


def killed(folder: Path, how: str, after: float, threads: int) -> Recorded:
    recorded = recording.record(folder, PROGRAM, how, str(after), str(threads), options=["--items", "3"])
    expected = {"exit": 0, "segv": -signal.SIGSEGV, "kill": -signal.SIGKILL}[how]
    assert recorded.exit == expected, recorded.stderr
    return recorded


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("how", ["kill", "segv", "exit"])
def test_killed_at_any_moment(tmp_path: Path, how: str, threads: int) -> None:
    """SIGKILL, SIGSEGV and `os._exit` at random moments, fifty times in all, with one thread and with
    several: the trace opens, no row is torn, and every event that was published is there."""
    rounds = -(-KILLS // 6)
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        after = moments.uniform(0.001, 0.05)
        recorded = killed(folder, how, after, threads)
        check(recorded, folder, threads, f"seed {seed}, round {number}")
        recorded.trace.close()


def check(recorded: Recorded, folder: Path, threads: int, which: str) -> None:
    assert recorded.trace.state == "closed", which
    assert recorded.trace.metadata["counters"].get("corrupt", 0) == 0, which
    text = (folder / "notes").read_bytes()
    completed = struct.unpack_from(f"<{threads}q", text)
    rows = recorded.trace.sql("""
        select (args ->> 'thread')::int as thread, count(*) filter (outcome = 'returned') as returned,
               list((args ->> 'n')::int order by call) as numbers
        from calls where qualname = 'work' group by all
        """).fetchall()
    done = {thread: returned for thread, returned, _ in rows}
    # None is missing in between, and they are in their order.
    assert all(numbers == list(range(len(numbers))) for _, _, numbers in rows), which
    for thread, count in enumerate(completed):
        # The last one may have been killed between its end and the note.
        assert count <= done.get(thread, 0) <= count + 1, (which, thread, completed, done)
    broken = "select count(*) from values where not json_valid(json) or contains(json, '$corrupt')"
    assert recorded.trace.sql(broken).fetchall() == [(0,)], which
    kinds = "'return', 'unwind', 'abandoned', 'unfinished'"
    ends = f"select part, call, count(*) from events where kind in ({kinds})"
    assert recorded.trace.sql(f"{ends} group by all having count(*) <> 1").fetchall() == [], which
    unended = "select count(distinct call) from events having count(distinct call) <> max(call) + 1"
    assert recorded.trace.sql(unended).fetchall() == [], which
    unfinished = "select count(*) from calls where outcome = 'unfinished'"
    assert recorded.trace.sql(unfinished).fetchall()[0][0] >= 1, which


def test_killed_from_outside_with_its_children(tmp_path: Path) -> None:
    """A tree of processes that is killed at once leaves a trace that holds what each of them had done."""
    source = """
        import mmap, os, signal, struct, sys, time
        with open("notes", "w+b") as file:
            file.truncate(4096)
            notes = memoryview(mmap.mmap(file.fileno(), 4096)).cast("q")  # stores a number at once
        os.setpgrp()
        def work(n): return n
        def runs(place):
            n = 0
            while True:
                work(n)
                n += 1
                notes[place] = n
        for place in range(1, 4):
            if os.fork() == 0:
                runs(place)
        if os.fork() == 0:
            time.sleep(0.2)
            os.killpg(0, signal.SIGKILL)
        runs(0)
        """
    recorded = recording.record(tmp_path, source)
    assert recorded.exit == -signal.SIGKILL
    completed = struct.unpack_from("<4q", (tmp_path / "notes").read_bytes())
    counts = Counter(call.part for call in recorded.calls("work") if call.outcome == "returned")
    # Parts are numbered as they begin to record, which need not be the order of the forks.
    for noted, count in zip(sorted(completed), sorted(counts.values()), strict=True):
        assert noted <= count <= noted + 1, (completed, counts)
    assert {row.end for row in recorded.trace.processes} == {"lost"}
    recorded.trace.close()
