"""Tamis records what a Python program did and keeps out of the record what must not be in it."""

# First, because the package `tamis.trace`, when it is imported, takes the name of the function `trace`.
from tamis.trace import open

# isort: split
from tamis.errors import PolicyError, RecordingError, TamisError, TraceError, UsageError
from tamis.policy.loading import load_rules
from tamis.record.options import Options
from tamis.record.recorder import start, stop, trace

__all__ = [
    "Options",
    "PolicyError",
    "RecordingError",
    "TamisError",
    "TraceError",
    "UsageError",
    "load_rules",
    "open",
    "start",
    "stop",
    "trace",
]
