"""Content rules without their imports: a recorded process has this module, and needs no reader of YAML."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from tamis.policy.rules import Rules

__all__ = ["load_rules"]


def load_rules(path: str | os.PathLike[str], *, builtin: bool = True) -> Rules:
    """The content rules of a file (YAML, or JSON if its name ends in `.json`), and behind them the built-in
    ones, unless `builtin` is false. An entry with the id of a built-in rule stands in its place, or switches
    it off.

    Raises `PolicyError`, which is a `ValueError`, with every mistake in it."""
    rules = importlib.import_module("tamis.policy.rules")
    loaded: Rules = rules.load_rules(path, builtin=builtin)
    return loaded
