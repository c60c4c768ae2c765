"""Which places in a log people have redacted, looked up record by record."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tamis.transcripts.manual import disguise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tamis.transcripts.manual import Place

__all__ = ["ByHand", "Places"]

# Characters of an id that no other record has, in whatever log.
_UNIQUE = 20


class Places:
    """What people redacted in the logs of an agent."""

    def __init__(self, told: Iterable[tuple[Place, str]]) -> None:
        """Places and what is put in each; those of a later redaction come later."""
        self.all: list[tuple[Place, str]] = []
        self.by_log: dict[str, list[int]] = defaultdict(list)
        """By the source and by the session of the log."""
        self.by_log_line: dict[tuple[str, int], list[int]] = defaultdict(list)
        """The same, of records without an id."""
        self.by_id: dict[str, list[int]] = defaultdict(list)
        self.by_id_line: dict[tuple[str, int], list[int]] = defaultdict(list)
        self.sources_of: dict[str, set[str]] = defaultdict(set)
        """By the id of a record, in which logs it was looked at."""
        for place, replacement in told:
            self._add(place, replacement)

    def _add(self, place: Place, replacement: str) -> None:
        number = len(self.all)
        self.all.append((place, replacement))
        for log in {place.source, place.session} - {""}:
            self.by_log[log].append(number)
            if not place.record_id:
                self.by_log_line[log, place.line].append(number)
        if place.record_id:
            self.by_id[place.record_id].append(number)
            self.by_id_line[place.record_id, place.line].append(number)
            self.sources_of[place.record_id].add(place.source)


class ByHand:
    """What people redacted in one log, looked up record by record."""

    def __init__(
        self,
        places: Places,
        source: str,
        sessions: Iterable[str] = (),
        is_other: Callable[[Place], bool] = lambda place: False,
    ) -> None:
        """`sessions`: what the session of the log is called. `is_other`: whether a place of that session is
        of another log, which is there, too, and no copy of this one."""
        self._places = places
        self._is_of_another = is_other
        self._sources = {source, disguise(source)}
        self._sessions = {name for it in sessions if it for name in (it, disguise(it))}
        self._others: dict[tuple[str, str], bool] = {}
        own = [number for name in self._sources for number in places.by_log.get(name, ())]
        self.lost = {number for number in own if places.all[number][0].covers}
        """Places of this very log that were not met yet, by their numbers."""
        self.unsure = 0
        """How many texts were replaced whole, as they are not what they were."""

    def __bool__(self) -> bool:
        return bool(self._places.all)

    def of(self, id: str, line: int) -> list[tuple[int, Place, str]]:
        """The places of a record, by their numbers, and what is put in each."""
        logs = self._sources | self._sessions
        numbers = self._mine(n for log in logs for n in self._places.by_log_line.get((log, line), ()))
        for name in (id, disguise(id)) if id and self._places.by_id else ():
            # A record that was looked at when a redaction was made is covered where it was then; one that
            # is new, or stands elsewhere now, wherever one of its name was. Forks were looked at apart.
            here = self._mine(self._places.by_id_line.get((name, line), ()))
            seen = {self._places.all[number][0].source for number in here}
            others = () if seen >= self._places.sources_of[name] else self._places.by_id.get(name, ())
            numbers |= here
            numbers |= {n for n in self._mine(others) if self._places.all[n][0].source not in seen}
        found = {}
        for number in sorted(numbers):
            place, put = self._places.all[number]
            if place.covers:
                what = (place.path, place.is_key, place.start, place.stop, place.length, place.exact, put)
                found[what] = (number, place, put)
        return sorted(found.values(), key=lambda it: it[0])

    def that_need_lines(self) -> list[Place]:
        """Places that are known by their line: if the log was written anew, they may be elsewhere."""
        logs = self._sources | self._sessions
        here = self._mine(n for log in logs for n in self._places.by_log.get(log, ()))
        places = [self._places.all[number][0] for number in here]
        lines = defaultdict(set)
        for place in places:
            lines[place.record_id].add(place.line)
        # What is around the list of a document is there once, and always.
        return [it for it in places if it.line and (not it.record_id or len(lines[it.record_id]) > 1)]

    def met(self, places: Iterable[tuple[int, Place, str]], fits: Iterable[str]) -> None:
        """Notes what became of places of a record."""
        for (number, *_), fit in zip(places, fits, strict=True):
            if fit != "lost":
                self.lost.discard(number)
            if fit == "whole":
                self.unsure += 1

    def _mine(self, numbers: Iterable[int]) -> set[int]:
        return {number for number in numbers if self._is_mine(self._places.all[number][0])}

    def _is_mine(self, place: Place) -> bool:
        # A fork takes over records of another session, and their ids.
        if place.source in self._sources or len(place.record_id) >= _UNIQUE:
            return True
        return place.session in self._sessions and not self._is_other(place)

    def _is_other(self, place: Place) -> bool:
        log = (place.source, place.digest)
        known = self._others.get(log)
        if known is None:
            known = self._others[log] = self._is_of_another(place)
        return known
