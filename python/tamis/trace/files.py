"""Finds what a trace directory holds, whatever became of its recording.

A recording that ended well left Parquet only. One that was killed, or still runs, has the segment that is
not in Parquet yet, and `code` and `processes`, in tails: Arrow streams, whose last batch may be torn. Where a
table of a segment is there in both forms, the Parquet file counts: it is renamed into place when it is whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tamis.errors import TraceError
from tamis.trace.format import FORMAT, LOCK, METADATA, SCHEMAS, SEGMENT_FILE, SEGMENTED, TAIL_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Contents", "contents", "open_tail", "read_tail", "settled_metadata"]

_POLL = 0.05  # seconds between looks at a recording that is being closed
_PATIENCE = 0.3  # seconds of waiting about which nothing is said
# A recording makes its directory, then starts its helper, which writes what a trace is known by. That takes
# some hundredths of a second, on a busy machine more; so long a directory is taken to be a beginning.
_BEGINNING = 5.0


@dataclass
class Contents:
    """The files of a trace to read: for each table its Parquet files, and its tails for the rest."""

    parquet: dict[str, list[Path]] = field(default_factory=lambda: {table: [] for table in SCHEMAS})
    tails: dict[str, list[Path]] = field(default_factory=lambda: {table: [] for table in SCHEMAS})


def settled_metadata(directory: Path) -> tuple[dict[str, Any], str]:
    """The metadata of the trace and its state, waiting while a helper is closing it.

    The state is that of the metadata (`closed`, `failed`), or `recording` while a helper lives, or
    `interrupted` if none lives that could close it.
    """
    _wait_for_the_beginning(directory)
    began = time.monotonic()
    told = False
    while True:
        # The lock first: a helper writes its last metadata before it lets go.
        alive = _helper_lives(directory)
        metadata = _metadata(directory)
        state = metadata["state"]
        if state in ("closed", "failed"):
            return metadata, state
        if not alive:
            # It may have ended between the two looks: whoever let go of the lock has written already.
            metadata = _metadata(directory)
            state = metadata["state"]
            return metadata, state if state in ("closed", "failed") else "interrupted"
        if state != "closing":
            return metadata, "recording"
        if not told and time.monotonic() - began > _PATIENCE:
            print(f"waiting until the recording `{directory}` is closed …", file=sys.stderr)
            told = True
        time.sleep(_POLL)


def contents(directory: Path) -> Contents:
    """The files to read, each Parquet file checked for being whole and having the columns it must have."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise TraceError(f"`{directory}` cannot be read: {error.strerror}") from error
    found = Contents()
    sealed: set[tuple[str, int | None]] = set()
    for table in SCHEMAS:
        if table not in SEGMENTED and f"{table}.parquet" in names:
            found.parquet[table].append(directory / f"{table}.parquet")
            sealed.add((table, None))
    for name in sorted(names, key=_segment_order):
        if match := SEGMENT_FILE.fullmatch(name):
            found.parquet[match["table"]].append(directory / name)
            sealed.add((match["table"], int(match["segment"])))
    for name in sorted(names, key=_segment_order):
        match = TAIL_FILE.fullmatch(name)
        if match and match["table"] in SCHEMAS:
            segment = int(match["segment"]) if match["segment"] else None
            if (match["table"], segment) not in sealed:
                found.tails[match["table"]].append(directory / name)
    for table, paths in found.parquet.items():
        for path in paths:
            _check_parquet(path, table)
    return found


def open_tail(path: Path) -> pa.OSFile:
    """The file of a tail. Once it is open it can be read, though the helper puts a segment in its place."""
    return pa.OSFile(os.fspath(path), "rb")


def read_tail(tail: pa.OSFile, table: str) -> Iterator[pa.RecordBatch]:
    """The whole batches of a tail. Its end may be torn, or be being written: that is where it ends."""
    columns = SCHEMAS[table]
    try:
        with pa.ipc.open_stream(tail) as stream:
            for batch in stream:
                batch.validate(full=True)
                yield batch.select(columns.names).cast(columns)
    except (pa.ArrowException, OSError, KeyError):
        # Arrow knows no error of its own for "the file ends here"; whatever it says, no whole batch follows.
        return


def _wait_for_the_beginning(directory: Path) -> None:
    """Waits while a directory looks like that of a recording whose helper has written nothing yet."""
    began = time.monotonic()
    told = False
    while not (directory / METADATA).exists() and _is_beginning(directory):
        waited = time.monotonic() - began
        if waited > _BEGINNING:
            break
        if not told and waited > _PATIENCE:
            print(f"waiting for the recording `{directory}` to begin …", file=sys.stderr)
            told = True
        time.sleep(_POLL)


def _is_beginning(directory: Path) -> bool:
    """A helper holds its lock, or the directory was made just now and no helper has taken a lock in it."""
    try:
        # The names first: a helper makes its lock's file, takes the lock, and only then writes the rest.
        names = {path.name for path in directory.iterdir()}
        young = time.time() - directory.stat().st_mtime < _BEGINNING
    except OSError:
        return False
    return _helper_lives(directory) or (young and names <= {LOCK})


def _metadata(directory: Path) -> dict[str, Any]:
    path = directory / METADATA
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _no_trace(directory) from None
    except NotADirectoryError:
        raise TraceError(f"`{directory}` is a file; a trace is a directory") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"`{path}` cannot be read: {error}") from error
    try:
        metadata: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise TraceError(f"`{path}` is damaged: {error}") from error
    number = metadata.get("format") if isinstance(metadata, dict) else None
    if not isinstance(number, int) or not isinstance(metadata.get("state"), str):
        raise TraceError(f"`{path}` is damaged: it does not say the format and state of the trace")
    if number > FORMAT:
        raise TraceError(
            f"`{directory}` has format {number}, and this Tamis reads up to {FORMAT}",
            hint=f"Tamis {metadata.get('tamis', '(of an unknown version)')} recorded it: upgrade to read it",
        )
    return metadata


def _no_trace(directory: Path) -> TraceError:
    if not directory.exists():
        return TraceError(f"`{directory}` does not exist")
    if (directory / LOCK).exists():
        told = "has only begun" if _helper_lives(directory) else "ended before anything was written"
        return TraceError(f"the recording `{directory}` {told}")
    inside = sorted(path.parent.name for path in directory.glob(f"*/{METADATA}"))
    hint = f"there are traces in it, such as `{directory / inside[-1]}`" if inside else None
    lacks = f"has no `{METADATA}`" if any(directory.iterdir()) else "is empty"
    return TraceError(f"`{directory}` is no trace: it {lacks}", hint=hint)


def _helper_lives(directory: Path) -> bool:
    try:
        lock = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: take what is there
    else:
        return False
    finally:
        os.close(lock)


def _segment_order(name: str) -> tuple[int, str]:
    match = SEGMENT_FILE.fullmatch(name) or TAIL_FILE.fullmatch(name)
    return (int(match["segment"] or -1) if match else -1, name)


def _check_parquet(path: Path, table: str) -> None:
    try:
        names = pq.read_schema(path).names
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise TraceError(f"`{path}` is damaged: {error}") from error
    missing = [name for name in SCHEMAS[table].names if name not in names]
    if missing:
        raise TraceError(f"`{path}` is damaged: it has no column `{missing[0]}`")
