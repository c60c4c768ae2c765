"""`python -m benchmarks`: measures, prints one table, writes `results.json` beside this file.

Exit code 0: measured. 1: measured, and a number is not met. 2: could not measure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from benchmarks import report, rounds, single
from benchmarks.measure import BenchmarkError, adopt_orphans
from benchmarks.scenarios import HERE, PROGRAMS, SCENARIOS


def main() -> int:
    args = arguments()
    chosen = tuple(s for s in SCENARIOS if fnmatch(s.name, args.only))
    plan = rounds.Plan(
        loop=args.loop,
        rounds=args.rounds,
        memory=int(args.memory * (1 << 30)),
        programs=tuple(args.program or PROGRAMS),
        scenarios=chosen,
    )
    if not chosen:
        print(f"error: no scenario is called `{args.only}`", file=sys.stderr)
        print(f"hint: there are {', '.join(s.name for s in SCENARIOS)}", file=sys.stderr)
        return 2
    try:
        adopt_orphans()
        # Not in /tmp, which may lie in memory: what is written there would be counted as nobody's.
        with tempfile.TemporaryDirectory(prefix=".scratch-", dir=HERE) as name:
            rows, checks, numbers = measure(plan, Path(name), args.only == "*")
    except (BenchmarkError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write(rows, checks, numbers, plan, args.output)
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(report.table(rows))
    console.print(report.check_table(checks))
    console.print(f"Written to {args.output}")
    return 0 if all(check.met for check in checks) else 1


def measure(
    plan: rounds.Plan, scratch: Path, everything: bool
) -> tuple[list[rounds.Row], list[report.Check], dict[str, object]]:
    rows: list[rounds.Row] = []
    for program in rounds.measure(plan, scratch):
        new = [row for row in program if row.runs]
        rows += new
        # An hour's work is not lost when what comes later cannot be measured.
        Console(stderr=True, width=150).print(report.table(new))
    checks = report.checks(rows)
    numbers: dict[str, object] = {}
    if everything:
        rounds.say("callbacks of skipped code, start-up")
        found, numbers["callbacks"] = single.callback_checks(20, scratch)
        check, numbers["startup_seconds"] = single.startup_check(20, scratch)
        checks += [*found, check]
        rounds.say("a chain of 1,000 rules")
        found, numbers["chain_milliseconds"] = single.chain_checks()
        checks += found
    return rows, checks, numbers


def write(
    rows: list[rounds.Row],
    checks: list[report.Check],
    numbers: dict[str, object],
    plan: rounds.Plan,
    output: Path,
) -> None:
    made = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "versions": {name: version(name) for name in ("tamis", "viztracer", "pyperformance", "sqlglot")},
        "plan": {"loop_seconds": plan.loop, "rounds": plan.rounds, "viztracer_memory": plan.memory},
        "rows": [report.row_as_json(row) for row in rows],
        "checks": [report.check_as_json(check) for check in checks],
        **numbers,
    }
    output.write_text(json.dumps(made, indent=1) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--loop", type=float, default=10.0, metavar="S", help="seconds of the plain loop (10)"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="pairs of each scenario (5)")
    parser.add_argument(
        "--memory",
        type=float,
        default=8.0,
        metavar="GB",
        help="VizTracer's loops are as long as this allows (8)",
    )
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="only this one; repeatable")
    parser.add_argument("--only", default="*", metavar="GLOB", help="only the scenarios of these names")
    parser.add_argument("--quick", action="store_true", help="a first look: --loop 1 --rounds 3 --memory 1.5")
    parser.add_argument("--output", type=Path, default=HERE / "results.json", metavar="FILE")
    args = parser.parse_args()
    if args.quick:
        args.loop, args.rounds, args.memory = 1.0, 3, 1.5
    if args.rounds < 1 or args.loop <= 0:
        parser.error("--rounds and --loop must be positive")
    return args


if __name__ == "__main__":
    sys.exit(main())
