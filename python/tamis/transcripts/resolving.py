"""What a person wants to be redacted becomes places in logs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tamis._core import ContentFields, ContentRules, texts_at
from tamis.errors import UsageError
from tamis.transcripts.assembly import record_id
from tamis.transcripts.manual import Place
from tamis.transcripts.model import Event
from tamis.transcripts.reading import FILE
from tamis.transcripts.redaction import path_text, paths_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tamis.transcripts.agents import Agent
    from tamis.transcripts.manual import Scope, Way
    from tamis.transcripts.model import Field
    from tamis.transcripts.reading import Record
    from tamis.transcripts.redaction import Redactor

    type _Found = tuple[list[tuple[str | None, int]], bool, int, int, int, str]

__all__ = ["LONGEST", "Resolved", "Source", "Wish", "resolved", "way_text"]

LONGEST = 64 << 10
"""Bytes of a text that is looked for."""
_MOST = 20_000  # places of one redaction


@dataclass(slots=True, frozen=True)
class Wish:
    """What is to be redacted, as a person says it."""

    scope: Scope
    text: str | None = None
    """Wherever this stands."""
    event: str | None = None
    """In the record of this line or id, or, with `.2` behind the line, in the second thing that it tells."""
    paths: tuple[str, ...] = ()
    """In these fields, as rules name them."""
    span: tuple[int, int] | None = None
    """This part of the one text that `event` and `paths` name, in characters."""

    @property
    def part(self) -> int:
        """Which thing that the record tells, from 1; 0: all."""
        line, _, part = (self.event or "").partition(".")
        return int(part) if line.isdigit() and part.isdigit() else 0


@dataclass(slots=True, frozen=True)
class Source:
    """A log, or what is stored of it."""

    agent: Agent
    source: str
    session: str
    of_sub_agent: bool
    records: Callable[[], Iterable[Record]]
    """Reads them, from the beginning."""
    is_exact: Callable[[int], bool]
    """Whether the record of a line is as the log has it."""

    def events(self, value: dict[str, Any]) -> list[Event]:
        """What a record tells."""
        if FILE in value:
            return [Event("tool_result", value[FILE], (FILE,), "tool.output")]
        return self.agent.events(value, parent=self.of_sub_agent)

    def is_meant(self, record: Record, wish: Wish) -> bool:
        """Whether the wish is about this record."""
        if wish.event is None:
            return True
        line = wish.event.partition(".")[0]
        if line.isdigit() and int(line) == record.line:
            return True
        return wish.event == record_id(self.agent, record.value) != ""

    def paths(self, record: Record, wish: Wish) -> tuple[str, ...]:
        """Where in a record the wish is about; nothing: nowhere."""
        events = self.events(record.value)
        places = [(event.field, event.path) for event in events if event.field is not None]
        if wish.paths:
            return tuple(paths_in(wish.paths, places))
        if wish.scope == "prompt":
            return tuple(path_text(path) for name, path in places if name == "prompt")
        if wish.event is None:
            return tuple(path_text(path) for name, path in places if name in ("prompt", "assistant"))
        told = [event.path for event in events if event.path]
        if wish.part:
            known = [event.path for event in events if event.kind not in ("other", "usage")]
            told = known[wish.part - 1 : wish.part]
        return tuple(path_text(path) for path in told)


@dataclass(slots=True)
class Resolved:
    """The places that are to be redacted."""

    places: list[Place]
    left: int = 0
    """How many records hold a text that was looked for everywhere where it stays: in ids, and in data that no
    rule changes."""


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
        self._count = len(told)
        self._written = [json.dumps(text, ensure_ascii=False)[1:-1] for text in told]
        self._fields: dict[tuple[str, ...] | None, ContentFields] = {}

    def find(self, record: str, paths: tuple[str, ...] | None) -> list[_Found]:
        """`paths`: only there; None: everywhere."""
        return self._rules.find_in_record(record, self._fields_of(paths))

    def is_left(self, record: str) -> bool:
        """Whether they stand where rules change nothing."""
        done = self._rules.redact_record(record, self._fields_of(None))
        rest = record if done is None else done[0]
        return any(text in rest for text in self._written)

    def _fields_of(self, paths: tuple[str, ...] | None) -> ContentFields:
        fields = self._fields.get(paths)
        if fields is None:
            told = None if paths is None else list(paths)
            fields = self._fields[paths] = ContentFields([told] * self._count)
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
        if wish.scope == "field":
            add(_copies(sources, named, names))
        else:
            texts = {it.covered for it in named}
    if texts:
        literals = _Literals(texts)
        for source in [*sources, *beside]:
            for record in source.records():
                add(_everywhere(source, record, wish, literals, names))
                left += wish.scope == "global" and wish.event is None and literals.is_left(record.text)
    return Resolved([*places, *_looked_at([*sources, *beside], list(places))], left)


class _Names:
    """Names in places: what must not be kept is left out of them."""

    def __init__(self, redactor: Redactor, text: str) -> None:
        self._redactor = redactor
        self._text = text
        self._safe: dict[str, bool] = {}

    def place(self, source: Source, record: Record, found: _Found) -> Place:
        steps, is_key, start, stop, length, covered = found
        id = record_id(source.agent, record.value)
        way = tuple(
            number if name is None else name if self._is_safe(name, covered) else (number,)
            for name, number in steps
        )
        return Place(
            *(source.agent.name, source.source, source.session, record.line),
            *(id if self._is_safe(id, covered) else "", way),
            is_key=is_key,
            start=start,
            stop=stop,
            length=length,
            exact=source.is_exact(record.line),
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
    """The same part where a log tells the same text once more."""
    wanted: dict[tuple[Field | None, str], set[tuple[int, int]]] = {}
    for it in named:
        if it.field is not None:
            wanted.setdefault((it.field, it.whole), set()).add((it.place.start, it.place.stop))
    fields = {field for field, _ in wanted}
    for source in sources if wanted else ():
        for record in source.records():
            for event in source.events(record.value):
                told = (path_text(event.path),) if event.field in fields else ()
                for found in _texts_at(record, told):
                    for start, stop in wanted.get((event.field, found[5]), ()):
                        yield replace(names.place(source, record, found), start=start, stop=stop)


def _everywhere(
    source: Source, record: Record, wish: Wish, literals: _Literals, names: _Names
) -> Iterator[Place]:
    """Wherever in a record texts stand that the scope lets be seen."""
    if wish.text is None:
        wish = Wish(wish.scope)
    if not source.is_meant(record, wish):
        return
    is_anywhere = wish.scope == "global" and not wish.paths and not wish.part
    paths = None if is_anywhere else source.paths(record, wish)
    if paths != ():
        for found in literals.find(record.text, paths):
            yield names.place(source, record, found)


def _looked_at(sources: list[Source], places: list[Place]) -> Iterator[Place]:
    """Other records of the same id in which nothing is covered."""
    for source in sources:
        here = [it for it in places if it.source == source.source and it.record_id]
        ids, lines = {it.record_id for it in here}, {it.line for it in here}
        for record in source.records() if ids else ():
            id = record_id(source.agent, record.value)
            if id in ids and record.line not in lines:
                of_log = (source.agent.name, source.source, source.session)
                yield Place(*of_log, record.line, id, (), is_key=False, start=0, stop=0, length=0, exact=True)


def way_text(way: Way) -> str:
    """A way, as rules write paths; a name that is not kept is `*`."""
    return ".".join("*" if isinstance(step, tuple) else path_text((step,)) for step in way).replace(".[", "[")
