"""What is forgotten is nowhere any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Server
from logs import everything, ingest, rows, write_lines

from tamis.cli import main
from tamis.transcripts.forgetting import forget, older_than, with_sub_agents
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.searching import index
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select

# Long enough to fill pages, so that what was freed is not just written over.
MANY = 400


def log(path: Path, word: str, session: str) -> Path:
    def record(number: int) -> dict[str, object]:
        text = f"{word}{number} says {word} about {word}s " + "and more of it " * 40
        message = {"role": "user", "content": text}
        return {"type": "user", "sessionId": session, "uuid": f"{session}-{number}", "message": message,
                "timestamp": "2026-01-01T00:00:00Z", "cwd": f"/tmp/{word}"}  # fmt: skip

    return write_lines(path, *(record(number) for number in range(MANY)))


def test_nothing_is_left(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Of a transcript that is forgotten, no word is in any row or index, nor in the bytes of a file."""
    log(tmp_path / "a.jsonl", "heronbird", "a")
    log(tmp_path / "b.jsonl", "ploverbird", "b")
    with open_store(url, create=True) as store:
        ingest(store, redactor, tmp_path / "a.jsonl")
        index(store)
        ingest(store, redactor, tmp_path / "b.jsonl")
        index(store)
        assert "heronbird" in everything(store)
        with store.reading() as connection:
            chosen = select(connection, ["a"])
        forget(store, chosen)
        texts = everything(store)
        assert "heronbird" not in texts
        assert "ploverbird399" in texts
        assert {row[1] for row in rows(store)["transcripts"]} == {"b"}
        files = list(tmp_path.glob("store.db*"))
        assert bool(files) == store.is_sqlite
        for file in files:
            data = file.read_bytes()
            assert b"heronbird" not in data, file.name
            assert store.is_sqlite <= (file.suffix != ".db" or b"ploverbird" in data)


def test_nothing_is_left_in_the_files_of_a_server(tmp_path: Path, server: Server, redactor: Redactor) -> None:
    """Of PostgreSQL the files of tables and indexes hold nothing of it, either; its log of changes does."""
    log(tmp_path / "a.jsonl", "sandpiper", "a")
    url = server.new_database()
    with open_store(url, create=True) as store:
        ingest(store, redactor, tmp_path / "a.jsonl")
        index(store)
        with store.reading() as connection:
            chosen = select(connection)
        forget(store, chosen)
        with store.outside() as connection:
            connection.exec_driver_sql("CHECKPOINT")
    found = [path for path in (server.folder / "data" / "base").rglob("*") if path.is_file()]
    assert found
    assert [path for path in found if b"sandpiper" in path.read_bytes()] == []


def test_sub_agents_go_with_their_session(tmp_path: Path, redactor: Redactor) -> None:
    """The transcripts of sub-agents are forgotten with the one that they worked for."""
    log(tmp_path / "a.jsonl", "x", "a")
    log(tmp_path / "a" / "subagents" / "agent-1.jsonl", "y", "a")
    log(tmp_path / "b.jsonl", "z", "b")
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, tmp_path)
        with store.reading() as connection:
            known = select(connection)
            chosen = with_sub_agents(select(connection, ["a"]), known)
    assert sorted(it.session for it in chosen) == ["a", "agent-1"]
    assert older_than(known, 0) == []
    assert len(older_than(known, 2e9)) == 3
    assert older_than(known, 1.7e9) == []


def test_the_command(tmp_path: Path, redactor: Redactor, capsys: pytest.CaptureFixture[str]) -> None:
    """It wants to be told which, shows them first, and asks nobody who is not there."""
    url = f"{tmp_path}/s.db"
    log(tmp_path / "a.jsonl", "x", "a")
    with open_store(url, create=True) as store:
        ingest(store, redactor, tmp_path / "a.jsonl")
    for arguments, code, said in (
        ([], 2, "nothing says which"),
        (["--all", "a"], 2, "leaves nothing to choose"),
        (["--older-than", "soon"], 2, "neither a date"),
        (["--older-than", "2026-01-01", "--dry-run"], 0, "0 transcripts would be"),
        (["--older-than", "2026-06-01", "--dry-run"], 0, "1 transcript would be"),
        (["a"], 2, "nobody to ask"),
        (["a", "--yes"], 0, "1 transcript forgotten"),
        (["a", "--yes"], 2, "no transcript `a`"),
    ):
        assert main(["forget", *arguments, "--db", url]) == code
        assert said in capsys.readouterr().err


def test_ended_before_the_files_are_clean(
    tmp_path: Path, url: str, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a program is ended between taking something out and cleaning the files, the next one cleans them."""
    log(tmp_path / "a.jsonl", "heronbird", "a")
    (tmp_path / "none.yml").write_text("[]\n")

    def end(_: object) -> None:
        raise KeyboardInterrupt

    with open_store(url, create=True) as store:
        ingest(store, redactor, tmp_path / "a.jsonl")
        index(store)
        with store.reading() as connection:
            chosen = select(connection)
        with monkeypatch.context() as patch:
            patch.setattr("tamis.transcripts.forgetting._purge", end)
            with pytest.raises(KeyboardInterrupt):
                forget(store, chosen)
        assert "left to purge" in everything(store)
    (tmp_path / "logs").mkdir()
    ended = ["ingest", str(tmp_path / "logs"), "--db", url, "--rules", str(tmp_path / "none.yml")]
    assert main(ended) == 0
    with open_store(url) as store:
        assert "left to purge" not in everything(store)
        files = list(tmp_path.glob("store.db*"))
        assert bool(files) == store.is_sqlite
        assert [file for file in files if b"heronbird" in file.read_bytes()] == []
