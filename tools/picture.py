"""Draws docs/images/show.svg: what `tamis show` prints in a terminal, of the trace that `make demo` leaves.

make demo && .venv/bin/python tools/picture.py
"""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
TRACE = Path("target") / "demo.tamis"
ARGUMENTS = ["show", str(TRACE), "--function", "main", "--depth", "4", "--limit", "24"]
COLUMNS = 120


def terminal_output(command: list[str]) -> str:
    """What a command prints when it believes that a person is looking."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as made:
        os.close(theirs)
        parts = []
        with suppress(OSError):  # Linux reports the end of a terminal as an error.
            while part := os.read(ours, 65536):
                parts.append(part)
    os.close(ours)
    if made.returncode:
        sys.exit(b"".join(parts).decode())
    return b"".join(parts).decode().replace("\r\n", "\n")


def main() -> None:
    if not (ROOT / TRACE).is_dir():
        sys.exit(f"error: there is no {TRACE}\nhint: `make demo` makes it")
    printed = terminal_output([str(Path(sys.executable).parent / "tamis"), *ARGUMENTS, "--no-pager"])
    console = Console(record=True, width=COLUMNS + 4, file=io.StringIO())
    console.print(Text(f"$ tamis {' '.join(ARGUMENTS)}", style="bold"))
    console.print(Text.from_ansi(printed), no_wrap=True, overflow="ellipsis")
    target = ROOT / "docs" / "images" / "show.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(target), title="tamis show")
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
