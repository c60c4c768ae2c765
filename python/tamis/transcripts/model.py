"""What a transcript consists of, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["FIELDS", "Event", "Field", "Kind", "Path", "Usage"]

type Path = tuple[str | int, ...]
"""The way to a value in a record: names and places in lists, from the outside."""

type Kind = Literal["prompt", "message", "reasoning", "tool_call", "tool_result", "usage", "other"]

type Field = Literal["prompt", "assistant", "reasoning", "tool.arguments", "tool.output"]
FIELDS: tuple[Field, ...] = ("prompt", "assistant", "reasoning", "tool.arguments", "tool.output")
"""The names by which rules call texts in the records of every agent."""


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens that a step took; None: the log does not say."""

    input: int | None = None
    """With those that came from a cache."""
    cached: int | None = None
    output: int | None = None
    """With those of reasoning."""
    reasoning: int | None = None
    total: int | None = None


@dataclass(slots=True)
class Event:
    """One thing that a record tells."""

    kind: Kind
    value: Any = ""
    """Its text; arguments and results of tools may be any value of JSON."""
    path: Path = ()
    """Where the value stands in the record."""
    field: Field | None = None
    """What rules call it."""
    role: str = ""
    """Who says it: `user`, `assistant`, `system` …"""
    name: str = ""
    """The tool; of `other`, the type that the log gives it."""
    call: str = ""
    """By which a result finds its call."""
    usage: Usage | None = None
    once: str = ""
    """Of what is told more than once by the log, such as the usage of one answer: its id."""
    channel: str = ""
    """Of a log that tells the same things in two ways: in which this is told."""
