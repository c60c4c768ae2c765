"""Redactions by hand: how they are changed and taken back, by several people, and what is left of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Server
from herons import BY, GLOBAL, LOG, chosen, desk, texts, user
from logs import everything, ingest, rows, token, write_lines

from tamis.errors import StoreError, UsageError
from tamis.policy.rules import assembled
from tamis.transcripts import manual
from tamis.transcripts.export import write_log
from tamis.transcripts.forgetting import forget
from tamis.transcripts.ingest import redact_stored
from tamis.transcripts.redacting import Change
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.searching import index
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select
from tamis.transcripts.wishes import Wish


def test_undo(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Each step can be taken back, to what the rules leave; the history keeps all of them."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        ruled = rows(store)
        at = desk(store, redactor, path)
        id = at.add(chosen(store), Wish("prompt", "heron"), Change("ada", "<A>", "why")).redaction.redaction
        first = rows(store)
        at.update(id, None, Change("bob", reason="because"), None)
        assert rows(store) == first
        at.update(id, None, Change("bob", "<B>"), Wish("global", "heron"))
        second = rows(store)
        assert second not in (first, ruled)
        at.remove(id, 3, BY)
        assert rows(store) == ruled
        at.undo(id, None, BY)
        assert rows(store) == second
        for version in (5, 6):
            at.undo(id, version, BY)
            assert rows(store) == first
        at.undo(id, None, BY)
        assert rows(store) == ruled
        with pytest.raises(UsageError, match="nothing more to undo"):
            at.undo(id, None, BY)
        with store.reading() as connection:
            told = manual.history(connection, id)
    assert [(it.version, it.what, it.actor, it.active, it.replacement, it.reason) for it in told] == [
        (1, "add", "ada", True, "<A>", "why"),
        (2, "update", "bob", True, "<A>", "because"),
        (3, "update", "bob", True, "<B>", "because"),
        (4, "remove", "ada", False, "<B>", "because"),
        (5, "undo", "ada", True, "<B>", "because"),
        (6, "undo", "ada", True, "<A>", "because"),
        (7, "undo", "ada", True, "<A>", "why"),
        (8, "undo", "ada", False, "<A>", "why"),
    ]


def test_the_log_is_gone(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Without its log, a transcript can still be redacted, if that is wanted; it cannot be undone, and that
    is said. If the log comes back, the whole text is covered: where it stood in it is not known."""
    secret = token()
    path = write_lines(tmp_path / "s.jsonl", user("u1", f"key {secret} of the heron"), user("u2", "a heron"))
    away = tmp_path / "away"
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        path.rename(away)
        (tmp_path / "empty").mkdir()
        nowhere = desk(store, redactor, tmp_path / "empty")
        with pytest.raises(StoreError, match="is not there"):
            nowhere.add(chosen(store), GLOBAL, BY)
        here = desk(store, redactor, tmp_path / "empty", stored=True)
        made = here.add(chosen(store), GLOBAL, BY).redaction
        first, second = texts(store)
        assert first.startswith("key <REDACTED")
        assert first.endswith("of the <REDACTED>")
        assert second == "a <REDACTED>"
        assert "heron" not in everything(store)
        for undo in (here.undo, here.remove):
            with pytest.raises(StoreError, match="cannot come back"):
                undo(made.redaction, None, BY)
        list(redact_stored(store, Redactor(assembled(None, builtin=False))))
        assert "heron" not in everything(store)
        away.rename(path)
        ingest(store, redactor, path)
        assert texts(store) == ["<REDACTED>", "a <REDACTED>"]
        desk(store, redactor, path).undo(made.redaction, None, BY)
        assert texts(store)[1] == "a heron"


def test_other_rules(tmp_path: Path, redactor: Redactor) -> None:
    """With rules by which the store was not redacted, nothing is done: they might leave more in it."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        with pytest.raises(StoreError, match="other rules"):
            desk(store, Redactor(assembled(None, builtin=False)), path).add(chosen(store), GLOBAL, BY)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish("global", "ibis"), "no such text"),
        (Wish("field", event="99"), "no such text"),
        (Wish("field", event="1", span=(0, 99)), "the text has 22 characters"),
        (Wish("field", event="2", span=(0, 1)), "there are 2: `message.content"),
        (Wish("field", paths=("a..b",)), "is no path"),
        (Wish("global", "x" * 70_000), "too long to be looked for"),
    ],
)
def test_what_cannot_be_redacted(tmp_path: Path, redactor: Redactor, wish: Wish, message: str) -> None:
    """It is said why, and nothing is changed."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        before = everything(store)
        with pytest.raises(UsageError, match=re.escape(message)):
            desk(store, redactor, path).add(chosen(store), wish, BY)
        assert everything(store) == before


def test_the_text_is_in_no_other_column(tmp_path: Path, redactor: Redactor) -> None:
    """Neither the replacement nor the reason may hold what is covered; rules are applied to both; ids that
    hold it are not kept, and it is said where it stays."""
    path = write_lines(
        tmp_path / "s.jsonl", user("heron-1", "a heron"), user("u2", "two herons", requestId="req_heron12345")
    )
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        at = desk(store, redactor, path)
        for change in (Change("ada", "no heron"), Change("ada", reason="a heron")):
            with pytest.raises(UsageError, match="holds the text"):
                at.add(chosen(store), GLOBAL, change)
        outcome = at.add(chosen(store), GLOBAL, Change("ada", reason=f"see {token()}"))
        assert token() not in everything(store)
        assert outcome.left == 1
        with store.reading() as connection:
            told = manual.places_of(connection, outcome.redaction)
        assert [place.record_id for place in told] == ["", "", "u2"]


def test_no_lost_update(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Of two people who change a redaction that both have seen, the second is told what the first did."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(url, create=True) as store, open_store(url) as other:
        ingest(store, redactor, path)
        id = desk(store, redactor, path).add(chosen(store), GLOBAL, BY).redaction.redaction
        desk(other, redactor, path).update(id, 1, Change("bob", "<B>"), None)
        before = everything(store)
        for change in ("update", "remove", "undo"):
            at = desk(store, redactor, path)
            told = (Change("ada", "<A>"), None) if change == "update" else (BY,)
            with pytest.raises(StoreError, match="changed by `bob` meanwhile: it is version 2 now, not 1"):
                getattr(at, change)(id, 1, *told)
        assert everything(store) == before
        with store.reading() as connection:
            now = manual.current(connection, id)
        assert (now.replacement, now.actor) == ("<B>", "bob")


def test_forgotten_and_read_again(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """What is kept of redactions in a transcript that is forgotten names nothing of it, and is applied if the
    log is read again."""
    path = write_lines(tmp_path / "session-name.jsonl", user("record-name", "a heron"), user("u2", "none"))
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        forget(store, chosen(store))
        told = everything(store)
        assert not [name for name in ("session-name", "record-name", "heron") if name in told]
        ingest(store, redactor, path)
        assert texts(store) == ["a <REDACTED>", "none"]


def test_nothing_is_left_in_the_files(tmp_path: Path, url: str, redactor: Redactor, server: Server) -> None:
    """What a redaction covers is in no byte of the files any more: of SQLite, its log, or of the server's
    tables and indexes."""
    word = "sanderling"
    log = [user(f"u{n}", f"{word}{n} met {word} {'and more of it ' * 40}") for n in range(300)]
    path = write_lines(tmp_path / "logs" / "s.jsonl", *log)
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        index(store)
        desk(store, redactor, path).add(chosen(store), Wish("global", word), BY)
        files = [*tmp_path.glob("*.db*")]
        if not store.is_sqlite:
            with store.outside() as connection:
                connection.exec_driver_sql("CHECKPOINT")
            files = [path for path in (server.folder / "data" / "base").rglob("*") if path.is_file()]
        assert files
        assert [file for file in files if word.encode() in file.read_bytes()] == []
        assert "sanderling" not in everything(store)


def test_exported(tmp_path: Path, redactor: Redactor) -> None:
    """An exported log is as redacted, and JSON, whatever is put in."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    out = tmp_path / "out.jsonl"
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, Change("ada", 'a "\\\n{bird}'))
        with store.reading() as connection, open(out, "w") as file:
            write_log(connection, select(connection)[0], file)
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert "heron" not in out.read_text()
    assert told[0]["message"]["content"] == 'Find the a "\\\n{bird}, please'


_ADDS = """
import sys
from tamis.policy.rules import assembled
from tamis.transcripts.redacting import Change, Desk
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.wishes import Wish
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select

url, path, word, id = sys.argv[1:]
with open_store(url) as store:
    desk = Desk(store, Redactor(assembled(None, builtin=True)), [path])
    with store.reading() as connection:
        everything = select(connection)
    desk.add(everything, Wish("global", word), Change(word[::-1]))
    while True:
        try:
            desk.update(int(id), None, Change(word[::-1], reason=word[::-1]), None)
            break
        except Exception as error:
            assert "meanwhile" in str(error), error
"""


def test_many_people_at_once(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Of several processes that redact the same log at once, each has what it wanted, and the history of one
    redaction that all change has a version for each change."""
    words = ["heron", "robin", "ibis", "crane"]
    path = write_lines(tmp_path / "s.jsonl", *(user(f"u{n}", f"{n} {' '.join(words)}") for n in range(50)))
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        id = desk(store, redactor, path).add(chosen(store), Wish("field", event="1"), BY).redaction.redaction
        command = [sys.executable, "-c", _ADDS, url, str(path)]
        running = [subprocess.Popen([*command, word, str(id)], stderr=subprocess.PIPE) for word in words]
        for process in running:
            _, told = process.communicate(timeout=120)
            assert process.returncode == 0, told
        hidden = ["<REDACTED>"] * len(words)
        assert texts(store) == ["<REDACTED>", *(f"{n} {' '.join(hidden)}" for n in range(1, 50))]
        with store.reading() as connection:
            versions = manual.history(connection, id)
            made = manual.everything(connection)
    assert sorted(it.reason for it in versions) == sorted(["", *(word[::-1] for word in words)])
    assert [it.version for it in versions] == [1, 2, 3, 4, 5]
    assert sorted(it.actor for it in made[1:]) == sorted(word[::-1] for word in words)
