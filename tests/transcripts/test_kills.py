"""Whatever ends an ingest, a second one completes it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks.transcript_logs import AGENTS, write_log
from herons import BY, desk, texts, user
from logs import everything, ingest, ingested, rows, write_lines

from tamis.transcripts import manual
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.searching import unindexed
from tamis.transcripts.store import open_store

KILLS = 25  # for each kind of store


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    for agent in AGENTS:
        single = agent in ("gemini", "copilot-vscode")
        write_log(folder / f"{agent}.{'json' if single else 'jsonl'}", agent, 400_000)
    return folder


def test_killed_at_any_moment(logs: Path, url: str, tmp_path: Path, redactor: Redactor) -> None:
    """Killed again and again at random moments, and then run to its end: the store is that of one run."""
    ingested(f"{tmp_path}/whole.db", redactor, logs)
    with open_store(f"{tmp_path}/whole.db") as store:
        expected = rows(store)
    (tmp_path / "none.yml").write_text("[]\n")
    command = [sys.executable, "-m", "tamis", "ingest", str(logs), "--db", url]
    command += ["--rules", str(tmp_path / "none.yml")]
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - began
    seed = random.randrange(10**6)
    r = random.Random(seed)
    for _ in range(KILLS):
        for path in logs.iterdir():  # changed: each is to be read anew
            os.utime(path, ns=(r.randrange(10**18), r.randrange(10**18)))
            with open(path, "ab") as file:
                file.write(b"\n")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
            time.sleep(r.random() * whole)
            program.kill()
    subprocess.run(command, check=True, capture_output=True)
    with open_store(url) as store:
        assert rows_without_file(rows(store)) == rows_without_file(expected), f"seed {seed}"
        assert unindexed(store) == 0
        assert "gh" + "p_" not in everything(store)


def rows_without_file(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Without the size, time and digest of the logs, which the test changes, and the rules' digest."""
    return {**found, "transcripts": [row[:-4] for row in found["transcripts"]]}


def test_killed_while_redacting(url: str, tmp_path: Path, redactor: Redactor) -> None:
    """Killed while something is redacted by hand, it is redacted everywhere or nowhere, and the history says
    which."""
    path = tmp_path / "logs" / "s.jsonl"
    records = [user(f"u{n}", f"{n} heron " + "and more of it " * 20) for n in range(800)]
    write_lines(path, *records)
    (tmp_path / "none.yml").write_text("[]\n")
    command = [sys.executable, "-m", "tamis", "redactions", "add", "--all", "--text", "heron", "--db", url]
    command += ["--rules", str(tmp_path / "none.yml"), "--log", str(path)]
    seed = random.randrange(10**6)
    r = random.Random(seed)
    done = 0
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        whole = time.monotonic() - began
        for _ in range(12):
            at = desk(store, redactor, path)
            with store.reading() as connection:
                active = [it for it in manual.everything(connection) if it.active]
            done += bool(active)
            for it in active:
                at.undo(it.redaction, None, BY)
            assert all("heron" in text for text in texts(store))
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
                time.sleep(whole * r.uniform(0.3, 1.1))
                program.kill()
            with store.reading() as connection:
                active = [it for it in manual.everything(connection) if it.active]
                covered = [len(manual.places_of(connection, it)) for it in active]
            assert covered in ([], [800]), f"seed {seed}"
            assert sum("heron" in text for text in texts(store)) == (0 if active else 800), f"seed {seed}"
    assert done > 0
