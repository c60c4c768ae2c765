"""The files of a trace: their names, their tables, their metadata.

Format 1. What a column means stands in `docs/trace.md`; here is what a reader relies on.
"""

from __future__ import annotations

import re

import pyarrow as pa

__all__ = ["CLOSING_KINDS", "FORMAT", "LOCK", "METADATA", "SCHEMAS", "SEGMENTED", "SEGMENT_FILE", "TAIL_FILE"]

FORMAT = 1
METADATA = "trace_metadata.json"
LOCK = "recording.lock"  # held with `flock` by the helper for as long as it lives

# The tables that come in numbered segments; the others are written once, when the trace is closed.
SEGMENTED = ("events", "values", "redactions")
SEGMENT_FILE = re.compile(r"(?P<table>events|values|redactions)-(?P<segment>\d{4,})\.parquet")
TAIL_FILE = re.compile(r"tail-(?:(?P<segment>\d{4,})-)?(?P<table>[a-z]+)\.arrows")

# The kinds of rows that end a call; every call of a closed trace has exactly one of them.
CLOSING_KINDS = ("return", "unwind", "abandoned", "unfinished")


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns])


SCHEMAS: dict[str, pa.Schema] = {
    "events": _schema(
        ("segment", pa.int32()),
        ("part", pa.int32()),
        ("thread", pa.int32()),
        ("seq", pa.int64()),
        ("time", pa.int64()),
        ("kind", pa.string()),
        ("call", pa.int64()),
        ("parent", pa.int64()),
        ("resumed_by", pa.int64()),
        ("code", pa.int32()),
        ("line", pa.int32()),
        ("value", pa.int32()),
        ("start", pa.int64()),
        ("own", pa.int64()),
        ("own_total", pa.int64()),
        ("task", pa.int32()),
        ("exception", pa.int64()),
    ),
    "values": _schema(("segment", pa.int32()), ("value", pa.int32()), ("json", pa.string())),
    "redactions": _schema(
        ("segment", pa.int32()),
        ("value", pa.int32()),
        ("path", pa.string()),
        ("kind", pa.string()),
        ("action", pa.string()),
        ("filter", pa.string()),
        ("rule", pa.string()),
        ("pattern", pa.string()),
        ("secret", pa.bool_()),
    ),
    "code": _schema(
        ("code", pa.int32()),
        ("module", pa.string()),
        ("qualname", pa.string()),
        ("file", pa.string()),
        ("line", pa.int32()),
        ("kind", pa.string()),
        ("traced", pa.bool_()),
        ("filter", pa.string()),
        ("rule", pa.string()),
        ("rule_line", pa.int32()),
        ("reason", pa.string()),
        ("parameters", pa.list_(pa.string())),
    ),
    "processes": _schema(
        ("part", pa.int32()),
        ("parent", pa.int32()),
        ("command", pa.string()),
        ("started", pa.int64()),
        ("ended", pa.int64()),
        ("end", pa.string()),
        ("exit_status", pa.int32()),
    ),
}
