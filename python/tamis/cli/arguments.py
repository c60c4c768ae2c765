"""Types of arguments that several commands take."""

from __future__ import annotations

import argparse
import re

__all__ = ["count", "positive", "time_span"]

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_SPAN = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?P<unit>ns|us|µs|ms|s|m|h)")


def time_span(text: str) -> int:
    """`10ms`, `1.5s`: in nanoseconds."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no time: write a number and a unit, such as 10ms or 1.5s"
        )
    return round(float(match["number"]) * _UNITS[match["unit"]])


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not re.fullmatch("[0-9]{1,15}", text):
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number")
    return int(text)


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    number = count(text)
    if not number:
        raise argparse.ArgumentTypeError("0 is too small: it must be 1 or more")
    return number
