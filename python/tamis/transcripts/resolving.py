"""What a person wants to be redacted becomes places in logs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tamis._core import ContentFields, ContentRules, texts_at
from tamis.errors import UsageError
from tamis.transcripts.assembly import record_id
from tamis.transcripts.manual import Place, printable, veiled
from tamis.transcripts.redaction import path_text
from tamis.transcripts.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.transcripts.manual import Way
    from tamis.transcripts.model import Field
    from tamis.transcripts.reading import Record
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.wishes import Source

    type _Found = tuple[list[tuple[str | None, int]], bool, int, int, int, str]

__all__ = ["LONGEST", "Resolved", "resolved", "way_text"]

LONGEST = 64 << 10
"""Bytes of a text that is looked for."""
_MOST = 20_000  # places of one redaction
# As ids look: nothing that anybody has said.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(slots=True)
class Resolved:
    """The places that are to be redacted."""

    places: list[Place]
    left: int = 0
    """How many records hold a text that was looked for everywhere where it stays: in ids, and in data that no
    rule changes."""
    texts: set[str] = field(default_factory=set)
    """What is covered; of long texts, not all."""


@dataclass(slots=True, frozen=True)
class _Named:
    """A text that was named by event and path."""

    place: Place
    whole: str
    field: Field | None
    """What rules call it, if it is all of what an event tells."""

    @property
    def covered(self) -> str:
        return self.whole[self.place.start : self.place.stop]


class _Literals:
    """Texts that are looked for, also where they are encoded."""

    def __init__(self, texts: Iterable[str]) -> None:
        told = sorted(texts, key=len, reverse=True)
        if any(len(text.encode(errors="replace")) > LONGEST for text in told):
            raise UsageError(
                f"the text is longer than {LONGEST >> 10} KiB: too long to be looked for",
                hint="`--scope field` with `--event` or `--path` redacts it where it stands",
            )
        self._rules = ContentRules([("literal", text, "", False, False, 0, "", [], False) for text in told])
        self._texts = told
        self._written = [json.dumps(text, ensure_ascii=False)[1:-1] for text in self._texts]
        self._are_numbers = any(not set(text) - set("0123456789.+-eE") for text in told)
        self._fields: dict[tuple[str, ...] | None, ContentFields] = {}

    def find(self, record: Record, paths: tuple[str, ...] | None) -> list[_Found]:
        """`paths`: only there; None: everywhere."""
        found = self._rules.find_in_record(record.text, self._fields_of(paths))
        # Rules leave short numbers alone, as they are no secrets; somebody who names one says that it is.
        return [*found, *self._numbers(record, paths, found)] if self._are_numbers else found

    def is_left(self, record: Record, found: list[_Found]) -> bool:
        """Whether they stand elsewhere than where they were found."""
        done = self._rules.redact_record(record.text, self._fields_of(None))
        rest = record.text if done is None else done[0]
        numbers = [it[5] for it in found if _NUMBER.fullmatch(it[5])] if self._are_numbers else []
        return any(
            rest.count(written) > sum(number.count(text) for number in numbers)
            for text, written in zip(self._texts, self._written, strict=True)
        )

    def _numbers(
        self, record: Record, paths: tuple[str, ...] | None, found: list[_Found]
    ) -> Iterator[_Found]:
        """Numbers that hold one of the texts, and were not found yet."""
        known = [it[0] for it in found]
        for it in _texts_at(record, ("**",) if paths is None else paths):
            if _NUMBER.fullmatch(it[5]) and any(text in it[5] for text in self._texts) and it[0] not in known:
                yield it

    def _fields_of(self, paths: tuple[str, ...] | None) -> ContentFields:
        fields = self._fields.get(paths)
        if fields is None:
            told = None if paths is None else list(paths)
            fields = self._fields[paths] = ContentFields([told] * len(self._texts))
        return fields


def resolved(sources: list[Source], beside: list[Source], wish: Wish, redactor: Redactor) -> Resolved:
    """The places in these logs, and in those `beside` where the scope lets them be seen. Raises `UsageError`
    if a path is none, or a span does not name one text."""
    names = _Names(redactor, wish.text or "")
    places: dict[Place, None] = {}
    left = 0

    def add(found: Iterable[Place]) -> None:
        for place in found:
            places[place] = None
            if len(places) > _MOST:
                raise UsageError(
                    f"more than {_MOST:,} places: a rule in `user/redactions.yml` does that better",
                    hint="with `type: literal`, `scope: global`",
                )

    texts = {wish.text} if wish.text is not None else set()
    if wish.text is None:
        named = list(_named(sources, wish, names))
        if wish.span is not None:
            named = [_cut(named, wish.span)]
        add(it.place for it in named)
        covered = {it.covered for it in named}
        if wish.scope == "field":
            add(_copies(sources, named, names))
        else:
            texts = covered
    else:
        covered = texts
    if texts:
        literals = _Literals(texts)
        for source in [*sources, *beside]:
            for record in source.records():
                found = _everywhere(source, record, wish, literals)
                add(names.place(source, record, it) for it in found)
                if wish.scope == "global" and wish.event is None:
                    is_narrow = wish.text is not None and wish.paths
                    left += literals.is_left(record, literals.find(record, None) if is_narrow else found)
    return Resolved([*places, *_looked_at([*sources, *beside], list(places), names)], left, covered)


class _Names:
    """Names in places: what must not be kept is left out of them."""

    def __init__(self, redactor: Redactor, text: str) -> None:
        self._redactor = redactor
        self._text = text
        self._safe: dict[str, bool] = {}
        self._record: Record | None = None
        self._known: set[str | int] = set()

    def place(self, source: Source, record: Record, found: _Found) -> Place:
        steps, is_key, start, stop, length, covered = found
        if record is not self._record:
            self._record = record
            # Names that the format gives; others may say something, now or to a rule to come.
            self._known = {step for event in source.events(record.value) for step in event.path}
            self._known |= {name for name in record.value if name.isidentifier()}
        way = tuple(
            number if name is None else name if name in self._known else (number,) for name, number in steps
        )
        about = self.about(source, record, covered)
        return replace(
            about,
            path=way,
            is_key=is_key,
            start=start,
            stop=stop,
            length=length,
            exact=source.is_exact(about.line),
        )

    def about(self, source: Source, record: Record, covered: str = "") -> Place:
        """A place in a record at which nothing is."""
        id = record_id(source.agent, record.value)
        is_id = _ID.fullmatch(id) is not None and self._is_safe(id, covered)
        is_session = self._is_safe(source.session, covered)
        return Place(
            agent=source.agent.name,
            source=source.source,
            session=source.session if is_session else veiled(source.session),
            line=record.line,
            record_id=id if is_id else veiled(id),
            path=(),
            is_key=False,
            start=0,
            stop=0,
            length=0,
            exact=True,
            size=source.size,
            digest=source.digest,
        )

    def _is_safe(self, name: str, covered: str) -> bool:
        safe = self._safe.get(name)
        if safe is None:
            is_changed = self._redactor.text(name)[0] != name
            safe = self._safe[name] = not (is_changed or (self._text and self._text in name))
        return safe and not (covered and covered in name)


def _named(sources: list[Source], wish: Wish, names: _Names) -> Iterator[_Named]:
    """The texts that are named by event and path, whole."""
    for source in sources:
        for record in source.records():
            if not source.is_meant(record, wish):
                continue
            fields = {event.path: event.field for event in source.events(record.value)}
            for found in _texts_at(record, source.paths(record, wish)):
                path = tuple(number if name is None else name for name, number in found[0])
                if found[5]:
                    yield _Named(names.place(source, record, found), found[5], fields.get(path))


def _texts_at(record: Record, paths: tuple[str, ...]) -> list[_Found]:
    try:
        return texts_at(record.text, paths) if paths else []
    except ValueError as error:
        raise UsageError(str(error)) from None


def _cut(named: list[_Named], span: tuple[int, int]) -> _Named:
    """The part of the one text that was named."""
    if len(named) != 1:
        some = ", ".join(f"`{way_text(it.place.path)}`" for it in named[:4])
        raise UsageError(
            f"a span is of one text, and there are {len(named)}" + (f": {some}" if some else ""),
            hint="`--event` and `--path` name it",
        )
    (it,) = named
    start, stop = span
    if not 0 <= start < stop <= it.place.length:
        raise UsageError(f"the text has {it.place.length} characters: a span is within 0:{it.place.length}")
    return replace(it, place=replace(it.place, start=start, stop=stop))


def _copies(sources: list[Source], named: list[_Named], names: _Names) -> Iterator[Place]:
    """The same part where a log tells the same text once more, be it with other white space around it."""
    wanted: dict[tuple[Field | None, str], set[tuple[int, int]]] = {}
    for it in named:
        if it.field is not None and it.whole.strip():
            ahead = len(it.whole) - len(it.whole.lstrip())
            span = (max(it.place.start - ahead, 0), it.place.stop - ahead)
            wanted.setdefault((it.field, it.whole.strip()), set()).add(span)
    fields = {name for name, _ in wanted}
    for source in sources if wanted else ():
        for record in source.records():
            for event in source.events(record.value):
                told = (path_text(event.path),) if event.field in fields else ()
                for found in _texts_at(record, told):
                    text, length = found[5], found[4]
                    ahead = len(text) - len(text.lstrip())
                    for start, stop in wanted.get((event.field, text.strip()), ()):
                        start, stop = min(start + ahead, length), min(stop + ahead, length)
                        if start < stop:
                            yield replace(names.place(source, record, found), start=start, stop=stop)


def _everywhere(source: Source, record: Record, wish: Wish, literals: _Literals) -> list[_Found]:
    """Wherever in a record texts stand that the scope lets be seen."""
    if wish.text is None:
        wish = Wish(wish.scope)
    if not source.is_meant(record, wish):
        return []
    is_anywhere = wish.scope == "global" and not wish.paths
    paths = None if is_anywhere else source.paths(record, wish)
    return [] if paths == () else literals.find(record, paths)


def _looked_at(sources: list[Source], places: list[Place], names: _Names) -> Iterator[Place]:
    """Other records of the same id in which nothing is covered."""
    for source in sources:
        here = [it for it in places if it.source == source.source and it.record_id]
        ids, lines = {it.record_id for it in here}, {it.line for it in here}
        for record in source.records() if ids else ():
            if record.line not in lines and record_id(source.agent, record.value) in ids:
                yield names.about(source, record)


def way_text(way: Way) -> str:
    """A way, as rules write paths, without what would move a cursor; a name that is not kept is `*`."""
    steps = ["*" if isinstance(step, tuple) else path_text((step,)) for step in way]
    return printable(".".join(steps).replace(".[", "["))
