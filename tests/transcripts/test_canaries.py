"""No byte that a rule takes out reaches the store, wherever in a log it stands."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from benchmarks.transcript_logs import write_log
from logs import SAMPLES, changed, everything, ingest, token, write_lines

from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import open_store

# By these a reader tells what a record is.
STRUCTURE = {"type", "role", "kind", "subtype"}
FILES = sorted(path for path in SAMPLES.rglob("*.json*") if not path.name.endswith(".meta.json"))


def planted(value: Any, secrets: list[str], count: itertools.count[int]) -> Any:
    """The value with a secret in every text but those that say what it is."""

    def change(name: str, text: str) -> str:
        if name in STRUCTURE:
            return text
        secret = token(next(count))
        secrets.append(secret)
        return f"{text} {secret} {text}"

    return changed(value, change)


def encodings(secret: str) -> list[str]:
    """How a secret may stand in a database: as it is, in base64 at three places, in hexadecimal digits."""
    in_base64 = [base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4] for shift in range(3)]
    return [secret, *in_base64, secret.encode().hex(), quote(secret), json.dumps(secret)[1:-1]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SAMPLES).as_posix())
def test_a_secret_in_every_text(path: Path, tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Of a secret in every place of every sample none is in any column, nor in the bytes of the file."""
    secrets: list[str] = []
    count = itertools.count(1)
    copy = tmp_path / path.name
    if path.suffix == ".json":
        copy.write_text(json.dumps(planted(json.loads(path.read_text()), secrets, count)))
    else:
        lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        write_lines(copy, *(planted(line, secrets, count) for line in lines))
    with open_store(url, create=True) as store:
        (done,) = ingest(store, redactor, copy)
        texts = everything(store)
    assert sum(done.counts.values()) > 0
    assert not done.broken
    left = [secret for secret in secrets for form in encodings(secret) if form in texts]
    assert left == []
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    assert [secret for secret in secrets if secret.encode() in raw] == []


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("codex", "a.jsonl"),
        ("claude", "a.jsonl"),
        ("copilot-cli", "a.jsonl"),
        ("copilot-vscode", "a.json"),
        ("gemini", "a.json"),
    ],
)
def test_secrets_of_generated_logs(agent: str, name: str, tmp_path: Path, redactor: Redactor) -> None:
    """Of a log with secrets here and there, in prompts, results, arguments and answers, none is kept."""
    write_log(tmp_path / name, agent, 2_000_000)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        (done,) = ingest(store, redactor, tmp_path / name)
        texts = everything(store)
    assert done.agent == agent
    assert done.counts["github-token"] > 0
    assert "gh" + "p_" not in texts
    assert "postgresql://app:<" in texts
