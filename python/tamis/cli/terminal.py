"""What the terminal at the other end of a stream can show."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

__all__ = ["colour", "counted", "progress"]

# Fewer things than that are done before anybody wonders.
_MANY = 200


def colour(stream: IO[str]) -> bool:
    """Whether to write colours: only to a terminal, and never when `NO_COLOR` is set (to anything but "")."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def progress[T](things: Sequence[T], doing: str) -> Iterable[T]:
    """The things one by one, with a bar on standard error, if that is a terminal and they are many."""
    if len(things) < _MANY or not colour(sys.stderr):
        return things
    from rich.console import Console
    from rich.progress import track

    return track(things, doing, console=Console(stderr=True), transient=True)


def counted(number: int, what: str) -> str:
    """`1 log`, `2,000 logs`."""
    return f"{number:,} {what}{'s' * (number != 1)}"
