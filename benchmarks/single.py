"""Numbers that no loop gives: callbacks of skipped code, start-up, how long a large chain takes to load."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.measure import BenchmarkError
from benchmarks.report import Check
from benchmarks.scenarios import BIN, HERE, PROGRAMS

# Events that can be disabled for one code object. The others are raises, which fire everywhere, always.
DISABLED = ("PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "LINE", "CALL", "JUMP", "BRANCH")


def callbacks(program: str, loops: int, scratch: Path) -> dict[str, int]:
    """How often each callback ran while everything was skipped."""
    trace = scratch / f"callbacks-{program}-{loops}"
    command = [sys.executable, str(HERE / "callbacks.py"), program, str(loops), str(trace)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


def callback_checks(loops: int, scratch: Path) -> tuple[list[Check], dict[str, object]]:
    """Twice the iterations must not bring one callback more, raises apart."""
    found, numbers = [], {}
    for program in PROGRAMS:
        once, twice = callbacks(program, loops, scratch), callbacks(program, 2 * loops, scratch)
        numbers[program] = {"loops": loops, "once": once, "twice": twice}
        more = sum(twice.get(name, 0) - once.get(name, 0) for name in DISABLED)
        found.append(Check(f"{program}: callbacks more for {2 * loops} iterations than for {loops}", more, 0))
    return found, numbers


def startup_check(times: int, scratch: Path) -> tuple[Check, dict[str, object]]:
    """`tamis run` of an empty script over plain Python, in interleaved pairs."""
    script = scratch / "empty.py"
    script.write_text("")
    plain, recorded = [], []
    for number in range(times):
        plain.append(_seconds([sys.executable, str(script)]))
        trace = scratch / f"empty-{number}"
        recorded.append(_seconds([str(BIN / "tamis"), "run", "--quiet", "-o", str(trace), str(script)]))
    over = 1000 * median(after - before for before, after in zip(plain, recorded, strict=True))
    return Check("an empty script: ms over plain Python", over, 100), {"plain": plain, "recorded": recorded}


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begin


# Milliseconds for a chain of 1,000 rules, by the groups of the criterion benchmark `policy`.
CHAINS = {"literal": 20, "globs": 20, "500 regexes": 60, r"500 regexes, Unicode \w": 60}
LOADED = "loaded, first verdict included"


def chain_checks() -> tuple[list[Check], dict[str, float]]:
    """A chain of 1,000 rules, parsed, validated and ready, with its first verdict: medians of criterion."""
    root = HERE.parent
    command = ["cargo", "bench", "--locked", "--package", "tamis-core", "--bench", "policy", "--", LOADED]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    medians = {}
    for file in (root / "target" / "criterion").rglob("new/benchmark.json"):
        about = json.loads(file.read_text())
        if about["function_id"] == LOADED:
            estimates = json.loads(file.with_name("estimates.json").read_text())
            medians[about["group_id"]] = estimates["median"]["point_estimate"] / 1e6
    if missing := set(CHAINS) - set(medians):
        raise BenchmarkError(f"criterion measured nothing of {', '.join(sorted(missing))}")
    checks = [Check(f"1,000 rules ready, {name}: ms", medians[name], limit) for name, limit in CHAINS.items()]
    return checks, medians
