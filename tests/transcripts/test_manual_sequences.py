"""Redactions by hand, one after the other, with moves, copies, forks and rules between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from herons import BY, GLOBAL, chosen, desk, texts, user
from logs import everything, ingest, write_lines

from tamis.errors import MovedError, StoreError
from tamis.policy.rules import assembled
from tamis.transcripts.forgetting import forget
from tamis.transcripts.ingest import redact_stored
from tamis.transcripts.redacting import Change
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import Store, open_store
from tamis.transcripts.wishes import Wish

S = "0199aaaa-1234-7000-8000-000000000012"
NAME = f"rollout-2026-01-01T00-00-00-{S}.jsonl"
META = {"type": "session_meta", "payload": {"id": S}}
LONG = "0a1b2c3d-0000-4000-8000-00000000000"


def prompt(text: str) -> dict[str, Any]:
    return {"type": "event_msg", "payload": {"type": "user_message", "message": text}}


LOG = [META, prompt("my robin 12 and heron text")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lines(tmp_path / "c" / "sessions" / "2026" / NAME, *LOG)
    return tmp_path / "c"


@pytest.fixture
def store(tmp_path: Path, url: str) -> Any:
    with open_store(url, create=True) as store:
        yield store


def with_rule(tmp_path: Path, pattern: str) -> Redactor:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps([{"id": "r", "type": "literal", "pattern": pattern, "scope": "global"}]))
    return Redactor(assembled(path, builtin=True))


def archived(folder: Path) -> Path:
    path = folder / "archived_sessions" / NAME
    path.parent.mkdir(exist_ok=True)
    (folder / "sessions" / "2026" / NAME).rename(path)
    return path


def packed(path: Path) -> Path:
    to = path.with_name(path.name + ".zst")
    with pa.CompressedOutputStream(pa.OSFile(str(to), "wb"), "zstd") as file:
        file.write(path.read_bytes())
    path.unlink()
    return to


def test_a_rule_that_changes_the_name_of_the_log(
    tmp_path: Path, folder: Path, store: Store, redactor: Redactor
) -> None:
    """A log that is called otherwise by new rules is the same log, and covered."""
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store), GLOBAL, BY)
    ingest(store, with_rule(tmp_path, "rollout"), folder)
    assert "heron" not in everything(store)
    assert len(chosen(store)) == 2


@pytest.mark.parametrize("way", ["undo a removal", "undo an update"])
def test_undo_after_a_move(folder: Path, store: Store, redactor: Redactor, way: str) -> None:
    """What an undo covers again is covered in the transcript of before the move, too."""
    ingest(store, redactor, folder)
    id = desk(store, redactor, folder).add(chosen(store), GLOBAL, BY).redaction.redaction
    if way == "undo a removal":
        desk(store, redactor, folder).remove(id, None, BY)
    else:
        desk(store, redactor, folder).update(id, None, BY, Wish("global", "robin"))
    archived(folder)
    ingest(store, redactor, folder)
    desk(store, redactor, folder).undo(id, None, BY)
    assert "heron" not in everything(store)


def test_add_after_a_move(folder: Path, store: Store, redactor: Redactor) -> None:
    """A redaction after a move covers the transcript of before, too."""
    ingest(store, redactor, folder)
    archived(folder)
    ingest(store, redactor, folder)
    outcome = desk(store, redactor, folder).add(chosen(store, S), GLOBAL, BY)
    assert (outcome.transcripts, outcome.kept) == (1, 1)
    assert "heron" not in everything(store)


def test_a_text_that_is_in_the_id_of_the_session(folder: Path, store: Store, redactor: Redactor) -> None:
    """Places of a session of which the id may not be kept are found again, wherever its log is."""
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store), GLOBAL, BY)
    desk(store, redactor, folder).add(chosen(store), Wish("global", "12"), BY)
    archived(folder)
    ingest(store, redactor, folder)
    assert texts(store) == ["", "my robin <REDACTED> and <REDACTED> text"] * 2


def test_a_copy(folder: Path, store: Store, redactor: Redactor) -> None:
    """A copy of a log beside it is covered like it; another log of that session is not."""
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store), GLOBAL, BY)
    write_lines(folder / "archived_sessions" / NAME, *LOG, prompt("later"))
    write_lines(folder / "other" / NAME, META, prompt("my wren"), prompt("x"))
    ingest(store, redactor, folder)
    assert "heron" not in everything(store)
    assert "my wren" in texts(store)


def test_two_in_a_fork(tmp_path: Path, store: Store, redactor: Redactor) -> None:
    """A redaction in a fork leaves what another one covers in the log that it comes from, and in the fork."""
    folder = tmp_path / "logs"
    x = user(f"{LONG}1", "heron and robin")
    write_lines(folder / "a.jsonl", x)
    write_lines(folder / "b.jsonl", user(f"{LONG}2", "first"), x)
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store, "a"), Wish("field", event="1", span=(0, 5)), BY)
    assert texts(store) == ["<REDACTED> and robin", "first", "<REDACTED> and robin"]
    desk(store, redactor, folder).add(chosen(store, "b"), Wish("field", event="2", span=(10, 15)), BY)
    assert texts(store)[2] == "<REDACTED> and <REDACTED>"
    assert texts(store)[0].startswith("<REDACTED> and ")


def test_files_beside_a_log_by_another_path(tmp_path: Path, store: Store, redactor: Redactor) -> None:
    """A file beside a log is covered by whatever path it is ingested."""
    root = tmp_path / "home" / "projects" / "p"
    write_lines(root / "s1.jsonl", user("u", "a heron"))
    (root / "s1" / "tool-results").mkdir(parents=True)
    (root / "s1" / "tool-results" / "r.txt").write_text("heron here")
    ingest(store, redactor, tmp_path / "home")
    desk(store, redactor, tmp_path / "home").add(chosen(store, "s1"), GLOBAL, BY)
    ingest(store, redactor, root)
    assert "heron" not in everything(store)
    assert len(chosen(store)) == 4


def test_a_foreign_log_is_not_taken_in(
    tmp_path: Path, folder: Path, store: Store, redactor: Redactor
) -> None:
    """A file of the same name in which another session tells of itself is not read in its place."""
    ingest(store, redactor, folder)
    id = desk(store, redactor, folder).add(chosen(store), GLOBAL, BY).redaction.redaction
    other = {"type": "session_meta", "payload": {"id": "another"}}
    write_lines(tmp_path / "d" / "sessions" / "2026" / NAME, other, prompt("foreign"))
    with pytest.raises(StoreError, match="another session"):
        desk(store, redactor, tmp_path / "d").remove(id, None, BY)
    assert "foreign" not in everything(store)


def test_several_in_a_log_that_was_written_anew(folder: Path, store: Store, redactor: Redactor) -> None:
    """When all redactions are removed, a log that was written anew is read; until then it stays as it is."""
    path = folder / "sessions" / "2026" / NAME
    ingest(store, redactor, folder)
    ids = [
        desk(store, redactor, folder).add(chosen(store), Wish("global", text), BY).redaction.redaction
        for text in ("heron", "robin")
    ]
    write_lines(path, META, prompt("new"), *LOG[1:])
    for id in ids:
        with pytest.raises(MovedError):
            ingest(store, redactor, folder)
        desk(store, redactor, folder).remove(id, None, BY)
    ingest(store, redactor, folder)
    assert "my robin 12 and heron text" in texts(store)


def test_packed_after_other_rules(tmp_path: Path, folder: Path, store: Store, redactor: Redactor) -> None:
    """A log that was packed, and then the rules changed: once these were applied to what is stored, the two
    are compared, and it is read."""
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store), GLOBAL, BY)
    packed(folder / "sessions" / "2026" / NAME)
    others = with_rule(tmp_path, "robin")
    with pytest.raises(MovedError):
        ingest(store, others, folder)
    list(redact_stored(store, others))
    (done,) = ingest(store, others, folder)
    assert done.what == "changed"
    assert texts(store) == ["", "my <REDACTED> 12 and <REDACTED> text"]


def test_packed_after_it_was_forgotten(folder: Path, store: Store, redactor: Redactor) -> None:
    """Forgotten, read again and then packed, a log is still the one that was redacted."""
    ingest(store, redactor, folder)
    desk(store, redactor, folder).add(chosen(store), GLOBAL, BY)
    forget(store, chosen(store))
    ingest(store, redactor, folder)
    packed(folder / "sessions" / "2026" / NAME)
    (done,) = ingest(store, redactor, folder)
    assert done.what == "changed"
    assert "heron" not in everything(store)


@pytest.mark.parametrize("wish", [Wish("field", event="1", span=(2, 4)), Wish("global", "d800")])
def test_half_of_a_pair(tmp_path: Path, store: Store, redactor: Redactor, wish: Wish) -> None:
    """A lone surrogate of which a part is covered does not make the record unreadable; whole pairs stay."""
    path = tmp_path / "s.jsonl"
    message = '{"role": "user", "content": "a\\ud800 heron \\ud83d\\ude00"}'
    path.write_text('{"type": "user", "uuid": "u1", "sessionId": "s", "message": ' + message + "}\n")
    ingest(store, redactor, path)
    desk(store, redactor, path).add(chosen(store), wish, Change("ada", "<X>"))
    (text,) = texts(store)
    assert "<X>" in text
    assert "\\ud800" not in text
