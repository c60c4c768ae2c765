"""Logs go into the store: each whole, or not at all."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from tamis.transcripts.assembly import Assembly
from tamis.transcripts.reading import Log, digest_of
from tamis.transcripts.searching import forget_words
from tamis.transcripts.store import only_one
from tamis.transcripts.tables import broken, events, records, transcripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

    from tamis.transcripts.assembly import Transcript
    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.model import Path
    from tamis.transcripts.reading import Broken
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store

__all__ = ["Done", "ingest_log"]

_BATCH = 500
# What is written at once may be long.
_BATCH_BYTES = 8 << 20

_RECORDS = ("transcript", "line", "record_id", "time", "raw", "counts", "undone")
_EVENTS = (
    *("transcript", "line", "kind", "prompt", "role", "name", "call", "text", "path"),
    *("input", "cached", "output", "reasoning", "total"),
)


@dataclass(slots=True)
class Done:
    """What came of one log."""

    agent: str
    source: str
    """Redacted."""
    what: Literal["new", "changed", "same"]
    size: int
    records: int = 0
    prompts: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    undecided: int = 0
    broken: list[Broken] = field(default_factory=list)
    unfinished: bool = False


def ingest_log(
    store: Store, redactor: Redactor, candidate: Candidate, progress: Callable[[int], None] | None = None
) -> Done:
    """Reads a log into the store, if it is not in it as it is now, redacted by these rules.

    `progress` is told how many records were read. Raises `StoreError`, and `OSError` for a log that cannot be
    read: the store is as it was then."""
    agent, found = candidate
    source, source_counts = redactor.text(found.source)
    told = found.path.stat()
    known = _known(store, agent.name, source)
    if known is not None and _is_same(store, known, candidate, redactor):
        return Done(agent.name, source, "same", told.st_size)
    assembly = Assembly(agent, found, redactor)
    done = Done(agent.name, source, "new" if known is None else "changed", told.st_size)
    with Log(found.path, agent.members) as log, store.writing() as connection:
        id = _begin(connection, agent.name, source, redactor.digest)
        for batch in _batches(assembly.records(log)):
            _write(connection, store, id, batch)
            done.records += len(batch)
            if progress is not None:
                progress(len(batch))
        assembly.counts.update(source_counts)
        _end(connection, id, assembly, log, done.records)
    done.prompts, done.undecided = assembly.prompts, assembly.undecided
    done.kinds, done.counts = Counter(assembly.kinds), assembly.counts
    done.broken, done.unfinished, done.size = assembly.broken, log.unfinished, log.size
    return done


def _known(store: Store, agent: str, source: str) -> Row[Any] | None:
    wanted = (transcripts.c.agent == agent) & (transcripts.c.source == source)
    with store.reading() as connection:
        return connection.execute(sa.select(transcripts).where(wanted)).one_or_none()


def _is_same(store: Store, known: Row[Any], candidate: Candidate, redactor: Redactor) -> bool:
    """Whether the store has this log as it is now: by size and time, or if the time is another, by digest."""
    path = candidate[1].path
    told = path.stat()
    if known.rules != redactor.digest or known.size != told.st_size:
        return False
    if known.changed == told.st_mtime_ns:
        return True
    if known.digest != digest_of(path):
        return False
    with store.writing() as connection:
        is_it = transcripts.c.id == known.id
        connection.execute(sa.update(transcripts).where(is_it).values(changed=told.st_mtime_ns))
    return True


def _begin(connection: Connection, agent: str, source: str, rules: str) -> int:
    """Makes room for a transcript; what was there of it goes."""
    only_one(connection, f"log {agent} {source}")
    wanted = (transcripts.c.agent == agent) & (transcripts.c.source == source)
    old = connection.execute(sa.select(transcripts.c.id).where(wanted)).scalar()
    if old is not None:
        forget_words(connection, int(old))
        for table in (events, records, broken):
            connection.execute(sa.delete(table).where(table.c.transcript == old))
        return int(old)
    empty = dict.fromkeys(("session", "parent", "title", "model", "version", "folder", "began", "ended"), "")
    zero = dict.fromkeys(("prompts", "records", "undecided", "size", "changed"), 0)
    row = {"agent": agent, "source": source, "rules": rules, "digest": "", "counts": {}, **empty, **zero}
    return int(connection.execute(sa.insert(transcripts).returning(transcripts.c.id), row).scalar_one())


def _batches(told: Iterable[Transcript]) -> Iterable[list[Transcript]]:
    batch: list[Transcript] = []
    size = 0
    for record in told:
        batch.append(record)
        size += len(record.raw)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(connection: Connection, store: Store, id: int, batch: list[Transcript]) -> None:
    # Without what SQLAlchemy does for each value: a third of the time of all.
    mark = "?" if store.is_sqlite else "%s"
    connection.exec_driver_sql(
        f"INSERT INTO records ({', '.join(_RECORDS)}) VALUES ({', '.join([mark] * len(_RECORDS))})",
        [
            (id, it.line, it.id, it.time, it.raw, json.dumps(it.counts) if it.counts else None, False)
            for it in batch
        ],
    )
    rows = []
    for it in batch:
        for event in it.events:
            usage = event.usage
            tokens = (
                (usage.input, usage.cached, usage.output, usage.reasoning, usage.total)
                if usage
                else (None,) * 5
            )
            about = (event.kind, event.prompt, event.role, event.name, event.call, event.text)
            rows.append((id, it.line, *about, _path(event.path), *tokens))
    if rows:
        connection.exec_driver_sql(
            f"INSERT INTO events ({', '.join(_EVENTS)}) VALUES ({', '.join([mark] * len(_EVENTS))})", rows
        )


@lru_cache(4096)
def _path(path: Path) -> str:
    return json.dumps(path)


def _end(connection: Connection, id: int, assembly: Assembly, log: Log, count: int) -> None:
    head = assembly.head
    lines = sorted(assembly.undone)
    for at in range(0, len(lines), _BATCH):
        is_undone = (records.c.transcript == id) & records.c.line.in_(lines[at : at + _BATCH])
        connection.execute(sa.update(records).where(is_undone).values(undone=True))
    if assembly.broken:
        rows = [{"transcript": id, "line": it.line, "reason": it.reason} for it in assembly.broken]
        connection.execute(sa.insert(broken), rows)
    names = ("session", "parent", "title", "model", "version", "folder", "began", "ended")
    about: dict[str, Any] = {name: getattr(head, name) for name in names}
    about |= {"prompts": assembly.prompts, "records": count, "undecided": assembly.undecided}
    about |= {"counts": dict(assembly.counts), "rules": assembly.rules}
    about |= {"size": log.size, "changed": log.time, "digest": log.digest}
    connection.execute(sa.update(transcripts).where(transcripts.c.id == id).values(**about))
