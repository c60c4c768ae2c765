"""What the readers make of logs that agents wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import SAMPLES, ingest, rows

from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import open_store

# Counted by hand in the files. Nothing is broken in any.
EXPECTED: dict[str, tuple[str, int, int, dict[str, int]]] = {
    # file: agent, records, prompts, events of each kind
    "codex/codex_050_legacy.jsonl": ("codex", 5, 0, {"usage": 1, "other": 4}),
    "codex/codex_051_usage.jsonl": ("codex", 3, 0, {"usage": 2, "other": 1}),
    "codex/codex_052_raw.jsonl": ("codex", 6, 0, {"usage": 2, "other": 4}),
    "codex/codex_053_rate_limit.jsonl": ("codex", 5, 0, {"usage": 1, "other": 4}),
    # "Start" is told twice, as an item and as an event; what the environment is, is no prompt.
    "codex/large.jsonl": (
        "codex",
        20,
        6,
        {"prompt": 6, "message": 8, "tool_call": 1, "tool_result": 1, "usage": 1, "other": 2},
    ),
    "codex/schema_drift.jsonl": (
        "codex",
        5,
        1,
        {"prompt": 1, "tool_call": 1, "tool_result": 1, "message": 1, "other": 1},
    ),
    # What the trimmed samples say in the same words counts as told twice; a history that was compacted, too.
    "codex/small.jsonl": (
        "codex",
        118,
        4,
        {
            "prompt": 4,
            "message": 10,
            "reasoning": 1,
            "tool_call": 8,
            "tool_result": 8,
            "usage": 2,
            "other": 88,
        },
    ),
    # Of one answer that is told in several records, the usage counts once.
    "claude/small.jsonl": (
        "claude",
        89,
        6,
        {
            "prompt": 6,
            "message": 7,
            "reasoning": 6,
            "tool_call": 3,
            "tool_result": 3,
            "usage": 2,
            "other": 70,
        },
    ),
    "claude/schema_drift.jsonl": (
        "claude",
        10,
        2,
        {"prompt": 2, "message": 1, "tool_call": 1, "tool_result": 1, "other": 5},
    ),
    "claude/large.jsonl": (
        "claude",
        10,
        4,
        {"prompt": 4, "reasoning": 1, "message": 5, "tool_call": 1, "tool_result": 1},
    ),
    "claude/subagent/0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f.jsonl": (
        "claude",
        3,
        1,
        {"prompt": 1, "message": 1, "tool_call": 1, "other": 1},
    ),
    # What a sub-agent is asked is no prompt of a user.
    "claude/subagent/0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f/subagents/agent-a0ad4f44468bdf20d.jsonl": (
        "claude",
        4,
        0,
        {"message": 2, "tool_call": 1, "tool_result": 1, "other": 1},
    ),
    # Calls are told by the answer that asks and by the start; those of the trimmed ones have one id.
    "copilot/small.jsonl": (
        "copilot-cli",
        32,
        2,
        {
            "prompt": 2,
            "message": 6,
            "reasoning": 2,
            "tool_call": 2,
            "tool_result": 4,
            "usage": 5,
            "other": 17,
        },
    ),
    "copilot/large.jsonl": (
        "copilot-cli",
        18,
        3,
        {"prompt": 3, "message": 4, "tool_call": 2, "tool_result": 1, "other": 8},
    ),
    "copilot/subdir_v1/aaaabbbb-1111-2222-3333-ccccddddeeee/events.jsonl": (
        "copilot-cli",
        8,
        1,
        {"prompt": 1, "message": 1, "tool_call": 1, "tool_result": 1, "usage": 2, "other": 3},
    ),
    "copilot/schema_drift.jsonl": (
        "copilot-cli",
        13,
        0,
        {"message": 1, "tool_call": 1, "tool_result": 2, "other": 8},
    ),
    # What is around the messages of a document is a record, too.
    "gemini/small.json": (
        "gemini",
        3,
        1,
        {"prompt": 1, "message": 1, "reasoning": 1, "usage": 1, "other": 1},
    ),
    "gemini/large.json": (
        "gemini",
        8,
        2,
        {"prompt": 2, "message": 3, "reasoning": 1, "tool_call": 2, "tool_result": 2, "usage": 1, "other": 1},
    ),
    "gemini/schema_drift.json": ("gemini", 3, 1, {"prompt": 1, "message": 1, "other": 1}),
    "gemini/jsonl_v040.jsonl": (
        "gemini",
        5,
        1,
        {"prompt": 1, "message": 1, "tool_call": 1, "tool_result": 1, "usage": 2, "other": 2},
    ),
}


def test_every_sample_is_counted() -> None:
    """There is no sample of which nobody has counted what it tells."""
    logs = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.json*")}
    assert {name for name in logs if not name.endswith(".meta.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_events_of_a_sample(name: str, tmp_path: Path, redactor: Redactor) -> None:
    """Each sample is known by what is in it, and tells what somebody counted in it."""
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        (done,) = ingest(store, redactor, SAMPLES / name)
    assert (done.agent, done.records, done.prompts, dict(done.kinds)) == EXPECTED[name]
    assert not done.broken
    assert not done.unfinished


@pytest.mark.parametrize("agent", ["codex", "claude", "copilot", "gemini"])
def test_nothing_of_a_sample_is_lost(agent: str, url: str, redactor: Redactor) -> None:
    """What no rule changes is kept byte for byte, whatever its type, in both databases."""
    with open_store(url, create=True) as store:
        done = ingest(store, redactor, SAMPLES / agent)
        kept = {(row[0], row[1]): row[4] for row in rows(store)["records"]}
    assert len(done) >= 4
    lines = {
        (path.relative_to(SAMPLES / agent).as_posix(), number): line
        for path in (SAMPLES / agent).rglob("*.jsonl")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.strip()
    }
    assert lines
    assert {place: kept.get(place) for place in lines} == lines
