"""The trace directory: its format, and reading it.

Importing this package loads neither pyarrow nor DuckDB, because the recorder's process must not: `open` does.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from tamis.trace.reader import Trace

__all__ = ["open"]


def open(path: str | os.PathLike[str]) -> Trace:
    """Opens the trace at `path`, a directory that a recording left.

    A recording that was killed opens just the same, up to the last whole batch that reached the disk; one
    that still runs opens with what is there now. While a recording is being closed this waits, and says so
    on stderr. Raises `TraceError` for what is no trace, or one of a newer format.
    """
    reader = importlib.import_module("tamis.trace.reader")
    trace: Trace = reader.Trace(path)
    return trace
