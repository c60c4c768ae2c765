"""GitHub Copilot in VS Code: `workspaceStorage/<hash>/chatSessions/<session>.json`, one document; newer
versions write `.jsonl`, a log of changes to that document: `{"kind": 0, "v": …}` is the document, 1 sets and
2 appends to what stands at `k`, 3 takes it away.

Written from descriptions: no file of a real session was seen.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.transcripts.agents import Found, Head
from tamis.transcripts.agents.values import dicts, number, text_of
from tamis.transcripts.model import Event, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tamis.transcripts.model import Path as Way

_EDITIONS = ("Code", "Code - Insiders", "VSCodium")


class CopilotVsCode:
    """Reads the chat sessions of VS Code."""

    name = "copilot-vscode"
    title = "GitHub Copilot in VS Code"
    members: tuple[str, ...] = ("requests",)
    patterns: tuple[str, ...] = (
        "workspaceStorage/*/chatSessions/*.json*",
        "globalStorage/emptyWindowChatSessions/*.json*",
        "workspaceStorage/*/emptyWindowChatSessions/*.json*",
    )
    beside: tuple[str, ...] = ("**/chatEditingSessions/*/contents/*", "**/chatEditingSessions/*/state.json")
    replaces = False

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        if sys.platform == "darwin":
            base = home / "Library" / "Application Support"
        elif sys.platform == "win32":
            base = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        else:
            base = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return [base / edition / "User" for edition in _EDITIONS]

    def found(self, root: Path, path: Path) -> Found | None:
        source = path.relative_to(root).as_posix()
        if "chatEditingSessions" in path.parts:
            # What files were like that the agent changed.
            parent = path.parts[path.parts.index("chatEditingSessions") + 1]
            return Found(path, source, path.name, parent, is_log=False)
        return Found(path, source, path.stem)

    def knows(self, record: dict[str, Any]) -> bool:
        return (
            "responderUsername" in record
            or "requestId" in record
            or ("kind" in record and ("v" in record or "k" in record) and not isinstance(record["kind"], str))
        )

    def note(self, record: dict[str, Any], head: Head) -> str:
        told = record.get("v") if record.get("kind") == 0 else record
        if record.get("kind") == 1 and record.get("k") == ["customTitle"]:
            head.title = text_of(record.get("v"))
        if isinstance(told, dict):
            head.session = head.session or text_of(told.get("sessionId"))
            head.title = text_of(told.get("customTitle")) or head.title
            head.model = text_of(told.get("modelId")) or head.model
        return text_of(record.get("requestId"))

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        if "kind" in record and ("v" in record or "k" in record):
            events = list(_change(record))
        else:
            events = list(_request(record, ()))
        return events or [Event("other", name="session")]


def _change(record: dict[str, Any]) -> Iterator[Event]:
    kind, value, told = record.get("kind"), record.get("v"), record.get("k")
    keys: list[Any] = told if isinstance(told, list) else []
    yield Event("other", name=f"change.{kind}")
    if kind == 0 and isinstance(value, dict):
        for index, request in dicts(value.get("requests")):
            yield from _request(request, ("v", "requests", index))
    elif keys == ["requests"]:
        for index, request in dicts(value):
            yield from _request(request, ("v", index))
    elif len(keys) == 2 and keys[0] == "requests" and isinstance(value, dict):
        yield from _request(value, ("v",))
    elif len(keys) > 2 and keys[0] == "requests":
        # A part of a request: put it where it would stand, and read it there.
        whole: Any = value
        at: Way = ("v",)
        for key in reversed(keys[2:]):
            if isinstance(key, str):
                whole = {key: whole}
        if isinstance(whole, dict) and all(isinstance(key, str) for key in keys[2:]):
            depth = len(keys) - 2
            for event in _request(whole, ()):
                event.path = (*at, *event.path[depth:])
                yield event


def _request(request: dict[str, Any], path: Way) -> Iterator[Event]:
    message = request.get("message")
    if isinstance(message, dict) and isinstance(message.get("text"), str):
        yield Event("prompt", message["text"], (*path, "message", "text"), "prompt", role="user")
        for index, part in dicts(message.get("parts")):
            if isinstance(part.get("text"), str):
                yield Event(
                    "other", part["text"], (*path, "message", "parts", index, "text"), "prompt", name="part"
                )
    elif isinstance(message, str):
        yield Event("prompt", message, (*path, "message"), "prompt", role="user")
    result = request.get("result")
    metadata = result.get("metadata") if isinstance(result, dict) else None
    if isinstance(metadata, dict):
        yield from _metadata(metadata, (*path, "result", "metadata"))
    for index, part in dicts(request.get("response")):
        yield from _part(part, (*path, "response", index))
    usage = request.get("usage") or (result.get("usage") if isinstance(result, dict) else None)
    if isinstance(usage, dict):
        yield Event(
            "usage",
            usage=Usage(
                input=number(usage, "promptTokens", "prompt_tokens"),
                output=number(usage, "completionTokens", "completion_tokens"),
            ),
        )


def _part(part: dict[str, Any], path: Way) -> Iterator[Event]:
    """One part of an answer, as it is shown."""
    kind = part.get("kind")
    if kind in (None, "markdownContent"):
        key = "value" if "value" in part else "content"
        value, way = part.get(key), (*path, key)
        if isinstance(value, dict):
            value, way = value.get("value"), (*way, "value")
        if isinstance(value, str):
            yield Event("message", value, way, "assistant", role="assistant")
    elif kind == "thinking" and isinstance(part.get("value"), str):
        yield Event("reasoning", part["value"], (*path, "value"), "reasoning")
    elif kind in ("toolInvocationSerialized", "toolInvocation"):
        call = text_of(part.get("toolCallId"))
        yield Event(
            "tool_call",
            part.get("toolSpecificData", ""),
            (*path, "toolSpecificData"),
            "tool.arguments",
            name=text_of(part.get("toolId")),
            call=call,
            once=call,
        )
    else:
        yield Event("other", name=text_of(kind) or "part")


def _metadata(metadata: dict[str, Any], path: Way) -> Iterator[Event]:
    """What went to the model and came from it."""
    for index, part in dicts(metadata.get("renderedUserMessage")):
        if isinstance(part.get("text"), str):
            yield Event(
                "other",
                part["text"],
                (*path, "renderedUserMessage", index, "text"),
                "prompt",
                name="renderedUserMessage",
            )
    for number_, round_ in dicts(metadata.get("toolCallRounds")):
        way = (*path, "toolCallRounds", number_)
        if isinstance(round_.get("response"), str):
            yield Event("other", round_["response"], (*way, "response"), "assistant", name="round")
        for index, call in dicts(round_.get("toolCalls")):
            yield Event(
                "tool_call",
                call.get("arguments", ""),
                (*way, "toolCalls", index, "arguments"),
                "tool.arguments",
                name=text_of(call.get("name")),
                call=text_of(call.get("id")),
                once=text_of(call.get("id")),
            )
    results = metadata.get("toolCallResults")
    if isinstance(results, dict):
        for id, result in results.items():
            for index, part in dicts(result.get("content") if isinstance(result, dict) else None):
                yield Event(
                    "tool_result",
                    part.get("value", ""),
                    (*path, "toolCallResults", id, "content", index, "value"),
                    "tool.output",
                    call=id,
                )
