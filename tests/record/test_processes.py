"""Programs with several processes, and programs that are hard on their own process: each behaves like the
plain program and leaves a trace that holds what every process did."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import recording
from recording import Recorded
from test_pairing import paired

Record = Callable[..., Recorded]


def like_plain(recorded: Recorded, exit: int = 0) -> Recorded:
    """The recording, whose program must have printed and ended as it does without Tamis."""
    script = recorded.path.parent / "app.py"
    plain = recording.plain([sys.executable, str(script)], script.parent)
    assert (recorded.exit, recorded.stdout, recorded.stderr) == (
        plain.returncode,
        plain.stdout.decode(),
        plain.stderr.decode(),
    )
    assert recorded.exit == exit
    return recorded


def by_part(recorded: Recorded, qualname: str) -> dict[int, list[object]]:
    """What a function was called with, by process."""
    import json

    found: dict[int, list[object]] = {}
    for call in recorded.calls(qualname):
        found.setdefault(call.part, []).append(json.loads(call.args or "null"))
    return found


def test_fork(record: Record) -> None:
    """A forked child is a part of its own, which names its parent; it writes what it did from then on, and
    nothing twice."""
    recorded = paired(
        like_plain(
            record("""
                import os
                def work(who): return who
                def in_child():
                    work("child")
                    grandchild = os.fork()
                    if grandchild == 0:
                        work("grandchild")
                        os._exit(0)
                    os.waitpid(grandchild, 0)
                    os._exit(7)
                work("before")
                child = os.fork()
                if child == 0:
                    in_child()
                _, status = os.waitpid(child, 0)
                print(os.waitstatus_to_exitcode(status))
                work("after")
                """)
        )
    )
    assert by_part(recorded, "work") == {
        0: [{"who": "before"}, {"who": "after"}],
        1: [{"who": "child"}],
        2: [{"who": "grandchild"}],
    }
    assert [(row.part, row.parent) for row in recorded.trace.processes] == [(0, None), (1, 0), (2, 1)]
    assert [row.end for row in recorded.trace.processes] == ["exit", "lost", "lost"]
    # What ran when the child was made is there too, as calls that began before.
    assert [call.start for call in recorded.calls("<module>") if call.part == 1] in ([None], [])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(record: Record, method: str) -> None:
    """Children of `multiprocessing` are recorded, however they are started, under the same filters."""
    word = "open" + "sesame"
    recorded = like_plain(
        record(f"""
            import multiprocessing, os, warnings
            def work(n, password):
                return n * 2
            def main():
                context = multiprocessing.get_context({method!r})
                with context.Pool(2) as pool:
                    print(pool.starmap(work, [(n, {word!r}) for n in range(6)], chunksize=1))
                    pool.close()
                    pool.join()
                child = context.Process(target=work, args=(7, {word!r}))
                child.start()
                child.join()
                print(child.exitcode)
            if __name__ == "__main__":
                main()
            """)
    )
    found = by_part(recorded, "work")
    assert 0 not in found
    values = sorted(arguments["n"] for part in found.values() for arguments in part)  # type: ignore[index]
    assert values == [0, 1, 2, 3, 4, 5, 7]
    assert word not in recorded.everything()
    paired(recorded)


def test_a_child_that_dies_at_once(tmp_path: Path) -> None:
    """A child that ends before its recording began (in a hook of somebody else, say) does not keep the trace
    open, nor the program alive."""
    (tmp_path / "app.py").write_text(
        "import os\ndef work(n): return n\nwork(1)\n"
        "child = os.fork()\nif child == 0: work(2)\n"
        "print(os.waitpid(child, 0)[1])\nwork(3)\n"
    )
    begin = (
        "import os; os.register_at_fork(after_in_child=lambda: os._exit(3));"
        "from tamis.cli import main; main(['run', '-q', '-o', 'trace', 'app.py'])"
    )
    recorded = recording.run([sys.executable, "-c", begin], tmp_path / "trace", tmp_path).ok()
    assert recorded.stdout == f"{3 << 8}\n"
    assert recorded.arguments("work") == [{"n": 1}, {"n": 3}]
    assert [process.end for process in recorded.trace.processes] == ["exit"]
    assert recorded.trace.state == "closed"
    recorded.trace.close()


def test_fork_in_threads(record: Record) -> None:
    """Forks of several threads at once: every child is recorded, once."""
    recorded = paired(
        like_plain(
            record("""
                import os, threading, warnings
                warnings.simplefilter("ignore", DeprecationWarning)
                def work(n): return n
                def forks(n):
                    child = os.fork()
                    if child == 0:
                        work(n)
                        os._exit(0)
                    os.waitpid(child, 0)
                threads = [threading.Thread(target=forks, args=(n,)) for n in range(8)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
                """)
        )
    )
    found = by_part(recorded, "work")
    assert sorted(found) == list(range(1, 9))
    assert sorted(item[0]["n"] for item in found.values()) == list(range(8))  # type: ignore[index]


def test_fork_brings_no_warning(record: Record) -> None:
    """A program without threads forks without a warning: Tamis has no thread in it."""
    recorded = like_plain(
        record("""
            import os, threading, warnings
            warnings.simplefilter("error")
            child = os.fork()
            if child == 0:
                os._exit(3)
            print(os.wait()[1], threading.active_count(), len(os.listdir("/proc/self/task")))
            """)
    )
    assert recorded.stdout.split()[1:] == ["1", "1"]


def test_daemon(record: Record) -> None:
    """A program that turns into a daemon (forks twice, leads a session, closes every descriptor, goes to `/`)
    is recorded until the daemon ends."""
    recorded = record("""
        import os, sys, time
        def before(): pass
        def in_daemon(n): return n
        before()
        done, ready = os.path.abspath("done"), os.path.abspath("ready")
        if os.fork():
            while not os.path.exists(ready): time.sleep(0.005)
            sys.exit(4)
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        os.closerange(0, 65536)
        for _ in range(3): os.open(os.devnull, os.O_RDWR)
        open(ready, "w").close()
        time.sleep(0.3)
        for n in range(1000): in_daemon(n)
        open(done, "w").close()
        """)
    assert recorded.exit == 4
    assert (recorded.stdout, recorded.stderr) == ("", "")
    found = by_part(recorded, "in_daemon")
    assert list(found) == [2]
    assert found[2] == [{"n": n} for n in range(1000)]
    assert [row.end for row in recorded.trace.processes][0::2] == ["exit", "exit"]
    assert (recorded.path.parent / "done").read_bytes() == b""


CLOSINGS = {
    "all but the first three": "os.closerange(3, 65536)",
    "the first three": "[os.close(n) for n in (0, 1, 2)]",
    "all": "os.closerange(0, 65536)",
    "all, and opens files under their numbers": (
        "os.closerange(0, 65536); files = [open(f'file-{n}', 'w') for n in range(20)]; files[9].write('mine')"
    ),
}


@pytest.mark.parametrize("closing", CLOSINGS.values(), ids=list(CLOSINGS))
def test_closed_descriptors(record: Record, closing: str) -> None:
    """A program that closes descriptors records on, and its own files hold its own bytes only."""
    recorded = like_plain(
        record(f"""
            import os
            def work(n): return n
            work(0)
            {closing}
            for n in range(1, 30000): work(n)
            """)
    )
    assert len(recorded.calls("work")) == 30000
    assert recorded.trace.state == "closed"
    files = sorted(recorded.path.parent.glob("file-*"))
    assert [file.read_text() for file in files if file.name != "file-9"] == [""] * max(len(files) - 1, 0)
    if files:
        assert (recorded.path.parent / "file-9").read_text() == "mine"


def test_changed_directory(record: Record) -> None:
    """A program that changes its directory, and removes it, leaves its trace where it was asked for."""
    recorded = like_plain(
        record("""
            import os, tempfile
            def work(n): return n
            folder = tempfile.mkdtemp()
            os.chdir(folder)
            os.rmdir(folder)
            work(1)
            """)
    )
    assert recorded.arguments("work") == [{"n": 1}]
    assert next(row.file for row in recorded.trace.code() if row.qualname == "work") == "app.py"


def test_replaced_streams(record: Record) -> None:
    """`sys.stdout` and `sys.stderr` that are replaced, closed or none."""
    recorded = like_plain(
        record("""
            import io, sys
            def work(n): print(n); return n
            sys.stdout = io.StringIO()
            work(1)
            sys.stdout = None
            work(2)
            sys.stderr = None
            sys.stdout = sys.__stdout__
            work(3)
            sys.stdout.close()
            """)
    )
    assert recorded.stdout == "3\n"
    assert recorded.arguments("work") == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_exec(record: Record) -> None:
    """A program that executes another one: what it did until then is there, and the other one runs as it
    would."""
    recorded = like_plain(
        record("""
            import os, sys
            def work(n): return n
            for n in range(500): work(n)
            os.execv(sys.executable, [sys.executable, "-c", "print('other'); raise SystemExit(5)"])
            """),
        exit=5,
    )
    assert recorded.stdout == "other\n"
    assert len(recorded.calls("work")) == 500
    (process,) = recorded.trace.processes
    assert process.end == "lost"


def test_subprocesses(record: Record) -> None:
    """`subprocess`, with and without `preexec_fn`, gives the program what it gives without Tamis."""
    recorded = like_plain(
        record("""
            import subprocess, sys, os, warnings
            warnings.simplefilter("ignore", DeprecationWarning)
            def prepare(): os.environ["PREPARED"] = "1"; os.nice(1)
            source = "import os; print(os.nice(0), sorted(map(int, os.listdir('/proc/self/fd')))[:3])"
            show = [sys.executable, "-c", source]
            for options in ({}, {"preexec_fn": prepare}, {"close_fds": False}, {"start_new_session": True}):
                done = subprocess.run(show, capture_output=True, text=True, **options)
                print(done.returncode, done.stdout, done.stderr)
            print(os.system("exit 3"))
            """)
    )
    assert recorded.trace.state == "closed"


def test_no_stranger_among_the_children(record: Record) -> None:
    """`os.wait()`, SIGCHLD handlers and the list of children know of nothing that the program did not
    start."""
    like_plain(
        record("""
            import os, signal, time
            seen = []
            def handler(number, frame): seen.append(os.wait())
            signal.signal(signal.SIGCHLD, handler)
            time.sleep(0.1)
            try:
                print(os.wait())
            except ChildProcessError as error:
                print(error)
            def children():
                with open(f"/proc/self/task/{os.getpid()}/children") as file:
                    return file.read()
            print(repr(children()))
            child = os.fork()
            if child == 0: os._exit(0)
            while not seen: time.sleep(0.001)
            print(len(seen), seen[0][0] == child)
            """)
    )


def test_threads_one_after_another(record: Record) -> None:
    """Two hundred threads, one after another: each has a number, and none is confused with another that had
    its place."""
    recorded = paired(
        like_plain(
            record("""
                import threading
                def work(n): return n
                for n in range(200):
                    thread = threading.Thread(target=work, args=(n,))
                    thread.start()
                    thread.join()
                """)
        )
    )
    calls = recorded.calls("work")
    assert [arguments["n"] for arguments in recorded.arguments("work")] == list(range(200))
    assert len({call.thread for call in calls}) == 200
    assert {call.parent for call in calls} == {None}


def test_threads_at_once(record: Record) -> None:
    """Fifty threads at once: each call is on its own thread, under its own caller."""
    recorded = paired(
        like_plain(
            record("""
                import sys, threading
                sys.setswitchinterval(1e-5)
                def outer(n):
                    for i in range(100): inner(n, i)
                def inner(n, i): return n
                threads = [threading.Thread(target=outer, args=(n,)) for n in range(50)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
                """)
        )
    )
    outer = {call.call: call for call in recorded.calls("outer")}
    assert len(outer) == 50
    inner = recorded.calls("inner")
    assert len(inner) == 5000
    assert all(outer[call.parent or -1].thread == call.thread for call in inner)
    for call, arguments in zip(inner, recorded.arguments("inner"), strict=True):
        assert f'"n":{arguments["n"]}' in (outer[call.parent or -1].args or "").replace(" ", "")


def test_signals_of_the_terminal(record: Record) -> None:
    """A signal to the whole group, as Ctrl-C and a hang-up send it, does not end the helper: what the program
    did until it ended is there."""
    recorded = like_plain(
        record("""
            import os, signal
            def work(n): return n
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
                signal.signal(number, lambda *_: None)
            os.setpgrp() if os.getpgrp() != os.getpid() else None
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
                os.killpg(0, number)
            for n in range(1000): work(n)
            """)
    )
    assert len(recorded.calls("work")) == 1000
    assert recorded.trace.state == "closed"
