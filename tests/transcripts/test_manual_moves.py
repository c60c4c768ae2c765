"""Redactions by hand in logs that move, are packed, written anew, copied, or forgotten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from herons import BY, GLOBAL, LOG, chosen, desk, raw, texts, user
from logs import everything, ingest, token, write_lines

from tamis.errors import MovedError, StoreError, UsageError
from tamis.policy.rules import assembled
from tamis.transcripts import manual
from tamis.transcripts.forgetting import forget
from tamis.transcripts.redacting import Change
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import open_store
from tamis.transcripts.wishes import Wish

META = {
    "type": "session_meta",
    "payload": {"id": "019b2ea4-0000-7000-8000-00000000000a", "cwd": "/tmp/heron"},
}
ROLLOUT = "rollout-2026-01-01T00-00-00-019b2ea4-0000-7000-8000-00000000000a.jsonl"


def prompt(text: str) -> dict[str, Any]:
    return {"type": "event_msg", "payload": {"type": "user_message", "message": text}}


def test_a_log_without_ids_in_another_place(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Records without ids are covered by their line, in a log that was moved and renamed, from its first line
    on, and after it has grown there."""
    path = write_lines(tmp_path / "sessions" / ROLLOUT, META, prompt("a heron"), prompt("none"))
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        assert "heron" not in everything(store)
        path.unlink()
        other = write_lines(
            tmp_path / "archive" / "other.jsonl", META, prompt("a heron"), prompt("none"), prompt("x")
        )
        (done,) = ingest(store, redactor, other)
        assert done.records == 4
        assert "heron" not in everything(store)
        assert texts(store)[-1] == "x"


def test_a_log_that_was_packed(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A log that was packed is another file with the same lines: each that matters is compared with what is
    stored, and then all is as it was. With other rules at the same time, nothing is sure: it is not read."""
    plain = write_lines(tmp_path / "logs" / ROLLOUT, META, prompt("a heron"))
    with open_store(url, create=True) as store:
        ingest(store, redactor, plain)
        desk(store, redactor, plain.parent).add(chosen(store), GLOBAL, BY)
        packed = plain.with_name(plain.name + ".zst")
        with pa.CompressedOutputStream(pa.OSFile(str(packed), "wb"), "zstd") as file:
            file.write(plain.read_bytes())
        plain.unlink()
        others = Redactor(assembled(None, builtin=False))
        with pytest.raises(MovedError):
            ingest(store, others, packed)
        (done,) = ingest(store, redactor, packed)
        assert (done.what, done.lost, done.unsure) == ("changed", 0, 0)
        assert "heron" not in everything(store)
        # From now on, the packed one is what is known.
        (done,) = ingest(store, others, packed)
        assert "heron" not in everything(store)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([META, prompt("a heron")], [prompt("first"), META, prompt("a heron")]),
        ([META, prompt("a heron")], [META, prompt("a wren"), prompt("a heron")]),
        ([META, prompt("a heron")], [META]),
        (
            [user("u1", "first heron"), user("u1", "second")],
            [user("u0", "x"), user("u1", "first heron"), user("u1", "second")],
        ),
    ],
)  # fmt: skip
def test_a_log_that_was_written_anew(
    tmp_path: Path, url: str, redactor: Redactor, before: list[Any], after: list[Any]
) -> None:
    """Where something that is known by its line may be elsewhere, the log is not read, and what is stored of
    it stays as it is; once the redaction is removed, it is."""
    path = write_lines(tmp_path / "s.jsonl", *before)
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        made = desk(store, redactor, path).add(chosen(store), GLOBAL, BY).redaction
        kept = texts(store)
        write_lines(path, *after)
        with pytest.raises(MovedError):
            ingest(store, redactor, path)
        assert texts(store) == kept
        assert "heron" not in everything(store)
        with pytest.raises(StoreError, match="not what it was"):
            desk(store, redactor, path).add(chosen(store), Wish("global", "second"), BY)
        desk(store, redactor, path).remove(made.redaction, None, BY)
        (done,) = ingest(store, redactor, path)
        assert done.what == "same"
        assert len(raw(store)) == len(after)


def test_documents(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A document is written anew whenever it grows: its records are known by their ids, wherever they stand;
    what is around them, by that; those without ids, where they are as they were."""

    def write(*messages: dict[str, Any], summary: str = "on a heron") -> Path:
        path = tmp_path / "chats" / "session-1.json"
        path.parent.mkdir(exist_ok=True)
        about = {"sessionId": "gem-1", "projectHash": "0" * 64, "summary": summary, "messages": messages}
        path.write_text(json.dumps(about))
        return path

    def message(text: str, **more: str) -> dict[str, Any]:
        return {**more, "type": "user", "content": text}

    first, second = message("pin heron", id="m1"), message("no id: heron")
    path = write(first, second)
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        assert "heron" not in everything(store)
        write(first, second, message("more", id="m2"))
        ingest(store, redactor, path)
        assert texts(store) == ["", "pin <REDACTED>", "no id: <REDACTED>", "more"]
        assert "heron" not in everything(store)
        write(message("hello world"), first, second)
        with pytest.raises(MovedError):
            ingest(store, redactor, path)
        assert "heron" not in everything(store)
        write(message("new", id="m0"), first, message("no id: <REDACTED>"))
        with pytest.raises(MovedError):
            ingest(store, redactor, path)


def test_the_log_of_somebody_else(tmp_path: Path, redactor: Redactor) -> None:
    """A log that is called the same and is another one is told, and nothing is changed."""
    path = write_lines(tmp_path / "logs" / "s.jsonl", *LOG)
    other = write_lines(tmp_path / "other" / "s.jsonl", user("x", "another heron"))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        before = everything(store)
        with pytest.raises(StoreError, match="not what it was"):
            desk(store, redactor, other.parent).add(chosen(store), GLOBAL, BY)
        assert everything(store) == before


def test_forgotten_then_removed(tmp_path: Path, redactor: Redactor) -> None:
    """A redaction in a transcript that was forgotten and read again can still be changed and removed."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        id = desk(store, redactor, path).add(chosen(store), GLOBAL, BY).redaction.redaction
        forget(store, chosen(store))
        ingest(store, redactor, path)
        assert "heron" not in everything(store)
        assert desk(store, redactor, path).update(id, None, Change("ada", "<X>"), None).transcripts == 1
        assert texts(store)[0] == "Find the <X>, please"
        desk(store, redactor, path).remove(id, None, BY)
        assert texts(store)[0] == "Find the heron, please"


def test_a_fork(tmp_path: Path, redactor: Redactor) -> None:
    """A log that takes over records of another one is covered like it, and comes back with it; one that only
    has short ids in common is left alone."""
    long = [user(f"0a1b2c3d-0000-4000-8000-00000000000{n}", f"{n} heron") for n in range(2)]
    path = write_lines(tmp_path / "logs" / "s1.jsonl", *long, user("u1", "a heron"))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        id = desk(store, redactor, path).add(chosen(store, "s1"), GLOBAL, BY).redaction.redaction
        write_lines(tmp_path / "logs" / "s2.jsonl", *long, user("u1", "a heron"), user("u2", "later"))
        ingest(store, redactor, tmp_path / "logs")
        hidden = ["0 <REDACTED>", "1 <REDACTED>"]
        assert texts(store) == [*hidden, "a <REDACTED>", *hidden, "a heron", "later"]
        desk(store, redactor, tmp_path / "logs").remove(id, None, BY)
        assert "<REDACTED>" not in " ".join(texts(store))


def test_undone_where_the_log_is_now(tmp_path: Path, redactor: Redactor) -> None:
    """After a log has moved, a redaction is undone where it is now; what is stored of the old place stays."""
    path = write_lines(tmp_path / "a" / "s.jsonl", *LOG)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, tmp_path)
        id = desk(store, redactor, tmp_path).add(chosen(store), GLOBAL, BY).redaction.redaction
        (tmp_path / "b").mkdir()
        path.rename(tmp_path / "b" / "s.jsonl")
        ingest(store, redactor, tmp_path)
        outcome = desk(store, redactor, tmp_path).undo(id, None, BY)
        assert (outcome.transcripts, outcome.kept) == (1, 1)
        assert sum("heron" in text for text in texts(store)) == 5
        assert sum("<REDACTED>" in text for text in texts(store)) == 5


def test_files_of_the_same_name_beside_other_logs(tmp_path: Path, redactor: Redactor) -> None:
    """A file beside a log is not covered because of one that is called the same beside another log."""
    others = Redactor(assembled(None, builtin=False))
    for session, text in (("s1", "file heron here"), ("s2", "harmless, harmless")):
        write_lines(tmp_path / "projects" / "p" / f"{session}.jsonl", user("u", session))
        folder = tmp_path / "projects" / "p" / session / "tool-results"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(text)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, tmp_path)
        desk(store, redactor, tmp_path).add(chosen(store, "s1"), GLOBAL, BY)
        ingest(store, others, tmp_path)
        assert sorted(texts(store)) == ["file <REDACTED> here", "harmless, harmless", "s1", "s2"]


def test_names_are_not_kept(tmp_path: Path, redactor: Redactor) -> None:
    """What is kept of a redaction holds no names but those of the format, and nothing that a later redaction
    covers: ids of records and sessions, reasons."""
    log = [user("rec-heron-7", "hi", meta={"heron plan": {"v": "value one"}}, sessionId="s-heron")]
    path = write_lines(tmp_path / "s.jsonl", *log)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        at = desk(store, redactor, path)
        at.add(chosen(store), Wish("field", event="1", paths=("meta.**",)), Change("ada", reason="no herons"))
        desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        assert "heron" not in everything(store)
        for change in (Change("value one"), Change("ada", reason="value one"), Change("ada", "value one")):
            with pytest.raises(UsageError, match="holds the text"):
                at.add(chosen(store), Wish("field", event="1", paths=("meta.**",)), change)


def test_numbers(tmp_path: Path, redactor: Redactor) -> None:
    """A number that somebody names is covered as a whole, however short it is."""
    path = write_lines(tmp_path / "s.jsonl", user("u1", "pin 4711", n=4711, price={"amt": 98765, "x": 12}))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        for text in ("4711", "98765"):
            assert desk(store, redactor, path).add(chosen(store), Wish("global", text), BY).left == 0
        (record,) = raw(store)
        assert record["message"]["content"] == "pin <REDACTED>"
        assert (record["n"], record["price"]) == ("<REDACTED>", {"amt": "<REDACTED>", "x": 12})


def test_copies_with_other_white_space(tmp_path: Path, redactor: Redactor) -> None:
    """A copy of a text is one with other white space around it, too, and with characters that are none."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": " \ud800 heron x"}]}
    path = write_lines(
        tmp_path / ROLLOUT, META, {"type": "response_item", "payload": item}, prompt("\ud800 heron x\n")
    )
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), Wish("field", event="2.1"), BY)
        assert [json.dumps(it).count("heron") for it in raw(store)] == [1, 0, 0]


def test_which_thing_of_a_line(tmp_path: Path, redactor: Redactor) -> None:
    """`LINE.N` is the N-th thing that the report shows of the line."""
    content = [
        {"type": "thinking", "thinking": ""},
        {"type": "text", "text": "Hi"},
        {"type": "text", "text": "Ho"},
    ]
    answer = {
        "type": "assistant",
        "uuid": "u1",
        "sessionId": "s",
        "message": {"role": "assistant", "content": content},
    }
    path = write_lines(tmp_path / "s.jsonl", answer)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        at = desk(store, redactor, path)
        at.add(chosen(store), Wish("field", event="1.1"), BY)
        assert texts(store) == ["", "<REDACTED>", "Ho"]
        with pytest.raises(UsageError, match="line 1 tells is 2, not 3"):
            at.add(chosen(store), Wish("field", event="1.3"), BY)
        for wrong in ("1.0", "1.x", "1.", "1.1.1", "٢", "²", "9" * 5000):
            with pytest.raises(UsageError, match="no such text"):
                at.add(chosen(store), Wish("field", event=wrong), BY)


def test_stricter_rules_meanwhile(
    tmp_path: Path, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules that became stricter between the look at the store and the writing are not undone."""
    path = write_lines(tmp_path / "s.jsonl", user("u1", f"a heron and {token()}"))
    lax = Redactor(assembled(None, builtin=False))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, lax, path)
        at = desk(store, lax, path)
        resolve = at._resolved

        def meanwhile(*arguments: Any) -> Any:
            found = resolve(*arguments)
            ingest(store, redactor, path)
            return found

        monkeypatch.setattr(at, "_resolved", meanwhile)
        with pytest.raises(StoreError, match="other rules"):
            at.add(chosen(store), GLOBAL, BY)
        assert token() not in everything(store)


def test_somebody_reads(tmp_path: Path, redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads the store, what was taken out may stay in its files: that is said, and made good
    the next time."""
    monkeypatch.setattr("tamis.transcripts.store._WAIT", 1)
    log = [user(f"u{n}", f"{n} heron " + "and more of it " * 50) for n in range(300)]
    path = write_lines(tmp_path / "logs" / "s.jsonl", *log)
    with open_store(f"{tmp_path}/s.db", create=True) as store, open_store(f"{tmp_path}/s.db") as other:
        ingest(store, redactor, path)
        with other.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM records").all()
            first = desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
            assert not first.is_clean
        write_lines(path, *log, user("last", "a robin"))
        ingest(store, redactor, path)
        second = desk(store, redactor, path).add(chosen(store), Wish("global", "robin"), BY)
        assert second.is_clean
        assert [f for f in tmp_path.glob("s.db*") if b"heron" in f.read_bytes()] == []


def test_many_places(tmp_path: Path, redactor: Redactor) -> None:
    """Thousands of places in one text, in one record, and of one id, take memory and work for each, not for
    each pair of them."""
    many = "so many words " * 4 + "heron "
    cases = {
        "text": [user("u1", many * 4000)],
        "record": [user("u1", "x", parts=[f"{n} heron" for n in range(4000)])],
        "id": [user("u1", f"{n} heron") for n in range(4000)],
    }
    for name, log in cases.items():
        path = write_lines(tmp_path / name / "s.jsonl", *log)
        with open_store(f"{tmp_path}/{name}.db", create=True) as store:
            ingest(store, redactor, path)
            outcome = desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
            assert outcome.places == 4000
            assert "heron" not in everything(store)


def test_names_by_later_rules(tmp_path: Path, redactor: Redactor) -> None:
    """What rules of later find in what is kept of redactions goes, too."""
    path = write_lines(tmp_path / "s.jsonl", user("rec-heron-7", "hi there", sessionId="s-heron"))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        at = desk(store, redactor, path)
        at.add(chosen(store), Wish("field", "there"), Change("heron", "<x>", "of herons"))
        manual.clean_by_rules(store, lambda text: text.replace("heron", "bird"), "digest")
        with store.reading() as connection:
            (it,) = manual.everything(connection)
            (place,) = manual.places_of(connection, it)
        assert (it.actor, it.reason) == ("bird", "of birds")
        assert place.record_id == ""
