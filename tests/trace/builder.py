"""Makes traces without recording anything: rows in, a directory out, as the schema says.

    build = Builder()
    main = build.code("main")
    call = build.call(main, args={"n": 1})
    build.end(call, result=2)
    build.write(tmp_path / "trace")

Time passes by itself, 1 ms an event, unless `at` says when. What the helper works out (start, parent, own
time) is worked out here in the plainest way, one thread's calls being a stack.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.trace import open as open_trace
from tamis.trace.format import SCHEMAS
from tamis.trace.rows import Call

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000


@dataclass
class OpenCall:
    """A call that was made and did not end yet."""

    part: int
    thread: int
    number: int
    code: int
    start: int | None
    parent: int | None
    task: int | None
    children: int = 0


@dataclass
class Builder:
    """Collects the rows of a trace. `segment_rows`: events in a segment."""

    segment_rows: int = 1 << 20
    now: int = 0
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in SCHEMAS})
    stacks: dict[tuple[int, int], list[OpenCall]] = field(default_factory=dict)
    calls: dict[int, int] = field(default_factory=dict)
    seqs: dict[tuple[int, int], int] = field(default_factory=dict)
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)

    def code(self, qualname: str, module: str = "app", kind: str = "function", line: int = 1) -> int:
        """A traced code object; returns its number."""
        number = len(self.rows["code"])
        self.rows["code"].append(
            {
                "code": number,
                "module": module,
                "qualname": qualname,
                "file": f"{module}.py",
                "line": line,
                "kind": kind,
                "traced": True,
                "filter": "builtin-default",
                "rule": None,
                "rule_line": None,
                "reason": None,
                "parameters": [],
            }
        )
        return number

    def process(self, part: int = 0, **columns: Any) -> None:
        row = {
            "part": part,
            "parent": None,
            "command": "app.py",
            "started": 0,
            "ended": None,
            "end": "exit",
            "exit_status": 0,
        }
        self.rows["processes"].append(row | columns)

    def call(
        self,
        code: int,
        args: Any = None,
        *,
        part: int = 0,
        thread: int = 0,
        task: int | None = None,
        at: int | None = None,
        seen: bool = True,
    ) -> OpenCall:
        """A call starts. `seen=False`: it was running already, and nothing tells its start."""
        stack = self.stacks.setdefault((part, thread), [])
        number = self.calls[part] = self.calls.get(part, -1) + 1
        parent = stack[-1].number if stack else None
        time = self.tick(at)
        call = OpenCall(part, thread, number, code, time if seen else None, parent, task)
        if seen:
            self.event("call", call, time, parent=parent, value=self.value(args))
        stack.append(call)
        return call

    def end(
        self,
        call: OpenCall,
        kind: str = "return",
        *,
        result: Any = None,
        exception: int | None = None,
        line: int | None = None,
        at: int | None = None,
    ) -> None:
        """The one row that ends a call."""
        stack = self.stacks[call.part, call.thread]
        if call in stack:
            stack.remove(call)
        time = self.tick(at)
        own = time - (call.start or 0) - call.children
        if stack and call.start is not None:
            stack[-1].children += time - call.start
        value = self.value(result) if kind == "return" else None
        self.event(
            kind,
            call,
            time,
            parent=call.parent,
            start=call.start,
            own=own,
            value=value,
            exception=exception,
            line=line,
        )

    def happen(
        self,
        kind: str,
        call: OpenCall,
        *,
        value: Any = None,
        has_value: bool = False,
        at: int | None = None,
        **columns: Any,
    ) -> None:
        """A yield, resume, raise, reraise, handled or throw inside a call."""
        number = self.value(value) if has_value or value is not None else None
        self.event(kind, call, self.tick(at), value=number, **columns)

    def redaction(self, path: str, action: str = "redact", **columns: Any) -> None:
        """A row of the ledger about the value of the last event."""
        last = self.rows["events"][-1]
        row = {
            "segment": last["segment"],
            "value": last["value"],
            "path": path,
            "kind": "argument",
            "action": action,
            "filter": "builtin-default",
            "rule": None,
            "pattern": "arg:password",
            "secret": True,
        }
        self.rows["redactions"].append(row | columns)

    def tick(self, at: int | None) -> int:
        self.now = self.now + MS if at is None else at
        return self.now

    def event(self, kind: str, call: OpenCall, time: int, **columns: Any) -> None:
        key = (call.part, call.thread)
        seq = self.seqs[key] = self.seqs.get(key, -1) + 1
        row = dict.fromkeys(SCHEMAS["events"].names) | {
            "segment": self.segment,
            "part": call.part,
            "thread": call.thread,
            "seq": seq,
            "time": time,
            "kind": kind,
            "call": call.number,
            "code": call.code,
            "task": call.task,
        }
        self.rows["events"].append(row | columns)

    @property
    def segment(self) -> int:
        return len(self.rows["events"]) // self.segment_rows

    def value(self, value: Any) -> int:
        """The number of a value in the present segment. The value: its JSON in the trace, as Python data."""
        key = (self.segment, json.dumps(value, ensure_ascii=False))
        if key not in self.numbers:
            number = self.numbers[key] = sum(segment == self.segment for segment, _ in self.numbers)
            self.rows["values"].append({"segment": self.segment, "value": number, "json": key[1]})
        return self.numbers[key]

    def table(self, name: str, segment: int | None = None) -> pa.Table:
        rows = self.rows[name]
        if segment is not None:
            rows = [row for row in rows if row["segment"] == segment]
        if name == "events":
            rows = sorted(rows, key=lambda row: row["part"])
        return pa.Table.from_pylist(rows, schema=SCHEMAS[name])

    def metadata(self, **changes: Any) -> dict[str, Any]:
        kinds = [row["kind"] for row in self.rows["events"]]
        none = dict.fromkeys(("argument", "local", "global", "return", "attribute", "type"), 0)
        found = {row["part"] for row in self.rows["events"]}
        counters = {
            "events": {kind: kinds.count(kind) for kind in set(kinds)},
            "calls": sum(number + 1 for number in self.calls.values()),
            "threads": len(self.seqs),
            "processes": len(found),
            "unrecorded_processes": 0,
            "code_objects": len(self.rows["code"]),
            "values": len(self.rows["values"]),
        }
        data = {
            "tamis": "0.1.0",
            "format": 1,
            "state": "closed",
            "error": None,
            "started": "2026-01-02T03:04:05Z",
            "duration_ns": self.now,
            "command": "app.py",
            "arguments": 0,
            "python": "3.13.0",
            "implementation": "CPython",
            "platform": "linux",
            "capture": {"mode": "calls", "values": True},
            "counters": counters,
            "trace_filter": {
                "filters": [{"name": "builtin-default", "version": 1, "sha256": "0" * 64, "path": None}],
                "stats": {
                    "scopes_skipped": 3,
                    "value_redactions": none | {"argument": len(self.rows["redactions"])},
                    "value_drops": none,
                    "rules": [],
                },
            },
        }
        return data | changes

    def write(self, path: Path, *, tail_from: int | None = None, batch: int = 3, **metadata: Any) -> Path:
        """Writes the trace. `tail_from`: segments from this one, code and processes are tails still, `batch`
        rows in each batch, and the metadata say `recording`.
        """
        path.mkdir(parents=True, exist_ok=True)
        if tail_from is not None:
            metadata = {"state": "recording"} | metadata
        last = (len(self.rows["events"]) - 1) // self.segment_rows
        for segment in range(last + 1):
            for name in ("events", "values", "redactions"):
                if tail_from is not None and segment >= tail_from:
                    tail(path / f"tail-{segment:04}-{name}.arrows", self.table(name, segment), batch)
                else:
                    parquet(path / f"{name}-{segment:04}.parquet", self.table(name, segment))
        for name in ("code", "processes"):
            if tail_from is None:
                parquet(path / f"{name}.parquet", self.table(name))
            else:
                tail(path / f"tail-{name}.arrows", self.table(name), batch)
        (path / "trace_metadata.json").write_text(json.dumps(self.metadata(**metadata)))
        return path


def parquet(path: Path, table: pa.Table) -> None:
    if "kind" in table.column_names:
        index = table.column_names.index("kind")
        kind = table.column("kind").dictionary_encode().cast(pa.dictionary(pa.uint8(), pa.string()))
        table = table.set_column(index, "kind", kind)
    pq.write_table(table, path, compression="zstd")


def tail(path: Path, table: pa.Table, batch: int) -> None:
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with path.open("wb") as file, pa.ipc.new_stream(file, table.schema, options=options) as stream:
        for part in table.to_batches(max_chunksize=batch):
            stream.write_batch(part)


class Lock:
    """Holds the lock of a trace, as a helper does while it lives."""

    def __init__(self, trace: Path) -> None:
        self.descriptor = os.open(trace / "recording.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        os.close(self.descriptor)


def loop(segment_rows: int = 5, times: int = 6) -> Builder:
    """A main that calls `step` some times, over several segments."""
    build = Builder(segment_rows=segment_rows)
    main, step = build.code("main"), build.code("step")
    build.process()
    outer = build.call(main, {})
    for i in range(times):
        inner = build.call(step, {"i": i, "name": f"user-{i}"})
        build.end(inner, result=i * i)
    build.end(outer)
    return build


def calls_of(path: Path) -> list[Call]:
    with open_trace(path) as trace:
        return list(trace.calls())
