"""Redactions by hand are made, changed and taken back, and the store is as they say at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tamis.errors import MovedError, StoreError, UsageError
from tamis.transcripts import manual
from tamis.transcripts.covering import ByHand, Places
from tamis.transcripts.forgetting import leave_to_purge, purge, with_sub_agents
from tamis.transcripts.ingest import read_log, rewrite
from tamis.transcripts.manual import Redaction, disguise, name_beside
from tamis.transcripts.redaction import path_text
from tamis.transcripts.resolving import Resolved, resolved
from tamis.transcripts.searching import index
from tamis.transcripts.sources import Logs
from tamis.transcripts.store import only_one
from tamis.transcripts.stored import select, with_records
from tamis.transcripts.tables import events, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.manual import Place
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store
    from tamis.transcripts.stored import Stored
    from tamis.transcripts.wishes import Wish

__all__ = ["Change", "Desk", "Outcome"]


_SAID = 3  # characters of a text that is looked for in what people write about it


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
    """Logs that have the text in their names."""
    kept: int = 0
    """How many transcripts stay as they are, as their logs are gone, and others of their sessions are not."""
    is_clean: bool = True
    """Whether nothing of what is covered is in the files of the database any more."""


class Desk:
    """Where redactions are made: a store, the rules by which it was filled, and where the logs are."""

    def __init__(self, store: Store, redactor: Redactor, paths: list[str], *, stored: bool = False) -> None:
        """`paths`: of logs, as they were named when they were ingested; none: the usual places. `stored`:
        where a log is not found, what is stored of it is redacted.

        Raises `UsageError` for a path that is not there."""
        self._store = store
        self._redactor = redactor
        self._logs = Logs(store, redactor, paths, stored=stored)

    def preview(self, chosen: list[Stored], wish: Wish) -> Resolved:
        """What a redaction would cover. Raises as `add`."""
        return self._resolved(self._rows(chosen), wish)[0]

    def add(self, chosen: list[Stored], wish: Wish, change: Change) -> Outcome:
        """Redacts what is wished. Raises `UsageError` if there is no such text, `StoreError` if a log is not
        there; the store is as it was then."""
        found, rows, gone = self._resolved(self._rows(chosen), wish)
        _check_texts(change, found.texts)
        change = self._cleaned(change)
        new = Redaction(
            *(0, 0, "add", "", change.actor, 0, True, wish.scope),
            replacement="<REDACTED>" if change.replacement is None else change.replacement,
            reason=change.reason or "",
            places=0,
        )
        with self._store.writing() as connection:
            made = manual.begin(connection, new, found.places)
            self._apply(connection, rows, found, made)
            self._cover(connection, gone, found.places, made)
        return self._outcome(made, found.places, rows, wish, found.left, len(gone))

    def update(self, id: int, version: int | None, change: Change, wish: Wish | None) -> Outcome:
        """Changes a redaction: what is put in, why, and with a wish what it covers. `version`: which one the
        person saw; None: the one that is there now. Raises as `add`, and `StoreError` if somebody else has
        changed it since."""
        now, old = self._now(id, version)
        if not now.active:
            raise UsageError(
                f"redaction {id} was removed", hint=f"`tamis redactions undo {id}` brings it back"
            )
        new = self._with(replace(now, what="update", before=now.version), change)
        if wish is None:
            return self._change(now, new, old if new.replacement != now.replacement else [])
        found, rows, _ = self._resolved(self._of(old), wish)
        _check_texts(change, found.texts)
        return self._change(now, replace(new, scope=wish.scope), old, found, rows, wish)

    def remove(self, id: int, version: int | None, change: Change) -> Outcome:
        """Takes a redaction back: what the rules leave stands there again. Raises `StoreError` if a log is
        not there to read it from; then the redaction stays."""
        now, old = self._now(id, version)
        if not now.active:
            raise UsageError(f"redaction {id} was removed already")
        new = replace(now, what="remove", before=now.version, active=False)
        return self._change(now, self._with(new, change), old)

    def undo(self, id: int, version: int | None, change: Change) -> Outcome:
        """Takes back what was done last to a redaction. Raises as `remove`."""
        now, old = self._now(id, version)
        with self._store.reading() as connection:
            known = {it.version: it for it in manual.history(connection, id)}
        before = known.get(now.before)
        if before is None and not now.active:
            raise UsageError(f"there is nothing more to undo of redaction {id}")
        like = before or replace(now, active=False, before=0)
        new = self._with(replace(like, what="undo", version=now.version), change)
        with self._store.reading() as connection:
            places = manual.places_of(connection, new)
        return self._change(now, new, [*old, *places])

    def _cleaned(self, change: Change) -> Change:
        """What people write goes through the rules, too: nothing else is ever stored."""

        def clean(text: str | None) -> str | None:
            return None if text is None else self._redactor.text(text)[0]

        return Change(clean(change.actor) or "", clean(change.replacement), clean(change.reason))

    def _with(self, new: Redaction, change: Change) -> Redaction:
        change = self._cleaned(change)
        new = replace(new, actor=change.actor)
        if change.replacement is not None:
            new = replace(new, replacement=change.replacement)
        return new if change.reason is None else replace(new, reason=change.reason)

    def _now(self, id: int, version: int | None) -> tuple[Redaction, list[Place]]:
        with self._store.reading() as connection:
            now = manual.current(connection, id)
            places = manual.places_of(connection, now)
        return (now if version is None else replace(now, version=version)), places

    def _resolved(self, rows: list[Row[Any]], wish: Wish) -> tuple[Resolved, list[Row[Any]], list[Row[Any]]]:
        """The places, and the transcripts in which they are, those of sub-agents and forks, too: those of
        which the log is there, and those of which it is in another place now."""
        rows, gone = self._with_logs(rows)
        if not rows:
            raise UsageError("there are no such transcripts in the store")
        if wish.event is not None and len(rows) > 1:
            several = ", ".join(f"{row.id} ({row.source})" for row in rows[:5])
            raise UsageError(f"an event is of one transcript, and these are several: {several}")
        if wish.part:
            wish = replace(wish, event=str(wish.line), paths=(self._path_of(rows[0], wish),))
        beside: list[Row[Any]] = []
        if wish.scope != "field":
            with self._store.reading() as connection:
                everything = select(connection)
            chosen = [it for it in everything if it.id in {row.id for row in rows}]
            beside, _ = self._with_logs(self._rows(with_sub_agents(chosen, everything)[len(chosen) :]))
        first, second = ([self._logs.source(row) for row in part] for part in (rows, beside))
        found = resolved(first, second, wish, self._redactor)
        if not any(place.covers for place in found.places):
            raise UsageError("there is no such text in these transcripts: nothing was redacted")
        hit = {(place.agent, place.source) for place in found.places}
        here = {row.id: row for row in [*rows, *beside] if (row.agent, row.source) in hit}
        known = {*here, *(row.id for row in gone)}
        more, moved = self._with_logs([row for row in self._of(found.places) if row.id not in known])
        forks = [row for row in more if self._logs.of(row) is not None]
        return found, _in_order([*here.values(), *forks]), [*gone, *moved]

    def _with_logs(self, rows: list[Row[Any]]) -> tuple[list[Row[Any]], list[Row[Any]]]:
        """Without those of which the log is gone, and another one of the same session is there; and these."""
        columns = transcripts.c
        with self._store.reading() as connection:
            known = connection.execute(sa.select(columns.agent, columns.session, columns.source)).all()
        there = {(agent, session) for agent, session, source in known if self._logs.is_there(agent, source)}

        def is_gone(row: Row[Any]) -> bool:
            return not self._logs.is_there(row.agent, row.source) and (row.agent, row.session) in there

        gone = [row for row in rows if is_gone(row)]
        return [row for row in rows if row not in gone], gone

    def _path_of(self, row: Row[Any], wish: Wish) -> str:
        """Where in its record the thing is that a report shows at this place."""
        is_told = events.c.kind.not_in(["other", "usage"]) & (events.c.text != "")
        is_there = (events.c.transcript == row.id) & (events.c.line == wish.line)
        query = sa.select(events.c.path).where(is_there, is_told).order_by(events.c.id)
        with self._store.reading() as connection:
            paths = connection.execute(query).scalars().all()
        if wish.part > len(paths):
            raise UsageError(f"what line {wish.line} tells is {len(paths)}, not {wish.part}")
        return path_text(tuple(json.loads(paths[wish.part - 1])))

    def _change(
        self,
        now: Redaction,
        new: Redaction,
        old: list[Place],
        found: Resolved | None = None,
        wanted: Iterable[Row[Any]] = (),
        wish: Wish | None = None,
    ) -> Outcome:
        """`old`: what is to come back; `found`, in the transcripts `wanted`: what is to be covered."""
        # Of a log that was moved, the transcript of before may stay as it is.
        rows, gone = self._with_logs(self._of(old))
        for row in rows:
            self._logs.check_rules(row)
            self._logs.needed(row, "what was redacted in it cannot come back")
        known = {row.id for row in rows}
        rows = _in_order([*rows, *(row for row in wanted if row.id not in known)])
        covers_more = new.active and (found is not None or not now.active or new.places != now.places)
        with self._store.writing() as connection:
            made = manual.change(connection, new, None if found is None else found.places)
            self._apply(connection, rows, found or Resolved([]), made)
            covered = manual.places_of(connection, made)
            if covers_more:
                self._cover(connection, gone, covered, made)
        return self._outcome(made, covered, rows, wish, found.left if found else 0, len(gone))

    def _cover(
        self, connection: Connection, gone: list[Row[Any]], places: list[Place], made: Redaction
    ) -> None:
        """Covers what is stored of logs that are gone: whole texts, as where in them a part is now is not
        known."""
        here = Places((replace(place, exact=False), made.replacement) for place in places)
        for row in _in_order(gone):
            covered = ByHand(here, row.source, [row.session, name_beside(row.parent, row.session)])
            with self._store.reading() as before:
                rewrite(self._store, before, connection, self._redactor, row, row.rules, covered)

    def _rows(self, chosen: Iterable[Stored]) -> list[Row[Any]]:
        query = sa.select(transcripts).where(transcripts.c.id.in_([it.id for it in chosen]))
        with self._store.reading() as connection:
            return _in_order(connection.execute(query))

    def _of(self, places: Iterable[Place]) -> list[Row[Any]]:
        """The transcripts that are in the store and have some of these places, or records of these ids."""
        places = list(places)
        names = {(it.agent, name) for it in places for name in (it.source, it.session) if name}
        ids = {it.record_id for it in places if it.record_id}
        with self._store.reading() as connection:
            query = sa.select(transcripts).where(transcripts.c.agent.in_({it.agent for it in places}))
            rows = _in_order(connection.execute(query))
            others = [row.id for row in rows if not self._names(row) & names]
            forks = with_records(connection, others, ids) if ids else set()
        return [row for row in rows if row.id in forks or self._names(row) & names]

    def _names(self, row: Row[Any]) -> set[tuple[str, str]]:
        names = [row.source, disguise(row.source), row.session, disguise(row.session)]
        return {(row.agent, name) for name in names}

    def _apply(self, connection: Connection, rows: list[Row[Any]], found: Resolved, made: Redaction) -> None:
        """Redacts transcripts anew, with what is written down by now."""
        texts = sorted((text for text in found.texts if len(text) >= _SAID), key=len, reverse=True)

        def cleaned(told: str) -> str:
            for text in texts:
                told = told.replace(text, "<REDACTED>")
            return told

        manual.clean_names(connection, cleaned)
        if rows:
            leave_to_purge(connection)
        for row in rows:
            candidate = self._logs.of(row)
            only_one(connection, f"log {row.agent} {row.source}")
            is_it = transcripts.c.id == row.id
            now = connection.execute(sa.select(transcripts).where(is_it)).one_or_none()
            if now is None:
                raise StoreError(f"`{row.session or row.source}` was forgotten meanwhile")
            self._logs.check_rules(now)
            if candidate is not None:
                self._read(connection, candidate, made)
                continue
            here = Places(
                (replace(place, exact=True), made.replacement)
                for place in found.places
                if (place.agent, place.source) == (row.agent, row.source)
            )
            with self._store.reading() as before:
                covered = ByHand(here, row.source)
                rewrite(self._store, before, connection, self._redactor, now, now.rules, covered)

    def _read(self, connection: Connection, candidate: Candidate, made: Redaction) -> None:
        part = connection.begin_nested()
        try:
            read_log(self._store, connection, self._redactor, candidate, "changed", is_new_by_hand=True)
        except MovedError:
            if made.active:
                raise
            # Because of another redaction it stays as it is stored, until that is removed, too.
            part.rollback()
        else:
            part.commit()

    def _outcome(
        self,
        made: Redaction,
        places: list[Place],
        rows: list[Row[Any]],
        wish: Wish | None,
        left: int,
        kept: int = 0,
    ) -> Outcome:
        is_clean = purge(self._store)
        index(self._store)
        covered = sum(place.covers for place in places)
        text = wish.text if wish is not None and wish.scope == "global" else None
        in_names = [row.source for row in rows if text and text in row.source]
        return Outcome(made, covered, len(rows), left, in_names, kept, is_clean=is_clean)


def _in_order(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """In the order in which all lock them: nobody waits for somebody who waits for him."""
    return sorted(rows, key=lambda row: (row.agent, row.source))


def _check_texts(change: Change, texts: Iterable[str]) -> None:
    texts = [text for text in texts if len(text) >= _SAID]
    for name in ("replacement", "reason", "actor"):
        told = getattr(change, name)
        if told and any(text in told for text in texts):
            raise UsageError(f"`--{name}` holds the text that is to be redacted")
