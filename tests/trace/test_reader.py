"""Opening traces, whatever became of their recording."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builder import Builder, Lock, calls_of, loop

from tamis.errors import TraceError
from tamis.trace import files
from tamis.trace import open as open_trace
from tamis.trace.files import open_tail, read_tail
from tamis.trace.format import SCHEMAS
from tamis.trace.reader import Trace


def test_events_in_order(tmp_path: Path) -> None:
    """Events come in order of happening, with the value that the segment of each holds under its number."""
    path = loop().write(tmp_path / "t")
    with open_trace(path) as trace:
        events = list(trace.events())
    assert [event.seq for event in events] == list(range(14))
    assert [event.value for event in events if event.kind == "call"][1:] == [
        json.dumps({"i": i, "name": f"user-{i}"}) for i in range(6)
    ]
    assert [event.value for event in events if event.kind == "return"][:-1] == [str(i * i) for i in range(6)]
    assert {event.qualname for event in events} == {"main", "step"}


@pytest.mark.parametrize("tail_from", [0, 1, 2])
def test_tails_read_as_parquet(tmp_path: Path, tail_from: int) -> None:
    """A recording that was killed reads the same from its tails as it would, sealed, from Parquet."""
    build = loop()
    sealed, killed = build.write(tmp_path / "a"), build.write(tmp_path / "b", tail_from=tail_from)
    with open_trace(sealed) as one, open_trace(killed) as other:
        assert (one.state, other.state) == ("closed", "interrupted")
        assert list(one.calls()) == list(other.calls())
        assert list(one.events()) == list(other.events())
        for name in SCHEMAS:
            assert one.table(name) == other.table(name)


def test_segment_goes_before_its_tail(tmp_path: Path) -> None:
    """A segment that is there in both forms, or half renamed, is read once."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1)
    expected = calls_of(path)
    whole = build.write(tmp_path / "whole")
    (whole / "events-0001.parquet").rename(path / "events-0001.parquet")
    (whole / "code.parquet").rename(path / "code.parquet")
    assert calls_of(path) == expected


def test_every_torn_end(tmp_path: Path) -> None:
    """A tail that is cut at any byte gives its whole batches and no error."""
    path = loop(segment_rows=100).write(tmp_path / "t", tail_from=0, batch=4)
    file = path / "tail-0000-events.arrows"
    whole = file.read_bytes()
    lengths: dict[int, int] = {}
    for length in range(0, len(whole) + 1, 4):
        file.write_bytes(whole[:length])
        seqs = [
            seq for part in read_tail(open_tail(file), "events") for seq in part.column("seq").to_pylist()
        ]
        assert seqs == list(range(len(seqs)))
        lengths[len(seqs)] = length
    assert list(lengths) == [0, 4, 8, 12, 14]
    for count, length in lengths.items():
        file.write_bytes(whole[:length])
        with open_trace(path) as trace:
            assert len(list(trace.events())) == count


@pytest.mark.parametrize(
    "noise", [b"\0" * 4096, b"\xff" * 4096, bytes(range(256)) * 8], ids=["nul", "ff", "any"]
)
def test_noise_behind_a_tail(tmp_path: Path, noise: bytes) -> None:
    """Blocks that a power cut left behind the last batch of a tail are not read, and are no error."""
    path = loop(segment_rows=100).write(tmp_path / "t", tail_from=0, batch=4)
    file = path / "tail-0000-events.arrows"
    end_of_stream = 8
    file.write_bytes(file.read_bytes()[:-end_of_stream] + noise)
    with open_trace(path) as trace:
        assert [event.seq for event in trace.events()] == list(range(14))


def test_last_row_of_a_process_counts(tmp_path: Path) -> None:
    """A tail tells a process at its start and again at its end: the later row is read."""
    build = loop()
    build.process(end="lost", ended=5)
    build.rows["processes"].insert(0, {**build.rows["processes"][0], "end": "recording", "exit_status": None})
    with open_trace(build.write(tmp_path / "t", tail_from=0)) as trace:
        assert [(process.end, process.ended) for process in trace.processes] == [("lost", 5)]


def test_no_trace(tmp_path: Path) -> None:
    """What is no trace is said to be none, and why."""
    file = tmp_path / "file"
    file.write_text("x")
    loop().write(tmp_path / "traces" / "run-1")
    for path, message in [
        (tmp_path / "missing", "does not exist"),
        (file, "is a file; a trace is a directory"),
        (tmp_path / "traces", "has no `trace_metadata.json`"),
    ]:
        with pytest.raises(TraceError, match=message):
            open_trace(path)
    with pytest.raises(TraceError) as caught:
        open_trace(tmp_path / "traces")
    assert "run-1" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "does not say the format"),
        ('{"format": 1}', "does not say the format and state"),
        ('{"format": 2, "state": "closed", "tamis": "9.9"}', "format 2, and this Tamis reads up to 1"),
    ],
)
def test_bad_metadata(tmp_path: Path, text: str, message: str) -> None:
    """Metadata that are damaged, or of a newer format, are a clear error."""
    path = loop().write(tmp_path / "t")
    (path / "trace_metadata.json").write_text(text)
    with pytest.raises(TraceError, match=message):
        open_trace(path)


@pytest.mark.parametrize("name", ["events-0001.parquet", "code.parquet"])
def test_damaged_parquet(tmp_path: Path, name: str) -> None:
    """A Parquet file that is cut or has the wrong columns is named in the error."""
    path = loop().write(tmp_path / "t")
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TraceError, match=name):
        open_trace(path)
    (path / name).write_bytes((path / "values-0000.parquet").read_bytes())
    with pytest.raises(TraceError, match=f"{name}.* has no column"):
        open_trace(path)


def test_page_damaged_inside(tmp_path: Path) -> None:
    """Damage that shows only when the data are read is a `TraceError`, too."""
    path = loop(segment_rows=100).write(tmp_path / "t")
    file = path / "events-0000.parquet"
    data = bytearray(file.read_bytes())
    data[8:400] = os.urandom(392)
    file.write_bytes(data)
    with pytest.raises(TraceError, match="damaged"), open_trace(path) as trace:
        list(trace.events())


def test_recording_is_read_as_it_is(tmp_path: Path) -> None:
    """A trace that is being recorded opens at once, and says that it is."""
    path = loop().write(tmp_path / "t", tail_from=1)
    lock = Lock(path)
    with open_trace(path) as trace:
        assert trace.state == "recording"
        assert trace.sql("select count(*) from events").fetchall() == [(14,)]
    lock.release()
    with open_trace(path) as trace:
        assert trace.state == "interrupted"


def when_it_waits(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Does something in the moment when somebody who opens a trace begins to wait, and is told at once."""

    def sleep(seconds: float) -> None:
        monkeypatch.setattr(files.time, "sleep", actual)
        change()

    actual = time.sleep
    monkeypatch.setattr(files.time, "sleep", sleep)
    monkeypatch.setattr(files, "_PATIENCE", -1)


def test_waits_for_a_closing_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a helper closes the trace, opening waits and says so."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1, state="closing")
    lock = Lock(path)

    def close() -> None:
        build.write(path)
        lock.release()

    when_it_waits(monkeypatch, close)
    with open_trace(path) as trace:
        assert trace.state == "closed"
    assert "waiting until the recording" in capsys.readouterr().err


def test_segment_sealed_while_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tail that becomes Parquet between the look at the directory and the reading of it is found again."""
    build = loop()
    path = build.write(tmp_path / "t", tail_from=1)
    lock = Lock(path)
    from tamis.trace import reader

    whole = reader.contents

    def then_seal(directory: Path) -> object:
        found = whole(directory)
        monkeypatch.setattr(reader, "contents", whole)
        for tail in path.glob("tail-0001-*"):
            tail.unlink()
        build.write(path, tail_from=2)
        return found

    monkeypatch.setattr(reader, "contents", then_seal)
    with open_trace(path) as trace:
        assert trace.sql("select count(*), count(distinct seq) from events").fetchall() == [(14, 14)]
    lock.release()


def test_segment_sealed_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the reading of one tail takes, the others may become Parquet meanwhile."""
    path = loop().write(tmp_path / "t", tail_from=1)
    lock = Lock(path)
    from tamis.trace import database

    read = database.read_tail

    def while_others_are_sealed(*arguments: object) -> object:
        for tail in path.glob("tail-*"):
            tail.unlink()
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "read_tail", while_others_are_sealed)
    with open_trace(path) as trace:
        assert trace.sql("select count(*), count(distinct seq) from events").fetchall() == [(14, 14)]
        assert len(list(trace.calls())) == 7
    lock.release()


@pytest.mark.parametrize("done", ["directory", "file of the lock", "lock"])
def test_a_recording_that_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], done: str
) -> None:
    """A trace can be opened from the moment that its directory is there, before the helper wrote anything."""
    path = tmp_path / "t"
    path.mkdir()
    locks = [Lock(path)] if done == "lock" else []
    if done == "file of the lock":
        (path / "recording.lock").touch()

    def begin() -> None:
        locks[:] = locks or [Lock(path)]
        loop().write(path, tail_from=1)

    when_it_waits(monkeypatch, begin)
    with open_trace(path) as trace:
        assert trace.state == "recording"
        assert trace.sql("select count(*) from events").fetchall() == [(14,)]
    assert "to begin" in capsys.readouterr().err
    locks[0].release()


def test_a_recording_that_never_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that wrote nothing is told from what is no trace, whether its helper lives or not."""
    monkeypatch.setattr(files, "_BEGINNING", 0.1)
    path = tmp_path / "t"
    path.mkdir()
    with pytest.raises(TraceError, match="is no trace: it is empty"):
        open_trace(path)
    lock = Lock(path)
    with pytest.raises(TraceError, match=r"the recording `.*` has only begun"):
        open_trace(path)
    lock.release()
    (path / "recording.lock").touch()
    with pytest.raises(TraceError, match=r"the recording `.*` ended before anything was written"):
        open_trace(path)


@pytest.mark.parametrize("name", ["a [x] {1,2} ?*.trace", "l'été “ü”", "with space, comma"])
def test_any_name(tmp_path: Path, name: str) -> None:
    """A trace opens whatever its path is called; nothing in a name is a pattern or ends a literal."""
    assert len(calls_of(loop().write(tmp_path / name))) == 7


def test_empty_trace(tmp_path: Path) -> None:
    """A recording in which nothing happened has tables without rows."""
    with open_trace(Builder().write(tmp_path / "t")) as trace:
        assert [len(trace.table(name)) for name in SCHEMAS] == [0] * len(SCHEMAS)
        assert list(trace.calls()) == list(trace.events()) == list(trace.exceptions()) == []


def test_iterators_interleave(tmp_path: Path) -> None:
    """Iterators and queries of one trace can be used at the same time."""
    with open_trace(loop().write(tmp_path / "t")) as trace:
        pairs = []
        for call, event in zip(trace.calls(), trace.events(), strict=False):
            pairs.append((call.call, event.seq))
            trace.sql("select count(*) from calls").fetchall()
    assert pairs == [(i, i) for i in range(7)]


def test_closed_trace_frees_its_scratch(tmp_path: Path) -> None:
    """Closing a trace removes the directory for what did not fit into memory."""
    trace = Trace(loop().write(tmp_path / "t"))
    scratch = Path(trace._database._scratch)
    assert scratch.stat().st_mode & 0o777 == 0o700
    trace.close()
    assert not scratch.exists()


def test_import_is_light() -> None:
    """`tamis.trace` can be imported by a recorded program without loading DuckDB or pyarrow."""
    code = "import sys, tamis.trace; print([m for m in ('duckdb', 'pyarrow', 'rich') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_relation_outlives_its_trace(tmp_path: Path) -> None:
    """`open(path).sql(query).fetchall()` works, though nobody holds the trace."""
    relation = open_trace(loop().write(tmp_path / "t")).sql("select count(*) from events")
    gc.collect()
    assert relation.fetchall() == [(14,)]


def test_scratch_goes_with_the_process(tmp_path: Path) -> None:
    """A trace that nobody closed leaves nothing in the directory for temporary files."""
    path, temporary = loop().write(tmp_path / "t"), tmp_path / "tmp"
    temporary.mkdir()
    code = "import sys, os, tamis; t = tamis.open(sys.argv[1]); print(len(os.listdir(os.environ['TMPDIR'])))"
    environment = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
    assert list(temporary.iterdir()) == []
