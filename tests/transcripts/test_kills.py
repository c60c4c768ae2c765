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
from logs import everything, ingested, rows

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
