"""GitHub Copilot CLI: `session-state/<session>/events.jsonl`, in older versions `<session>.jsonl`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.transcripts.agents import Found, Head
from tamis.transcripts.agents.values import copies, dicts, number, text_of
from tamis.transcripts.model import Event, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tamis.transcripts.model import Field
    from tamis.transcripts.model import Path as Way

_DETAILS: dict[str, Field] = {"detailedContent": "tool.output"}
_HOOK: dict[str, Field] = {"toolArgs": "tool.arguments", "toolResult": "tool.output"}


class CopilotCli:
    """Reads the logs of GitHub Copilot CLI."""

    name = "copilot-cli"
    title = "GitHub Copilot CLI"
    members: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ("session-state/**/*.jsonl", "history-session-state/**/*.jsonl")
    beside: tuple[str, ...] = ()
    replaces = False

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        chosen = environment.get("COPILOT_HOME") or environment.get("XDG_STATE_HOME")
        return [Path(chosen)] if chosen else [home / ".copilot"]

    def found(self, root: Path, path: Path) -> Found | None:
        session = path.parent.name if path.name == "events.jsonl" else path.stem
        return Found(path, path.relative_to(root).as_posix(), session)

    def knows(self, record: dict[str, Any]) -> bool:
        return isinstance(record.get("data"), dict) and "." in text_of(record.get("type"))

    def note(self, record: dict[str, Any], head: Head) -> str:
        data = record.get("data")
        if isinstance(data, dict):
            if record.get("type") == "session.start":
                head.session = head.session or text_of(data.get("sessionId"))
                head.version = text_of(data.get("copilotVersion"))
                context = data.get("context")
                if isinstance(context, dict):
                    head.folder = text_of(context.get("cwd"))
            names = ("model", "newModel", "selectedModel", "currentModel")
            head.model = next(filter(None, (text_of(data.get(name)) for name in names)), head.model)
        return text_of(record.get("id"))

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        kind, data = text_of(record.get("type")), record.get("data")
        events = list(_told(kind, data)) if isinstance(data, dict) else []
        return events or [Event("other", name=kind or "?")]


def _told(kind: str, data: dict[str, Any]) -> Iterator[Event]:
    def said(key: str, *about: Any, **rest: Any) -> Iterator[Event]:
        if isinstance(data.get(key), str) and data[key]:
            yield Event(about[0], data[key], ("data", key), *about[1:], **rest)

    if kind == "user.message":
        yield from said("content", "prompt", "prompt", role="user")
        yield from said("transformedContent", "other", "prompt", name="transformedContent")
    elif kind == "system.message":
        yield from said("content", "message", None, role="system")
    elif kind in ("assistant.message", "assistant.reasoning"):
        is_message = kind == "assistant.message"
        yield from said("reasoningText", "reasoning", "reasoning")
        yield from said(
            "content",
            "message" if is_message else "reasoning",
            "assistant" if is_message else "reasoning",
            role="assistant" if is_message else "",
        )
        for index, asked in dicts(data.get("toolRequests")):
            path = ("data", "toolRequests", index, "arguments")
            yield Event(
                "tool_call",
                asked.get("arguments", ""),
                path,
                "tool.arguments",
                name=text_of(asked.get("name")),
                call=text_of(asked.get("toolCallId")),
                once=text_of(asked.get("toolCallId")),
            )
        if (output := number(data, "outputTokens")) is not None:
            yield Event("usage", usage=Usage(output=output))
    else:
        yield from _of_tool(kind, data)


def _of_tool(kind: str, data: dict[str, Any]) -> Iterator[Event]:
    call, name = text_of(data.get("toolCallId")), text_of(data.get("toolName"))
    if kind == "tool.execution_start":
        # An answer that asks for it told it already, if it is in the log.
        asked = data.get("arguments", "")
        yield Event(
            "tool_call", asked, ("data", "arguments"), "tool.arguments", name=name, call=call, once=call
        )
    elif kind == "tool.execution_complete":
        result: Any = data.get("result")
        path: Way = ("data", "result")
        if isinstance(result, dict) and "content" in result:
            result, path = result["content"], (*path, "content")
        elif result is None:
            result, path = data.get("error", ""), ("data", "error")
        yield Event("tool_result", result, path, "tool.output", call=call)
        yield from copies(data.get("result"), ("data", "result"), _DETAILS, name=kind)
    elif kind.startswith("hook."):
        yield Event("other", name=kind)
        yield from copies(data.get("input"), ("data", "input"), _HOOK, name=kind)
