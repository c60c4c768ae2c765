"""What a person wants to be redacted, and where it is looked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tamis.transcripts.assembly import record_id, told_by
from tamis.transcripts.redaction import path_text, paths_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tamis.transcripts.agents import Agent
    from tamis.transcripts.manual import Scope
    from tamis.transcripts.model import Event
    from tamis.transcripts.reading import Record

__all__ = ["Source", "Wish"]

_LINE = re.compile(r"([0-9]{1,9})(?:\.([1-9][0-9]{0,8}))?")


@dataclass(slots=True, frozen=True)
class Wish:
    """What is to be redacted, as a person says it."""

    scope: Scope
    text: str | None = None
    """Wherever this stands."""
    event: str | None = None
    """In the record of this line or id, or, with `.2` behind the line, in the second thing that the store has
    of it; that is made a path before it is resolved."""
    paths: tuple[str, ...] = ()
    """In these fields, as rules name them."""
    span: tuple[int, int] | None = None
    """This part of the one text that `event` and `paths` name, in characters."""

    @property
    def line(self) -> int | None:
        """Of the event, if it is named by its line."""
        match = _LINE.fullmatch(self.event or "")
        return int(match[1]) if match else None

    @property
    def part(self) -> int:
        """Which thing that the record tells, from 1; 0: all."""
        match = _LINE.fullmatch(self.event or "")
        return int(match[2] or 0) if match else 0


@dataclass(slots=True, frozen=True)
class Source:
    """A log, or what is stored of it."""

    agent: Agent
    source: str
    session: str
    of_sub_agent: bool
    records: Callable[[], Iterable[Record]]
    """Reads them, from the beginning."""
    is_exact: Callable[[int], bool]
    """Whether the record of a line is as the log has it."""
    size: int
    """Of the log, in bytes."""
    digest: str

    def events(self, value: dict[str, Any]) -> list[Event]:
        """What a record tells."""
        return told_by(self.agent, value, parent=self.of_sub_agent)

    def is_meant(self, record: Record, wish: Wish) -> bool:
        """Whether the wish is about this record."""
        if wish.line is not None:
            return record.line == wish.line
        return wish.event is None or wish.event == record_id(self.agent, record.value) != ""

    def paths(self, record: Record, wish: Wish) -> tuple[str, ...]:
        """Where in a record the wish is about; nothing: nowhere."""
        events = self.events(record.value)
        places = [(event.field, event.path) for event in events if event.field is not None]
        if wish.paths:
            return tuple(paths_in(wish.paths, places))
        if wish.scope == "prompt":
            return tuple(path_text(path) for name, path in places if name == "prompt")
        if wish.event is None:
            return tuple(path_text(path) for name, path in places if name in ("prompt", "assistant"))
        return tuple(path_text(event.path) for event in events if event.path)
