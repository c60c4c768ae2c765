"""A log becomes a transcript: records in their redacted form, and what they tell, in order."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tamis.transcripts.agents import Agent, Found, Head
from tamis.transcripts.model import Event
from tamis.transcripts.reading import FILE, Broken, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.transcripts.covering import ByHand
    from tamis.transcripts.manual import Place
    from tamis.transcripts.model import Kind, Path, Usage
    from tamis.transcripts.redaction import Redactor

__all__ = ["Assembly", "Told", "Transcript", "record_id", "told_by"]

_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LONE = re.compile(f"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(slots=True)
class Told:
    """An event as it is kept."""

    kind: Kind
    prompt: int
    """The prompt that it belongs to, from 1; 0: it came before the first."""
    text: str
    path: Path
    role: str
    name: str
    call: str
    usage: Usage | None


@dataclass(slots=True)
class Transcript:
    """One record of a log and what it tells."""

    line: int
    id: str
    """The record's own, if it has one."""
    time: str
    raw: str
    counts: dict[str, int]
    """How many places in it each rule changed."""
    undecided: int
    events: list[Told] = field(default_factory=list)


class Assembly:
    """Reads one log. What it says of the whole is known when all records were asked for."""

    def __init__(self, agent: Agent, found: Found, redactor: Redactor, by_hand: ByHand | None = None) -> None:
        self._agent = agent
        self._by_hand = by_hand
        self._found = found
        self._redactor = redactor
        self.rules = redactor.digest
        self.head = Head()
        self.broken: list[Broken] = []
        self.counts: Counter[str] = Counter()
        """How many places each rule changed; what the log holds twice counts once."""
        self.undecided = 0
        self.kinds: Counter[Kind] = Counter()
        self.prompts = 0
        self.undone: set[int] = set()
        """Lines that later ones take back or take the place of."""
        self._counted: set[int] = set()
        self._lines: dict[str, int] = {}
        self._once: set[tuple[Kind, str]] = set()
        self._waiting: Counter[tuple[str, Kind, int]] = Counter()
        self._prompt_lines: list[int] = []
        self._last_prompt: tuple[int, Path] = (-1, ())

    def records(self, log: Iterable[Record | Broken]) -> Iterator[Transcript]:
        """The records of the log, in its order."""
        for read in log:
            if isinstance(read, Broken):
                self.broken.append(read)
            else:
                yield self._record(read)
        head = self.head
        head.session = head.session or self._redactor.text(self._found.session)[0]
        head.parent = head.parent or self._redactor.text(self._found.parent)[0]
        self.undone.update(self._lines[id] for id in head.undone if id in self._lines)

    def _record(self, read: Record) -> Transcript:
        try:
            return self._redacted(read)
        except json.JSONDecodeError:
            # Something was found in a half of a surrogate pair, which JSON can write and nothing else: it is
            # replaced, as it would be wherever it is read.
            text = _LONE.sub(r"\\ufffd", read.text)
            return self._redacted(Record(read.line, text, json.loads(text)))

    def _redacted(self, read: Record) -> Transcript:
        events = self._events(read.value)
        covered = self._covered(read) if self._by_hand else []
        redacted = self._redactor.record(read.text, events, covered)
        raw, changes, value = redacted.text, redacted.changes, read.value
        if changes:
            value = json.loads(raw)
            events = self._events(value)
        if self._by_hand:
            self._by_hand.met(covered, redacted.fits)
        counts = self._count(changes)
        id = self._noted(value, read.line)
        time = _time_of(value)
        if read.line and time:
            self.head.began = self.head.began or time
            self.head.ended = time
        undecided = sum(undecided for _, _, undecided in changes)
        self.undecided += undecided
        told = [self._told(event, read.line) for event in _worth_telling(events) if not self._is_copy(event)]
        return Transcript(read.line, id, time, _storable(raw), counts, undecided, told)

    def _covered(self, read: Record) -> list[tuple[int, Place, str]]:
        """What people redacted by hand in a record."""
        id = record_id(self._agent, read.value)
        return self._by_hand.of(id, read.line) if self._by_hand else []

    def _events(self, value: dict[str, Any]) -> list[Event]:
        return told_by(self._agent, value, parent=bool(self._found.parent))

    def _count(self, changes: list[tuple[str, bytes, bool]]) -> dict[str, int]:
        """Counts the places by rule; a text that was there already, as a whole, does not count again."""
        if not changes:
            return {}
        counts: Counter[str] = Counter()
        for (rule, text), count in Counter((rule, text) for rule, text, _ in changes).items():
            key = hash((rule, text))
            counts[rule] += count
            if key not in self._counted:
                self._counted.add(key)
                self.counts[rule] += count
        return dict(counts)

    def _noted(self, value: dict[str, Any], line: int) -> str:
        """Takes down what the record says of the whole; returns its id."""
        head = self.head
        head.rewind, head.prompts_back = None, 0
        id = self._agent.note(value, head)
        if head.rewind is not None:
            kept = self._lines.get(head.rewind, 0) if head.rewind else 0
            self.undone.update(range(kept + 1, line))
        if head.prompts_back > 0 and self._prompt_lines:
            kept = max(len(self._prompt_lines) - head.prompts_back, 0)
            self.undone.update(range(self._prompt_lines[kept], line))
            del self._prompt_lines[kept:]
        if id:
            if self._agent.replaces and id in self._lines:
                self.undone.add(self._lines[id])
            self._lines[id] = line
        return _storable(id)

    def _is_copy(self, event: Event) -> bool:
        """Whether the log told this already."""
        if event.once:
            key = (event.kind, event.once)
            if key in self._once and not (self._agent.replaces and event.kind == "usage"):
                return True
            self._once.add(key)
        if event.channel:
            other = "item" if event.channel == "event" else "event"
            text = hash(str(event.value).strip())
            if self._waiting[other, event.kind, text]:
                self._waiting[other, event.kind, text] -= 1
                return True
            self._waiting[event.channel, event.kind, text] += 1
        return False

    def _told(self, event: Event, line: int) -> Told:
        if event.kind == "prompt":
            place = (line, event.path[:-2])
            if place != self._last_prompt:
                self.prompts += 1
                self._prompt_lines.append(line)
            self._last_prompt = place
        self.kinds[event.kind] += 1
        # Of what is no part of the talk, the record is enough.
        value = "" if event.kind in ("other", "usage") else event.value
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        role, name, call = event.role, event.name, event.call
        if not _is_plain(role + name + call):
            role, name, call = _storable(role), _storable(name), _storable(call)
        return Told(event.kind, self.prompts, _storable(text), event.path, role, name, call, event.usage)


def told_by(agent: Agent, value: dict[str, Any], *, parent: bool) -> list[Event]:
    """What a record tells, of a log or a file beside one. `parent`: it is of a sub-agent."""
    if FILE in value:
        return [Event("tool_result", value[FILE], (FILE,), "tool.output")]
    return agent.events(value, parent=parent)


def record_id(agent: Agent, value: dict[str, Any]) -> str:
    """The id that a record has itself; empty: none."""
    return _storable(agent.note(value, Head()))


def _worth_telling(events: list[Event]) -> list[Event]:
    """Not those that only name the place of a text, but for one if there are no others."""
    told = [event for event in events if event.kind != "other" or event.field is None]
    return told or events[:1]


def _time_of(value: dict[str, Any]) -> str:
    for name in ("timestamp", "created_at", "startTime"):
        time = value.get(name)
        if isinstance(time, str):
            return _storable(time)
    return ""


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _storable(text: str) -> str:
    """A text without what one of the databases cannot hold: those characters as JSON escapes them."""
    if _is_plain(text):
        return text
    return _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
