"""`tamis show` in a terminal, behind a pager, and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from test_show import TREE, story


@pytest.fixture(name="trace")
def a_trace(tmp_path: Path) -> Path:
    return story().write(tmp_path / "trace")


def in_terminal(arguments: list[str], columns: int, **environment: str) -> str:
    """What a command prints to a terminal of so many columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "PAGER", "LESS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tamis", *arguments],
        stdin=follower, stdout=follower, stderr=follower, env={**given, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(follower)
    output = b""
    try:
        while data := os.read(leader, 65536):
            output += data
    except OSError:
        pass  # how a terminal ends
    os.close(leader)
    assert process.wait() == 0
    return output.decode().replace("\r\n", "\n")


def test_colours_in_a_terminal(trace: Path) -> None:
    """In a terminal there are colours, with one of its own for redactions; with `NO_COLOR` there are none."""
    output = in_terminal(["show", str(trace), "--no-pager"], 100)
    assert "\x1b[1;35m<redacted>" in output
    assert "\x1b" not in in_terminal(["show", str(trace), "--no-pager"], 100, NO_COLOR="1")


COUNTING_PAGER = f"{sys.executable} -c 'print(len(open(0).readlines()))'"


@pytest.mark.parametrize("columns", [80, 200])
def test_pager(trace: Path, columns: int) -> None:
    """In a terminal, the pager of the user gets all of the output."""
    output = in_terminal(["show", str(trace)], columns, PAGER=COUNTING_PAGER)
    assert int(output) == 5 + len(TREE.splitlines())


def test_pager_left_early(trace: Path) -> None:
    """A pager that is left at once is no error."""
    assert "Traceback" not in in_terminal(["show", str(trace)], 80, PAGER="true")


def test_broken_pipe(trace: Path) -> None:
    """A reader that goes away ends the command without a traceback."""
    command = f"{sys.executable} -m tamis show {trace} --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
