"""Where the logs of transcripts are that people redact."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.errors import StoreError
from tamis.transcripts.discovery import AGENTS, Unreadable, discover, named
from tamis.transcripts.ingest import sessions_of
from tamis.transcripts.manual import name_beside
from tamis.transcripts.reading import FILE, Log, Record, digest_of
from tamis.transcripts.stored import records_of
from tamis.transcripts.wishes import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Row

    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store

__all__ = ["Logs"]


class Logs:
    """The logs that are there, by what they are called in the store."""

    def __init__(self, store: Store, redactor: Redactor, paths: list[str], *, stored: bool) -> None:
        """`paths`: as they were named when they were ingested; none: the usual places. `stored`: where a log
        is not found, what is stored of it is the source.

        Raises `UsageError` for a path that is not there."""
        self._store = store
        self._redactor = redactor
        self._stored = stored
        agents = list(AGENTS.values())
        self._found: dict[tuple[str, str], Candidate] = {}
        for found in named(paths, agents) if paths else discover(agents, Path.home()):
            if not isinstance(found, (Path, Unreadable)):
                self._found.setdefault((found[0].name, redactor.text(found[1].source)[0]), found)

    def is_there(self, agent: str, source: str) -> bool:
        """Whether there is a log of this name."""
        return (agent, source) in self._found

    def of(self, row: Row[Any]) -> Candidate | None:
        """The log of a transcript, if it is there. Raises `StoreError` if it is that of another session."""
        found = self._found.get((row.agent, row.source))
        if found is None or _is_grown(found, row):
            return found
        by_name, told = sessions_of(found)
        if row.session != self._redactor.text(told or by_name)[0]:
            raise StoreError(
                f"`{found[1].path}` is the log of another session than `{row.session}`",
                hint="`--log PATH` says where it is, by the path that `tamis ingest` was given",
            )
        return found

    def needed(self, row: Row[Any], otherwise: str) -> Candidate:
        """The same. Raises `StoreError` if it is not there, too."""
        found = self.of(row)
        if found is None:
            raise StoreError(
                f"the log `{row.source}` of {row.agent} is not there: {otherwise}",
                hint="`--log PATH` says where it is, by the path that `tamis ingest` was given",
            )
        return found

    def check_rules(self, row: Row[Any]) -> None:
        """Raises `StoreError` for a transcript that was redacted by other rules: by laxer ones, more would
        come into the store than what was asked for."""
        if not self._redactor.has_made(row.rules):
            raise StoreError(
                f"`{row.session or row.source}` was redacted by other rules than these",
                hint="name those with `--rules`, or let `tamis ingest` apply these first",
            )

    def source(self, row: Row[Any]) -> Source:
        """Where the texts of a transcript are looked for. Raises `StoreError` if that is not known."""
        self.check_rules(row)
        agent = AGENTS[row.agent]
        if self._stored and not self.is_there(row.agent, row.source):
            return self._as_stored(row)
        found = self.needed(row, "use `--stored` to redact what is stored of it")[1]
        if not _is_grown((agent, found), row):
            raise StoreError(
                f"`{found.path}` is not what it was when it was ingested",
                hint="let `tamis ingest` read it first, and look at it again",
            )
        size = found.path.stat().st_size

        def records() -> Iterator[Record]:
            with Log(found.path, agent.members, is_log=found.is_log) as log:
                yield from (read for read in log if isinstance(read, Record))

        session = row.session if found.is_log else name_beside(row.parent, row.session)
        about = (agent, row.source, session, bool(found.parent))
        return Source(*about, records, lambda line: True, size, digest_of(found.path, size))

    def _as_stored(self, row: Row[Any]) -> Source:
        changed: set[int] = set()

        def records() -> Iterator[Record]:
            with self._store.reading() as connection:
                for it in records_of(connection, row.id):
                    if it.counts:
                        changed.add(it.line)
                    yield it.as_read()

        is_log = not any(FILE in record.value for record in itertools.islice(records(), 1))
        session = row.session if is_log else name_beside(row.parent, row.session)
        about = (AGENTS[row.agent], row.source, session, bool(row.parent))
        return Source(*about, records, lambda line: line not in changed, row.size, row.digest)


def _is_grown(candidate: Candidate, row: Row[Any]) -> bool:
    """Whether a log is as it was when it was ingested, or that and more."""
    path, size = candidate[1].path, int(row.size)
    return path.stat().st_size >= size and digest_of(path, size) == str(row.digest)
