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

MODULES = ("shop/__init__.py", "shop/cart.py", "shop/pay/__init__.py", "shop/pay/card.py", "lib.py")
NAMES = ("order", "price", "password", "token", "user", "customer", "_x", "user_id")


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class Package:
    """A package of functions, methods, inner functions and generators, and a program that calls each once."""

    def __init__(self, folder: Path, pick: random.Random) -> None:
        self.called: list[tuple[str, str]] = []
        """Module and qualified name of each."""
        calls = [f"import {module_of(file)}" for file in MODULES]
        number = itertools.count()
        for file in MODULES:
            text = ""
            for _ in range(pick.randrange(1, 4)):
                n, module = next(number), module_of(file)
                names = pick.sample(NAMES, pick.randrange(4))
                given = ", ".join(f"'v{index}'" for index in range(len(names)))
                kind = pick.choice(["function", "method", "inner", "generator"])
                body = f"return '{n}'" if kind != "generator" else f"yield '{n}'"
                qualname = f"f{n}"
                if kind == "method":
                    parameters = ", ".join(["self", *names])
                    text += f"class C{n}:\n    def m{n}({parameters}): {body}\n"
                    calls.append(f"{module}.C{n}().m{n}({given})")
                    qualname = f"C{n}.m{n}"
                elif kind == "inner":
                    text += f"def f{n}():\n    def i{n}({', '.join(names)}): {body}\n"
                    text += f"    return i{n}({given})\n"
                    calls.append(f"{module}.f{n}()")
                    self.called.append((module, f"f{n}.<locals>.i{n}"))
                else:
                    text += f"def f{n}({', '.join(names)}): {body}\n"
                    calls.append(f"list({module}.f{n}({given}))")
                self.called.append((module, qualname))
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.program = "\n".join(calls)


def some_rules(pick: random.Random, called: list[tuple[str, str]]) -> str:
    modules = [module_of(file) for file in MODULES]
    rules = []
    for _ in range(pick.randrange(1, 7)):
        module, qualname = pick.choice(called)
        owner = qualname.partition(".")[0]
        selector = pick.choice(
            [
                f"pkg:{pick.choice(modules)}", f"pkg:{pick.choice(modules)}.*", "pkg:*",
                "pkg:regex:shop\\\\..*", f"obj:{module}.{qualname}", f"obj:{module}.{owner}",
                f"obj:*.{owner}",
                f"file:{pick.choice(MODULES)}", "file:shop/**", "file:*.py",
            ]
        )  # fmt: skip
        rules.append(f'[[scope.rules]]\nselector = "{selector}"')
        rules.append(f'exec = "{pick.choice(["trace", "trace", "skip", "inherit"])}"')
        rules.append(f'value_default = "{pick.choice(["allow", "redact", "drop", "inherit"])}"')
        for _ in range(pick.randrange(3)):
            pattern = pick.choice(
                [f"arg:{pick.choice(NAMES)}", f"local:{pick.choice(NAMES)}", "arg:*", "local:regex:.*user.*",
                 f"ret:{qualname.rpartition('.')[2]}", f"ret:{module}.{qualname}", "ret:*"]
            )  # fmt: skip
            action = pick.choice(["allow", "redact", "drop"])
            rules.append(f'[[scope.rules.value_patterns]]\nselector = "{pattern}"\naction = "{action}"')
    return "\n".join(rules)


@pytest.mark.parametrize("seed", range(10))
def test_recordings_are_as_explained(tmp_path: Path, monkeypatch, capsys, seed: int) -> None:
    """For random filters and packages, what is recorded is what is explained: each object, each value."""
    pick = random.Random(seed)
    package = Package(tmp_path, pick)
    filters = [filter_text(some_rules(pick, package.called))]
    recorded = recording.record(tmp_path, package.program, filters=filters).ok()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODETRACER_TRACE_FILTER", raising=False)
    assert cli.main(["explain", "--trace-filter", "filter-0.toml", "--json"]) == 0
    tree = {
        (file["file"], code["qualname"]): code["trace"]
        for file in json.loads(capsys.readouterr().out)
        for code in file["code"]
    }
    for module, name in package.called:
        words = ["explain", f"{module}.{name}", "--trace-filter", "filter-0.toml", "--json"]
        assert cli.main(words) == 0
        [one] = json.loads(capsys.readouterr().out)
        assert len(recorded.calls(name)) == int(one["trace"]), name
        assert tree[one["file"], name] == one["trace"]
        if not one["trace"]:
            continue
        [arguments] = recorded.arguments(name)
        parameters = itertools.takewhile(lambda value: value["kinds"] == ["arg", "local"], one["values"])
        for value in parameters:
            found = action_of(arguments.get(value["name"], {"$dropped": True}))
            assert found == value["action"], (name, value)
        events = [event for event in recorded.events if event.qualname == name]
        left = [event.value for event in events if event.kind in ("return", "yield")]
        assert left
        for value in left:
            assert action_of(json.loads(value or "null")) == one["values"][-1]["action"], name


def action_of(value: object) -> str:
    if isinstance(value, dict) and "$dropped" in value:
        return "drop"
    return "redact" if isinstance(value, dict) and "$redacted" in value else "allow"
