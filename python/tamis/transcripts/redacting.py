"""Redactions by hand are made, changed and taken back, and the store is as they say at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tamis.errors import StoreError, UsageError
from tamis.transcripts import manual
from tamis.transcripts.discovery import AGENTS, discover, named
from tamis.transcripts.forgetting import leave_to_purge, purge, with_sub_agents
from tamis.transcripts.ingest import is_of_rules, read_log, rewrite
from tamis.transcripts.manual import ByHand, Place, Redaction
from tamis.transcripts.reading import Log, Record
from tamis.transcripts.resolving import Source, resolved
from tamis.transcripts.searching import index
from tamis.transcripts.stored import records_of, select
from tamis.transcripts.tables import transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Row

    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.resolving import Resolved, Wish
    from tamis.transcripts.store import Store
    from tamis.transcripts.stored import Stored

__all__ = ["Change", "Desk", "Outcome"]


@dataclass(slots=True, frozen=True)
class Change:
    """What a person wants of a redaction; None: as it is."""

    actor: str
    replacement: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class Outcome:
    """What was done."""

    redaction: Redaction
    places: int
    transcripts: int
    """How many transcripts were redacted anew."""
    left: int = 0
    """How many records still hold the text, in ids and in data that stays as it is."""
    in_names: list[str] = field(default_factory=list)
    """Sessions of which the text is in the name of the log."""


class Desk:
    """Where redactions are made: a store, the rules by which it was filled, and where the logs are."""

    def __init__(self, store: Store, redactor: Redactor, paths: list[str], *, stored: bool = False) -> None:
        """`paths`: of logs, as they were named when they were ingested; none: the usual places. `stored`:
        where a log is not found, what is stored of it is redacted.

        Raises `UsageError` for a path that is not there."""
        self._store = store
        self._redactor = redactor
        self._stored = stored
        agents = list(AGENTS.values())
        self._logs: dict[tuple[str, str], Candidate] = {}
        for found in named(paths, agents) if paths else discover(agents, Path.home()):
            if not isinstance(found, Path):
                self._logs.setdefault((found[0].name, redactor.text(found[1].source)[0]), found)

    def preview(self, chosen: list[Stored], wish: Wish) -> Resolved:
        """What a redaction would cover. Raises as `add`."""
        return self._resolved(self._rows(chosen), wish)[0]

    def add(self, chosen: list[Stored], wish: Wish, change: Change) -> Outcome:
        """Redacts what is wished. Raises `UsageError` if there is no such text, `StoreError` if a log is not
        there; the store is as it was then."""
        _check_texts(change, wish)
        found, rows = self._resolved(self._rows(chosen), wish)
        new = Redaction(
            *(0, 0, "add", "", change.actor, 0, True, wish.scope),
            replacement=self._clean("<REDACTED>" if change.replacement is None else change.replacement),
            reason=self._clean(change.reason or ""),
            places=0,
        )
        with self._store.writing() as connection:
            made = manual.begin(connection, new, found.places)
            self._apply(connection, rows, found.places, made.replacement)
        self._finish()
        return _outcome(made, found.places, rows, wish, found.left)

    def update(self, id: int, version: int | None, change: Change, wish: Wish | None) -> Outcome:
        """Changes a redaction: what is put in, why, and with a wish what it covers. `version`: which one the
        person saw; None: the one that is there now. Raises as `add`, and `StoreError` if somebody else has
        changed it since."""
        now, old = self._now(id, version)
        if not now.active:
            raise UsageError(
                f"redaction {id} was removed", hint=f"`tamis redactions undo {id}` brings it back"
            )
        _check_texts(change, wish)
        new = replace(now, what="update", actor=change.actor, before=now.version)
        if change.replacement is not None:
            new = replace(new, replacement=self._clean(change.replacement))
        if change.reason is not None:
            new = replace(new, reason=self._clean(change.reason))
        if wish is None:
            return self._change(new, old if new.replacement != now.replacement else [])
        found, rows = self._resolved(self._of(old), wish)
        return self._change(replace(new, scope=wish.scope), old, found, rows, wish)

    def remove(self, id: int, version: int | None, change: Change) -> Outcome:
        """Takes a redaction back: what the rules leave stands there again. Raises `StoreError` if a log is
        not there to read it from; then the redaction stays."""
        now, old = self._now(id, version)
        if not now.active:
            raise UsageError(f"redaction {id} was removed already")
        new = replace(now, what="remove", actor=change.actor, before=now.version, active=False)
        if change.reason is not None:
            new = replace(new, reason=self._clean(change.reason))
        return self._change(new, old)

    def undo(self, id: int, version: int | None, change: Change) -> Outcome:
        """Takes back what was done last to a redaction. Raises as `remove`."""
        now, old = self._now(id, version)
        with self._store.reading() as connection:
            known = {it.version: it for it in manual.history(connection, id)}
        before = known.get(now.before)
        if before is None and not now.active:
            raise UsageError(f"there is nothing more to undo of redaction {id}")
        like = before or replace(now, active=False, before=0)
        new = replace(like, what="undo", version=now.version, actor=change.actor)
        if change.reason is not None:
            new = replace(new, reason=self._clean(change.reason))
        with self._store.reading() as connection:
            places = manual.places_of(connection, new)
        return self._change(new, [*old, *places])

    def _now(self, id: int, version: int | None) -> tuple[Redaction, list[Place]]:
        with self._store.reading() as connection:
            now = manual.current(connection, id)
            places = manual.places_of(connection, now)
        return (now if version is None else replace(now, version=version)), places

    def _resolved(self, rows: list[Row[Any]], wish: Wish) -> tuple[Resolved, list[Row[Any]]]:
        """The places, and the transcripts in which they are: those of sub-agents, too."""
        beside = []
        if wish.scope != "field":
            with self._store.reading() as connection:
                everything = select(connection)
            chosen = [it for it in everything if it.id in {row.id for row in rows}]
            beside = self._rows(with_sub_agents(chosen, everything)[len(chosen) :])
        first, second = ([self._source(row) for row in part] for part in (rows, beside))
        found = resolved(first, second, wish, self._redactor)
        if not any(place.start < place.stop for place in found.places):
            raise UsageError("there is no such text in these transcripts: nothing was redacted")
        hit = {(place.agent, place.source) for place in found.places}
        return found, _in_order(row for row in [*rows, *beside] if (row.agent, row.source) in hit)

    def _change(
        self,
        new: Redaction,
        old: list[Place],
        found: Resolved | None = None,
        wanted: Iterable[Row[Any]] = (),
        wish: Wish | None = None,
    ) -> Outcome:
        """`old`: what is to come back; `found`, in the transcripts `wanted`: what is to be covered."""
        rows = self._of(old)
        for row in rows:
            self._check_rules(row)
            self._log(row, "what was redacted in it cannot come back")
        known = {row.id for row in rows}
        rows = _in_order([*rows, *(row for row in wanted if row.id not in known)])
        with self._store.writing() as connection:
            made = manual.change(connection, new, None if found is None else found.places)
            self._apply(connection, rows, found.places if found else [], made.replacement)
            covered = manual.places_of(connection, made)
        if rows:
            self._finish()
        return _outcome(made, covered, rows, wish, found.left if found else 0)

    def _rows(self, chosen: Iterable[Stored]) -> list[Row[Any]]:
        query = sa.select(transcripts).where(transcripts.c.id.in_([it.id for it in chosen]))
        with self._store.reading() as connection:
            return _in_order(connection.execute(query))

    def _of(self, places: Iterable[Place]) -> list[Row[Any]]:
        """The transcripts that are in the store and have some of these places."""
        places = list(places)
        sources = {(it.agent, it.source) for it in places}
        sessions = {(it.agent, it.session) for it in places if it.session}
        with self._store.reading() as connection:
            query = sa.select(transcripts).where(transcripts.c.agent.in_({it.agent for it in places}))
            rows = _in_order(connection.execute(query))
        return [
            row for row in rows if (row.agent, row.source) in sources or (row.agent, row.session) in sessions
        ]

    def _log(self, row: Row[Any], otherwise: str) -> Candidate:
        found = self._logs.get((row.agent, row.source))
        if found is None:
            raise StoreError(
                f"the log `{row.source}` of {row.agent} is not there: {otherwise}",
                hint="`--log PATH` says where it is, by the path that `tamis ingest` was given",
            )
        return found

    def _check_rules(self, row: Row[Any]) -> None:
        # By laxer rules than those of before, more would come into the store than what was asked for.
        if not is_of_rules(row.rules, self._redactor):
            raise StoreError(
                f"`{row.session or row.source}` was redacted by other rules than these",
                hint="name those with `--rules`, or let `tamis ingest` apply these first",
            )

    def _source(self, row: Row[Any]) -> Source:
        """Where the places of a transcript are looked for."""
        self._check_rules(row)
        agent = AGENTS[row.agent]
        if (row.agent, row.source) not in self._logs and self._stored:
            return self._store_as_source(row)
        found = self._log(row, "use `--stored` to redact what is stored of it")[1]

        def records() -> Iterator[Record]:
            with Log(found.path, agent.members, is_log=found.is_log) as log:
                yield from (read for read in log if isinstance(read, Record))

        return Source(agent, row.source, row.session, bool(found.parent), records, lambda line: True)

    def _store_as_source(self, row: Row[Any]) -> Source:
        changed: set[int] = set()

        def records() -> Iterator[Record]:
            with self._store.reading() as connection:
                for it in records_of(connection, row.id):
                    if it.counts:
                        changed.add(it.line)
                    value = json.loads(it.raw)
                    yield Record(it.line, it.raw, value if isinstance(value, dict) else {})

        about = (AGENTS[row.agent], row.source, row.session, bool(row.parent))
        return Source(*about, records, lambda line: line not in changed)

    def _apply(
        self, connection: Connection, rows: list[Row[Any]], places: list[Place], replacement: str
    ) -> None:
        """Redacts transcripts anew, with what is written down by now."""
        if rows:
            leave_to_purge(connection)
        for row in rows:
            candidate = self._logs.get((row.agent, row.source))
            if candidate is not None:
                read_log(self._store, connection, self._redactor, candidate, "changed")
                continue
            here = ByHand(row.source, set())
            for place in places:
                if place.source == row.source and place.agent == row.agent:
                    here.add(replace(place, exact=True), replacement)
            with self._store.reading() as before:
                rewrite(self._store, before, connection, self._redactor, row, row.rules, here)

    def _finish(self) -> None:
        """What was covered goes out of the files, too."""
        purge(self._store)
        index(self._store)

    def _clean(self, text: str) -> str:
        return self._redactor.text(text)[0]


def _in_order(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """In the order in which all lock them: nobody waits for somebody who waits for him."""
    return sorted(rows, key=lambda row: (row.agent, row.source))


def _check_texts(change: Change, wish: Wish | None) -> None:
    text = wish.text if wish is not None else None
    for name, told in (("--replacement", change.replacement), ("--reason", change.reason)):
        if text and told and text in told:
            raise UsageError(f"`{name}` holds the text that is to be redacted")


def _outcome(
    made: Redaction, places: list[Place], rows: list[Row[Any]], wish: Wish | None, left: int
) -> Outcome:
    covered = sum(place.start < place.stop for place in places)
    text = wish.text if wish is not None and wish.scope == "global" else None
    in_names = [row.session for row in rows if text and (text in row.source or text in row.session)]
    return Outcome(made, covered, len(rows), left, in_names)
