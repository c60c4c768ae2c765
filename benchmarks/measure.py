"""Runs one command and measures it as a whole: time, memory of all its processes, what it leaves on disk.

Linux only, because it reads `/proc`. Memory is the proportional set size (a page that two processes share
counts once), sampled five times a second: a peak shorter than that is missed.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_EVERY = 0.2
# A trace is closed within a moment of the program's end; a helper that takes longer hangs.
SETTLE_WITHIN = 60.0


@dataclass(frozen=True)
class Run:
    """One run of the worker."""

    loop: float
    """Seconds of the program's own loop."""
    processor: float
    """Seconds of processor time that the loop's thread took: steadier on a busy machine."""
    whole: float
    """Seconds until the last process was gone, the helper included."""
    memory: int
    """Bytes at the peak, over all processes."""
    disk: int
    """Bytes of what the recorder left."""
    metadata: dict[str, object] | None
    """`trace_metadata.json`, where there is one."""


class BenchmarkError(Exception):
    """A command that failed, with the end of what it said."""


class TooLargeError(BenchmarkError):
    """A command that was ended because it took too much memory."""


def adopt_orphans() -> None:
    """Makes this process the parent of detached helpers, which are found as its descendants then."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise BenchmarkError(f"prctl: {os.strerror(ctypes.get_errno())}")


def run(prefix: list[str], worker: list[str], output: str, scratch: Path, stop_at: int | None = None) -> Run:
    """Runs `prefix worker… REPORT`. In both, `{output}` is where the recorder writes (`output` names it).

    `stop_at` is a bound of the memory in bytes: a run that passes it is ended, and a `BenchmarkError`.
    """
    place = Path(tempfile.mkdtemp(dir=scratch))
    try:
        target, report = place / output, place / "report.json"
        command = [part.format(output=target) for part in prefix] + [*worker, str(report)]
        whole, memory = _watch(command, place, stop_at)
        if not report.is_file():
            raise BenchmarkError(f"{' '.join(command)}: no report was written")
        took = json.loads(report.read_text())
        metadata = target / "trace_metadata.json"
        return Run(
            loop=took["seconds"],
            processor=took["processor"],
            whole=whole,
            memory=memory,
            disk=_size(target),
            metadata=json.loads(metadata.read_text()) if metadata.is_file() else None,
        )
    finally:
        shutil.rmtree(place)


def _watch(command: list[str], place: Path, stop_at: int | None) -> tuple[float, int]:
    """Runs a command to the end of all its processes; returns seconds and bytes."""
    log = place / "log.txt"
    peak = 0
    with log.open("wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=place, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        while (code := process.poll()) is None:
            peak = max(peak, _memory(os.getpid()))
            if stop_at and peak > stop_at:
                process.kill()
                process.wait()
                raise TooLargeError(f"{' '.join(command)}: more than {stop_at >> 20} MB")
            _pause(process)
    ended = time.perf_counter()
    while _reap_orphans():
        peak = max(peak, _memory(os.getpid()))
        if time.perf_counter() - ended > SETTLE_WITHIN:
            raise BenchmarkError(
                f"{' '.join(command)}: a process of it is still there after {SETTLE_WITHIN:.0f} s"
            )
        time.sleep(0.005)
    whole = time.perf_counter() - begin
    if code:
        said = log.read_text(errors="replace").strip().splitlines()[-5:]
        raise BenchmarkError("\n".join([f"{' '.join(command)}: exit code {code}", *said]))
    return whole, peak


def _pause(process: subprocess.Popen[bytes]) -> None:
    """Waits for the next sample, or for the end."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(SAMPLE_EVERY)


def _reap_orphans() -> bool:
    """Collects adopted processes that have ended; says whether any is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def _memory(root: int) -> int:
    """Bytes of all descendants of a process, the process itself left out."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                # The name of the program may hold blanks and brackets: count from its last bracket.
                parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry))
    total, waiting = 0, list(children.get(root, ()))
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, ())
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
