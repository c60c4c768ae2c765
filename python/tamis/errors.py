"""Every error that Tamis raises on purpose.

    TamisError                what a caller may catch
    ├── UsageError            a command or call that cannot be carried out as written
    ├── PolicyError           problems in a filter; holds all of them as diagnostics (also a `ValueError`)
    ├── RecordingError        a recording that cannot begin, go on or end
    ├── TraceError            something that is no trace, or that this Tamis cannot read
    └── StoreError            a store of transcripts that cannot be opened, read or written
        └── MovedError        a log in which what people redacted can be found no more

The command line prints them without a traceback and exits with 2. Anything else that escapes is a fault
in Tamis and keeps its traceback.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs more to import than the whole of this module.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis._core import Diagnostic

__all__ = [
    "MovedError",
    "PolicyError",
    "RecordingError",
    "StoreError",
    "TamisError",
    "TraceError",
    "UsageError",
]


class TamisError(Exception):
    """The root of the tree. `hint`, where there is one, says what to do about it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(TamisError):
    """A command line, option or argument that cannot be carried out as written."""


class PolicyError(TamisError, ValueError):
    """A policy that must not be used. `diagnostics` holds every problem of the whole chain, in its order."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0]
        where = f"{first.path}:{first.line}:{first.column}: " if first.line else f"{first.path}: "
        more = f" (and {len(self.diagnostics) - 1} more)" if len(self.diagnostics) > 1 else ""
        super().__init__(f"{where}{first.message}{more}")


class RecordingError(TamisError):
    """A recording that cannot begin, go on or end."""


class TraceError(TamisError):
    """Something that is no trace, or a trace that this version of Tamis cannot read."""


class StoreError(TamisError):
    """A store of transcripts that cannot be opened, read or written."""


class MovedError(StoreError):
    """A log that was written anew: where something was redacted by hand in it is not known any more."""
