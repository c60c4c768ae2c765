"""Files of content rules: what stands in them, and every mistake with its place."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis._core import ContentRules, Diagnostic
from tamis.errors import PolicyError
from tamis.policy.nodes import Node, Text, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Rule", "RuleFile", "read_rules"]

TYPES = ("regex", "marker", "literal")
SCOPES = ("prompt", "field", "global")
REPLACEMENT = "<REDACTED>"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; its defaults are those of a file that leaves the key out."""

    id: str
    type: str
    pattern: str
    scope: str = "prompt"
    fields: tuple[str, ...] = ()
    replacement: str = REPLACEMENT
    ignore_case: bool = True
    dotall: bool = False
    reason: str = ""
    actor: str = ""
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    """From 1; 0 for a built-in one."""
    group: int = 0
    """The group that is replaced; 0 for all of a match. This and the rest have built-in rules only."""
    validator: str = ""
    """What that must be, for a match to count: `real` (no placeholder), `luhn`, `iban`, `jwt`, `random`,
    `email`, `assigned`, `assigned-random`, `account`."""
    vendor: str = ""
    title: str = ""
    source: str = ""
    """Where the format is published."""

    def spec(self) -> tuple[str, str, str, bool, bool, int, str, list[str], bool]:
        """What the core takes."""
        flags = (self.ignore_case, self.dotall)
        # A rule of a file means what `re` says; a built-in one knows what terminals put before words.
        more = (self.group, self.validator, list(self.fields), bool(self.vendor))
        return (self.type, self.pattern, self.replacement, *flags, *more)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What a file says."""

    rules: tuple[Rule, ...] = ()
    disabled: tuple[Rule, ...] = ()
    """Rules that are written whole, and switched off."""
    without: frozenset[str] = frozenset()
    """Ids of built-in rules that are switched off by an entry of `id` and `enabled` alone."""
    warnings: tuple[Diagnostic, ...] = ()


def read_rules(
    path: str | os.PathLike[str], display: str | None = None, *, examples: bool = False
) -> RuleFile:
    """Reads a file. `examples`: the examples of the rules must match, their counterexamples must not.

    Raises `PolicyError`, which is a `ValueError`, with every problem."""
    name = os.fspath(path)
    shown = display or name
    try:
        with open(name, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise PolicyError([Diagnostic("file-missing", shown, "this file of rules does not exist")]) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise PolicyError([Diagnostic("file-unreadable", shown, reason)]) from error
    text, root = parse(shown, data)
    return _Reader(text, examples).file(root)


@dataclass
class _Entry:
    """A rule that is being read, and where its keys stand."""

    node: Node
    values: dict[str, object] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)


# What each key may be: its kind, and whether it is a list of it.
_KEYS: dict[str, tuple[str, bool]] = {
    "id": ("text", False),
    "type": ("text", False),
    "pattern": ("text", False),
    "scope": ("text", False),
    "fields": ("text", True),
    "replacement": ("text", False),
    "enabled": ("truth", False),
    "ignore_case": ("truth", False),
    "dotall": ("truth", False),
    "reason": ("text", False),
    "actor": ("text", False),
    "examples": ("text", True),
    "counterexamples": ("text", True),
}
_REQUIRED = ("id", "type", "pattern")
_CALLED = {
    "text": "text",
    "truth": "true or false",
    "number": "a number",
    "nothing": "nothing",
    "list": "a list",
    "mapping": "a table",
}


class _Reader:
    def __init__(self, text: Text, examples: bool) -> None:
        self._text = text
        self._examples = examples
        self._problems: list[Diagnostic] = []

    def _say(self, id: str, node: Node, message: str, hint: str | None = None, shift: int = 0) -> None:
        self._problems.append(self._text.diagnostic(id, node, message, hint, shift))

    def file(self, root: Node) -> RuleFile:
        if root.kind != "list":
            hint = "write each rule as an entry of a list: `- id: …`"
            self._say("wrong-type", root, f"a file of rules is a list, not {_CALLED[root.kind]}", hint)
        entries = [entry for node in root.items if (entry := self._entry(node)) is not None]
        self._unique(entries)
        rules = [(entry, rule) for entry in entries if (rule := self._rule(entry)) is not None]
        self._compile(rules)
        if self._examples and not self._problems:
            for entry, rule in rules:
                self._try(entry, rule)
            if not self._problems:
                self._warn_of_preempted(rules)
        self._problems.sort(key=lambda problem: (problem.line, problem.column))
        if any(problem.severity == "error" for problem in self._problems):
            raise PolicyError(self._problems)
        return RuleFile(
            rules=tuple(rule for entry, rule in rules if entry.values.get("enabled", True)),
            disabled=tuple(rule for entry, rule in rules if not entry.values.get("enabled", True)),
            without=frozenset(str(entry.values["id"]) for entry in entries if _switches_off(entry)),
            warnings=tuple(self._problems),
        )

    def _entry(self, node: Node) -> _Entry | None:
        if node.kind != "mapping":
            self._say("wrong-type", node, f"a rule is a table of keys, not {_CALLED[node.kind]}")
            return None
        entry = _Entry(node)
        for key, value in node.pairs:
            name = key.written if key.written is not None else key.value
            if not isinstance(name, str) or name not in _KEYS:
                hint = _meant(str(name), _KEYS, "known here: ")
                self._say("unknown-key", key, f"unknown key `{name}` in a rule", hint)
            elif name in entry.places:
                self._say("duplicate-key", key, f"the key `{name}` stands twice in this rule")
            else:
                entry.places[name] = value
                self._value(entry, name, value)
        return entry

    def _value(self, entry: _Entry, name: str, node: Node) -> None:
        kind, many = _KEYS[name]
        if not many:
            value = self._scalar(name, node, kind)
        elif node.kind != "list":
            self._say("wrong-type", node, f"`{name}` must be a list, not {_CALLED[node.kind]}")
            return
        else:
            value = tuple(self._scalar(name, item, kind) for item in node.items)
        if value is not None:
            entry.values[name] = value

    def _scalar(self, name: str, node: Node, kind: str) -> object:
        # What YAML would take for a number, a truth or a date is the text that it is written as.
        if kind == "text" and node.written and node.kind != "nothing":
            return node.written
        if node.kind != kind:
            self._say("wrong-type", node, f"`{name}` must be {_CALLED[kind]}, not {_CALLED[node.kind]}")
            return None
        return node.value

    def _unique(self, entries: Iterable[_Entry]) -> None:
        seen: dict[object, _Entry] = {}
        for entry in entries:
            id = entry.values.get("id")
            if id is None:
                continue
            if id == "":
                self._say("empty-value", entry.places["id"], "`id` must not be empty")
            elif id in seen:
                line = seen[id].places["id"].line + 1
                self._say(
                    "duplicate-id", entry.places["id"], f"the id `{id}` is that of the rule in line {line}"
                )
            else:
                seen[id] = entry

    def _rule(self, entry: _Entry) -> Rule | None:
        if _switches_off(entry):
            return None
        missing = [key for key in _REQUIRED if key not in entry.places]
        for key in missing:
            self._say("missing-key", entry.node, f"a rule needs the key `{key}`")
        for key, choices in (("type", TYPES), ("scope", SCOPES)):
            value = entry.values.get(key)
            if value is not None and value not in choices:
                hint = _meant(str(value), choices, "one of ")
                self._say("unknown-value", entry.places[key], f"`{value}` is no {key}", hint)
                return None
        if "fields" in entry.values and entry.values.get("scope") != "field":
            self._say("unknown-key", entry.places["fields"], "`fields` goes with `scope: field` only")
        if any(key not in entry.values for key in _REQUIRED):
            return None
        values = {key: value for key, value in entry.values.items() if key != "enabled"}
        line = entry.places["id"].line + 1
        return Rule(**values, file=self._text.display, line=line)  # type: ignore[arg-type]  # checked by _KEYS

    def _compile(self, rules: list[tuple[_Entry, Rule]]) -> None:
        try:
            ContentRules([rule.spec() for _, rule in rules])
        except ValueError as error:
            for index, what, message, offset, item in error.args[0]:
                self._pattern(rules[index][0], what, message, offset, item)

    def _try(self, entry: _Entry, rule: Rule) -> None:
        native = ContentRules([rule.spec()])
        for key, must, says in (
            ("examples", True, "the rule does not match this example"),
            ("counterexamples", False, "the rule matches this counterexample"),
        ):
            for node, text in zip(
                entry.places[key].items if key in entry.places else (), getattr(rule, key), strict=True
            ):
                if (native.redact(text) is not None) != must:
                    self._say("example-fails", node, says)

    def _warn_of_preempted(self, rules: list[tuple[_Entry, Rule]]) -> None:
        """Of the rules to which an earlier one leaves nothing."""
        active = [(entry, rule) for entry, rule in rules if entry.values.get("enabled", True)]
        native = ContentRules([rule.spec() for _, rule in active])
        for index, (entry, rule) in enumerate(active):
            for before, (_, other) in enumerate(active[:index]):
                # On a prompt, rules for prompts go before all others.
                same = other.scope == rule.scope or (other.scope, rule.scope) == ("global", "field")
                if same and other.fields in ((), rule.fields) and native.covered_by(index, before):
                    message = (
                        f"this rule finds nothing: the rule `{other.id}` in line {other.line} goes before it"
                    )
                    hint = "an earlier rule leaves nothing of what it matches: put this one before it"
                    self._say("preempted-rule", entry.places["pattern"], message, hint)
                    break

    def _pattern(self, entry: _Entry, what: str, message: str, offset: int | None, item: int) -> None:
        id = {"pattern": "bad-regex", "replacement": "bad-replacement", "empty": "matches-empty",
              "content": "marker-without-content", "fields": "bad-path"}[what]  # fmt: skip
        key = what if what in ("replacement", "fields") else "pattern"
        node = entry.places.get(key, entry.node)
        if what == "fields":
            node = node.items[item]
        # The place is known where the text is written as it is.
        shift = offset or 0
        if node.written is None:
            quoted = self._text.lines[node.line][node.column + 1 : node.end - 1]
            shift = shift + 1 if quoted == node.value else 0
        hint = None
        if what == "content":
            hint = "write `(?P<content>…)` around what the marker holds"
        elif what == "empty":
            hint = "it would match between any two characters"
        self._say(id, node, message, hint, shift)


def _meant(word: str, known: Iterable[str], otherwise: str) -> str:
    """What was probably meant, or all that could have been."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else otherwise + ", ".join(known)


def _switches_off(entry: _Entry) -> bool:
    return (
        entry.places.keys() == {"id", "enabled"}
        and entry.values.get("enabled") is False
        and "id" in entry.values
    )
