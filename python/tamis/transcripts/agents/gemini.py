"""Gemini CLI: `tmp/<project>/chats/session-<time>-<id>.jsonl`, in older versions one document, `.json`.

In lines, a message replaces an earlier one of the same id, `$rewindTo` takes back what came after a message,
and `$set` may hold the whole conversation again.
"""

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

_ANSWERS = ("gemini", "model", "assistant")

_DISPLAYED: dict[str, Field] = {"description": "tool.arguments", "resultDisplay": "tool.output"}


class Gemini:
    """Reads the logs of Gemini CLI."""

    name = "gemini"
    title = "Gemini CLI"
    members: tuple[str, ...] = ("messages", "history")
    patterns: tuple[str, ...] = ("*/chats/**/*.json", "*/chats/**/*.jsonl", "*/logs.json")
    beside: tuple[str, ...] = ("**/tool-outputs/**/*",)
    replaces = True

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        chosen = environment.get("GEMINI_CLI_HOME")
        return [(Path(chosen) if chosen else home) / ".gemini" / "tmp"]

    def found(self, root: Path, path: Path) -> Found | None:
        if "tool-outputs" in path.parts:
            above = path.parent.name.removeprefix("session-")
            parent = above if above != "tool-outputs" else ""
            return Found(path, path.relative_to(root).as_posix(), path.name, parent, is_log=False)
        parent = path.parent.name if path.parent.parent.name == "chats" else ""
        return Found(path, path.relative_to(root).as_posix(), path.stem, parent)

    def knows(self, record: dict[str, Any]) -> bool:
        return (
            ("sessionId" in record and ("projectHash" in record or "messageId" in record))
            or (record.get("type") in (*_ANSWERS, "user") and ("content" in record or "parts" in record))
            or (record.get("role") in (*_ANSWERS, "user") and "parts" in record)
        )

    def note(self, record: dict[str, Any], head: Head) -> str:
        change = record.get("$set")
        told = change if isinstance(change, dict) else record
        if isinstance(told.get("messages"), list):
            head.rewind = ""
        elif isinstance(record.get("$rewindTo"), str):
            head.rewind = record["$rewindTo"]
        head.session = head.session or text_of(told.get("sessionId"))
        head.began = head.began or text_of(told.get("startTime") or told.get("start_time"))
        head.ended = text_of(told.get("lastUpdated")) or head.ended
        head.title = text_of(told.get("summary")) or head.title
        head.model = text_of(told.get("model")) or head.model
        return text_of(record.get("id"))

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        if isinstance(record.get("$set"), dict):
            return list(_set(record["$set"], parent))
        if "$rewindTo" in record:
            return [Event("other", name="$rewindTo")]
        return list(_message(record, (), parent)) or [Event("other", name=text_of(record.get("type")) or "?")]


def _set(told: dict[str, Any], parent: bool) -> Iterator[Event]:
    yield Event("other", name="$set")
    for index, message in dicts(told.get("messages")):
        yield from _message(message, ("$set", "messages", index), parent)


def _message(message: dict[str, Any], path: Way, parent: bool) -> Iterator[Event]:
    kind = text_of(message.get("type") or message.get("role"))
    for key in ("content", "parts", "message"):
        for text, way in _texts(message.get(key), (*path, key)):
            if kind in _ANSWERS:
                yield Event("message", text, way, "assistant", role="assistant")
            elif kind == "user" and not parent:
                yield Event("prompt", text, way, "prompt", role="user")
            else:
                yield Event("message", text, way, role=kind)
    if isinstance(message.get("displayContent"), str) and kind == "user":
        yield Event(
            "other", message["displayContent"], (*path, "displayContent"), "prompt", name="displayContent"
        )
    for index, thought in dicts(message.get("thoughts")):
        for key in ("subject", "description"):
            if isinstance(thought.get(key), str):
                yield Event("reasoning", thought[key], (*path, "thoughts", index, key), "reasoning")
    for index, call in dicts(message.get("toolCalls")):
        yield from _call(call, (*path, "toolCalls", index))
    told = message.get("tokens")
    if isinstance(told, dict):
        usage = Usage(*(number(told, name) for name in ("input", "cached", "output", "thoughts", "total")))
        yield Event("usage", usage=usage, once=text_of(message.get("id")))


def _texts(value: Any, path: Way) -> Iterator[tuple[str, Way]]:
    if isinstance(value, str):
        if value:
            yield value, path
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"], (*path, "text")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, (*path, index))


def _call(call: dict[str, Any], path: Way) -> Iterator[Event]:
    id, name = text_of(call.get("id")), text_of(call.get("name"))
    yield Event("tool_call", call.get("args", ""), (*path, "args"), "tool.arguments", name=name, call=id)
    events = [
        Event("tool_result", text, way, "tool.output", name=name, call=id)
        for text, way in _outputs(call.get("result"), (*path, "result"))
    ]
    key = "result" if call.get("result") is not None else "resultDisplay"
    if not events and call.get(key) is not None:
        events = [Event("tool_result", call[key], (*path, key), "tool.output", name=name, call=id)]
    yield from events
    yield from copies(call, path, _DISPLAYED, name=name)


def _outputs(result: Any, path: Way) -> Iterator[tuple[str, Way]]:
    """The texts that went to the model, if that is all that there is."""
    for index, part in dicts(result):
        answer = part.get("functionResponse")
        response = answer.get("response") if isinstance(answer, dict) else None
        if isinstance(response, dict):
            for key in ("output", "error"):
                if isinstance(response.get(key), str):
                    yield response[key], (*path, index, "functionResponse", "response", key)
