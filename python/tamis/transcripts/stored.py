"""What is in the store: which transcripts, and what they tell."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tamis.errors import UsageError
from tamis.transcripts.model import Usage
from tamis.transcripts.reading import Record
from tamis.transcripts.tables import events, records, transcripts

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Connection

    from tamis.transcripts.model import Kind

__all__ = ["Stored", "StoredEvent", "StoredRecord", "events_of", "records_of", "select", "with_records"]


@dataclass(slots=True, frozen=True)
class Stored:
    """A transcript in the store; texts are redacted, and empty where the log does not say."""

    id: int
    agent: str
    session: str
    parent: str
    """Of the log of a sub-agent, the session that it belongs to."""
    source: str
    title: str
    model: str
    version: str
    folder: str
    began: str
    ended: str
    prompts: int
    records: int
    counts: dict[str, int]
    """How many places each rule changed, by its id."""
    undecided: int


@dataclass(slots=True, frozen=True)
class StoredRecord:
    """A record of a log."""

    line: int
    raw: str
    counts: dict[str, int]

    def as_read(self) -> Record:
        """As if it were read from its log."""
        value = json.loads(self.raw)
        return Record(self.line, self.raw, value if isinstance(value, dict) else {})


@dataclass(slots=True, frozen=True)
class StoredEvent:
    """What a record tells."""

    line: int
    kind: Kind
    prompt: int
    role: str
    name: str
    call: str
    text: str
    usage: Usage
    time: str
    undone: bool
    counts: dict[str, int]
    """How many places of its record each rule changed."""


_COLUMNS = [transcripts.c[field.name] for field in fields(Stored)]
_MANY = 500  # values in one query
_TOKENS = [events.c[field.name] for field in fields(Usage)]


def select(
    connection: Connection, names: list[str] | None = None, *, agent: str | None = None
) -> list[Stored]:
    """The transcripts of these names: numbers of the store, ids of sessions or how they begin; all, if there
    are no names. The oldest comes first.

    Raises `UsageError` for a name of none, or a beginning of several."""
    query = sa.select(*_COLUMNS).order_by(transcripts.c.began, transcripts.c.agent, transcripts.c.source)
    if agent is not None:
        query = query.where(transcripts.c.agent == agent)
    found = [Stored(*row) for row in connection.execute(query)]
    if not names:
        return found
    chosen: list[Stored] = []
    for name in names:
        fitting = [it for it in found if name in (str(it.id), it.session)]
        fitting = fitting or [it for it in found if it.session.startswith(name)]
        if not fitting:
            raise UsageError(
                f"there is no transcript `{name}` in the store", hint="`tamis report --list` lists them"
            )
        if len({it.session for it in fitting}) > 1:
            several = ", ".join(it.session for it in fitting[:5])
            raise UsageError(f"`{name}` is the beginning of several: {several}")
        chosen += [it for it in fitting if it not in chosen]
    return chosen


def records_of(connection: Connection, transcript: int) -> Generator[StoredRecord]:
    """The records of a transcript, in the order of its log."""
    wanted = [records.c.line, records.c.raw, records.c.counts]
    query = sa.select(*wanted).where(records.c.transcript == transcript).order_by(records.c.line)
    with connection.execution_options(yield_per=200).execute(query) as found:
        for line, raw, counts in found:
            yield StoredRecord(line, raw, counts or {})


def with_records(connection: Connection, among: list[int], ids: set[str]) -> set[int]:
    """Those of these transcripts that have a record of one of these ids."""
    found: set[int] = set()
    wanted = sorted(ids)
    for at in range(0, len(wanted), _MANY):
        is_one = records.c.record_id.in_(wanted[at : at + _MANY]) & records.c.transcript.in_(among)
        found.update(connection.execute(sa.select(records.c.transcript).where(is_one).distinct()).scalars())
    return found


def events_of(connection: Connection, transcript: int) -> Generator[StoredEvent]:
    """What a transcript tells, in the order of its log."""
    named = [events.c[name] for name in ("line", "kind", "prompt", "role", "name", "call", "text")]
    join = events.join(
        records, (records.c.transcript == events.c.transcript) & (records.c.line == events.c.line)
    )
    query = (
        sa.select(*named, *_TOKENS, records.c.time, records.c.undone, records.c.counts)
        .select_from(join)
        .where(events.c.transcript == transcript)
        .order_by(events.c.line, events.c.id)
    )
    with connection.execution_options(yield_per=500).execute(query) as found:
        for row in found:
            values: list[Any] = list(row)
            time, undone, counts = values[-3:]
            told: list[Any] = [*values[:7], Usage(*values[7:-3]), time, bool(undone), counts or {}]
            yield StoredEvent(*told)
