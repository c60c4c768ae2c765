"""Content rules: what must not be kept in any text."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tamis._core import ContentRules, ContentStream
from tamis.policy.pack import builtin_rules
from tamis.policy.rulefile import Rule, RuleFile, read_rules

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

__all__ = ["Change", "JsonRedaction", "Redaction", "RedactionStream", "Rules", "assembled", "load_rules"]

ROLES = ("prompt", "other")


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text after the rules."""

    text: str
    counts: dict[str, int]
    """How many places each rule changed, by its id; rules that changed none are left out."""
    positions: tuple[tuple[str, int, int], ...]
    """Each change: the id of its rule, and where it begins and ends, in characters of the text before all
    rules. What a later rule changes of what an earlier one put in stands for all that the earlier one
    replaced."""
    undecided: dict[str, int] = field(default_factory=dict)
    """How many of these are no matches, by the id of the rule: it took too much work there, or would have
    matched more than 64 KiB. The line is redacted, at most 64 KiB of it."""


@dataclass(frozen=True, slots=True)
class JsonRedaction:
    """A value after the rules."""

    value: Any
    counts: dict[str, int]
    """How many places each rule changed, by its id."""
    undecided: dict[str, int] = field(default_factory=dict)
    """As of `Redaction`."""


class Change(NamedTuple):
    """Where a rule has changed something."""

    id: str
    line: int
    column: int
    """From 1, as lines are; in characters of the text before all rules. Of a value in JSON, where it
    begins."""
    undecided: bool


class RedactionStream:
    """Bytes that come in pieces, with rules applied to them. For one thread."""

    __slots__ = ("_native", "_rules", "changes", "counts", "undecided")

    def __init__(self, native: ContentStream, rules: tuple[Rule, ...]) -> None:
        self._native = native
        self._rules = rules
        self.counts: Counter[str] = Counter()
        """How many places each rule has changed up to now, by its id."""
        self.undecided: Counter[str] = Counter()
        """How many of these are no matches: see `Redaction`."""
        self.changes: list[Change] = []
        """What was changed in what the last call gave back."""

    def push(self, data: bytes) -> bytes:
        """Takes bytes, and gives back those of which all is decided: at most some 600 kB are kept."""
        return self._noted(self._native.push(data))

    def finish(self) -> bytes:
        """Gives back the rest."""
        return self._noted(self._native.finish())

    def _noted(self, data: bytes) -> bytes:
        self.changes = [
            Change(self._rules[rule].id, line, column, undecided)
            for rule, line, column, undecided in self._native.changes()
        ]
        self.counts.update(change.id for change in self.changes)
        self.undecided.update(change.id for change in self.changes if change.undecided)
        return data

    @property
    def broken(self) -> int:
        """Lines or documents that begin like JSON and are none; they were taken for text."""
        return self._native.broken


class Rules:
    """Content rules in their order: immutable, safe to be used from many threads, and picklable."""

    __slots__ = ("_native", "_with_role", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._native = ContentRules([rule.spec() for rule in self.rules])
        # Made when a role is given: most never give one.
        self._with_role: tuple[ContentRules, tuple[Rule, ...]] | None = None

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        return f"<Rules: {len(self)}>"

    def __eq__(self, other: object) -> bool:
        return self.rules == other.rules if isinstance(other, Rules) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.rules)

    def __reduce__(self) -> tuple[type[Rules], tuple[tuple[Rule, ...]]]:
        return Rules, (self.rules,)

    def redact(self, text: str, *, role: str | None = None, decode: bool = True) -> Redaction:
        """Applies the rules to a text, one after the other, each to what the one before left.

        `role`: `prompt` for what a user wrote to an agent, `other` for what anybody else did; without it,
        rules of every scope apply, and rules for fields (`fields`) to all of the text.
        `decode`: what the text holds in encoded form (escapes of JSON, percent signs, base64, hexadecimal
        digits) is redacted too, decoded and encoded again.

        Raises `ValueError` for an unknown role, and `UnicodeEncodeError` for text with lone surrogates."""
        native, rules, asked = self._of_role(role)
        done = native.redact(text, asked, decode=decode)
        if done is None:
            return Redaction(text, {}, ())
        new, hits = done
        positions = tuple((rules[rule].id, start, end) for rule, start, end, _ in hits)
        counts = Counter(id for id, _, _ in positions)
        undecided = Counter(rules[rule].id for rule, _, _, undecided in hits if undecided)
        return Redaction(new, dict(counts), positions, dict(undecided))

    def redact_json(self, value: object, *, role: str | None = None) -> JsonRedaction:
        """Applies the rules to the texts in a value that JSON can hold: to each alone, and to `key: value`,
        so that rules for assignments see it; to keys, and to numbers of six digits and more. Documents of
        JSON in texts are values, too. Rules for fields (`fields`) apply to these only.

        Ids, signatures, encrypted content and images are left as they are, by their names and their shapes.
        Raises `TypeError` or `ValueError` for what JSON cannot hold."""
        stream = self.stream("json", role=role)
        text = stream.push(json.dumps(value).encode()) + stream.finish()
        new = json.loads(text) if stream.counts else value
        return JsonRedaction(new, dict(stream.counts), dict(stream.undecided))

    def stream(
        self, format: str = "text", *, role: str | None = None, decode: bool = True
    ) -> RedactionStream:
        """For bytes that come in pieces: UTF-8, of which what is none stays as it is.

        `format`: `text`, all is one text; `jsonl`, each line is a document of JSON, or a text; `json`, all is
        one document, or a text."""
        native, rules, asked = self._of_role(role)
        return RedactionStream(ContentStream(native, format, asked, decode=decode), rules)

    def _of_role(self, role: str | None) -> tuple[ContentRules, tuple[Rule, ...], list[bool] | None]:
        """The rules in the order that a role wants, and which of them are asked."""
        if role is None:
            return self._native, self.rules, None
        if role not in ROLES:
            raise ValueError(f"unknown role `{role}`: one of {', '.join(ROLES)}")
        scopes = ("field", "global") if role == "other" else ("prompt", "field", "global")
        native, order = self.prompts_first()
        return native, order, [rule.scope in scopes for rule in order]

    def prompts_first(self) -> tuple[ContentRules, tuple[Rule, ...]]:
        """The rules in the order in which they go over a prompt: those for prompts first."""
        if self._with_role is None:
            order = tuple(sorted(self.rules, key=lambda rule: rule.scope != "prompt"))
            native = self._native if order == self.rules else ContentRules([rule.spec() for rule in order])
            self._with_role = native, order
        return self._with_role


def load_rules(path: str | os.PathLike[str], *, builtin: bool = True) -> Rules:
    """The rules of a file (YAML, or JSON if its name ends in `.json`), and behind them the built-in ones.

    An entry with the id of a built-in rule stands in its place, or switches it off. Raises
    `tamis.errors.PolicyError`, which is a `ValueError`, with every mistake in the file."""
    return assembled(path, builtin=builtin)


def assembled(path: str | os.PathLike[str] | None, *, builtin: bool) -> Rules:
    """The rules of a file, if there is one, and of the built-in ones those that it does not replace."""
    file = RuleFile() if path is None else read_rules(path)
    if not builtin:
        return Rules(file.rules)
    named = {rule.id for rule in (*file.rules, *file.disabled)} | file.without
    return Rules([*file.rules, *(rule for rule in builtin_rules() if rule.id not in named)])
