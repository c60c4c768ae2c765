"""Recordings do what `tamis explain` says."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
import recording
from recording import filter_text

from tamis import cli

PROGRAM = """
    class Shop:
        def sell(self, order, price=2):
            return price
        def close(self, password): pass
    def buy(order):
        def inner(price): return price
        return inner(order)
    def idle(token): pass
    shop = Shop()
    shop.sell("a")
    shop.close("b")
    buy("c")
    idle("d")
    """


def some_rules(seed: int) -> str:
    pick = random.Random(seed)
    rules = []
    for _ in range(pick.randrange(1, 6)):
        selector = pick.choice(
            ["pkg:app", "pkg:*", "obj:app.Shop", "obj:app.buy", "obj:*.sell", "file:app.py"]
        )
        rules.append(f'[[scope.rules]]\nselector = "{selector}"')
        rules.append(f'exec = "{pick.choice(["trace", "skip", "inherit"])}"')
        rules.append(f'value_default = "{pick.choice(["allow", "redact", "drop", "inherit"])}"')
        for _ in range(pick.randrange(3)):
            pattern = pick.choice(["arg:order", "local:price", "arg:*", "ret:sell", "ret:*", "arg:password"])
            action = pick.choice(["allow", "redact", "drop"])
            rules.append(f'[[scope.rules.value_patterns]]\nselector = "{pattern}"\naction = "{action}"')
    return "\n".join(rules)


@pytest.mark.parametrize("seed", range(6))
def test_recordings_are_as_explained(tmp_path: Path, monkeypatch, capsys, seed: int) -> None:
    """For random filters: what is recorded is what is explained, function by function, value by value."""
    recorded = recording.record(tmp_path, PROGRAM, filters=[filter_text(some_rules(seed))]).ok()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODETRACER_TRACE_FILTER", raising=False)
    for name in ("Shop.sell", "Shop.close", "buy", "buy.<locals>.inner", "idle"):
        assert cli.main(["explain", f"app.{name}", "--trace-filter", "filter-0.toml", "--json"]) == 0
        [one] = json.loads(capsys.readouterr().out)
        assert len(recorded.calls(name)) == int(one["trace"]), name
        if not one["trace"]:
            continue
        [arguments], [result] = recorded.arguments(name), recorded.results(name)
        parameters = itertools.takewhile(lambda value: value["kinds"] == ["arg", "local"], one["values"])
        for value in parameters:
            assert action_of(arguments.get(value["name"], {"$dropped": True})) == value["action"], (
                name,
                value,
            )
        assert action_of(result) == one["values"][-1]["action"], name


def action_of(value: object) -> str:
    if isinstance(value, dict) and "$dropped" in value:
        return "drop"
    return "redact" if isinstance(value, dict) and "$redacted" in value else "allow"
