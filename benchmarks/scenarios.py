"""What is measured, and what must come out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
WORKER = str(HERE / "worker.py")
PROGRAMS = ("richards", "deltablue", "sqlglot")
# VizTracer keeps every event in memory; this is where its loop ends.
VIZTRACER_MEMORY = 8 << 30


@dataclass(frozen=True)
class Scenario:
    """One way to run a program. `{output}` in the prefix is where the recorder writes."""

    name: str
    title: str
    prefix: tuple[str, ...]
    output: str
    """Name of what the recorder writes."""
    programs: tuple[str, ...] = PROGRAMS
    keeps_all: bool = False
    """It keeps all events in memory, so its loops are as many as fit."""


def _tamis(*options: str) -> tuple[str, ...]:
    # Without discovery: a filter that this checkout happens to hold is not to be measured.
    return (str(BIN / "tamis"), "run", "--quiet", "--no-auto-filter", "-o", "{output}", *options)


def _filter(name: str) -> tuple[str, str]:
    return "--trace-filter", str(HERE / "filters" / f"{name}.toml")


def _viztracer(*options: str) -> tuple[str, ...]:
    return (str(BIN / "viztracer"), "--quiet", "-o", "{output}", *options, "--")


PLAIN = Scenario("plain", "plain", (sys.executable,), "nothing")
SKIP_ALL = Scenario("skip-all", "Tamis, everything skipped", _tamis(*_filter("skip-all")), "trace")
APP_ONLY = Scenario("app-only", "Tamis, library skipped", _tamis(*_filter("app-only")), "trace", ("sqlglot",))
CALLS = Scenario("calls", "Tamis", _tamis(), "trace")
MIXED = Scenario("mixed-25", "Tamis, 25 mixed rules", _tamis(*_filter("mixed-25")), "trace")
NO_VALUES = Scenario("no-values", "Tamis, --no-values", _tamis("--no-values"), "trace")
VIZ_APP = Scenario(
    "viztracer-app",
    "VizTracer, include_files",
    (*_viztracer()[:-1], "--include_files", WORKER, "--"),
    "trace.json",
    ("sqlglot",),
)
VIZ_RING = Scenario("viztracer-ring", "VizTracer, its ring (forgets)", _viztracer(), "trace.json")
VIZ_CALLS = Scenario("viztracer", "VizTracer, all events", _viztracer(), "trace.json", keeps_all=True)
VIZ_VALUES = Scenario(
    "viztracer-values",
    "VizTracer, all events with values",
    _viztracer("--log_func_args", "--log_func_retval"),
    "trace.json",
    keeps_all=True,
)

SCENARIOS = (SKIP_ALL, APP_ONLY, CALLS, MIXED, NO_VALUES, VIZ_APP, VIZ_RING, VIZ_CALLS, VIZ_VALUES)


def with_entries(scenario: Scenario, entries: int) -> tuple[str, ...]:
    """The prefix of a VizTracer that remembers so many events."""
    return (*scenario.prefix[:-1], "--tracer_entries", str(entries), "--")
