"""Where in records rules of each scope are applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tamis.policy.rules import assembled
from tamis.transcripts.agents import Agent
from tamis.transcripts.agents.claude import Claude
from tamis.transcripts.agents.codex import Codex
from tamis.transcripts.model import Event
from tamis.transcripts.redaction import Redacted, Redactor, path_text

RECORD = {
    "type": "assistant",
    "cwd": "heron",
    "message": {
        "content": [
            {"type": "text", "text": "heron said"},
            {"type": "thinking", "thinking": "heron thought", "signature": "heron"},
            {
                "type": "tool_use",
                "name": "heron",
                "input": {"command": "heron asked", "deep": {"token": "heron"}},
            },
        ]
    },
}
PROMPT = {"type": "user", "cwd": "heron", "message": {"content": [{"type": "text", "text": "heron typed"}]}}
RESULT = {
    "type": "user",
    "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "content": "heron listed"}]},
}


def redacted(tmp_path: Path, rules: object, record: dict[str, object], agent: Agent | None = None) -> str:
    (tmp_path / "r.json").write_text(json.dumps(rules))
    redactor = Redactor(assembled(tmp_path / "r.json", builtin=False))
    reader = agent or Claude()
    return redactor.record(json.dumps(record), reader.events(record, parent=False)).text


def rule(**keys: object) -> dict[str, object]:
    return {"id": "r", "type": "literal", "pattern": "heron", "replacement": "X", **keys}


@pytest.mark.parametrize(
    ("keys", "record", "expected"),
    [
        # The default scope: what a user typed, and nothing else of the record.
        ({}, PROMPT, {"X typed"}),
        ({"scope": "prompt"}, RECORD, set()),
        ({"scope": "prompt"}, RESULT, set()),
        ({"scope": "global"}, PROMPT, {"X", "X typed"}),
        ({"scope": "field"}, PROMPT, {"X typed"}),
        ({"scope": "field"}, RECORD, {"X said"}),
        ({"scope": "field", "fields": ["assistant"]}, RECORD, {"X said"}),
        ({"scope": "field", "fields": ["reasoning"]}, RECORD, {"X thought"}),
        ({"scope": "field", "fields": ["tool.arguments"]}, RECORD, {"X asked", "X"}),
        ({"scope": "field", "fields": ["tool.arguments.command"]}, RECORD, {"X asked"}),
        ({"scope": "field", "fields": ["tool.output"]}, RESULT, {"X listed"}),
        ({"scope": "field", "fields": ["tool.output"]}, RECORD, set()),
        ({"scope": "field", "fields": ["cwd"]}, RECORD, {"X"}),
        ({"scope": "field", "fields": ["raw_json.message.content[0].text"]}, RECORD, {"X said"}),
        ({"scope": "field", "fields": ["raw_json"]}, PROMPT, {"X", "X typed"}),
        ({"scope": "field", "fields": ["**.token"]}, RECORD, {"X"}),
        ({"enabled": False, "scope": "global"}, PROMPT, set()),
        ({"pattern": "HERON", "ignore_case": False, "scope": "global"}, PROMPT, set()),
        ({"pattern": "HERON", "scope": "prompt"}, PROMPT, {"X typed"}),
        (
            {"type": "regex", "pattern": "(?P<bird>her.n)", "replacement": r"[\g<bird>]", "scope": "prompt"},
            PROMPT,
            {"[heron] typed"},
        ),
    ],
)
def test_a_rule_of_each_scope(
    keys: dict[str, object], record: dict[str, object], expected: set[str], tmp_path: Path
) -> None:
    """A rule changes the texts that its scope and fields name, and no others."""
    before, after = json.dumps(record), redacted(tmp_path, [rule(**keys)], record)
    texts = {part for part in after.split('"') if part not in before.split('"')}
    assert texts == expected


def test_rules_for_prompts_go_first(tmp_path: Path) -> None:
    """On a prompt, rules for prompts run before those that stand above them in the file."""
    rules = [
        rule(id="all", scope="global", replacement="ALL"),
        rule(id="mine", scope="prompt", replacement="MINE"),
    ]
    assert '"MINE typed"' in redacted(tmp_path, rules, PROMPT)
    assert '"ALL said"' in redacted(tmp_path, rules, RECORD)


def test_arguments_that_are_json_in_a_text(tmp_path: Path) -> None:
    """A path goes on into a text that holds JSON."""
    call = {"type": "function_call", "name": "f", "arguments": json.dumps({"a": "heron", "b": "heron"})}
    record = {"type": "response_item", "payload": call}
    after = redacted(tmp_path, [rule(scope="field", fields=["tool.arguments.a"])], record, Codex())
    assert json.loads(json.loads(after)["payload"]["arguments"]) == {"a": "X", "b": "heron"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", 0, "b"), "a[0].b"),
        (("$set", "messages", 3), "$set.messages[3]"),
        (("a.b", 'c"d\\', ""), '"a.b"."c\\"d\\\\".""'),
        ((0, 1), "[0][1]"),
    ],
)
def test_paths_as_rules_write_them(path: tuple[str | int, ...], text: str) -> None:
    """Names that are no plain words stand in quotes."""
    assert path_text(path) == text


def test_events_without_a_field_ask_no_rule(tmp_path: Path) -> None:
    """What a reader has no name for is left to rules for everything."""
    (tmp_path / "r.json").write_text(json.dumps([rule(scope="prompt")]))
    redactor = Redactor(assembled(tmp_path / "r.json", builtin=False))
    assert redactor.record('{"a": "heron"}', [Event("other")]) == Redacted('{"a": "heron"}', [], [])
