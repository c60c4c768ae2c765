"""Logs go into the store: each whole, or not at all."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from tamis.transcripts.agents import Found, Head
from tamis.transcripts.alignment import Alignment
from tamis.transcripts.assembly import Assembly
from tamis.transcripts.covering import ByHand, Places
from tamis.transcripts.discovery import AGENTS
from tamis.transcripts.forgetting import clear, leave_to_purge
from tamis.transcripts.manual import name_beside, placed, stamp
from tamis.transcripts.reading import Log, Record, digest_of
from tamis.transcripts.store import only_one
from tamis.transcripts.stored import records_of
from tamis.transcripts.tables import broken, events, records, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Row

    from tamis.transcripts.assembly import Transcript
    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.manual import Place
    from tamis.transcripts.model import Path as Way
    from tamis.transcripts.reading import Broken
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store

__all__ = ["Done", "ingest_log", "read_log", "redact_stored", "rewrite", "sessions_of"]

_BATCH = 500
# What is written at once may be long.
_BATCH_BYTES = 8 << 20
_FIRST = 50  # records of a log that may tell its session

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
    what: Literal["new", "changed", "same", "stored"]
    """`stored`: its log was not read, and the rules applied to what is stored."""
    size: int
    records: int = 0
    prompts: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    undecided: int = 0
    broken: list[Broken] = field(default_factory=list)
    unfinished: bool = False
    lost: int = 0
    """How many places that people redacted by hand are not in the log any more."""
    unsure: int = 0
    """How many texts with such a place are not what they were, and were redacted whole."""

    def take(self, assembly: Assembly) -> None:
        """What an assembly knows when all was read."""
        self.prompts, self.undecided = assembly.prompts, assembly.undecided
        self.kinds, self.counts = Counter(assembly.kinds), assembly.counts


def ingest_log(store: Store, redactor: Redactor, candidate: Candidate) -> Done:
    """Reads a log into the store, if it is not in it as it is now, redacted by these rules.

    Raises `StoreError`, and `OSError` for a log that cannot be read: the store is as it was then."""
    agent, found = candidate
    source, _ = redactor.text(found.source)
    told = found.path.stat()
    known = _known(store, agent.name, source)
    if known is not None and _is_same(store, known, candidate, redactor):
        return Done(agent.name, source, "same", told.st_size)
    what: Literal["new", "changed"] = "new" if known is None else "changed"
    with store.writing() as connection:
        return read_log(store, connection, redactor, candidate, what)


def read_log(
    store: Store,
    connection: Connection,
    redactor: Redactor,
    candidate: Candidate,
    what: Literal["new", "changed"],
    *,
    is_new_by_hand: bool = False,
) -> Done:
    """Reads a log into the store, within a transaction. `is_new_by_hand`: what people redacted is changed in
    it. Raises `MovedError` if that can be found no more."""
    agent, found = candidate
    source, source_counts = redactor.text(found.source)
    only_one(connection, f"log {agent.name} {source}")
    covered = _by_hand(store, connection, redactor, candidate, source, is_fresh=is_new_by_hand)
    check = Alignment(connection, redactor, candidate, covered)
    with Log(found.path, agent.members, is_log=found.is_log) as log:
        done = Done(agent.name, source, what, log.size)
        id = _begin(connection, agent.name, source, redactor.digest)
        assembly = Assembly(agent, found, redactor, covered)
        for batch in _batches(assembly.records(log)):
            check.see(batch)
            _write(connection, store, id, batch)
            done.records += len(batch)
        if check.end(log):
            store.by_hand.pop(agent.name, None)
        assembly.counts.update(source_counts)
        _end(connection, id, assembly, log, done.records)
    done.take(assembly)
    done.broken, done.unfinished, done.size = assembly.broken, log.unfinished, log.size
    done.lost, done.unsure = len(covered.lost), covered.unsure
    return done


def _by_hand(
    store: Store,
    connection: Connection,
    redactor: Redactor,
    candidate: Candidate,
    source: str,
    *,
    is_fresh: bool,
) -> ByHand:
    """What people redacted in a log; of many logs, it is asked for once."""
    agent, found = candidate
    places = store.by_hand.get(agent.name)
    now = stamp(connection)
    if is_fresh or places is None or places[0] != now:
        places = (now, Places(placed(connection, agent.name)))
        if not is_fresh:  # else it is not sure yet that it will be so
            store.by_hand[agent.name] = places
    if not places[1].all:
        return ByHand(places[1], source)
    if found.is_log:
        sessions = [redactor.text(name)[0] for name in sessions_of(candidate)]
    else:
        parent, name = redactor.text(found.parent)[0], redactor.text(found.session)[0]
        sessions = [name_beside(parent, name)]
    root = str(found.path).removesuffix(found.source)

    def is_other(place: Place) -> bool:
        other = Path(root, place.source)
        if not other.exists() or other.samefile(found.path):
            return False
        return digest_of(found.path, place.size) != place.digest

    return ByHand(places[1], source, sessions, is_other)


def sessions_of(candidate: Candidate) -> list[str]:
    """What the session of a log is called, by its name and by its records."""
    agent, found = candidate
    head = Head()
    with Log(found.path, agent.members) as log:
        for number, read in enumerate(log):
            if isinstance(read, Record):
                agent.note(read.value, head)
            # Of a document, what is around its records comes last.
            if head.session or (number > _FIRST and not found.path.name.endswith(".json")):
                break
    return [found.session, head.session]


def redact_stored(store: Store, redactor: Redactor) -> Iterator[Done]:
    """Applies the rules to what is stored of logs that were redacted by other rules, and not read since:
    because they are gone, or not among those that were asked for. What earlier rules took out stays out."""
    mark = redactor.mark
    with store.reading() as connection:
        is_stale = transcripts.c.rules.not_in([redactor.digest, mark])
        stale = connection.execute(sa.select(transcripts).where(is_stale)).all()
    for known in stale:
        if known.agent in AGENTS:
            # What is there is read as it was when this began, while it is written anew.
            with store.reading() as before, store.writing() as connection:
                yield rewrite(store, before, connection, redactor, known, mark)


def rewrite(
    store: Store,
    before: Connection,
    connection: Connection,
    redactor: Redactor,
    known: Row[Any],
    rules: str,
    covered: ByHand | None = None,
) -> Done:
    """Applies the rules, and what people redact by hand, to what is stored of a log, within a transaction;
    `rules` is noted as what it was redacted by."""
    found = Found(Path(known.source), known.source, known.session, known.parent)
    assembly = Assembly(AGENTS[known.agent], found, redactor, covered)
    done = Done(known.agent, known.source, "stored", 0)
    counts: dict[int, dict[str, int]] = {}
    only_one(connection, f"log {known.agent} {known.source}")
    told = assembly.records(_stored(before, known.id, counts))
    first = next(told, None)
    clear(connection, known.id, events, records)
    leave_to_purge(connection)
    for batch in _batches(chain(filter(None, [first]), told)):
        for it in batch:
            it.counts = dict(Counter(counts.pop(it.line, {})) + Counter(it.counts))
        _write(connection, store, known.id, batch)
        done.records += len(batch)
    _mark_undone(connection, known.id, assembly)
    about = _about(assembly, done.records)
    about |= {"counts": dict(Counter(known.counts) + assembly.counts), "rules": rules}
    about["undecided"] += known.undecided
    connection.execute(sa.update(transcripts).where(transcripts.c.id == known.id).values(**about))
    done.take(assembly)
    return done


def _stored(connection: Connection, id: int, counts: dict[int, dict[str, int]]) -> Iterator[Record]:
    """The records as they are stored; notes how many places in each were changed already."""
    for record in records_of(connection, id):
        counts[record.line] = record.counts
        yield record.as_read()


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
    wanted = (transcripts.c.agent == agent) & (transcripts.c.source == source)
    old = connection.execute(sa.select(transcripts.c.id, transcripts.c.rules).where(wanted)).one_or_none()
    if old is not None:
        clear(connection, int(old.id), events, records, broken)
        if old.rules != rules:
            leave_to_purge(connection)
        return int(old.id)
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
def _path(path: Way) -> str:
    return json.dumps(path)


def _end(connection: Connection, id: int, assembly: Assembly, log: Log, count: int) -> None:
    _mark_undone(connection, id, assembly)
    if assembly.broken:
        rows = [{"transcript": id, "line": it.line, "reason": it.reason} for it in assembly.broken]
        connection.execute(sa.insert(broken), rows)
    about = _about(assembly, count) | {"rules": assembly.rules}
    about |= {"size": log.size, "changed": log.time, "digest": log.digest}
    connection.execute(sa.update(transcripts).where(transcripts.c.id == id).values(**about))


def _mark_undone(connection: Connection, id: int, assembly: Assembly) -> None:
    lines = sorted(assembly.undone)
    for at in range(0, len(lines), _BATCH):
        is_undone = (records.c.transcript == id) & records.c.line.in_(lines[at : at + _BATCH])
        connection.execute(sa.update(records).where(is_undone).values(undone=True))


def _about(assembly: Assembly, count: int) -> dict[str, Any]:
    """What is known of a transcript when its records were read."""
    names = ("session", "parent", "title", "model", "version", "folder", "began", "ended")
    about: dict[str, Any] = {name: getattr(assembly.head, name) for name in names}
    about |= {"prompts": assembly.prompts, "records": count}
    return about | {"undecided": assembly.undecided, "counts": dict(assembly.counts)}
