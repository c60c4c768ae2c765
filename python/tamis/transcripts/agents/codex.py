"""Codex CLI: `sessions/YYYY/MM/DD/rollout-<time>-<uuid>.jsonl`, also `.jsonl.zst`.

The log tells most things twice: as items that go to the model (`response_item`), and as events for the screen
(`event_msg`). A compaction holds a second copy of the whole history.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.transcripts.agents import Found, Head
from tamis.transcripts.agents.values import copies, dicts, number, text_of
from tamis.transcripts.model import Event, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tamis.transcripts.model import Field, Kind
    from tamis.transcripts.model import Path as Way

_NAME = re.compile(
    r"rollout-\d{4}-\d\d-\d\dT[\d-]{8}-(?P<session>[0-9a-f-]{36}|.+?)\.jsonl(?:\.zst)?\Z", re.IGNORECASE
)
# What Codex itself puts before a user's prompt, in the role of the user.
_PUT_IN = (
    "<environment_context>",
    "<user_instructions>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
    "<turn_aborted>",
    "<user_shell_command>",
    "<skill>",
    "<subagent_notification>",
)

_CALLS = (
    "function_call",
    "custom_tool_call",
    "tool_call",
    "local_shell_call",
    "mcp_call",
    "web_search_call",
    "tool_search_call",
    "image_generation_call",
)
_RESULTS = (
    "function_call_output",
    "custom_tool_call_output",
    "tool_result",
    "function_result",
    "tool_search_output",
)
# What events for the screen call what tools were asked and gave, and what the agent said last.
_SHOWN: dict[str, Field] = {
    **dict.fromkeys(
        ("command", "parsed_cmd", "arguments", "changes", "action", "query", "prompt", "path"),
        "tool.arguments",
    ),
    **dict.fromkeys(
        (
            *("stdout", "stderr", "aggregated_output", "formatted_output"),
            *("result", "results", "content_items"),
        ),
        "tool.output",
    ),
    "last_agent_message": "assistant",
}
_SHOWN_INSIDE: dict[str, Field] = {**_SHOWN, "text": "assistant"}


class Codex:
    """Reads the logs of Codex CLI."""

    name = "codex"
    title = "Codex CLI"
    members: tuple[str, ...] = ()
    patterns: tuple[str, ...] = (
        "sessions/**/*.jsonl",
        "sessions/**/*.jsonl.zst",
        "archived_sessions/**/*.jsonl*",
    )
    beside: tuple[str, ...] = ()
    replaces = False

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        return [Path(environment.get("CODEX_HOME") or home / ".codex")]

    def found(self, root: Path, path: Path) -> Found | None:
        # Of a log and what it was packed to, the plain one is the newer.
        if path.suffix == ".zst" and path.with_suffix("").exists():
            return None
        match = _NAME.fullmatch(path.name)
        name = path.name.removesuffix(".zst").removesuffix(".jsonl")
        source = path.relative_to(root).as_posix().removesuffix(".zst")
        return Found(path, source, match["session"] if match else name)

    def knows(self, record: dict[str, Any]) -> bool:
        return "payload" in record or record.get("type") in ("function_call", "function_result")

    def note(self, record: dict[str, Any], head: Head) -> str:
        payload = record.get("payload")
        payload = payload if isinstance(payload, dict) else {}
        if record.get("type") == "session_meta":
            # A fork repeats the one of the session that it comes from: the first is its own.
            if not head.session:
                head.session = text_of(payload.get("id") or payload.get("session_id"))
                head.parent = text_of(payload.get("parent_thread_id") or payload.get("forked_from_id"))
            head.version = head.version or text_of(payload.get("cli_version"))
            head.folder = head.folder or text_of(payload.get("cwd"))
        elif record.get("type") == "turn_context":
            head.model = text_of(payload.get("model")) or head.model
        elif payload.get("type") == "thread_rolled_back":
            head.prompts_back = number(payload, "num_turns") or 0
        return text_of(payload.get("id")) if record.get("type") == "response_item" else ""

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        kind, payload = record.get("type"), record.get("payload")
        if isinstance(payload, dict):
            inner = text_of(payload.get("type"))
            if kind == "response_item":
                events = list(_item(payload, ("payload",), "item", parent))
                return events or [Event("other", name=f"response_item.{inner}")]
            if kind == "event_msg":
                events = list(_told(payload, inner)) or [Event("other", name=f"event_msg.{inner}")]
                return [*events, *_shown(payload, f"event_msg.{inner}")]
            if kind == "compacted":
                return [Event("other", name="compacted"), *_compacted(payload, parent)]
        elif events := list(_item(record, (), "", parent)):
            return events  # the oldest logs have no `payload`
        return [Event("other", name=text_of(kind) or "?")]


def _parts(
    value: Any, path: Way, kind: Kind, field: Field | None, *, role: str = "", channel: str = ""
) -> Iterator[Event]:
    """The texts of a content: a text, or a list of parts."""
    if isinstance(value, str):
        yield Event(kind, value, path, field, role, channel=channel)
    for index, part in dicts(value):
        if isinstance(part.get("text"), str):
            yield Event(kind, part["text"], (*path, index, "text"), field, role, channel=channel)


def _item(item: dict[str, Any], path: Way, channel: str, parent: bool) -> Iterator[Event]:
    kind = item.get("type")
    call = text_of(item.get("call_id") or item.get("id"))
    if kind in ("message", "agent_message", None):
        role = text_of(item.get("role")) or ("assistant" if kind == "agent_message" else "")
        if not role:
            return
        key = "content" if "content" in item else "message"
        for event in _parts(item.get(key), (*path, key), "message", None, role=role, channel=channel):
            if role == "assistant":
                event.field = "assistant"
            elif role == "user" and not parent and not event.value.lstrip().startswith(_PUT_IN):
                event.kind, event.field = "prompt", "prompt"
            yield event
    elif kind == "reasoning":
        for key in ("summary", "content"):
            yield from _parts(item.get(key), (*path, key), "reasoning", "reasoning", channel=channel)
    elif kind in _CALLS:
        key = next((key for key in ("arguments", "input", "action") if item.get(key) is not None), "")
        function = item.get("function")
        named = item.get("name") or (function.get("name") if isinstance(function, dict) else None)
        event = Event("tool_call", name=text_of(named) or text_of(kind), call=call)
        if key:
            event.value, event.path, event.field = item[key], (*path, key), "tool.arguments"
        yield event
    elif kind in _RESULTS:
        key = "output" if "output" in item else "result"
        value = item.get(key)
        texts = list(_parts(value, (*path, key), "tool_result", "tool.output"))
        if not texts and value is not None:
            texts = [Event("tool_result", value, (*path, key), "tool.output")]
        for event in texts or [Event("tool_result")]:
            event.call, event.name = call, text_of(item.get("name"))
            yield event


def _told(payload: dict[str, Any], kind: str) -> Iterator[Event]:
    """What an event for the screen tells."""
    path = ("payload",)
    usage = _usage(payload, kind)
    if usage is not None:
        yield Event("usage", usage=usage)
    elif kind == "user_message":
        yield from _parts(
            payload.get("message"), (*path, "message"), "prompt", "prompt", role="user", channel="event"
        )
    elif kind == "agent_message":
        yield from _parts(
            payload.get("message"),
            (*path, "message"),
            "message",
            "assistant",
            role="assistant",
            channel="event",
        )
    elif kind in ("agent_reasoning", "agent_reasoning_raw_content"):
        yield from _parts(payload.get("text"), (*path, "text"), "reasoning", "reasoning", channel="event")
    elif kind == "item_completed" and isinstance(payload.get("item"), dict):
        yield from _completed(payload["item"], (*path, "item"))


def _completed(item: dict[str, Any], path: Way) -> Iterator[Event]:
    kind = text_of(item.get("type"))
    content = item.get("content")
    if kind == "UserMessage":
        yield from _parts(content, (*path, "content"), "prompt", "prompt", role="user", channel="event")
    elif kind == "AgentMessage":
        yield from _parts(
            content, (*path, "content"), "message", "assistant", role="assistant", channel="event"
        )
    elif kind == "Reasoning":
        for key in ("summary_text", "raw_content"):
            for index, text in enumerate(item.get(key) or ()):
                yield from _parts(text, (*path, key, index), "reasoning", "reasoning", channel="event")


def _shown(payload: dict[str, Any], name: str) -> Iterator[Event]:
    """Copies, for the screen, of what tools were asked and what they gave."""
    yield from copies(payload, ("payload",), _SHOWN, name=name)
    for inner in ("item", "invocation"):
        if inner in payload:
            yield from copies(payload[inner], ("payload", inner), _SHOWN_INSIDE, name=name)


def _compacted(payload: dict[str, Any], parent: bool) -> Iterator[Event]:
    """Copies, which rules must find by the names of what they are copies of."""
    for index, item in dicts(payload.get("replacement_history")):
        for event in _item(item, ("payload", "replacement_history", index), "", parent):
            if event.field is not None:
                yield Event("other", event.value, event.path, event.field, name="compacted")


def _usage(payload: dict[str, Any], kind: str) -> Usage | None:
    told = None
    if kind == "token_count" and isinstance(payload.get("info"), dict):
        info = payload["info"]
        told = info.get("last_token_usage") or info.get("total_token_usage") or info
    elif isinstance(payload.get("usage"), dict):
        told = payload["usage"]
    if not isinstance(told, dict):
        return None
    return Usage(
        input=number(told, "input_tokens", "prompt"),
        cached=number(told, "cached_input_tokens"),
        output=number(told, "output_tokens", "completion"),
        reasoning=number(told, "reasoning_output_tokens"),
        total=number(told, "total_tokens"),
    )
