"""Runs the scenarios in interleaved rounds and gathers one row for each program and scenario."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import scenarios
from benchmarks.measure import BenchmarkError, Run, TooLargeError, run
from benchmarks.scenarios import CALLS, PLAIN, Scenario

# An event costs VizTracer about a kilobyte by the time it is written: 8 GB end before this number is reached.
VIZTRACER_ENTRIES = 20_000_000
# The machine may be quicker later than when the length of the loop was chosen.
_RESERVE = 1.15


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    loop: float = 10.0
    """Seconds that the plain loop takes at least."""
    rounds: int = 5
    memory: int = scenarios.VIZTRACER_MEMORY
    """Bytes at which VizTracer's loop, where it keeps all events, is as long as it may be."""
    rounds_keeping_all: int = 3
    """These take minutes each and differ by a factor of ten and more: fewer are enough."""
    programs: tuple[str, ...] = scenarios.PROGRAMS
    scenarios: tuple[Scenario, ...] = scenarios.SCENARIOS


@dataclass
class Row:
    """What was measured of one scenario of one program."""

    program: str
    scenario: str
    title: str
    loops: int
    runs: list[Run] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    """Seconds of an iteration over those of the plain run beside it, one for each round."""
    processor_factors: list[float] = field(default_factory=list)
    """The same of processor time: what of the factor is not the machine being busy with something else."""

    @property
    def factor(self) -> float | None:
        return median(self.factors) if self.factors else None

    @property
    def loop(self) -> float:
        return median(run.loop for run in self.runs)

    @property
    def whole(self) -> float:
        return median(run.whole for run in self.runs)

    @property
    def memory(self) -> int:
        return max(run.memory for run in self.runs)

    @property
    def disk(self) -> int:
        return self.runs[-1].disk

    def counter(self, name: str) -> int | None:
        """`events`, `redactions` or `drops` of the last run; None where the recorder does not say."""
        metadata = self.runs[-1].metadata
        if metadata is None:
            return None
        if name == "events":
            return sum(metadata["counters"]["events"].values())
        statistics = metadata["trace_filter"]["stats"]
        return sum(statistics[{"redactions": "value_redactions", "drops": "value_drops"}[name]].values())

    @property
    def bytes_per_event(self) -> float | None:
        events = self.counter("events")
        return self.disk / events if events else None


def measure(plan: Plan, scratch: Path) -> Iterator[list[Row]]:
    """The rows of each program, when they are complete."""
    for program in plan.programs:
        rows: dict[str, Row] = {}
        loops = loops_for(plan.loop, program, scratch)
        chosen = [s for s in plan.scenarios if program in s.programs]
        for number in range(plan.rounds):
            say(f"{program}: round {number + 1} of {plan.rounds}, {loops} iterations")
            for scenario in chosen:
                if not scenario.keeps_all:
                    _pair(rows, scenario, program, loops, scratch)
        for scenario in chosen:
            if scenario.keeps_all:
                _keeping_all(rows, scenario, program, plan, scratch)
        yield list(rows.values())


def loops_for(seconds: float, program: str, scratch: Path) -> int:
    """So many iterations that the plain loop takes this long."""
    loops = 1
    while True:
        took = _run(PLAIN, program, loops, scratch).loop
        if took >= _RESERVE * seconds:
            return loops
        # A short loop says little about a long one: grow by ten at most, and a little beyond the aim.
        loops = max(loops + 1, int(loops * min(10.0, 1.05 * _RESERVE * seconds / took)))


def _pair(rows: dict[str, Row], scenario: Scenario, program: str, loops: int, scratch: Path) -> None:
    plain = _run(PLAIN, program, loops, scratch)
    recorded = _run(scenario, program, loops, scratch)
    row = _row(rows, PLAIN.name, PLAIN, program, loops)
    row.runs.append(plain)
    row = _row(rows, scenario.name, scenario, program, loops)
    row.runs.append(recorded)
    row.factors.append(recorded.loop / plain.loop)
    row.processor_factors.append(recorded.processor / plain.processor)


def _keeping_all(rows: dict[str, Row], scenario: Scenario, program: str, plan: Plan, scratch: Path) -> None:
    """VizTracer with all its events, and Tamis over the same loop; per iteration, beside the long one."""
    loops, first_run = _longest(scenario, program, plan, scratch)
    plain = rows.get(PLAIN.name)
    for number in range(min(plan.rounds, plan.rounds_keeping_all)):
        say(f"{program}: {scenario.title}, {number + 1}, {loops} iterations")
        beside = _row(rows, f"{CALLS.name}-beside-{scenario.name}", CALLS, program, loops)
        if CALLS in plan.scenarios:
            beside.runs.append(_run(CALLS, program, loops, scratch))
        kept = _row(rows, scenario.name, scenario, program, loops)
        kept.runs.append(_run(scenario, program, loops, scratch, plan.memory) if number else first_run)
        if plain:
            kept.factors.append(kept.runs[-1].loop / loops / (plain.loop / plain.loops))


def _longest(scenario: Scenario, program: str, plan: Plan, scratch: Path) -> tuple[int, Run]:
    """So many iterations that a recorder which keeps all stays below the bound, and the run that shows it."""
    first, second = (_run(scenario, program, loops, scratch).memory for loops in (1, 2))
    loops = max(1, int(0.9 * (plan.memory - first) / max(second - first, 1 << 20)))
    while True:
        try:
            return loops, _run(scenario, program, loops, scratch, plan.memory)
        except TooLargeError:
            # What it keeps grows by leaps.
            if loops == 1:
                raise
            loops = max(1, loops * 3 // 4)


def _row(rows: dict[str, Row], key: str, scenario: Scenario, program: str, loops: int) -> Row:
    return rows.setdefault(key, Row(program, key, scenario.title, loops))


def _run(scenario: Scenario, program: str, loops: int, scratch: Path, stop_at: int | None = None) -> Run:
    prefix = scenario.prefix
    if scenario.keeps_all:
        prefix = scenarios.with_entries(scenario, VIZTRACER_ENTRIES)
    done = run(list(prefix), [scenarios.WORKER, program, str(loops)], scenario.output, scratch, stop_at)
    if done.metadata and done.metadata["state"] != "closed":
        raise BenchmarkError(f"{scenario.title}: the trace of {program} is `{done.metadata['state']}`")
    return done


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)
