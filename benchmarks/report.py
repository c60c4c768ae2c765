"""The table of what was measured, the list of what had to come out, and both as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median

from rich.table import Table

from benchmarks.rounds import Row

MEBI = 1 << 20


@dataclass(frozen=True)
class Check:
    """One number that must come out."""

    text: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        return self.value <= self.limit


class Rows:
    """The rows by program and scenario; what was not measured is not checked."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = {(row.program, row.scenario): row for row in rows if row.runs}

    def factor(self, program: str, scenario: str) -> float | None:
        row = self.rows.get((program, scenario))
        return row.factor if row else None

    def pair(self, program: str, one: str, other: str) -> tuple[Row, Row] | None:
        found = self.rows.get((program, one)), self.rows.get((program, other))
        return (found[0], found[1]) if found[0] and found[1] else None


# Factors of the program's own loop over the plain run.
LIMITS = {
    ("richards", "skip-all"): 1.05,
    ("deltablue", "skip-all"): 1.05,
    ("sqlglot", "skip-all"): 1.05,
    ("sqlglot", "app-only"): 1.08,
    ("richards", "calls"): 3.5,
    ("deltablue", "calls"): 4.5,
    ("sqlglot", "calls"): 3.0,
}


def checks(measured: list[Row]) -> list[Check]:
    """Every limit that can be judged by these rows."""
    rows = Rows(measured)
    found = [
        Check(f"{program}: loop, {scenario}", value, limit)
        for (program, scenario), limit in LIMITS.items()
        if (value := rows.factor(program, scenario)) is not None
    ]
    for program in dict.fromkeys(row.program for row in measured):
        found += _against_plain(rows, program)
        found += _against_viztracer(rows, program)
    return found


def _against_plain(rows: Rows, program: str) -> list[Check]:
    found = []
    if pair := rows.pair(program, "calls", "plain"):
        calls, plain = pair
        over = (calls.memory - plain.memory) / MEBI
        found.append(Check(f"{program}: MB of memory over the plain run, helper included", over, 120))
        if (size := calls.bytes_per_event) is not None:
            found.append(Check(f"{program}: bytes an event on disk", size, 12))
    if pair := rows.pair(program, "mixed-25", "calls"):
        mixed, calls = pair
        if mixed.factor and calls.factor:
            found.append(
                Check(f"{program}: time, 25 mixed rules over none", mixed.factor / calls.factor, 1.10)
            )
        events = abs((mixed.counter("events") or 0) - (calls.counter("events") or 0))
        found.append(Check(f"{program}: events more or less with 25 mixed rules", events, 0))
    return found


def _against_viztracer(rows: Rows, program: str) -> list[Check]:
    found = []
    for one, other, share, text in (
        ("calls", "viztracer-values", 10, "loop, over a tenth of VizTracer with values"),
        ("calls", "viztracer", 1, "loop, over VizTracer without values"),
        ("no-values", "viztracer-ring", 1, "loop without values, over VizTracer's ring"),
        ("app-only", "viztracer-app", 1, "loop, library skipped, over VizTracer's include_files"),
    ):
        if (pair := rows.pair(program, one, other)) and pair[0].factor and pair[1].factor:
            found.append(Check(f"{program}: {text}", pair[0].factor / pair[1].factor * share, 1))
    for other in ("viztracer", "viztracer-values"):
        if pair := rows.pair(program, f"calls-beside-{other}", other):
            tamis, peer = pair
            found.append(
                Check(f"{program}: whole process, over 1/4 of {peer.title}", 4 * tamis.whole / peer.whole, 1)
            )
            found.append(
                Check(
                    f"{program}: peak memory, over 1/10 of {peer.title}", 10 * tamis.memory / peer.memory, 1
                )
            )
    return found


def row_as_json(row: Row) -> dict[str, object]:
    return {
        "program": row.program,
        "scenario": row.scenario,
        "title": row.title,
        "loops": row.loops,
        "factor": row.factor,
        "factors": row.factors,
        "processor_factors": row.processor_factors,
        "loop_seconds": [run.loop for run in row.runs],
        "whole_seconds": [run.whole for run in row.runs],
        "peak_memory_bytes": [run.memory for run in row.runs],
        "disk_bytes": row.disk,
        "events": row.counter("events"),
        "bytes_per_event": row.bytes_per_event,
        "redactions": row.counter("redactions"),
        "drops": row.counter("drops"),
    }


def check_as_json(check: Check) -> dict[str, object]:
    return {**asdict(check), "met": check.met}


def table(rows: list[Row]) -> Table:
    made = Table(title="Over the plain run, the program's own loop", title_justify="left")
    for name in ("program", "recorder"):
        made.add_column(name)
    for name in (
        "factor",
        "range",
        "cpu",
        "loop s",
        "whole s",
        "MB",
        "events",
        "B/event",
        "redacted",
        "dropped",
    ):
        made.add_column(name, justify="right")
    last = None
    for row in rows:
        if not row.runs:
            continue
        if last and last != row.program:
            made.add_section()
        made.add_row(row.program if row.program != last else "", row.title, *_cells(row))
        last = row.program
    return made


def _cells(row: Row) -> list[str]:
    events = row.counter("events")
    return [
        f"{row.factor:.2f}" if row.factor else "",
        f"{min(row.factors):.2f}–{max(row.factors):.2f}" if row.factors else "",
        f"{median(row.processor_factors):.2f}" if row.processor_factors else "",
        f"{row.loop:.2f}",
        f"{row.whole:.2f}",
        f"{row.memory / MEBI:,.0f}",
        f"{events:,}" if events is not None else "",
        f"{row.bytes_per_event:.1f}" if row.bytes_per_event else "",
        *(f"{n:,}" if (n := row.counter(name)) is not None else "" for name in ("redactions", "drops")),
    ]


def check_table(found: list[Check]) -> Table:
    made = Table(title="What must come out", title_justify="left")
    made.add_column("")
    made.add_column("number")
    made.add_column("is", justify="right")
    made.add_column("at most", justify="right")
    for check in found:
        mark = "[green]met[/]" if check.met else "[bold red]NOT MET[/]"
        made.add_row(mark, check.text, f"{check.value:,.2f}", f"{check.limit:,g}")
    return made
