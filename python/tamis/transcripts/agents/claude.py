"""Claude Code: `projects/<folder>/<session>.jsonl`, and logs of sub-agents in `<session>/subagents/`.

What a tool gave back stands twice in a line: for the model in `message`, for the screen in `toolUseResult`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.transcripts.agents import Found, Head
from tamis.transcripts.agents.values import copies, dicts, number, text_of
from tamis.transcripts.model import Event, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tamis.transcripts.model import Path as Way

# Types of records that begin a log, where the format has no mark of its own.
_ENVELOPE = ("sessionId", "parentUuid", "leafUuid", "isSidechain")


class Claude:
    """Reads the logs of Claude Code."""

    name = "claude"
    title = "Claude Code"
    members: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ("projects/**/*.jsonl",)
    beside: tuple[str, ...] = ("**/tool-results/*",)
    replaces = False

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        chosen = environment.get("CLAUDE_CONFIG_DIR")
        return [Path(chosen)] if chosen else [home / ".claude", home / ".config" / "claude"]

    def found(self, root: Path, path: Path) -> Found | None:
        below = list(path.relative_to(root).parts)
        if len(below) > 2 and below[0] == "projects":
            below[1] = "…"  # where the user worked, with all that is in that path
        if path.parent.name == "tool-results":
            return Found(path, "/".join(below), path.name, path.parent.parent.name, is_log=False)
        parent = path.parent.parent.name if path.parent.name == "subagents" else ""
        return Found(path, "/".join(below), path.stem, parent)

    def knows(self, record: dict[str, Any]) -> bool:
        return "type" in record and "data" not in record and any(name in record for name in _ENVELOPE)

    def note(self, record: dict[str, Any], head: Head) -> str:
        head.folder = head.folder or text_of(record.get("cwd"))
        head.version = text_of(record.get("version")) or head.version
        kind = record.get("type")
        if kind == "custom-title":
            head.title = text_of(record.get("customTitle")) or head.title
        elif kind in ("ai-title", "summary") and not head.title:
            head.title = text_of(record.get("aiTitle") or record.get("summary"))
        message = record.get("message")
        if kind == "assistant" and isinstance(message, dict):
            head.model = text_of(message.get("model")) or head.model
        for name in ("supersedesUuids", "retractedMessageUuids"):
            taken_back = record.get(name)
            if isinstance(taken_back, list):
                head.undone.update(id for id in taken_back if isinstance(id, str))
        return text_of(record.get("uuid"))

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        kind, message = text_of(record.get("type")), record.get("message")
        events: list[Event] = []
        if kind == "user" and isinstance(message, dict):
            is_prompt = not (parent or record.get("isMeta") or record.get("isCompactSummary"))
            events = list(_of_user(message, is_prompt))
            events += copies(record, (), {"toolUseResult": "tool.output"}, name=_named(record, kind))
        elif kind == "assistant" and isinstance(message, dict):
            events = list(_of_assistant(message))
        elif kind in ("tool_use", "tool_result"):
            events = [_of_tool(record, kind)]
        else:
            events = list(_copies(record, kind))
        return events or [Event("other", name=_named(record, kind))]


def _named(record: dict[str, Any], kind: str) -> str:
    attachment = record.get("attachment")
    inner = record.get("subtype") or (attachment.get("type") if isinstance(attachment, dict) else None)
    return ".".join(filter(None, (kind or "?", text_of(inner))))


def _of_user(message: dict[str, Any], is_prompt: bool) -> Iterator[Event]:
    content, path = message.get("content"), ("message", "content")
    texts: list[tuple[str, Way]] = [(content, path)] if isinstance(content, str) else []
    for index, block in dicts(content):
        if block.get("type") == "tool_result":
            yield from _result(block, (*path, index))
        elif isinstance(block.get("text"), str):
            texts.append((block["text"], (*path, index, "text")))
    for text, way in texts:
        if is_prompt:
            yield Event("prompt", text, way, "prompt", role="user")
        else:
            yield Event("message", text, way, role="user")


def _result(block: dict[str, Any], path: Way) -> Iterator[Event]:
    call, content = text_of(block.get("tool_use_id")), block.get("content")
    parts = [
        Event("tool_result", part["text"], (*path, "content", index, "text"), "tool.output", call=call)
        for index, part in dicts(content)
        if isinstance(part.get("text"), str)
    ]
    if isinstance(content, str):
        parts = [Event("tool_result", content, (*path, "content"), "tool.output", call=call)]
    yield from parts or [Event("tool_result", call=call)]
    yield from copies(block, path, {"text": "tool.output"}, name="tool_result")


def _of_tool(record: dict[str, Any], kind: str) -> Event:
    """A call or a result in a record of its own, as the oldest logs have them."""
    name, call = text_of(record.get("name")), text_of(record.get("tool_use_id") or record.get("id"))
    if kind == "tool_use":
        return Event("tool_call", record.get("input", ""), ("input",), "tool.arguments", name=name, call=call)
    key = "output" if "output" in record else "content"
    return Event("tool_result", record.get(key, ""), (key,), "tool.output", name=name, call=call)


def _of_assistant(message: dict[str, Any]) -> Iterator[Event]:
    content, path = message.get("content"), ("message", "content")
    if isinstance(content, str):
        yield Event("message", content, path, "assistant", role="assistant")
    for index, block in dicts(content):
        kind = block.get("type")
        way = (*path, index)
        if kind == "text" and isinstance(block.get("text"), str):
            yield Event("message", block["text"], (*way, "text"), "assistant", role="assistant")
        elif kind == "thinking" and isinstance(block.get("thinking"), str):
            yield Event("reasoning", block["thinking"], (*way, "thinking"), "reasoning")
        elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            yield Event(
                "tool_call",
                block.get("input", ""),
                (*way, "input"),
                "tool.arguments",
                name=text_of(block.get("name")),
                call=text_of(block.get("id")),
            )
        elif isinstance(kind, str) and kind.endswith("tool_result"):
            yield Event(
                "tool_result",
                block.get("content", ""),
                (*way, "content"),
                "tool.output",
                call=text_of(block.get("tool_use_id")),
            )
        else:
            yield Event("other", name=f"assistant.{kind}")
    told = message.get("usage")
    if isinstance(told, dict):
        yield Event("usage", usage=_usage(told), once=text_of(message.get("id")))


def _usage(told: dict[str, Any]) -> Usage:
    read, written = number(told, "cache_read_input_tokens"), number(told, "cache_creation_input_tokens")
    fresh = number(told, "input_tokens")
    known = [count for count in (fresh, read, written) if count is not None]
    return Usage(input=sum(known) if known else None, cached=read, output=number(told, "output_tokens"))


def _copies(record: dict[str, Any], kind: str) -> Iterator[Event]:
    """Copies of prompts, which rules for prompts must find."""
    attachment = record.get("attachment")
    if kind == "last-prompt" and isinstance(record.get("lastPrompt"), str):
        yield Event("other", record["lastPrompt"], ("lastPrompt",), "prompt", name=kind)
    elif kind == "queue-operation" and isinstance(record.get("content"), str):
        yield Event("other", record["content"], ("content",), "prompt", name=kind)
    elif kind == "attachment":
        yield from copies(attachment, ("attachment",), {"prompt": "prompt"}, name=_named(record, kind))
