"""Redactions that people make by hand: what each covers, what was done with it, and by whom.

What is kept of the text that one covers is where it stands in its log: never the text.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from tamis.errors import StoreError, UsageError
from tamis.transcripts.store import read_fact, write_fact
from tamis.transcripts.tables import redaction_history, redaction_places, redactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from tamis.transcripts.store import Store

__all__ = [
    "MANUAL",
    "Place",
    "Redaction",
    "Scope",
    "Way",
    "begin",
    "change",
    "clean_by_rules",
    "clean_names",
    "current",
    "disguise",
    "everything",
    "forget_names",
    "found_again",
    "history",
    "name_beside",
    "placed",
    "places_of",
    "printable",
    "stamp",
    "veiled",
]

type Way = tuple[str | int | tuple[int], ...]
"""The way to a text of a record: names, places in lists and, for names that must not be kept, the number of
the member."""

type Scope = Literal["prompt", "field", "global"]
type What = Literal["add", "update", "remove", "undo"]

_LONG = 20  # characters of a name
_CLEAN = "names are clean by"
MANUAL = "manual"
"""What the counts by rule call it."""


@dataclass(slots=True, frozen=True)
class Place:
    """A part of a text in a log."""

    agent: str
    source: str
    session: str
    line: int
    record_id: str
    """The record's own; without one, its line is what counts."""
    path: Way
    is_key: bool
    """The name of a member of an object, not its value."""
    start: int
    """In characters of the text before any rule."""
    stop: int
    """As `start`: nothing is covered here, but the record was looked at."""
    length: int
    """Of all of the text, in characters."""
    exact: bool
    """Whether the text was the log's, and not what was stored of it: then all of the log's is covered."""
    size: int
    """Of the log in which it was found, in bytes."""
    digest: str
    """Of that log. Lines are where they were as long as it has only grown."""

    @property
    def covers(self) -> bool:
        """Whether there is something between start and stop."""
        return self.start < self.stop


@dataclass(slots=True, frozen=True)
class Redaction:
    """A redaction as it was in one version."""

    redaction: int
    version: int
    what: What
    time: str
    actor: str
    before: int
    """The version that it took the place of; 0: there was none."""
    active: bool
    scope: Scope
    replacement: str
    reason: str
    places: int
    """The version with which its places were given."""


def disguise(name: str) -> str:
    """What stands for the name of a session, log or record that is forgotten: it still is known by it."""
    return "#" + hashlib.sha256(name.encode()).hexdigest()[:40]


def veiled(name: str) -> str:
    """What is kept of a name that must not be: of a long one, which nobody guesses, what it is known by; a
    record with a short one is known by its line."""
    return disguise(name) if len(name) >= _LONG else ""


def name_beside(parent: str, name: str) -> str:
    """What the session of a file is called that lies beside the log of a session."""
    return f"{parent}/{name}"


_NOW = redactions.join(
    redaction_history,
    (redaction_history.c.redaction == redactions.c.id)
    & (redaction_history.c.version == redactions.c.version),
)
_ABOUT = [redaction_history.c[it.name] for it in fields(Redaction)]
_PLACE = [redaction_places.c[it.name] for it in fields(Place)]


def placed(connection: Connection, agent: str) -> Iterator[tuple[Place, str]]:
    """What people redacted, and have not taken back, in the logs of an agent, and what is put there; the last
    redaction comes last."""
    join = _NOW.join(
        redaction_places,
        (redaction_places.c.redaction == redactions.c.id)
        & (redaction_places.c.version == redaction_history.c.places),
    )
    query = (
        sa.select(redaction_history.c.replacement, *_PLACE)
        .select_from(join)
        .where(redaction_history.c.active, redaction_places.c.agent == agent)
        .order_by(redactions.c.id, redaction_places.c.number)
    )
    for replacement, *about in connection.execute(query):
        yield _place(about), replacement


def stamp(connection: Connection) -> tuple[int, int]:
    """Changes whenever a redaction does, in what was committed."""
    count, versions = sa.func.count(), sa.func.coalesce(sa.func.sum(redactions.c.version), 0)
    row = connection.execute(sa.select(count, versions).select_from(redactions)).one()
    return int(row[0]), int(row[1])


def found_again(connection: Connection, agent: str, places: Iterable[Place], size: int, digest: str) -> None:
    """Notes that lines of these places are where they were in another form of their log."""
    columns = redaction_places.c
    for source, old in {(place.source, place.digest) for place in places}:
        is_it = (columns.agent == agent) & (columns.source == source) & (columns.digest == old)
        connection.execute(sa.update(redaction_places).where(is_it).values(size=size, digest=digest))


def _place(row: Sequence[Any]) -> Place:
    names = [it.name for it in fields(Place)]
    about = dict(zip(names, row, strict=True))
    steps = json.loads(str(about["path"]))
    about["path"] = tuple(tuple(step) if isinstance(step, list) else step for step in steps)
    return Place(**about)


def everything(connection: Connection) -> list[Redaction]:
    """All redactions, as they are now; those that were removed, too."""
    query = sa.select(*_ABOUT).select_from(_NOW).order_by(redactions.c.id)
    return [Redaction(*row) for row in connection.execute(query)]


def history(connection: Connection, id: int | None = None) -> list[Redaction]:
    """What one redaction was like, or all were, from the first version to the last, in the order of time."""
    query = sa.select(*_ABOUT).order_by(
        redaction_history.c.time, redaction_history.c.redaction, redaction_history.c.version
    )
    if id is not None:
        query = query.where(redaction_history.c.redaction == id)
    return [Redaction(*row) for row in connection.execute(query)]


def current(connection: Connection, id: int) -> Redaction:
    """A redaction as it is now. Raises `UsageError` if there is none of this number."""
    query = sa.select(*_ABOUT).select_from(_NOW).where(redactions.c.id == id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UsageError(f"there is no redaction {id}", hint="`tamis redactions list` lists them")
    return Redaction(*row)


def places_of(connection: Connection, redaction: Redaction) -> list[Place]:
    """What a redaction covers."""
    of_it = (redaction_places.c.redaction == redaction.redaction) & (
        redaction_places.c.version == redaction.places
    )
    query = sa.select(*_PLACE).where(of_it).order_by(redaction_places.c.number)
    return [place for place in map(_place, connection.execute(query)) if place.covers]


def begin(connection: Connection, new: Redaction, places: Iterable[Place]) -> Redaction:
    """Writes down a new redaction; returns it with its number."""
    id = connection.execute(sa.insert(redactions).values(version=1).returning(redactions.c.id)).scalar_one()
    return _write(connection, int(id), 1, new, places)


def change(connection: Connection, new: Redaction, places: Iterable[Place] | None = None) -> Redaction:
    """Writes down what becomes of the redaction that has the version of `new` now; without places,
    `new.places` says which ones. Raises `StoreError` if it has another version by now: nothing is changed."""
    is_it = (redactions.c.id == new.redaction) & (redactions.c.version == new.version)
    done = connection.execute(sa.update(redactions).where(is_it).values(version=new.version + 1))
    if done.rowcount != 1:
        now = current(connection, new.redaction)
        raise StoreError(
            f"redaction {now.redaction} was changed by `{printable(now.actor)}` meanwhile: it is version"
            f" {now.version} now, not {new.version}",
            hint=f"`tamis redactions history {now.redaction}` tells what was done",
        )
    return _write(connection, new.redaction, new.version + 1, new, places)


def _write(
    connection: Connection, id: int, version: int, new: Redaction, places: Iterable[Place] | None
) -> Redaction:
    about: dict[str, Any] = {it.name: getattr(new, it.name) for it in fields(Redaction)}
    about |= {"redaction": id, "version": version, "time": datetime.now(UTC).isoformat()}
    if places is not None:
        about["places"] = version
        rows = [
            {it.name: getattr(place, it.name) for it in fields(Place)}
            | {"redaction": id, "version": version, "number": number, "path": json.dumps(place.path)}
            for number, place in enumerate(places)
        ]
        if rows:
            connection.execute(sa.insert(redaction_places), rows)
    connection.execute(sa.insert(redaction_history), about)
    return Redaction(**about)


def clean_names(connection: Connection, cleaned: Callable[[str], str]) -> None:
    """Takes out of what is kept of redactions what a later rule or redaction covers: ids of records and
    sessions that are not what `cleaned` makes of them, and what was said as a reason."""
    for column in (redaction_places.c.record_id, redaction_places.c.session):
        found = connection.execute(sa.select(column).where(column != "").distinct()).scalars().all()
        for name in found:
            if not name.startswith("#") and cleaned(name) != name:
                change = sa.update(redaction_places).where(column == name)
                connection.execute(change.values({column.name: veiled(name)}))
    for column in (redaction_history.c.reason, redaction_history.c.replacement, redaction_history.c.actor):
        for told in connection.execute(sa.select(column).where(column != "").distinct()).scalars().all():
            if cleaned(told) != told:
                change = sa.update(redaction_history).where(column == told)
                connection.execute(change.values({column.name: cleaned(told)}))


def clean_by_rules(store: Store, clean: Callable[[str], str], rules: str) -> None:
    """The same by rules that are new; `rules`: their digest."""
    with store.reading() as connection:
        if read_fact(connection, _CLEAN) == rules:
            return
    with store.writing() as connection:
        clean_names(connection, clean)
        write_fact(connection, _CLEAN, rules)


def printable(text: str) -> str:
    """A text without what would move a cursor or colour a terminal."""
    return "".join(character for character in text if character.isprintable())


def forget_names(connection: Connection, agent: str, source: str, session: str) -> None:
    """Takes the names of a log, its session and its records out of what is kept of redactions in it, which
    would still be applied if the log were read again."""
    columns = redaction_places.c
    of_it = (columns.agent == agent) & (columns.source == source)
    names = sa.select(columns.record_id).where(of_it, columns.record_id != "").distinct()
    renamed = sa.update(redaction_places).where(of_it, columns.record_id == sa.bindparam("old"))
    ids = [{"old": id, "new": disguise(id)} for id in connection.execute(names).scalars().all()]
    if ids:
        connection.execute(renamed.values(record_id=sa.bindparam("new")), ids)
    disguised = {"source": disguise(source), "session": disguise(session) if session else ""}
    connection.execute(sa.update(redaction_places).where(of_it).values(**disguised))
