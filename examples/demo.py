"""`make demo`: records sqlglot at work, and asks the trace what one would want to know first."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TRACE = ROOT / "target" / "demo.tamis"
TAMIS = str(Path(sys.executable).parent / "tamis")

RECORD = ["run", "-o", TRACE, "--force", "--trace-filter", HERE / "translate.toml", HERE / "translate.py"]
CALLS = ["show", TRACE, "--no-pager", "--function", "main", "--depth", "4", "--limit", "24"]
SLOWEST = """\
select module || '.' || qualname as function, count(*) as calls, round(sum(own) / 1e6, 2) as own_ms
from calls where qualname <> '<module>' group by all order by own_ms desc limit 6"""
REDACTED = """\
select qualname, kind, path, action, filter, count(*) as times
from redactions group by all order by times desc, qualname, path limit 8"""

STEPS: list[tuple[str, list[str | Path]]] = [
    ("Record a program, and the library that it uses, under a filter", RECORD),
    ("The calls, with what went in and what came out", CALLS),
    ("Where the time went", ["query", TRACE, SLOWEST]),
    ("What was kept out, and by which filter", ["query", TRACE, REDACTED]),
]


def main() -> int:
    password = secrets.token_hex(8)
    environment = {**os.environ, "DEMO_PASSWORD": password}
    TRACE.parent.mkdir(exist_ok=True)
    for title, arguments in STEPS:
        heading(title, arguments)
        done = subprocess.run([TAMIS, *arguments], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            print(f"error: `tamis {arguments[0]}` ended with exit code {done.returncode}", file=sys.stderr)
            return done.returncode
    return search(password)


def heading(title: str, arguments: list[str | Path]) -> None:
    shown = [str(a.relative_to(ROOT)) if isinstance(a, Path) else a for a in arguments]
    words = " ".join(f'"{word}"' if "\n" in word or " " in word else shlex.quote(word) for word in shown)
    bold, dim, end = ("\33[1m", "\33[2m", "\33[0m") if sys.stdout.isatty() else ("", "", "")
    print(f"\n{bold}{title}{end}\n{dim}$ tamis {words}{end}", flush=True)


def search(password: str) -> int:
    """Looks for the password in every value of the trace."""
    query = f"select count(*) as n, count(*) filter (contains(json, '{password}')) as hits from \"values\""
    command = [TAMIS, "query", str(TRACE), "--json", query]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    row = found[0] if isinstance(found, list) else found
    print(
        f"\nOf {row['n']:,} values, {row['hits']} hold the password. The trace is {TRACE.relative_to(ROOT)}."
    )
    return 1 if row["hits"] else 0


if __name__ == "__main__":
    sys.exit(main())
