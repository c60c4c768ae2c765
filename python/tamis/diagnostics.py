"""The text of diagnostics.

The core finds problems and describes them as data (`tamis._core.Diagnostic`); here they get their one form:

    error[unknown-key]: unknown key `selectr`
      --> .codetracer/trace-filter.toml:12:1
       |
    12 | selectr = "pkg:my_app"
       | ^^^^^^^
    hint: did you mean `selector`?

It reads the same without colour, and nothing in it can steer a terminal, whatever the file holds.
"""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tamis._core import Diagnostic

__all__ = ["render", "render_all", "render_line"]

# The part of a long source line that is shown, in characters, so that the caret stays on the screen.
_WINDOW = 100
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "frame": "\x1b[34m", "hint": "\x1b[36m"}
_RESET = "\x1b[0m"


def render_all(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All of them, and a last line that counts them if there are several."""
    shown: Sequence[Diagnostic] = tuple(diagnostics)
    parts = [render(diagnostic, colour=colour) for diagnostic in shown]
    if len(shown) > 1:
        kinds = [(severity, sum(d.severity == severity for d in shown)) for severity in ("error", "warning")]
        parts.append(", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds if count))
    return "\n\n".join(parts)


def render(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic, without a newline at its end. `colour`: with ANSI colours."""

    def paint(kind: str, text: str) -> str:
        return f"{_COLOURS[kind]}{text}{_RESET}" if colour else text

    head = paint(diagnostic.severity, f"{diagnostic.severity}[{diagnostic.id}]")
    lines = [f"{head}: {_harmless(diagnostic.message)}"]
    if diagnostic.line:
        number = str(diagnostic.line)
        margin = " " * len(number)
        bar = paint("frame", "|")
        where = f"{_harmless(diagnostic.path)}:{number}:{diagnostic.column}"
        text, caret = _excerpt(diagnostic)
        lines += [
            f"{margin}{paint('frame', '-->')} {where}",
            f"{margin} {bar}",
            f"{paint('frame', number)} {bar} {text}".rstrip(),
            f"{margin} {bar} {paint(diagnostic.severity, caret)}".replace(" " + _RESET, _RESET),
        ]
    else:
        lines.append(f" {paint('frame', '-->')} {_harmless(diagnostic.path)}")
    if diagnostic.hint:
        lines.append(f"{paint('hint', 'hint')}: {_harmless(diagnostic.hint)}")
    return "\n".join(lines)


def render_line(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic in one line, for what is worth saying but wrong in nobody's file."""
    head = f"{diagnostic.severity}[{diagnostic.id}]"
    if colour:
        head = f"{_COLOURS[diagnostic.severity]}{head}{_RESET}"
    place = f"{_harmless(diagnostic.path)}:{diagnostic.line}:{diagnostic.column}"
    return f"{head}: {place}: {_harmless(diagnostic.message)}"


def _excerpt(diagnostic: Diagnostic) -> tuple[str, str]:
    """The source line, or the part of it around the span, and the line of carets below it."""
    source, start, end = diagnostic.source, diagnostic.column - 1, diagnostic.end - 1
    first = max(0, start - _WINDOW // 2) if len(source) > _WINDOW else 0
    last = first + _WINDOW
    text = source[first:last]
    before = _width(source[first:start])
    marked = max(1, _width(source[start : min(end, last)]))
    cut_left, cut_right = "…" if first else "", "…" if last < len(source) else ""
    return f"{cut_left}{_harmless(text)}{cut_right}", " " * (len(cut_left) + before) + "^" * marked


def _harmless(text: str) -> str:
    """The text with everything that a terminal would act on, or not show, replaced by U+FFFD or a space."""
    return "".join(map(_harmless_character, text))


def _harmless_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\ufffd"


def _width(text: str) -> int:
    """The columns that a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
