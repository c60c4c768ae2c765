"""Programs under `tamis run`, for tests: what they printed, how they ended, and what the trace says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tamis.trace import open as open_trace
from tamis.trace.reader import Trace
from tamis.trace.rows import Call, Event, Raised

TIMEOUT = 60

# What reading a trace gives for a call: the arguments by name.
Arguments = dict[str, Any]

# Begins a recording by the API, and runs the script as `python` would.
BY_API = """\
import runpy, sys
import tamis
from tamis import Options
script, trace = sys.argv[1:3]
del sys.argv[0], sys.argv[1]
tamis.start(trace, options=Options({options}), trace_filter={filters})
runpy.run_path(script, run_name="__main__")
"""


@dataclass
class Recorded:
    """A program that was recorded, and has ended."""

    path: Path
    exit: int
    stdout: str
    stderr: str
    opened: list[Trace] = field(default_factory=list)

    @cached_property
    def trace(self) -> Trace:
        self.wait()
        trace = open_trace(self.path)
        self.opened.append(trace)
        return trace

    @cached_property
    def all_calls(self) -> list[Call]:
        return list(self.trace.calls())

    @cached_property
    def events(self) -> list[Event]:
        return list(self.trace.events())

    @cached_property
    def exceptions(self) -> list[Raised]:
        return list(self.trace.exceptions())

    @property
    def stats(self) -> Any:
        return self.trace.metadata["trace_filter"]["stats"]

    def calls(self, qualname: str) -> list[Call]:
        """The calls of a function, in the order in which they started."""
        return [call for call in self.all_calls if call.qualname == qualname]

    def call(self, qualname: str) -> Call:
        """The only call of a function."""
        (call,) = self.calls(qualname)
        return call

    def arguments(self, qualname: str) -> list[Arguments]:
        return [json.loads(call.args or "null") for call in self.calls(qualname)]

    def results(self, qualname: str) -> list[Any]:
        return [json.loads(call.result or "null") for call in self.calls(qualname)]

    def outcomes(self, qualname: str) -> list[str]:
        return [call.outcome for call in self.calls(qualname)]

    def kinds(self, qualname: str) -> list[str]:
        """The kinds of the events of a function, in the order of happening."""
        return [event.kind for event in self.events if event.qualname == qualname]

    def everything(self) -> str:
        """All that the trace holds as text: what must not be in it can be looked for."""
        names = ("values", "code", "processes", "redactions")
        tables = [str(self.trace.table(name).to_pylist()) for name in names]
        return "\n".join([*tables, json.dumps(self.trace.metadata, ensure_ascii=False)])

    def wait(self) -> None:
        """Until the helper has closed the trace: it outlives a program that is killed."""
        late = time.monotonic() + TIMEOUT
        metadata = self.path / "trace_metadata.json"
        while not metadata.exists() or (self.path / "recording.lock").exists():
            assert time.monotonic() < late, "the trace is not closed"
            time.sleep(0.005)

    def ok(self) -> Recorded:
        """This, if the program ended well; what it said otherwise."""
        assert self.exit == 0, self.stderr
        return self


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of a test, without what would change recordings."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("CODETRACER", "TAMIS"))}
    return {**mine, **extra}


def write_filters(folder: Path, filters: Sequence[str]) -> list[str]:
    paths = []
    for index, text in enumerate(filters):
        path = folder / f"filter-{index}.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        paths.append(str(path))
    return paths


def record(
    folder: Path,
    source: str,
    *arguments: str,
    filters: Sequence[str] = (),
    options: Sequence[str] = (),
    api: str | None = None,
    itself: bool = False,
    env: Mapping[str, str] = {},
    stdin: str | bytes = "",
    name: str = "app.py",
    timeout: float = TIMEOUT,
    python: str = sys.executable,
) -> Recorded:
    """Runs a script under `tamis run`; with `api`, under `tamis.start` with these options; with `itself`,
    as a plain script that is given the path of the trace and records itself."""
    script = folder / name
    script.write_text(textwrap.dedent(source), encoding="utf-8")
    trace = folder / "trace"
    paths = write_filters(folder, filters)
    if itself:
        command = [python, str(script), str(trace), *arguments]
    elif api is not None:
        starter = BY_API.format(options=api, filters=paths)
        command = [python, "-c", starter, str(script), str(trace), *arguments]
    else:
        chosen = [word for path in paths for word in ("--trace-filter", path)]
        command = [python, "-m", "tamis", "run", "-q", "-o", str(trace), *chosen, *options]
        command += [str(script), *arguments]
    return run(command, trace, folder, env=env, stdin=stdin, timeout=timeout)


def run(
    command: Sequence[str],
    trace: Path,
    folder: Path,
    *,
    env: Mapping[str, str] = {},
    stdin: str | bytes = "",
    timeout: float = TIMEOUT,
) -> Recorded:
    """Runs a command that records into `trace`."""
    done = plain(command, folder, env=env, stdin=stdin, timeout=timeout)
    return Recorded(trace, done.returncode, done.stdout.decode(), done.stderr.decode())


def plain(
    command: Sequence[str],
    folder: Path,
    *,
    env: Mapping[str, str] = {},
    stdin: str | bytes = "",
    timeout: float = TIMEOUT,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command as it is."""
    text = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run(
        command, cwd=folder, env=environment(env), input=text, capture_output=True, timeout=timeout
    )


def filter_text(body: str = "", *, name: str = "test", default_exec: str = "trace") -> str:
    """A filter with this text behind its `[scope]`."""
    return f"""
[meta]
name = "{name}"
version = 1
[scope]
default_exec = "{default_exec}"
default_value_action = "allow"
{textwrap.dedent(body)}
"""
