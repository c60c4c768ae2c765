"""Transcripts go out of the store, and nothing of them stays in it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tamis.transcripts.manual import forget_names
from tamis.transcripts.searching import forget_words
from tamis.transcripts.store import read_fact, write_fact
from tamis.transcripts.tables import broken, events, facts, records, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from tamis.transcripts.store import Store
    from tamis.transcripts.stored import Stored

__all__ = ["clear", "forget", "leave_to_purge", "older_than", "purge", "with_sub_agents"]


_LEFT = "left to purge"
_WAIT = 10  # seconds for those who read the store
_LOCKED = "55P03"  # what PostgreSQL says if it waited in vain


def older_than(chosen: Iterable[Stored], seconds: float) -> list[Stored]:
    """Those that ended before a time, in seconds since 1970; one whose log does not say when is not old."""
    return [it for it in chosen if 0 < _time(it.ended or it.began) < seconds]


def _time(told: str) -> float:
    """0: this is no time."""
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        return 0
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def with_sub_agents(chosen: list[Stored], everything: list[Stored]) -> list[Stored]:
    """These, and the transcripts of the sub-agents that worked for them."""
    found = list(chosen)
    for it in found:  # which grows: sub-agents may have some of their own
        if it.session:
            found += [other for other in everything if other.parent == it.session and other not in found]
    return found


def forget(store: Store, chosen: Iterable[Stored]) -> bool:
    """Deletes transcripts with all that was made of them: rows, words of the index, and what the database's
    files still hold of both. Redactions by hand stay, without a name: they count again if the
    log is read anew. Of PostgreSQL, its log of changes and its backups are out of reach."""
    with store.writing() as connection:
        for it in chosen:
            clear(connection, it.id, events, records, broken)
            forget_names(connection, it.agent, it.source, it.session)
            connection.execute(sa.delete(transcripts).where(transcripts.c.id == it.id))
        leave_to_purge(connection)
    return purge(store)


def clear(connection: Connection, transcript: int, *tables: sa.Table) -> None:
    """Deletes what these tables have of a transcript, and its words, which go before its events do."""
    forget_words(connection, transcript)
    for table in tables:
        connection.execute(sa.delete(table).where(table.c.transcript == transcript))


def leave_to_purge(connection: Connection) -> None:
    """Notes that the files hold what they must not, until `purge` was run: whoever comes next does it, if
    this program is ended before."""
    write_fact(connection, _LEFT, uuid.uuid4().hex)


def purge(store: Store) -> bool:
    """Takes out of the files what is in no row any more, if there is something to take out. False: somebody
    reads the store, so that it is left to the next one."""
    with store.reading() as connection:
        note = read_fact(connection, _LEFT)
    if note is None:
        return True
    if not _purge(store):
        return False
    with store.writing() as connection:
        # If somebody left something meanwhile, it is another note.
        is_it = (facts.c.name == _LEFT) & (facts.c.value == note)
        connection.execute(sa.delete(facts).where(is_it))
    return True


def _purge(store: Store) -> bool:
    if store.is_sqlite:
        with store.writing() as connection:
            # The index keeps deleted words until its parts are put together.
            connection.exec_driver_sql("INSERT INTO search (search) VALUES ('optimize')")
        with store.outside() as connection:
            connection.exec_driver_sql("VACUUM")
            is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            return not is_busy
    with store.outside() as connection:
        connection.exec_driver_sql(f"SET lock_timeout = '{_WAIT}s'")
        try:
            connection.exec_driver_sql(f"VACUUM FULL {', '.join(_names(connection))}")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != _LOCKED:
                raise
            return False
        return True


def _names(connection: Connection) -> list[str]:
    return [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
