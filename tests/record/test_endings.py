"""How programs end: as without Tamis, and with a trace that holds what they did."""

from __future__ import annotations

import importlib.util
import marshal
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import recording
from recording import Recorded

Record = Callable[..., Recorded]


class Ending(NamedTuple):
    """The last lines of a program, the exit status that they give, and how the trace calls the end."""

    name: str
    source: str
    exit: int
    end: str = "exit"


ENDINGS = [
    Ending("end of the script", "pass", 0),
    Ending("sys.exit()", "sys.exit()", 0),
    Ending("sys.exit(0)", "sys.exit(0)", 0),
    Ending("sys.exit(3)", "sys.exit(3)", 3),
    Ending("sys.exit(None)", "sys.exit(None)", 0),
    Ending("sys.exit with a text", "sys.exit('what for')", 1),
    Ending("sys.exit with a large number", "sys.exit(-1)", 255),
    Ending("sys.exit with an object", "sys.exit([1, 'a'])", 1),
    Ending("exit()", "exit(4)", 4),
    Ending("raise SystemExit", "raise SystemExit(5)", 5),
    Ending("uncaught exception", "fails(3)", 1),
    Ending("uncaught with a cause", "try:\n    fails(1)\nexcept ValueError as e:\n    raise KeyError('k') from e", 1),  # noqa: E501
    Ending("uncaught group", "raise ExceptionGroup('several', [ValueError('a'), TypeError('b')])", 1),
    Ending("uncaught with a note", "e = ValueError('a'); e.add_note('note'); raise e", 1),
    Ending("uncaught of a class of its own", "class Odd(BaseException): pass\nraise Odd('x')", 1),
    Ending("exit in an atexit handler", "import atexit; atexit.register(lambda: fails(1))", 0),
    Ending("atexit handler", "import atexit; atexit.register(work, 'at exit'); atexit.register(print, 'bye')", 0),  # noqa: E501
    Ending("exception in a thread", "import threading; threading.Thread(target=fails, args=(2,)).start()", 0),
    Ending("exit in a thread", "import threading; threading.Thread(target=sys.exit, args=(2,)).start()", 0),
    Ending("sys.excepthook replaced", "sys.excepthook = lambda *a: print('hook', a[0].__name__); fails(1)", 1),  # noqa: E501
    Ending("sys.excepthook fails", "def hook(*a): raise TypeError('hook')\nsys.excepthook = hook; fails(1)", 1),  # noqa: E501
    Ending("sys.excepthook gone", "del sys.excepthook; fails(1)", 1),
    Ending("stderr gone", "sys.stderr = None; fails(1)", 1),
    Ending("os._exit", "os._exit(6)", 6, "lost"),
    Ending("SIGTERM", "os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, "lost"),
    Ending("SIGKILL", "os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "lost"),
    Ending("SIGSEGV", "import ctypes; ctypes.string_at(0)", -signal.SIGSEGV, "lost"),
    Ending("abort", "os.abort()", -signal.SIGABRT, "lost"),
    Ending("Ctrl-C", "os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -signal.SIGINT),
    Ending("KeyboardInterrupt raised", "raise KeyboardInterrupt", -signal.SIGINT),
    Ending("Ctrl-C handled", "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(5)\n"
           "except KeyboardInterrupt:\n    sys.exit(9)", 9),
    Ending("non-daemon thread runs on", "import threading; threading.Timer(0.05, work, ['late']).start()", 0),
    Ending("broken stdout", "sys.stdout.close(); os.close(1)", 0),
]  # fmt: skip

BEGIN = """\
import os, signal, sys, time
def work(n):
    return n
def fails(n):
    if n > 1:
        fails(n - 1)
    raise ValueError("from", n)
for n in range(100):
    work(n)
print("begun", flush=True)
"""


def told(text: str, folder: Path) -> str:
    """What a program said, without what differs from run to run: paths and addresses."""
    return re.sub("0x[0-9a-f]+", "0x", text.replace(f"{folder}/", ""))


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.name for ending in ENDINGS])
def test_endings(record: Record, ending: Ending) -> None:
    """However a program ends, its output, its traceback and its exit status, or the signal that ended it, are
    those of a plain run, and the trace holds all that it did."""
    recorded = record(BEGIN + ending.source + "\n")
    plain = recording.plain([sys.executable, "app.py"], recorded.path.parent)
    seen, said = (told(text, recorded.path.parent) for text in (recorded.stderr, plain.stderr.decode()))
    assert (recorded.exit, recorded.stdout) == (plain.returncode, plain.stdout.decode())
    assert seen == said
    assert recorded.exit == ending.exit
    assert [argument["n"] for argument in recorded.arguments("work")][:100] == list(range(100))
    (process,) = recorded.trace.processes
    assert process.end == ending.end
    assert recorded.trace.state == "closed"
    if "atexit; atexit.register(work" in ending.source:
        assert recorded.arguments("work")[100:] == [{"n": "at exit"}]
    if "Timer" in ending.source:
        assert recorded.arguments("work")[100:] == [{"n": "late"}]


def test_exit_status_in_the_trace(record: Record) -> None:
    """The trace tells the exit status of a program that ended by itself."""
    for status, source in ((0, "pass"), (3, "raise SystemExit(3)"), (1, "raise ValueError")):
        (process,) = record(source).trace.processes
        assert (process.end, process.exit_status) == ("exit", status)


FAILING = "def inner(n):\n    return 1 / n\nclass Odd:\n    value = inner(0)\n"


@pytest.mark.parametrize("how", ["script", "module", "package", "code", "folder", "zip", "stdin"])
def test_tracebacks(tmp_path: Path, how: str) -> None:
    """The traceback of an uncaught exception is the same text as without Tamis, however the program is
    started: not a line of Tamis is in it."""
    (tmp_path / "app.py").write_text(FAILING)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(FAILING)
    import zipfile

    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.write(package / "__main__.py", "__main__.py")
    words = {
        "script": ["app.py"],
        "module": ["-m", "app"],
        "package": ["-m", "package"],
        "code": ["-c", FAILING],
        "folder": ["package"],
        "zip": ["app.zip"],
        "stdin": ["-"],
    }[how]
    stdin = FAILING if how == "stdin" else ""
    trace = tmp_path / "trace"
    run = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), *words]
    recorded = recording.run(run, trace, tmp_path, stdin=stdin)
    plain = recording.plain([sys.executable, *words], tmp_path, stdin=stdin)
    assert recorded.stderr == plain.stderr.decode()
    assert recorded.exit == plain.returncode == 1
    assert recorded.outcomes("inner") == ["raised"]
    recorded.trace.close()


MAGIC = importlib.util.MAGIC_NUMBER
PYC = MAGIC + bytes(12)

# Programs that cannot be started: the words after `python`, and what they find in the folder.
BROKEN: dict[str, tuple[list[str], bytes | None]] = {
    "syntax error": (["app.py"], b"x = 1\ndef f(:\n    pass\n"),
    "bad indentation": (["app.py"], b"if True:\nx = 1\n"),
    "unclosed": (["app.py"], b"x = (1,\n"),
    "a byte that is NUL": (["app.py"], b"x = 1\n\0y = 2\n"),
    "an encoding that is unknown": (["app.py"], b"# -*- coding: nonsense -*-\nx = 1\n"),
    "not UTF-8": (["app.py"], b"x = 1\ny = '\xff'\n"),
    "syntax error in a module": (["-m", "app"], b"x = (1,\n"),
    "syntax error in the code": (["-c", "x = (1,"], None),
    "syntax error on standard input": (["-"], b"x = (1,\n"),
    "compiled by another Python": (["app.pyc"], bytes(16) + marshal.dumps(compile("", "", "exec"))),
    "compiled, and empty": (["app.pyc"], b""),
    "compiled, and nothing but a magic number": (["app.pyc"], MAGIC),
    "compiled, and cut": (["app.pyc"], PYC + marshal.dumps(compile("x = 1", "", "exec"))[:-9]),
    "compiled, and nonsense": (["app.pyc"], PYC + b"no code at all"),
    "compiled, and no code": (["app.pyc"], PYC + marshal.dumps([1, 2])),
    "missing script": (["missing.py"], None),
    "unreadable script": (["loop.py"], None),
    "folder without a main module": (["empty"], None),
    "missing module": (["-m", "missing"], None),
    "missing module of a package": (["-m", "missing.inner"], None),
    "package without a main module": (["-m", "empty"], None),
}


@pytest.mark.parametrize(("words", "source"), BROKEN.values(), ids=list(BROKEN))
def test_programs_that_cannot_be_started(tmp_path: Path, words: list[str], source: bytes | None) -> None:
    """A program that cannot be started fails with the message that Python gives, and its exit status."""
    for name in ("app.py", "app.pyc"):
        (tmp_path / name).write_bytes(source or b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop.py").symlink_to("loop.py")  # not even root can open it
    trace = tmp_path / "trace"
    run = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), *words]
    recorded = recording.run(run, trace, tmp_path, stdin=source or b"")
    plain = recording.plain([sys.executable, *words], tmp_path, stdin=source or b"")
    assert recorded.stderr == plain.stderr.decode()
    assert recorded.exit == plain.returncode > 0
    assert not trace.exists() or recorded.all_calls == []
    for opened in recorded.opened:
        opened.close()


STACK = """\
import atexit, inspect, sys, threading, warnings
def deepest(n=0):
    try:
        return deepest(n + 1)
    except RecursionError:
        return n
def look(where):
    print(where, deepest(), sys.getrecursionlimit(), len(inspect.stack()))
look("here")
try:
    sys.setrecursionlimit(1)
except RecursionError as error:
    print(error)
sys.setrecursionlimit(300)
look("with another limit")
thread = threading.Thread(target=look, args=["in a thread"])
thread.start()
thread.join()
atexit.register(look, "at exit")
sys.excepthook = lambda *_: look("in the hook")
warnings.warn("from below", stacklevel=4)
raise ValueError
"""


@pytest.mark.parametrize("words", [["app.py"], ["-m", "app"], ["-c", STACK], ["-"]], ids=" ".join)
def test_no_frame_of_tamis_is_seen(tmp_path: Path, words: list[str]) -> None:
    """A program that walks the stack finds its own frames only, and may recurse as deeply as without."""
    (tmp_path / "app.py").write_text(STACK)
    trace = tmp_path / "trace"
    run = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), *words]
    recorded = recording.run(run, trace, tmp_path, stdin=STACK)
    plain = recording.plain([sys.executable, *words], tmp_path, stdin=STACK)
    assert recorded.stdout.splitlines() == plain.stdout.decode().splitlines()
    assert recorded.stderr == plain.stderr.decode()
    assert recorded.exit == plain.returncode == 1
    assert len(recorded.calls("look")) == 5
    recorded.trace.close()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """A recording leaves the trace and nothing else: no file beside it, no process, no shared memory."""
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    recorded = recording.record(tmp_path, "def f(): pass\nf()\n").ok()
    recorded.wait()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "app.py",
        "trace",
    ]
    assert not [name for name in os.listdir(recorded.path) if name.startswith("tail-")]
    assert (recorded.path.stat().st_mode & 0o777) == 0o700
    assert {path.stat().st_mode & 0o777 for path in recorded.path.iterdir()} == {0o600}
    if before:
        assert set(os.listdir("/dev/shm")) <= before
    helpers = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in helpers


def test_interrupted_from_the_terminal(tmp_path: Path) -> None:
    """Ctrl-C to the whole group, as a terminal sends it, ends the program as it would have ended, and the
    trace is closed."""
    source = """
        import time
        def work(n): return n
        try:
            for n in range(10): work(n)
            print("ready", flush=True)
            time.sleep(30)
        finally:
            work("cleanup")
        """
    script = tmp_path / "app.py"
    script.write_text(textwrap.dedent(source))
    trace = tmp_path / "trace"
    command = [sys.executable, "-m", "tamis", "run", "-o", str(trace), str(script)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=recording.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline() == b"ready\n"
        os.killpg(program.pid, signal.SIGINT)
        said = program.stderr.read().decode()
        assert program.wait(20) == -signal.SIGINT
    recorded = Recorded(trace, 0, "", said)
    assert "KeyboardInterrupt" in said
    assert recorded.arguments("work")[-1] == {"n": "cleanup"}
    assert recorded.trace.state == "closed"
    recorded.trace.close()


def test_a_helper_that_dies(record: Record) -> None:
    """When the helper dies, the program goes on as it would have, is told in one line on stderr, and the
    trace opens up to there."""
    recorded = record("""
        import os, signal, time
        from tamis import _core
        def work(n): return n
        for n in range(20000): work(n)
        time.sleep(0.4)
        helper, _ = _core.Recording.token()
        os.kill(helper, signal.SIGKILL)
        print("killed")
        for n in range(700000): work(n)
        print("done")
        """)
    assert recorded.exit == 0
    assert recorded.stdout == "killed\ndone\n"
    (line,) = recorded.stderr.splitlines()
    assert line.startswith("tamis: the process that writes the trace died")
    from tamis.trace import open as open_trace

    with open_trace(recorded.path) as trace:
        assert trace.state == "interrupted"
        (count,) = trace.sql("select count(*) from calls where qualname = 'work'").fetchall()[0]
        assert count >= 20000


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[[], Path]:
    """A file system of 2 MiB; the test is left out where mounting is refused."""

    def mount() -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
        )
        if done.returncode:
            pytest.skip(f"mounting is refused: {done.stderr.decode().strip()}")
        return folder

    return mount


def test_full_disk(tmp_path: Path, small_disk: Callable[[], Path]) -> None:
    """A full disk is one clear line on stderr; the program goes on, and the trace can be read up to there."""
    try:
        disk = small_disk()
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    try:
        script = tmp_path / "app.py"
        script.write_text(
            "import random\ndef work(n, m): return n\n"
            "for n in range(3000000): work(n, random.random())\nprint('done')\n"
        )
        trace = disk / "trace"
        command = [sys.executable, "-m", "tamis", "run", "-o", str(trace), str(script)]
        done = recording.plain(command, tmp_path)
        assert (done.returncode, done.stdout) == (0, b"done\n")
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith("tamis: ")
        assert "No space left on device" in line
        from tamis.trace import open as open_trace

        with open_trace(trace) as opened:
            assert opened.state == "failed"
            (count,) = opened.sql("select count(*) from calls where qualname = 'work'").fetchall()[0]
            assert count > 1000
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
