"""The rules that come with Tamis: the formats of credentials, and what else is hardly ever meant to be
kept."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

from tamis.policy.rulefile import REPLACEMENT, Rule

__all__ = ["builtin_rules"]

FILE = os.path.join(os.path.dirname(__file__), "builtin", "rules.json")


@functools.cache
def builtin_rules() -> tuple[Rule, ...]:
    """The built-in rules, in their order. Their examples are recipes: `{alnum:36}` stands for 36 random
    letters and digits, `{}` for nothing, because no text that looks like a secret may lie in a file."""
    with open(FILE, encoding="utf-8") as file:
        entries = json.load(file)
    return tuple(map(_rule, entries))


def _rule(entry: dict[str, Any]) -> Rule:
    keys = {
        **entry,
        # With the classes of ASCII, which an engine that never backtracks runs on any text.
        "pattern": f"(?a){entry['pattern']}",
        "examples": tuple(entry["examples"]),
        "counterexamples": tuple(entry["counterexamples"]),
        "replacement": f"{REPLACEMENT[:-1]}:{entry['id']}>",
    }
    return Rule(**keys, type="regex", scope="global")
