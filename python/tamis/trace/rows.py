"""Rows of a trace as Python objects. The columns are those of the views; `docs/reading.md` has their meaning.

Values are JSON text, as they lie in the trace: `tamis.trace.values` makes them readable.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Call", "Code", "Event", "Process", "Raised", "Redaction"]


class Call(NamedTuple):
    """A row of `calls`. Times are nanoseconds since the recording started."""

    part: int
    thread: int
    call: int
    parent: int | None
    code: int
    module: str | None
    qualname: str | None
    file: str | None
    line: int | None
    start: int | None
    end: int | None
    duration: int | None
    own: int | None
    outcome: str
    args: str | None
    result: str | None
    exception: int | None
    task: int | None


class Raised(NamedTuple):
    """A row of `exceptions`: an exception in one thread, from where it was raised to where it ended."""

    part: int
    exception: int
    thread: int
    time: int
    type: str | None
    value: str | None
    raised_in: str | None
    raised_line: int | None
    passed: list[str]
    handled_in: str | None
    handled_line: int | None


class Event(NamedTuple):
    """A row of `events`; (part, thread, seq) is its key."""

    part: int
    thread: int
    seq: int
    time: int
    kind: str
    call: int
    parent: int | None
    resumed_by: int | None
    code: int
    module: str | None
    qualname: str | None
    file: str | None
    line: int | None
    value: str | None
    start: int | None
    own: int | None
    own_total: int | None
    task: int | None
    exception: int | None
    segment: int
    number: int | None


class Code(NamedTuple):
    """A row of `code`: a code object, and why it was traced or not."""

    code: int
    module: str
    qualname: str
    file: str
    line: int
    kind: str
    traced: bool
    filter: str | None
    rule: str | None
    rule_line: int | None
    reason: str | None
    parameters: list[str]


class Redaction(NamedTuple):
    """A row of `redactions`: a value of an event that was redacted or dropped."""

    part: int
    thread: int
    seq: int
    time: int
    qualname: str | None
    path: str
    kind: str
    action: str
    filter: str | None
    rule: str | None
    pattern: str | None
    secret: bool
    event: str
    call: int


class Process(NamedTuple):
    """A row of `processes`."""

    part: int
    parent: int | None
    command: str
    started: int
    ended: int | None
    end: str
    exit_status: int | None
