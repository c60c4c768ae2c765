"""How fast logs of agents get into the store: `python -m benchmarks.transcripts [MEGABYTES]` (default: 1000).

Logs are made first; then `tamis ingest` reads them into a new store of SQLite, in a process of its own whose
processor time and memory are measured. The index for searching is a second step, and told apart.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.transcript_logs import write_log, write_logs

_RUN = """
import resource, sys, time
from tamis.cli import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}", file=sys.stderr)
sys.exit(code)
"""
_PEER = _RUN.replace("tamis.cli", "redact_transcripts.cli")
_INDEX = """
import resource, sys
from tamis.transcripts.searching import index
from tamis.transcripts.store import open_store
with open_store(sys.argv[1]) as store:
    index(store)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}", file=sys.stderr)
"""


@dataclass
class Cost:
    """Of a run: seconds of the processor, seconds by the clock, megabytes at most."""

    cpu: float
    wall: float
    memory: float


def measured(code: str, *arguments: str) -> Cost:
    began = time.monotonic()
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    cpu, memory = map(float, done.stderr.split()[-2:])
    return Cost(cpu, time.monotonic() - began, memory)


def main() -> int:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    single = max(megabytes // 5, 1)
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("MB", "MB/s of CPU", "must reach", "peak MB", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    failed = False
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        base = Path(folder)
        (base / "rules.yml").write_text("[]\n")
        rules = ["--rules", str(base / "rules.yml"), "--quiet"]

        def row(name: str, size: float, cost: Cost, least: float | None, most: float | None) -> None:
            nonlocal failed
            speed = size / cost.cpu
            failed |= (least is not None and speed < least) or (most is not None and cost.memory > most)
            limits = [f"≥ {least:,.0f}" if least else "", f"{most:,.0f}" if most else ""]
            table.add_row(name, f"{size:,.0f}", f"{speed:,.1f}", limits[0], f"{cost.memory:,.0f}", limits[1])

        write_logs(base / "lines", megabytes // 2, ["codex", "claude"])
        size = size_of(base / "lines")
        store = str(base / "lines.db")
        everything = measured(_RUN, "ingest", str(base / "lines"), "--db", store, "--no-index", *rules)
        row("Codex and Claude, into SQLite", size, everything, 20, 300)
        row("index for searching", size, measured(_INDEX, store), None, 300)
        row(
            "again, nothing new",
            size,
            measured(_RUN, "ingest", str(base / "lines"), "--db", store, *rules),
            500,
            300,
        )
        for path in (base / "lines").rglob("*.jsonl"):
            os.utime(path)
        again = measured(_RUN, "ingest", str(base / "lines"), "--db", store, *rules)
        row("again, with other times", size, again, 500, 300)
        singles(base, single, rules, row)
        beside(base, row)
    # Not to be cut where the output goes to a file.
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return int(failed)


type Row = Callable[[str, float, Cost, float | None, float | None], None]


def singles(base: Path, megabytes: int, rules: list[str], row: Row) -> None:
    """Each of the other kinds of logs: documents, lines of Copilot CLI, a packed log."""
    write_packed(base / "packed", megabytes)
    for agent, what in (
        ("gemini", "one document"),
        ("copilot-vscode", "one document"),
        ("copilot-cli", "lines"),
        ("packed", "a log of Codex in zstd, by its size unpacked"),
    ):
        if agent != "packed":
            write_logs(base / agent, megabytes, [agent])
        cost = measured(
            _RUN, "ingest", str(base / agent), "--db", str(base / f"{agent}.db"), "--no-index", *rules
        )
        size = megabytes if agent == "packed" else size_of(base / agent)
        row(f"{agent}, {what}", size, cost, 20, 300)


def write_packed(folder: Path, megabytes: int) -> None:
    """One log of Codex, packed as Codex does it."""
    plain = folder / "plain.jsonl"
    plain.parent.mkdir()
    write_log(plain, "codex", megabytes * 1_000_000)
    packed = folder / "sessions" / "rollout-2026-01-01T00-00-00-big.jsonl.zst"
    packed.parent.mkdir()
    with open(plain, "rb") as source, pa.CompressedOutputStream(pa.OSFile(str(packed), "wb"), "zstd") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    plain.unlink()


def beside(base: Path, row: Row) -> None:
    """The same work, from a file to a file, by Tamis and by a peer."""
    write_logs(base / "peer", 10, ["claude"])
    (path,) = (base / "peer" / "claude").iterdir()
    out = str(base / "out")
    row(
        "`tamis redact`, Claude",
        size_of(base / "peer"),
        measured(_RUN, "redact", str(path), "-o", out),
        None,
        None,
    )
    try:
        cost = measured(_PEER, str(path), "-o", out)
    except subprocess.CalledProcessError:
        print("redact-transcripts is not installed, or does not run: left out", file=sys.stderr)
        return
    row("redact-transcripts, Claude", size_of(base / "peer"), cost, None, None)


def size_of(folder: Path) -> float:
    """Megabytes of all files below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
