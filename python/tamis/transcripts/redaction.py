"""Content rules applied to records: to each text those that its place in the record wants."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis._core import ContentFields
from tamis.transcripts.manual import MANUAL
from tamis.transcripts.model import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis.policy.rulefile import Rule
    from tamis.policy.rules import Rules
    from tamis.transcripts.manual import Place, Way
    from tamis.transcripts.model import Event, Field, Path

__all__ = ["Redacted", "Redactor", "path_text", "paths_in"]

# Kinds of records differ in few ways; lists in them make more.
_KINDS = 2000
_RAW = "raw_json"


@dataclass(slots=True)  # not frozen, which takes longer to make
class Redacted:
    """What became of a record."""

    text: str
    changes: list[tuple[str, bytes, bool]]
    """The id of the rule, the text of the whole value or key before the rules, as JSON has it, and whether a
    bound was hit."""
    fits: list[str]
    """Of what people redacted by hand: `exact`, `whole` (the text is not what it was), `lost`."""


class Redactor:
    """Rules, ready for records. For one thread."""

    def __init__(self, rules: Rules) -> None:
        self._all = rules
        # Elsewhere than on a prompt, those for prompts are not asked: their order is no matter there.
        self._native, self.rules = rules.prompts_first()
        self._fields: dict[tuple[tuple[Field, Path], ...], ContentFields] = {}
        wanted = {name for rule in self.rules for name in _named_by(rule)}
        self._wanted = tuple(name for name in FIELDS if name in wanted)
        told = [(*rule.spec(), rule.scope) for rule in self.rules]
        self.digest = hashlib.sha256(json.dumps([1, told]).encode()).hexdigest()
        """Of the rules: it changes when anything does that they do."""

    def record(
        self, text: str, events: Iterable[Event], by_hand: Sequence[tuple[int, Place, str]] = ()
    ) -> Redacted:
        """A record after the rules, and after what people redacted by hand in it.

        `events`: what the record tells, by which the places of its texts are known."""
        fields = self._fields_of(events)
        fits: list[str] = []
        if by_hand:
            wanted = [_wanted(place, put) for _, place, put in by_hand]
            done, told = self._native.redact_by_hand(text, fields, wanted)
            fits += told
        else:
            done = self._native.redact_record(text, fields)
        if done is None:
            return Redacted(text, [], fits)
        new, hits = done
        data, count = text.encode(), len(self.rules)
        # A long text may have been changed in many places: it is kept once.
        texts = {span: data[span[0] : span[1]] for span in {(start, end) for _, start, end, _ in hits}}
        changes = [
            (self.rules[rule].id if rule < count else MANUAL, texts[start, end], undecided)
            for rule, start, end, undecided in hits
        ]
        return Redacted(new, changes, fits)

    def _fields_of(self, events: Iterable[Event]) -> ContentFields:
        wanted = self._wanted
        places = tuple(
            [(event.field, event.path) for event in events if event.field in wanted and event.field]
        )
        fields = self._fields.get(places)
        if fields is None:
            if len(self._fields) >= _KINDS:
                self._fields.clear()
            fields = self._fields[places] = ContentFields([_paths(rule, places) for rule in self.rules])
        return fields

    @property
    def mark(self) -> str:
        """Of rules that were applied to what is stored: once the log is read, they are applied to it."""
        return f"+{self.digest[:-1]}"

    def has_made(self, rules: str) -> bool:
        """Whether what is stored was redacted by these rules, in the log or as it was stored."""
        return rules in (self.digest, self.mark)

    def text(self, text: str) -> tuple[str, Counter[str]]:
        """A text that stands in no record, such as the name of a file."""
        done = self._all.redact(text, role="other")
        return done.text, Counter(done.counts)


def _wanted(place: Place, put: str) -> tuple[Way, bool, tuple[int, int] | None, int, str]:
    span = (place.start, place.stop) if place.exact else None
    return place.path, place.is_key, span, place.length, put


def _named_by(rule: Rule) -> Iterable[Field]:
    """The texts that a rule calls by their common names."""
    if rule.scope == "prompt":
        return ("prompt",)
    if rule.scope != "field":
        return ()
    if not rule.fields:
        return ("prompt", "assistant")
    return [name for name in FIELDS if any(_rest(path, name) is not None for path in rule.fields)]


def _rest(path: str, name: str) -> str | None:
    """What a path says behind a name; None: it does not begin with it."""
    rest = path.removeprefix(name)
    return rest if path.startswith(name) and (not rest or rest[0] in ".[") else None


def _paths(rule: Rule, places: Sequence[tuple[Field, Path]]) -> list[str] | None:
    """Where in a record a rule is asked; None: everywhere."""
    if rule.scope == "global":
        return None
    if rule.scope == "prompt" or not rule.fields:
        wanted = ("prompt",) if rule.scope == "prompt" else ("prompt", "assistant")
        return [path_text(path) for name, path in places if name in wanted]
    return paths_in(rule.fields, places)


def paths_in(fields: Iterable[str], places: Iterable[tuple[Field, Path]]) -> list[str]:
    """Where in a record the fields are that somebody names; `places`: of the texts with common names."""
    places = list(places)
    paths = []
    for path in fields:
        in_raw = _rest(path, _RAW)
        paths.append(path if in_raw is None else in_raw.removeprefix(".") or "**")
        for name, place in places:
            rest = _rest(path, name)
            if rest is not None:
                paths.append(path_text(place) + rest)
    return paths


def path_text(path: Path) -> str:
    """A path, as rules write it."""
    return "".join(
        f"[{step}]" if isinstance(step, int) else f"{'.' * bool(at)}{_quoted(step)}"
        for at, step in enumerate(path)
    )


def _quoted(name: str) -> str:
    if name and all(character.isalnum() or character in "_-$" for character in name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
