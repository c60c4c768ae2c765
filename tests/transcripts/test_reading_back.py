"""What comes out of the store: exports, reports, words."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from logs import SAMPLES, ingest, ingested, token, write_lines

from tamis.errors import UsageError
from tamis.transcripts.export import write_log
from tamis.transcripts.marks import Marks
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.report import as_html, as_markdown, as_text, turns_of
from tamis.transcripts.searching import BEGIN, END, index, search, unindexed
from tamis.transcripts.store import Store, open_store
from tamis.transcripts.stored import select

LOGS = sorted(path for path in SAMPLES.rglob("*.json*") if not path.name.endswith(".meta.json"))


def exported(store: Store, name: str | None = None) -> str:
    with store.reading() as connection:
        (transcript,) = select(connection, [name] if name else None)
        file = io.StringIO()
        write_log(connection, transcript, file)
    return file.getvalue()


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.relative_to(SAMPLES).as_posix())
def test_export_is_the_log(path: Path, url: str, redactor: Redactor) -> None:
    """A log in which nothing was redacted comes out as it went in: lines to the byte, documents as values."""
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        text = exported(store)
    if path.suffix == ".json":
        assert json.loads(text) == json.loads(path.read_text())
    else:
        assert text.split("\n") == [*(line for line in path.read_text().split("\n") if line.strip()), ""]


def test_an_export_can_be_ingested(tmp_path: Path, redactor: Redactor) -> None:
    """What was redacted once stays as it is when it is read again."""
    path = write_lines(
        tmp_path / "s.jsonl",
        {"type": "user", "sessionId": "s", "message": {"role": "user", "content": f"use {token()}"}},
    )
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        text = exported(store)
        path.write_text(text)
        ingest(store, redactor, path)
        assert exported(store) == text
    assert "use <REDACTED:github-token>" in text


def test_turns_of_a_sample(tmp_path: Path, redactor: Redactor) -> None:
    """A call and its result are one step, tokens are summed, what the user's agent put in is no prompt."""
    ingested(f"{tmp_path}/s.db", redactor, SAMPLES / "codex" / "large.jsonl")
    with open_store(f"{tmp_path}/s.db") as store, store.reading() as connection:
        (transcript,) = select(connection)
        turns = list(turns_of(connection, transcript))
    assert [turn.prompt for turn in turns] == ["Start", *(f"Step {n}" for n in range(1, 6))]
    first = turns[0]
    assert [(step.kind, step.name) for step in first.steps] == [
        ("message", ""),
        ("tool", "run_shell_command"),
        ("message", ""),
        ("message", "user"),
    ]
    assert first.steps[1].about == r"printf 'line1\nline2\nline3\n'"
    assert "line3" in (first.steps[1].result or "")
    assert first.tokens["output"] == 182


@pytest.fixture
def hostile(tmp_path: Path, redactor: Redactor) -> Store:
    """A transcript that tries to be more than a text."""
    text = "<script>alert(1)</script> \x1b[31m ``` # h\n<!-- {{ 7*7 }} &amp; "
    block = {"type": "tool_use", "id": "t", "name": "<b>x</b>", "input": {"command": text}}
    path = write_lines(
        tmp_path / "s.jsonl",
        {"type": "user", "sessionId": "s", "message": {"role": "user", "content": text + token()}},
        {"type": "assistant", "sessionId": "s", "message": {"role": "assistant", "content": [block]}},
        {"type": "custom-title", "sessionId": "s", "customTitle": text},
    )
    ingested(f"{tmp_path}/s.db", redactor, path)
    return open_store(f"{tmp_path}/s.db")


def test_reports_of_hostile_texts(hostile: Store) -> None:
    """What stands in a transcript formats no page, no Markdown, moves no cursor; redactions are marked."""
    with hostile as store, store.reading() as connection:
        (transcript,) = select(connection)
        marks = Marks()

        def turns():
            return turns_of(connection, transcript)

        page = "".join(as_html([(transcript, turns())], marks))
        markdown = "\n".join(as_markdown(transcript, turns(), marks))
        text = "\n".join(as_text(transcript, turns(), marks))
    assert "<script" not in page
    assert "<b>x" not in page
    assert "{{ 7*7 }}" in page
    assert '<mark title="github-token">&lt;REDACTED:github-token&gt;</mark>' in page
    assert "````text\n<script>" in markdown
    assert markdown.startswith(r"# \<script\>")
    assert "\x1b" not in page + markdown + text
    assert "redacted: 1 × github-token" in text


def test_report_of_every_sample(tmp_path: Path, redactor: Redactor) -> None:
    """Whatever a log holds, it can be reported in each way."""
    ingested(f"{tmp_path}/s.db", redactor, SAMPLES)
    with open_store(f"{tmp_path}/s.db") as store, store.reading() as connection:
        chosen = select(connection)
        assert len(chosen) == len(LOGS)
        for transcript in chosen:
            assert len(list(as_text(transcript, turns_of(connection, transcript), Marks()))) > 5
            assert len(list(as_markdown(transcript, turns_of(connection, transcript), Marks()))) > 5
        page = "".join(as_html(((it, turns_of(connection, it)) for it in chosen), Marks()))
    assert page.count("<article>") == page.count("</article>") == len(LOGS)


def test_transcripts_by_name(tmp_path: Path, redactor: Redactor) -> None:
    """A session is named by its id, or by a beginning that only it has."""
    ingested(f"{tmp_path}/s.db", redactor, SAMPLES)
    with open_store(f"{tmp_path}/s.db") as store, store.reading() as connection:
        assert [it.session[:4] for it in select(connection, ["0a1b2c3d"])] == ["0a1b"]
        assert {it.agent for it in select(connection, agent="gemini")} == {"gemini"}
        with pytest.raises(UsageError, match="several"):
            select(connection, ["copilot_stage0_"])
        with pytest.raises(UsageError, match="no transcript `nobody`"):
            select(connection, ["nobody"])


def test_search(url: str, redactor: Redactor) -> None:
    """Words are found in both databases, with case, order and phrases as one expects."""
    with open_store(url, create=True) as store:
        ingest(store, redactor, SAMPLES)
        assert unindexed(store) > 0
        assert index(store) > 0
        assert (unindexed(store), index(store)) == (0, 0)
        with store.reading() as connection:

            def found(*words: str, agent: str | None = None, kind: str | None = None) -> set[str]:
                hits = search(connection, list(words), agent=agent, kind=kind, limit=50)
                return {hit.session for hit in hits}

            assert "copilot_stage0_small" in found("LIST", "files")
            assert found("files list") == set()
            assert found("the files") == found('"the files"') != set()
            assert found("list files") < found("list", "files")
            assert found("list", "files", agent="codex") == {"019fc8be-3658-7ca3-9e29-000000000000"}
            assert found("list", "files", kind="reasoning") == set()
            (hit, *_) = search(connection, ["multiline"], limit=1)
            assert f"{BEGIN}multiline{END}" in hit.text
            for nasty in ('" OR 1', "a* NEAR(b", "x';--", "col:x", "-files"):
                search(connection, [nasty], limit=5)
            with pytest.raises(UsageError):
                search(connection, ["!?"], limit=5)


def test_search_after_changes(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Words of a log that has changed are found as they are now, and those before are not."""

    def log(text: str) -> None:
        write_lines(
            tmp_path / "s.jsonl",
            {"type": "user", "sessionId": "s", "message": {"role": "user", "content": text}},
        )

    with open_store(url, create=True) as store:
        for before, now in (("", "heron"), ("heron", "plover in a tree"), ("plover", "heron again")):
            log(now)
            ingest(store, redactor, tmp_path / "s.jsonl")
            index(store)
            with store.reading() as connection:
                assert len(search(connection, [now.split()[0]], limit=5)) == 1
                if before:
                    assert search(connection, [before], limit=5) == []
