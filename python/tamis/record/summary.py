"""What is said on stderr when a recording ends: at most six lines."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["summary"]


def summary(trace: str, state: str, found_project_filter: bool) -> list[str]:
    """The lines. `state` is what ending the recording returned."""
    shown = _short(trace)
    if state == "open":
        return [f"other processes still record into `{shown}`; the trace closes when they end"]
    try:
        with open(os.path.join(trace, "trace_metadata.json"), encoding="utf-8") as file:
            metadata = json.load(file)
    except (OSError, ValueError):
        return [f"the trace in `{shown}` is incomplete; what was written can be read"]
    counters = metadata["counters"]
    lines = [
        f"trace in `{shown}`: {sum(counters['events'].values()):,} events, {counters['calls']:,} calls, "
        f"{_duration(metadata['duration_ns'])}"
    ]
    lines += _removed("redacted", "redactions", metadata["trace_filter"])
    lines += _removed("dropped", "drops", metadata["trace_filter"])
    if counters.get("unrecorded_processes"):
        lines.append(f"{counters['unrecorded_processes']:,} processes found no room and went unrecorded")
    if not found_project_filter:
        lines.append("no filter of this project was found; `tamis init` writes one")
    lines.append(f"read it with `tamis show {shown}`")
    return lines


def _removed(verb: str, counter: str, trace_filter: dict[str, Any]) -> list[str]:
    by_filter: dict[str, int] = {}
    for rule in trace_filter["stats"]["rules"]:
        by_filter[rule["filter"]] = by_filter.get(rule["filter"], 0) + rule[counter]
    kinds: Iterable[int] = trace_filter["stats"][f"value_{counter}"].values()
    total = sum(kinds)
    if not total:
        return []
    parts = [f"{count:,} by {name}" for name, count in by_filter.items() if count]
    rest = total - sum(by_filter.values())
    if rest > 0:
        parts.append(f"{rest:,} by default")
    return [f"{verb} {total:,} values: {', '.join(parts)}"]


def _duration(nanoseconds: int) -> str:
    seconds = nanoseconds / 1e9
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
