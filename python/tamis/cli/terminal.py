"""What the terminal at the other end of a stream can show."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

__all__ = ["colour"]


def colour(stream: IO[str]) -> bool:
    """Whether to write colours: only to a terminal, and never when `NO_COLOR` is set (to anything but "")."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()
