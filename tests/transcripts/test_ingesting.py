"""Ingesting: once, again, and after changes."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from benchmarks.transcript_logs import write_log
from logs import SAMPLES, everything, ingest, ingested, rows, token, write_lines

from tamis.policy.rules import assembled
from tamis.transcripts import export
from tamis.transcripts.ingest import redact_stored
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.searching import index, search
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select


def user(text: str) -> dict[str, object]:
    return {"type": "user", "uuid": text[:8], "sessionId": "s", "message": {"role": "user", "content": text}}


def test_again_is_the_same(url: str, redactor: Redactor) -> None:
    """What is in the store is not read again, and the store stays as it is."""
    with open_store(url, create=True) as store:
        first = ingest(store, redactor, SAMPLES)
        before = rows(store)
        second = ingest(store, redactor, SAMPLES)
        assert rows(store) == before
    assert {done.what for done in first} == {"new"}
    assert {done.what for done in second} == {"same"}


def test_a_touched_log_is_known_by_its_digest(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A log of which only the time is another is not read again."""
    path = write_lines(tmp_path / "s.jsonl", user("one"))
    ingested(url, redactor, path)
    os.utime(path, (1, 1))
    assert [done.what for done in ingested(url, redactor, path)] == ["same"]


def test_a_log_that_grows(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A last line that is not whole is left for the next time; then the store is as if there had been one."""
    path = write_lines(tmp_path / "s.jsonl", user("one"))
    with open(path, "a") as file:
        file.write(json.dumps(user("two"))[:30])
    (done,) = ingested(url, redactor, path)
    assert (done.records, done.unfinished, done.broken) == (1, True, [])
    write_lines(path, user("one"), user("two"), user("three"))
    (done,) = ingested(url, redactor, path)
    assert (done.what, done.records, done.prompts, done.unfinished) == ("changed", 3, 3, False)


def test_broken_lines(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Lines that are no JSON are told with their numbers and skipped; the others are kept."""
    path = tmp_path / "s.jsonl"
    good = [json.dumps(user(text)).encode() for text in ("one", "two", "three")]
    path.write_bytes(b"\n".join([good[0], b'{"cut', good[1], b"\xff\xfe", b"", b"[1]", good[2]]) + b"\n")
    with open_store(url, create=True) as store:
        (done,) = ingest(store, redactor, path)
        kept = rows(store)
    assert [line.line for line in done.broken] == [2, 4, 6]
    assert (done.records, done.prompts) == (3, 3)
    assert [row[1] for row in kept["broken"]] == [2, 4, 6]
    assert not any("cut" in line.reason for line in done.broken)


def test_packed_logs(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A log that was packed with zstd is the same as the plain one, which is read if both are there."""
    plain = SAMPLES / "codex" / "large.jsonl"
    packed = tmp_path / "sessions" / "large.jsonl.zst"
    packed.parent.mkdir()
    with pa.CompressedOutputStream(pa.OSFile(str(packed), "wb"), "zstd") as file:
        file.write(plain.read_bytes())
    (done,) = ingested(url, redactor, packed)
    assert (done.agent, done.records, done.prompts) == ("codex", 20, 6)
    (packed.with_suffix("")).write_bytes(plain.read_bytes())
    (again,) = ingested(url, redactor, tmp_path / "sessions")
    assert (again.what, again.source) == ("changed", done.source)


def test_other_rules(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """With other rules, logs are redacted anew."""
    path = write_lines(tmp_path / "s.jsonl", user("the heron project"))
    (tmp_path / "r.yml").write_text("- {id: heron, type: literal, pattern: heron, scope: global}\n")
    other = Redactor(assembled(tmp_path / "r.yml", builtin=True))
    assert other.digest != redactor.digest
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        (done,) = ingest(store, other, path)
        texts = repr(rows(store))
    assert (done.what, dict(done.counts)) == ("changed", {"heron": 1})
    assert "the <REDACTED> project" in texts
    assert "heron" not in texts.replace("'heron'", "").replace('"heron"', "")


def test_other_rules_when_the_log_is_gone(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """With other rules and without the log, what is stored is redacted anew; when it is back, it is read."""
    path = write_lines(tmp_path / "s.jsonl", user("the heron project"), user(f"and {token()}"))
    (tmp_path / "r.yml").write_text("- {id: heron, type: literal, pattern: heron, scope: prompt}\n")
    other = Redactor(assembled(tmp_path / "r.yml", builtin=True))
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        index(store)
        text = path.read_text()
        path.unlink()
        (done,) = redact_stored(store, other)
        index(store)
        assert (done.what, done.records, done.prompts, dict(done.counts)) == ("stored", 2, 2, {"heron": 1})
        assert list(redact_stored(store, other)) == []
        again = rows(store)
        assert "the <REDACTED> project" in repr(again)
        assert "the heron" not in everything(store)
        with store.reading() as connection:
            assert search(connection, ["heron"], limit=5) == []
            assert len(search(connection, ["project"], limit=5)) == 1
        (told,) = again["transcripts"]
        assert {"heron": 1, "github-token": 1} in told
        path.write_text(text)
        (done,) = ingest(store, other, path)
        assert (done.what, dict(done.counts)) == ("changed", {"heron": 1, "github-token": 1})
        assert rows(store)["events"] == again["events"]
        assert rows(store)["records"] == again["records"]


def test_the_same_text_twice_counts_once(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """What a log holds twice is redacted in both places, told once and counted once."""
    text = f"use {token()} here"
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    path = write_lines(
        tmp_path / "s.jsonl",
        {"type": "session_meta", "payload": {"id": "one"}},
        {"type": "response_item", "payload": item},
        {"type": "event_msg", "payload": {"type": "user_message", "message": text}},
    )
    with open_store(url, create=True) as store:
        (done,) = ingest(store, redactor, path)
        raws = [row[4] for row in rows(store)["records"]]
    assert (dict(done.counts), done.prompts) == ({"github-token": 1}, 1)
    assert sum("<REDACTED:github-token>" in raw for raw in raws) == 2


def test_what_databases_cannot_hold(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """NUL and lone surrogates are kept as JSON escapes them, the same in both databases."""
    path = tmp_path / "s.jsonl"
    line = json.dumps(user("a\0b"))[:-3] + "\\ud800 é 😀" + '"}}'
    path.write_text(line + "\n")
    with open_store(url, create=True) as store:
        (done,) = ingest(store, redactor, path)
        kept = rows(store)
    assert done.records == 1
    (prompt,) = [row for row in kept["events"] if row[2] == "prompt"]
    assert "a\\u0000b\\ud800 é 😀" in prompt
    assert kept["records"][0][4] == line


def test_answers_that_were_taken_back(tmp_path: Path, redactor: Redactor) -> None:
    """What a later record replaces or takes back is marked, and kept."""
    messages = [{"id": f"m{n}", "type": "user", "content": f"text {n}"} for n in range(4)]
    path = write_lines(
        tmp_path / "s.jsonl",
        {"sessionId": "s", "projectHash": "h"},
        *messages,
        {"id": "m1", "type": "user", "content": "another"},
        {"$rewindTo": "m2"},
    )
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        undone = [row[1] for row in rows(store)["records"] if row[-1]]
    assert undone == [3, 5, 6]


def test_turns_that_were_rolled_back(tmp_path: Path, redactor: Redactor) -> None:
    """Codex takes back the last turns by their number: their records are marked, from the prompt on."""

    def told(kind: str, **rest: object) -> dict[str, object]:
        return {"type": "event_msg", "payload": {"type": kind, **rest}}

    path = write_lines(
        tmp_path / "s.jsonl",
        {"type": "session_meta", "payload": {"id": "one"}},
        *(told(kind, message=f"{kind} {n}") for n in range(3) for kind in ("user_message", "agent_message")),
        told("thread_rolled_back", num_turns=2),
        told("user_message", message="another"),
        told("thread_rolled_back", num_turns=9),
    )
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        undone = [row[1] for row in rows(store)["records"] if row[-1]]
    assert undone == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("size", [1_000, 300_000])
@pytest.mark.parametrize("agent", ["codex", "claude", "copilot-cli"])
def test_ended_in_the_middle(agent: str, size: int, tmp_path: Path, redactor: Redactor) -> None:
    """What was cut off somewhere in its last line is all there up to that line."""
    write_log(tmp_path / "s.jsonl", agent, size)
    data = (tmp_path / "s.jsonl").read_bytes()
    lines = data.count(b"\n")
    (tmp_path / "s.jsonl").write_bytes(data[:-9])
    (done,) = ingested(f"{tmp_path}/s.db", redactor, tmp_path / "s.jsonl")
    assert (done.records, done.unfinished) == (lines - 1, True)


@pytest.mark.parametrize(
    ("place", "agent", "parent"),
    [
        ("projects/-tmp/0a1b/tool-results/toolu_1.txt", "claude", "0a1b"),
        ("projects/-tmp/0a1b/tool-results/toolu_1.json", "claude", "0a1b"),
        ("workspaceStorage/x/chatEditingSessions/0a1b/contents/3f2e", "copilot-vscode", "0a1b"),
        ("workspaceStorage/x/chatEditingSessions/0a1b/state.json", "copilot-vscode", "0a1b"),
        ("x/tool-outputs/session-0a1b/shell.txt", "gemini", "0a1b"),
    ],
)
def test_files_beside_logs(
    place: str, agent: str, parent: str, tmp_path: Path, url: str, redactor: Redactor
) -> None:
    """A file that an agent keeps beside its logs is redacted as one text, and comes out as it went in."""
    path = tmp_path / "root" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(f'{{"é": "{token()}"}}\nand\n'.encode() + b"\xff\n")
    with open_store(url, create=True) as store:
        (done,) = ingest(store, redactor, tmp_path / "root")
        assert (done.agent, done.records, dict(done.kinds)) == (agent, 1, {"tool_result": 1})
        assert token() not in everything(store)
        with store.reading() as connection:
            (told,) = select(connection)
            file = io.StringIO()
            export.write_log(connection, told, file)
    assert told.parent == parent
    assert file.getvalue() == '{"é": "<REDACTED:github-token>"}\nand\n\\xff\n'


def test_a_file_beside_a_log_that_is_no_text(tmp_path: Path, redactor: Redactor) -> None:
    """A picture among the results of tools is told, and left out."""
    path = tmp_path / "projects" / "p" / "s" / "tool-results" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x89PNG\0\0")
    (done,) = ingested(f"{tmp_path}/s.db", redactor, tmp_path)
    assert (done.records, [line.reason for line in done.broken]) == (0, ["no text"])
