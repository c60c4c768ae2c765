"""What an agent did, prompt by prompt: as text, as Markdown, as a page."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from tamis.transcripts.model import Usage
from tamis.transcripts.stored import events_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from tamis.transcripts.marks import Marks
    from tamis.transcripts.stored import Stored, StoredEvent

__all__ = ["Step", "Turn", "as_html", "as_markdown", "as_text", "turns_of"]

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONGEST = 20_000  # characters of one text on a page
_LINES = 12  # of a text in a terminal


@dataclass(slots=True)
class Step:
    """Something that an agent said, thought, or did with a tool."""

    kind: str
    """`message`, `reasoning` or `tool`."""
    text: str
    """What it said; of a tool the arguments."""
    name: str = ""
    about: str = ""
    """Of a tool, what it was asked, in one line."""
    result: str | None = None
    undone: bool = False
    """A later record takes it back."""
    line: int = 0
    """Of the log."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many places in its records each rule changed."""


@dataclass(slots=True)
class Turn:
    """A prompt and what the agent did for it; what came before the first prompt has the number 0."""

    number: int
    time: str = ""
    prompt: str = ""
    line: int = 0
    """Of the log, in which the prompt is."""
    undone: bool = False
    steps: list[Step] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    """Sums of what the log says, by the names of `Usage`."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many places in the records of this turn each rule changed."""
    prompt_counts: Counter[str] = field(default_factory=Counter)
    """The same in the records of the prompt."""


def turns_of(connection: Connection, transcript: Stored) -> Iterator[Turn]:
    """The turns of a transcript, in the order of its log."""
    turn = Turn(0)
    calls: dict[str, Step] = {}
    counted = -1
    for event in events_of(connection, transcript.id):
        if event.prompt != turn.number:
            if turn.number or turn.steps:
                yield turn
            turn = Turn(event.prompt, time=event.time)
            calls.clear()
        if event.line != counted:
            turn.counts.update(event.counts)
            counted = event.line
        _add(turn, event, calls)
    if turn.number or turn.steps:
        yield turn


def _add(turn: Turn, event: StoredEvent, calls: dict[str, Step]) -> None:
    if event.kind == "prompt":
        turn.prompt = "\n\n".join(filter(None, (turn.prompt, event.text)))
        turn.line = turn.line or event.line
        turn.prompt_counts.update(event.counts)
        turn.undone = event.undone
    elif event.kind == "usage":
        for count in fields(Usage):
            value = getattr(event.usage, count.name)
            if value is not None:
                turn.tokens[count.name] = turn.tokens.get(count.name, 0) + value
    elif event.kind == "tool_call":
        step = _step("tool", event, event.name, event.text)
        step.about = _argument_of(event.text)
        turn.steps.append(step)
        calls[event.call] = step
    elif event.kind == "tool_result":
        call = calls.get(event.call) if event.call else None
        if call is None:
            # Of logs without ids, the last call is meant.
            open_calls = [step for step in turn.steps[-1:] if step.kind == "tool" and step.result is None]
            call = open_calls[0] if open_calls else _step("tool", event, event.name, "")
            if not open_calls:
                turn.steps.append(call)
        call.result = event.text if call.result is None else f"{call.result}\n{event.text}"
        call.counts.update(event.counts)
    elif event.kind != "other" and event.text.strip():
        name = event.role if event.kind == "message" and event.role != "assistant" else ""
        turn.steps.append(_step(event.kind, event, name, event.text))


def _step(kind: str, event: StoredEvent, name: str, text: str) -> Step:
    return Step(kind, text, name, undone=event.undone, line=event.line, counts=Counter(event.counts))


def _argument_of(text: str) -> str:
    """What a call of a tool is about, in one line: a command or a path, if one is among its arguments."""
    try:
        value = json.loads(text)
    except ValueError:
        return " ".join(text.split())
    if isinstance(value, dict):
        for name in (
            "command",
            "cmd",
            "file_path",
            "path",
            "pattern",
            "query",
            "url",
            "description",
            "prompt",
        ):
            told = value.get(name)
            if isinstance(told, list):
                told = " ".join(map(str, told))
            if isinstance(told, str) and told:
                return " ".join(told.split())
    return " ".join(text.split())


def _title(transcript: Stored) -> str:
    return transcript.title or f"{transcript.agent} {transcript.session}"


def _about(transcript: Stored) -> list[tuple[str, str]]:
    """What is known of a transcript: names and values, without those that are empty."""
    period = " – ".join(filter(None, (transcript.began, transcript.ended)))
    agent = " ".join(filter(None, (transcript.agent, transcript.version)))
    known = [
        ("agent", agent),
        ("session", transcript.session),
        ("sub-agent of", transcript.parent),
        ("model", transcript.model),
        ("folder", transcript.folder),
        ("time", period),
        ("size", f"{_many(transcript.prompts, 'prompt')}, {_many(transcript.records, 'record')}"),
        ("redacted", _counts(transcript.counts) or "nothing"),
    ]
    return [(name, value) for name, value in known if value]


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} × {rule}" for rule, count in Counter(counts).most_common())


def _tokens(tokens: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in tokens.items() if count)


def _clean(text: str) -> str:
    """Without what would move a cursor or colour a terminal."""
    return _CONTROLS.sub("", text)


def _heading(turn: Turn) -> str:
    return f"Prompt {turn.number}" if turn.number else "Before the first prompt"


def _first_lines(text: str, indent: str) -> Iterator[str]:
    lines = _clean(text).strip("\n").split("\n")
    for line in lines[:_LINES]:
        yield f"{indent}{line[:500]}".rstrip()
    if len(lines) > _LINES:
        yield f"{indent}… {len(lines) - _LINES:,} more lines"


def as_text(transcript: Stored, turns: Iterable[Turn], marks: Marks) -> Iterator[str]:
    """The lines of a report for a terminal: long texts by their first lines, and in brackets lines of the
    log."""
    yield _clean(_title(transcript))
    for name, value in _about(transcript):
        yield _clean(f"  {name:12}  {value}")
    for turn in turns:
        yield ""
        time = f"  {turn.time}" if turn.time else ""
        line = f" [{turn.line}]" if turn.line else ""
        yield _clean(f"── {_heading(turn)}{line}{time} ──")
        yield from _first_lines(marks.told(turn.prompt, turn.prompt_counts), "") if turn.prompt else ()
        for step in turn.steps:
            back = f" [{step.line}]" + (" (taken back)" if step.undone else "")
            if step.kind == "tool":
                about = marks.told(step.about[:160], step.counts)
                yield _clean(f"  ▸ {step.name or 'tool'}{back}  {about}")
                if step.result is not None:
                    count = len(step.result.splitlines())
                    first = next((line for line in step.result.splitlines() if line.strip()), "")
                    first = marks.told(first.strip()[:120], step.counts)
                    yield _clean(f"    → {_many(count, 'line')}: {first}")
            else:
                who = "thought" if step.kind == "reasoning" else step.name or "said"
                yield f"  {who}{back}:"
                yield from _first_lines(marks.told(step.text, step.counts), "    ")
        if turn.tokens:
            yield f"  tokens: {_tokens(turn.tokens)}"
        if turn.counts:
            yield f"  redacted: {_counts(turn.counts)}"


def as_markdown(transcript: Stored, turns: Iterable[Turn], marks: Marks) -> Iterator[str]:
    """The lines of a report in Markdown. What stands in the transcript is quoted or fenced: it formats
    nothing."""
    yield f"# {_inline(_title(transcript))}"
    yield ""
    for name, value in _about(transcript):
        yield f"- {name}: {_inline(value)}"
    for turn in turns:
        yield ""
        yield f"## {_heading(turn)}"
        yield ""
        if turn.prompt:
            yield from _fenced(marks.told(turn.prompt, turn.prompt_counts))
        for step in turn.steps:
            yield ""
            back = " (taken back)" if step.undone else ""
            if step.kind == "tool":
                yield f"**{_inline(step.name or 'tool')}**{back}"
                yield from _fenced(marks.told(step.text, step.counts))
                if step.result is not None:
                    yield "gave"
                    yield from _fenced(marks.told(step.result, step.counts))
            else:
                who = "Thought" if step.kind == "reasoning" else _inline(step.name).capitalize() or "Said"
                yield f"{who}{back}:"
                yield from _fenced(marks.told(step.text, step.counts))
        if turn.tokens:
            yield f"\nTokens: {_tokens(turn.tokens)}"
        if turn.counts:
            yield f"\nRedacted: {_inline(_counts(turn.counts))}"


def _inline(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", " ".join(_clean(text).split()))


def _fenced(text: str) -> Iterator[str]:
    text = _clean(text).strip("\n")
    ticks = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield ""
    yield f"{fence}text"
    yield text
    yield fence
    yield ""


def _marked(marks: Marks, text: str, counts: Mapping[str, int] | None = None) -> Markup:
    """Text for a page, in which what rules put in is marked with the rule."""
    text = _clean(text)
    parts = [
        Markup('<mark title="{}">{}</mark>').format(rule, part) if rule else escape(part)
        for part, rule in marks.parts(text[:_LONGEST], counts or {})
    ]
    if len(text) > _LONGEST:
        more = "… {:,} more characters: `tamis export` has them"
        parts.append(Markup('<span class="more">{}</span>').format(more.format(len(text) - _LONGEST)))
    return Markup("").join(parts)


def as_html(told: Iterable[tuple[Stored, Iterable[Turn]]], marks: Marks) -> Iterator[str]:
    """The parts of a page that needs nothing else: no script, no file, no network."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["marked"] = partial(_marked, marks)
    environment.globals |= {"about": _about, "title": _title, "counts": _counts, "tokens": _tokens}
    environment.globals["heading"] = _heading
    yield from environment.get_template("report.html").generate(transcripts=told)
