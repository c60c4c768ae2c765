"""Tamis records what a Python program did and keeps out of the record what must not be in it."""

from tamis.errors import PolicyError, RecordingError, TamisError, TraceError, UsageError
from tamis.record.options import Options
from tamis.record.recorder import start, stop, trace

__all__ = [
    "Options",
    "PolicyError",
    "RecordingError",
    "TamisError",
    "TraceError",
    "UsageError",
    "start",
    "stop",
    "trace",
]
