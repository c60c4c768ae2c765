"""Whether lines of a log are where they were when people redacted something in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from tamis.errors import MovedError
from tamis.transcripts.manual import disguise, found_again
from tamis.transcripts.reading import digest_of
from tamis.transcripts.tables import records, transcripts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from tamis.transcripts.assembly import Transcript
    from tamis.transcripts.covering import ByHand
    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.manual import Place
    from tamis.transcripts.reading import Log
    from tamis.transcripts.redaction import Redactor

__all__ = ["Alignment"]


class Alignment:
    """Looks at a log that is read again. One that has only grown has its lines where they were; of another,
    as of one that was packed, each line must be what is stored of it."""

    def __init__(
        self, connection: Connection, redactor: Redactor, candidate: Candidate, covered: ByHand
    ) -> None:
        """Before anything of the log is taken out of the store. Raises `MovedError` if it is another one."""
        self._connection = connection
        self._agent, self._found = candidate
        self._digests: dict[int, str] = {}
        self._moved: list[Place] = []
        self._expected: dict[int, int] = {}
        for place in covered.that_need_lines() if covered else ():
            if not self._is_grown(place.size, place.digest):
                self._moved.append(place)
        for source in {place.source for place in self._moved}:
            self._expected |= self._stored(redactor, source)

    def see(self, batch: Iterable[Transcript]) -> None:
        """Raises `MovedError` if a record is not what it was."""
        for it in batch if self._expected else ():
            told = hash(it.raw)
            if self._expected.pop(it.line, told) != told:
                raise self._error()

    def end(self, log: Log) -> bool:
        """Whether places are known by another form of the log from now on. Raises `MovedError` if a record
        was not there."""
        if self._expected:
            raise self._error()
        if self._moved:
            found_again(self._connection, self._agent.name, self._moved, log.size, log.digest)
        return bool(self._moved)

    def _is_grown(self, size: int, digest: str) -> bool:
        known = self._digests.get(size)
        if known is None:
            known = self._digests[size] = digest_of(self._found.path, size)
        return known == digest

    def _stored(self, redactor: Redactor, source: str) -> dict[int, int]:
        """What is stored of all records of a log, in short."""
        of_agent = transcripts.c.agent == self._agent.name
        query = sa.select(transcripts.c.id, transcripts.c.rules, transcripts.c.source).where(of_agent)
        rows = [
            row for row in self._connection.execute(query) if source in (row.source, disguise(row.source))
        ]
        if not rows or not redactor.has_made(rows[0].rules):
            raise self._error()
        # What is around the list of a document is known by that.
        of_it = (records.c.transcript == rows[0].id) & (records.c.line > 0)
        told = sa.select(records.c.line, records.c.raw).where(of_it).execution_options(yield_per=200)
        with self._connection.execute(told) as found:
            return {line: hash(raw) for line, raw in found}

    def _error(self) -> MovedError:
        return MovedError(
            f"`{self._found.path}` was written anew, and where something was redacted by hand in it is not"
            " known any more: what is stored of it stays. `tamis redactions remove` lets it be read: then"
            " redact it again"
        )
