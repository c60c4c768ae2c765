"""Words of transcripts, and where they are.

The index is made after the logs are in the store, in pieces: what is left of it is done the next time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tamis.errors import UsageError
from tamis.transcripts.store import only_one, read_fact, write_fact
from tamis.transcripts.tables import events

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tamis.transcripts.store import Store

__all__ = ["Hit", "forget_words", "index", "search", "unindexed"]

_PIECE = 5_000
# PostgreSQL takes no more words than fit in a megabyte.
_LONGEST = 250_000
_DONE = "indexed"  # the last event that is in the index
BEGIN, END = "\x02", "\x03"
"""Around what was looked for, in the text of a hit."""


@dataclass(slots=True, frozen=True)
class Hit:
    """An event in which the words are."""

    agent: str
    session: str
    line: int
    prompt: int
    kind: str
    name: str
    text: str
    """The part with the words, which stand between `BEGIN` and `END`."""


def _done(connection: Connection) -> int:
    return int(read_fact(connection, _DONE) or 0)


def unindexed(store: Store) -> int:
    """How many events are not in the index yet."""
    with store.reading() as connection:
        behind = events.c.id > _done(connection)
        return int(connection.execute(sa.select(sa.func.count()).where(behind)).scalar_one())


def index(store: Store) -> int:
    """Brings the index up to date; returns how many events came into it. Whatever ends it, what was done is
    done."""
    total = 0
    while True:
        with store.writing() as connection:
            only_one(connection, "index")
            done = _done(connection)
            wanted = sa.select(events.c.id).where(events.c.id > done).order_by(events.c.id).limit(_PIECE)
            ids = connection.execute(wanted).scalars().all()
            if not ids:
                return total
            piece = {"from": ids[0], "to": ids[-1], "longest": _LONGEST}
            if store.is_sqlite:
                command = "INSERT INTO search (rowid, text) SELECT id, text FROM events"
            else:
                command = (
                    "INSERT INTO search (event, words)"
                    " SELECT id, to_tsvector('simple', left(text, :longest)) FROM events"
                )
            connection.execute(sa.text(f"{command} WHERE id BETWEEN :from AND :to AND text != ''"), piece)
            write_fact(connection, _DONE, str(ids[-1]))
        total += len(ids)


def forget_words(connection: Connection, transcript: int) -> None:
    """Takes the words of a transcript out of the index, before its events go."""
    if connection.dialect.name == "sqlite":
        # The index of SQLite keeps no texts: it wants to be told what to forget.
        command = (
            "INSERT INTO search (search, rowid, text) SELECT 'delete', id, text FROM events"
            " WHERE transcript = :transcript AND id <= :done AND text != ''"
        )
        connection.execute(sa.text(command), {"transcript": transcript, "done": _done(connection)})


def search(
    connection: Connection, words: list[str], *, agent: str | None = None, kind: str | None = None, limit: int
) -> list[Hit]:
    """The events that hold all these words or, of several words in one, this phrase: the best ones first.

    Raises `UsageError` if there is no word in them."""
    terms = [term for term in (" ".join(re.findall(r"\w+", word)) for word in words) if term]
    if not terms:
        raise UsageError("there is no word to search for")
    wanted = " ".join(f'"{term}"' for term in terms)
    conditions = "".join(
        f" AND {column} = :{name}"
        for column, name, value in (("t.agent", "agent", agent), ("e.kind", "kind", kind))
        if value is not None
    )
    about = "t.agent, t.session, e.line, e.prompt, e.kind, e.name"
    joined = "JOIN transcripts t ON t.id = e.transcript"
    if connection.dialect.name == "sqlite":
        query = (
            f"SELECT {about}, snippet(search, 0, :begin, :end, '…', 24) FROM search"
            f" JOIN events e ON e.id = search.rowid {joined}"
            f" WHERE search MATCH :wanted{conditions} ORDER BY rank, e.id LIMIT :limit"
        )
    else:
        shown = "'StartSel=' || :begin || ',StopSel=' || :end || ',MaxFragments=1,MaxWords=24,MinWords=8'"
        query = (
            f"SELECT {about}, ts_headline('simple', e.text, q, {shown})"
            f" FROM search s JOIN events e ON e.id = s.event {joined},"
            f" websearch_to_tsquery('simple', :wanted) q WHERE s.words @@ q{conditions}"
            f" ORDER BY ts_rank(s.words, q) DESC, e.id LIMIT :limit"
        )
    values = {"wanted": wanted, "agent": agent, "kind": kind, "limit": limit, "begin": BEGIN, "end": END}
    used = {name: value for name, value in values.items() if f":{name}" in query}
    return [Hit(*row) for row in connection.execute(sa.text(query), used)]
