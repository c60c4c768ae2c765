"""Prints what was found in filters: for people, for programs, for code scanners, for GitHub's workflows."""

from __future__ import annotations

import json
import sys
from typing import NamedTuple

from tamis.diagnostics import render_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tamis._core import Diagnostic
    from tamis.policy.checking import Checked

    type Report = Callable[[Sequence[Checked], bool], None]

__all__ = ["FORMATS", "Finding", "print_sarif", "problems"]


def problems(diagnostics: Sequence[Diagnostic], colour: bool) -> None:
    """Prints these for people."""
    if diagnostics:
        print(render_all(diagnostics, colour=colour))


def _text(found: Sequence[Checked], colour: bool) -> None:
    for checked in found:
        if not _count(checked.diagnostics, "error"):
            warnings = _count(checked.diagnostics, "warning")
            also = f"{warnings} warning{'s' * (warnings > 1)}, " if warnings else ""
            rules = f"{checked.rules} {checked.called}{'s' * (checked.rules != 1)}"
            beside = " beside those of builtin-default" if checked.called == "rule" else ""
            print(f"{checked.names}: no errors, {also}{rules}{beside}")
    problems(_all(found), colour)


def _json(found: Sequence[Checked], colour: bool) -> None:
    diagnostics = _all(found)
    keys = ("id", "severity", "path", "line", "column", "end", "message", "hint", "source")
    report = {
        "version": 1,
        "errors": _count(diagnostics, "error"),
        "warnings": _count(diagnostics, "warning"),
        "diagnostics": [{key: getattr(diagnostic, key) for key in keys} for diagnostic in diagnostics],
    }
    _print_json(report)


class Finding(NamedTuple):
    """Something to report at a place; `line` 0 is the file as a whole, `end` 0 not known."""

    id: str
    level: str
    message: str
    path: str
    line: int
    column: int
    end: int = 0


def _sarif(found: Sequence[Checked], colour: bool) -> None:
    print_sarif(
        [
            Finding(one.id, one.severity, _sentence(one), one.path, one.line, one.column, one.end)
            for one in _all(found)
        ]
    )


def print_sarif(found: Sequence[Finding]) -> None:
    """Prints findings for code scanners (SARIF 2.1.0)."""
    from tamis._core import VERSION

    rules = {id: index for index, id in enumerate(sorted({finding.id for finding in found}))}
    driver = {"name": "tamis", "version": VERSION, "rules": [{"id": id} for id in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules[finding.id]) for finding in found],
    }
    _print_json(
        {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    )


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path)}}
    if finding.line:
        place["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endColumn": max(finding.end, finding.column + 1),
        }
    return {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }


def _github(found: Sequence[Checked], colour: bool) -> None:
    """Commands that a workflow turns into annotations of the changed lines."""
    for diagnostic in _all(found):
        fields = {"file": diagnostic.path, "title": f"tamis: {diagnostic.id}"}
        if diagnostic.line:
            fields["line"] = str(diagnostic.line)
            fields["col"] = str(diagnostic.column)
            fields["endColumn"] = str(diagnostic.end)
        shown = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in fields.items())
        print(f"::{diagnostic.severity} {shown}::{_escaped(_sentence(diagnostic))}")


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + more else c for c in text)


def _sentence(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message}; hint: {diagnostic.hint}" if diagnostic.hint else diagnostic.message


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _all(found: Sequence[Checked]) -> list[Diagnostic]:
    """Every diagnostic once: chains that are checked one by one have filters in common."""
    seen: dict[tuple[object, ...], Diagnostic] = {}
    for diagnostic in (diagnostic for checked in found for diagnostic in checked.diagnostics):
        key = (diagnostic.id, diagnostic.path, diagnostic.line, diagnostic.column, diagnostic.message)
        seen.setdefault(key, diagnostic)
    return list(seen.values())


def _count(diagnostics: Sequence[Diagnostic], severity: str) -> int:
    return sum(diagnostic.severity == severity for diagnostic in diagnostics)


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()


FORMATS: dict[str, Report] = {"text": _text, "json": _json, "sarif": _sarif, "github": _github}
