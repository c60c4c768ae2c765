"""Which rule put in what stands in the place of something in a text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tamis.transcripts.manual import MANUAL, everything
from tamis.transcripts.store import read_fact, write_fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store

__all__ = ["Marks", "marks_of", "note_replacements"]

_FACT = "replacements"
# What rules put in, if they do not say otherwise; those of the pack tell their name.
_PLAIN = "<REDACTED>"
_LABELLED = r"<REDACTED:([\w.-]+)>"


class Marks:
    """What rules put in, by rule."""

    def __init__(self, replacements: Iterable[tuple[str, str]] = ()) -> None:
        """`replacements`: rules, and what each puts in; a rule may be there more than once."""
        self._rules: dict[str, dict[str, None]] = {_PLAIN: {}}
        for rule, text in replacements:
            # A word may stand anywhere: nothing tells those that were put in.
            if not text.isalnum():
                self._rules.setdefault(text, {})[rule] = None
        longest_first = sorted(self._rules, key=len, reverse=True)
        self._pattern = re.compile("|".join([_LABELLED, *map(re.escape, longest_first)]))

    def parts(self, text: str, counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        """The parts of a text with the rule that put each in, or nothing. `counts`: by rule, the changes in
        the record that the text is of; a text that only looks like the work of another rule is none."""
        at = 0
        for match in self._pattern.finditer(text):
            rule = match[1] or " or ".join(rule for rule in self._rules[match[0]] if rule in counts)
            if not rule and match[0] == _PLAIN:
                rule = "a rule"
            if rule:
                yield text[at : match.start()], ""
                yield match[0], rule
                at = match.end()
        yield text[at:], ""

    def told(self, text: str, counts: Mapping[str, int]) -> str:
        """A text in which the name of the rule stands behind what it put in, if that does not tell it."""
        return "".join(
            f"{part}⟨{rule}⟩" if rule and rule not in part else part
            for part, rule in self.parts(text, counts)
        )


def note_replacements(store: Store, redactor: Redactor) -> None:
    """Notes in the store what these rules put in, beside what is known of earlier ones."""
    with store.reading() as connection:
        known = _noted(connection)
    new = known | {
        rule.id: rule.replacement
        for rule in redactor.rules
        if rule.replacement and "\\" not in rule.replacement and not re.fullmatch(_LABELLED, rule.replacement)
    }
    if new == known:
        return
    with store.writing() as connection:
        write_fact(connection, _FACT, json.dumps(new))


def marks_of(connection: Connection) -> Marks:
    """What rules and people put into the texts of a store."""
    by_hand = [(MANUAL, it.replacement) for it in everything(connection) if it.replacement]
    return Marks([*_noted(connection).items(), *by_hand])


def _noted(connection: Connection) -> dict[str, str]:
    value = read_fact(connection, _FACT)
    noted: dict[str, str] = json.loads(value) if value else {}
    return noted
