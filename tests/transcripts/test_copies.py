"""What a log tells more than once has the same name for rules wherever it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_scopes import redacted, rule

from tamis.transcripts.discovery import AGENTS


def event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": "event_msg", "payload": {"type": kind, **payload}}


def item(kind: str, **about: Any) -> dict[str, Any]:
    return event("item_completed", item={"type": kind, **about})


def user(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"type": "user", "message": {"content": list(blocks)}, **more}


def attachment(**about: Any) -> dict[str, Any]:
    return {"type": "attachment", "attachment": {"type": "queued_command", **about}}


def hook(**about: Any) -> dict[str, Any]:
    return {"type": "hook.start", "data": {"hookType": "postToolUse", "input": about}}


def called(**about: Any) -> dict[str, Any]:
    return {"id": "m", "type": "gemini", "content": "", "toolCalls": [{"id": "c", "name": "ls", **about}]}


BIRD = "a heron"
RESULT = {"type": "tool_result", "tool_use_id": "t"}

CASES: list[tuple[str, str, dict[str, Any]]] = [
    # agent, what rules call it, a record in which all of that is
    ("codex", "tool.output", event("exec_command_end", stdout=BIRD, stderr=BIRD, aggregated_output=BIRD,
                                   formatted_output=BIRD)),
    ("codex", "tool.arguments", event("exec_command_end", command=["ls", BIRD], parsed_cmd=[{"cmd": BIRD}])),
    ("codex", "tool.arguments", event("mcp_tool_call_end", invocation={"arguments": {"a": BIRD}})),
    ("codex", "tool.output", event("mcp_tool_call_end", result={"Ok": {"content": [{"text": BIRD}]}})),
    ("codex", "tool.output", event("mcp_tool_call_end", result={"Err": BIRD})),
    ("codex", "tool.output", event("patch_apply_end", stdout=BIRD)),
    ("codex", "tool.arguments", event("patch_apply_end", changes={"f": {"unified_diff": BIRD}})),
    ("codex", "tool.arguments", event("web_search_end", query=BIRD, action={"queries": [BIRD]})),
    ("codex", "tool.arguments", event("dynamic_tool_call_request", arguments={"a": BIRD})),
    ("codex", "tool.output", event("dynamic_tool_call_response", content_items=[{"text": BIRD}])),
    ("codex", "tool.arguments", event("collab_agent_spawn_end", prompt=BIRD)),
    ("codex", "assistant", event("task_complete", last_agent_message=BIRD)),
    ("codex", "tool.output", item("CommandExecution", stdout=BIRD, formatted_output=BIRD)),
    ("codex", "tool.arguments", item("CommandExecution", command=[BIRD], parsed_cmd=[{"cmd": BIRD}])),
    ("codex", "tool.output", item("McpToolCall", result={"content": [{"text": BIRD}]})),
    ("codex", "tool.arguments", item("McpToolCall", arguments={"a": BIRD})),
    ("codex", "tool.arguments", item("FileChange", changes={"f": BIRD})),
    ("codex", "assistant", item("Plan", text=BIRD)),
    ("claude", "tool.output", user({**RESULT, "content": BIRD}, toolUseResult={"file": {"content": BIRD}})),
    ("claude", "tool.output", user({**RESULT, "text": BIRD, "content": [{"type": "text", "text": BIRD}]})),
    ("claude", "tool.output", {"type": "tool_result", "name": "bash", "output": BIRD}),
    ("claude", "tool.arguments", {"type": "tool_use", "name": "bash", "input": {"command": BIRD}}),
    ("claude", "prompt", attachment(prompt=BIRD)),
    ("claude", "prompt", attachment(prompt=[{"type": "text", "text": BIRD}])),
    ("claude", "prompt", {"type": "last-prompt", "lastPrompt": BIRD}),
    ("claude", "prompt", {"type": "queue-operation", "content": BIRD}),
    ("copilot-cli", "tool.output", {"type": "tool.execution_complete", "data": {"toolCallId": "c", "result": {
        "content": BIRD, "detailedContent": BIRD}}}),
    ("copilot-cli", "tool.output", hook(toolName="t", toolResult={"textResultForLlm": BIRD})),
    ("copilot-cli", "tool.arguments", hook(toolName="t", toolArgs={"command": BIRD})),
    ("copilot-cli", "prompt", {"type": "user.message", "data": {"content": BIRD,
                                                                      "transformedContent": BIRD}}),
    ("gemini", "tool.arguments", called(args={"a": BIRD}, description=BIRD)),
    ("gemini", "tool.output", called(result=[{"functionResponse": {"response": {"output": BIRD}}}],
                                     resultDisplay=BIRD)),
    ("gemini", "prompt", {"id": "m", "type": "user", "content": [{"text": BIRD}], "displayContent": BIRD}),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "field", "record"), CASES)
def test_copies(tmp_path: Path, agent: str, field: str, record: dict[str, Any]) -> None:
    """A rule for a text by its common name finds each copy of it, and touches nothing else of the record."""
    done = redacted(tmp_path, [rule(scope="field", fields=[field])], record, AGENTS[agent])
    assert done == json.dumps(record).replace("heron", "X")
    others = {"prompt", "assistant", "reasoning", "tool.arguments", "tool.output"} - {field}
    untouched = redacted(tmp_path, [rule(scope="field", fields=sorted(others))], record, AGENTS[agent])
    assert untouched == json.dumps(record)
