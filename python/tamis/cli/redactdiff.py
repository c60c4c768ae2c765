"""What `tamis redact --dry-run` shows: the lines that would change, as they would be, and on a terminal as
they are."""

from __future__ import annotations

import difflib
import io
import sys
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

from tamis.cli.terminal import colour
from tamis.policy.redacting import encoding_of, redact_file
from tamis.trace.values import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.policy.redacting import Outcome
    from tamis.policy.rules import Rules

__all__ = ["print_diff"]

# Longer texts are compared line by line, which takes no time.
_MOST_LINES = 20_000
# Of a longer line a part is shown, and so much of it before the change.
_WIDEST = 240
_BEFORE = 80


def print_diff(rules: Rules, source: IO[bytes], outcome: Outcome, *, show: bool, **how: Any) -> None:
    """`show`: what would go is shown even where it is no terminal that shows it."""
    data = source.read()
    target = io.BytesIO()
    redact_file(rules, io.BytesIO(data), target, outcome, **how)
    if not outcome.counts:
        return
    encoding = "utf-16" if encoding_of(data) else "utf-8"
    old, new = (text.decode(encoding, "replace").splitlines() for text in (data, target.getvalue()))
    paint = colour(sys.stdout)
    show = show or sys.stdout.isatty()
    print(_painted(harmless(outcome.path), "1", paint))
    for number, before, after in _changes(old, new):
        first = _first_difference(before or "", after or "")
        if before is not None and show:
            print(_painted(f"{number:>6} - {_around(before, first)}", "31", paint))
        if after is not None:
            print(_painted(f"{number:>6} + {_around(after, first)}", "32", paint))


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[int, str | None, str | None]]:
    """Lines that change: the number, what goes, and what comes."""
    if len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True), 1)
        yield from ((number, before, after) for number, (before, after) in pairs if before != after)
        return
    if max(len(old), len(new)) > _MOST_LINES:
        kept = set(old)
        yield from ((number, None, line) for number, line in enumerate(new, 1) if line not in kept)
        return
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind != "equal":
            for place, (before, after) in enumerate(zip_longest(old[first:last], new[start:end])):
                yield first + place + 1, before, after


def _first_difference(before: str, after: str) -> int:
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), 0)


def _around(line: str, place: int) -> str:
    """The part of a line that the eye wants."""
    start = max(0, place - _BEFORE) if len(line) > _WIDEST else 0
    shown = line[start : start + _WIDEST]
    return harmless(("…" if start else "") + shown + ("…" if start + _WIDEST < len(line) else ""))


def _painted(text: str, code: str, paint: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if paint else text
