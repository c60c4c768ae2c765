"""Filters for tests, from plain data."""

import json
from collections.abc import Iterable
from typing import Any

from tamis._core import Policy

BASE = {"default_exec": "trace", "default_value_action": "allow"}


def toml(
    *rules: dict[str, Any],
    name: str = "test",
    version: int = 1,
    io: dict[str, Any] | None = None,
    accept: Iterable[str] = (),
    **scope: str,
) -> str:
    """A filter with these rules; a rule's `patterns` are (selector, action) pairs or tables."""
    lines = ["[meta]", *_pairs({"name": name, "version": version})]
    lines += _pairs({"accept": list(accept)} if accept else {})
    if io is not None:
        lines += ["[io]", *_pairs(io)]
    lines += ["[scope]", *_pairs({**BASE, **scope})]
    for rule in rules:
        lines += ["[[scope.rules]]", *_pairs({key: rule[key] for key in rule if key != "patterns"})]
        for selector, action in rule.get("patterns", ()):
            lines += ["[[scope.rules.value_patterns]]", *_pairs({"selector": selector, "action": action})]
    return "\n".join(lines) + "\n"


def rule(
    selector: str, exec: str | None = None, default: str | None = None, **patterns: Any
) -> dict[str, Any]:
    """A rule; `patterns` are its value patterns, in order."""
    table: dict[str, Any] = {"selector": selector, **patterns}
    if exec is not None:
        table["exec"] = exec
    if default is not None:
        table["value_default"] = default
    return table


def policy(*texts: str) -> Policy:
    """The chain of these filters, without builtin-default."""
    return Policy([(f"{index}.toml", None, text.encode()) for index, text in enumerate(texts)])


def _pairs(table: dict[str, Any]) -> Iterable[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]
