"""What must stay as it is, or the agent cannot read its log any more."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from logs import ingest, write_lines

from tamis.policy.rules import assembled
from tamis.transcripts.export import write_log
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select

BLOB = "QUJDREVG" * 4 + "Heron" + "R0hJSktM" * 4 + "=="
IMAGE = "iVBORw0KGgo" + "QUJD" * 10 + "Heron" + "QUJD" * 5
URL = f"data:image/png;base64,{IMAGE}"
CALL, MESSAGE = "call_Heron12345678", "msg_Heron12345678"

CODEX = [
    {"type": "session_meta", "payload": {"id": "s"}},
    {"type": "response_item", "payload": {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "The Heron"}, {"type": "input_image", "image_url": URL}]}},
    {"type": "response_item", "payload": {
        "type": "reasoning", "id": "rs_Heron12345678", "encrypted_content": BLOB,
        "summary": [{"type": "summary_text", "text": "A Heron"}]}},
    {"type": "response_item", "payload": {"type": "function_call", "name": "ls", "call_id": CALL,
                                          "arguments": json.dumps({"path": "Heron", "id": CALL})}},
    {"type": "response_item", "payload": {
        "type": "function_call_output", "call_id": CALL, "output": "Heron"}},
]  # fmt: skip
CLAUDE = [
    {"type": "user", "sessionId": "s", "uuid": "u1", "message": {"role": "user", "content": [
        {"type": "text", "text": "The Heron"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}]}},
    {"type": "assistant", "sessionId": "s", "uuid": "u2", "requestId": "req_Heron12345678", "message": {
        "id": MESSAGE, "role": "assistant", "content": [
            {"type": "thinking", "thinking": "A Heron", "signature": BLOB},
            {"type": "tool_use", "id": "toolu_Heron12345678", "name": "Bash", "input": {"a": "Heron"}}]}},
]  # fmt: skip
COPILOT = [
    {"type": "session.start", "id": "e1", "data": {"sessionId": "s"}},
    {"type": "assistant.message", "id": "e2", "data": {
        "messageId": MESSAGE, "content": "The Heron", "encryptedContent": BLOB, "toolRequests": [
            {"toolCallId": CALL, "name": "bash", "arguments": {"command": "Heron"}}]}},
]  # fmt: skip
GEMINI = [
    {"sessionId": "s", "projectHash": "0" * 64},
    {"id": MESSAGE, "type": "gemini", "content": [{"text": "A Heron", "thoughtSignature": BLOB},
                                                  {"inlineData": {"mimeType": "image/png", "data": IMAGE}}]},
]  # fmt: skip
KEPT = (BLOB, IMAGE, URL, CALL, MESSAGE, "rs_Heron12345678", "req_Heron12345678", "toolu_Heron12345678")


def expected(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: expected(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [expected(inner) for inner in value]
    if not isinstance(value, str) or value in KEPT:
        return value
    if value.startswith("{"):
        return json.dumps(expected(json.loads(value)))
    return value.replace("Heron", "X")


@pytest.mark.parametrize(
    "log", [CODEX, CLAUDE, COPILOT, GEMINI], ids=["codex", "claude", "copilot", "gemini"]
)
def test_what_agents_need(tmp_path: Path, url: str, log: list[dict[str, Any]]) -> None:
    """Ids, signatures, encrypted reasoning and images come out of the store byte for byte, whatever rules
    find in them, and so does the structure; texts beside them do not."""
    rule = {"id": "r", "type": "literal", "pattern": "Heron", "scope": "global", "replacement": "X"}
    (tmp_path / "r.json").write_text(json.dumps([rule]))
    redactor = Redactor(assembled(tmp_path / "r.json", builtin=True))
    path = write_lines(tmp_path / "logs" / "log.jsonl", *log)
    out = io.StringIO()
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        with store.reading() as connection:
            write_log(connection, select(connection)[0], out)
    assert out.getvalue() == "".join(json.dumps(expected(record)) + "\n" for record in log)
    assert "X" in out.getvalue()
