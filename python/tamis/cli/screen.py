"""Lines of coloured text on standard output, behind a pager where somebody would want one."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.text import Text

from tamis.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from tamis.trace.values import Piece

__all__ = ["Screen", "output"]

_PIPED_WIDTH = 160
_STYLES = {
    "": "",
    "name": "dim",
    "dim": "dim",
    "cut": "yellow",
    "redacted": "bold magenta",
    "error": "red",
    "function": "bold",
    "count": "cyan",
    "heading": "bold underline",
}


class Screen:
    """Where lines go: with colours to somebody who sees them, as plain text to anything else.

    `width`: what values are shortened to; `None`: not at all.
    """

    def __init__(self, out: IO[str], width: int, *, colour: bool) -> None:
        self.width = width
        self._out = out
        self._console = None
        if colour:
            self._console = Console(
                file=out,
                force_terminal=True,
                width=width,
                highlight=False,
                soft_wrap=True,
                markup=False,
                emoji=False,
            )

    def line(self, *pieces: Piece) -> None:
        if self._console is None:
            self._out.write("".join(piece.text for piece in pieces) + "\n")
        else:
            text = Text.assemble(*((piece.text, _STYLES[piece.kind]) for piece in pieces))
            self._console.print(text)


@contextmanager
def output(*, paged: bool) -> Iterator[Screen]:
    """Standard output, behind a pager if it is a terminal."""
    colour = terminal.colour(sys.stdout)
    if not sys.stdout.isatty():
        yield Screen(sys.stdout, _PIPED_WIDTH, colour=False)
        return
    width = shutil.get_terminal_size().columns
    command = shlex.split(os.environ.get("PAGER") or "less") if paged else []
    if not command or shutil.which(command[0]) is None:
        yield Screen(sys.stdout, width, colour=colour)
        return
    # As git does it: leave at once if all fits on a screen, let colours through, do not clear the screen.
    environment = {"LESS": "FRX", **os.environ}
    pager = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment)
    assert pager.stdin is not None
    try:
        # Whoever leaves the pager early has seen enough.
        with suppress(BrokenPipeError), pager.stdin:
            yield Screen(pager.stdin, width, colour=colour)
    finally:
        _wait(pager)


def _wait(pager: subprocess.Popen[str]) -> None:
    """Waits until the pager is left. Ctrl-C is the pager's business, which does not end by it."""
    while True:
        try:
            pager.wait()
            return
        except KeyboardInterrupt:
            continue
