"""The JSON Schema of content rules, and the file that `tamis init --rules` writes."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from test_rulefiles import GOOD, WRONG

from tamis import cli
from tamis.policy import rulefile
from tamis.policy.rulefile import read_rules
from tamis.policy.rules import load_rules
from tamis.policy.schema import rules_schema_text, rules_text

SCHEMA = json.loads(rules_schema_text())
VALID = jsonschema.Draft202012Validator(SCHEMA)
# What only a look at a pattern or an example tells.
DEEPER = {
    "bad-regex",
    "matches-empty",
    "marker-without-content",
    "bad-path",
    "bad-replacement",
    "example-fails",
}


def test_it_is_a_schema() -> None:
    """The file is a valid JSON Schema of draft 2020-12, and uses nothing that editors misread."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("draft/2020-12/schema")
    assert "unevaluatedProperties" not in rules_schema_text()
    assert "prefixItems" not in rules_schema_text()


def test_the_keys_are_those_of_the_reader() -> None:
    """The schema knows each key that the reader knows, and no other, with a word about each."""
    keys = SCHEMA["$defs"]["rule"]["properties"]
    assert set(keys) == set(rulefile._KEYS)
    assert set(keys["type"]["enum"]) == set(rulefile.TYPES)
    assert set(keys["scope"]["enum"]) == set(rulefile.SCOPES)
    assert all(len({**SCHEMA["$defs"]["id"], **key}["description"]) > 10 for key in keys.values())


@pytest.mark.parametrize(("rule", "ids"), WRONG)
def test_mistakes(rule: Any, ids: list[str]) -> None:
    """It refuses what the reader refuses, but for what is inside of patterns."""
    deeper = set(ids) <= DEEPER and rule != {**GOOD, "type": "literal", "pattern": ""}
    assert VALID.is_valid([rule]) is deeper


def test_what_is_right() -> None:
    """It takes what the reader takes: all keys, and a built-in rule switched off."""
    full = {
        **GOOD,
        "scope": "field",
        "fields": ["a.b"],
        "replacement": "x",
        "enabled": True,
        "ignore_case": False,
    }
    full |= {"dotall": True, "reason": "r", "actor": "a", "examples": ["b"], "counterexamples": ["c"]}
    assert set(full) == set(rulefile._KEYS)
    assert VALID.is_valid([full, {"id": "email-address", "enabled": False}, GOOD])
    assert VALID.is_valid([])


def test_the_file_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """`tamis init --rules` writes rules that are right by schema and by check, and that do what they say."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--rules"]) == 0
    path = tmp_path / "user/redactions.yml"
    assert path.read_text() == rules_text()
    assert path.read_text().startswith("# yaml-language-server: $schema=./redactions.schema.json\n")
    assert (tmp_path / "user/redactions.schema.json").read_text() == rules_schema_text()
    assert VALID.is_valid(yaml.safe_load(path.read_text()))
    assert read_rules(path, examples=True).warnings == ()
    assert cli.main(["check", "--strict", "user/redactions.yml"]) == 0
    rules = load_rules(path, builtin=False)
    text = "ada@shop.test [redact: Heron] Bearer abcdefghijklmnopqrstuvwxyz [debug]x\ny[/debug] /home/ada/x"
    gone = "<REDACTED:email> <REDACTED> Bearer <REDACTED:token> [snippet removed] /home/<user>/x"
    assert rules.redact(text).text == gone
    assert cli.main(["init", "--rules"]) == 2
    assert "`--force` overwrites it" in capsys.readouterr().err
    path.write_text("[]")
    assert cli.main(["init", "--rules", "--schema"]) == 0
    assert path.read_text() == "[]"
    assert cli.main(["init", "--rules", "--force"]) == 0
    assert path.read_text() == rules_text()
