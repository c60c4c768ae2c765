"""Redactions by hand: what they cover, and for how long."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from herons import BY, GLOBAL, LOG, chosen, desk, raw, texts, user
from logs import everything, ingest, token, write_lines

from tamis.policy.rules import assembled
from tamis.transcripts.redacting import Change
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.searching import index, search
from tamis.transcripts.store import open_store
from tamis.transcripts.stored import select
from tamis.transcripts.wishes import Wish


def test_a_text_goes_from_everywhere(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """With the scope `global`, a text is in no column any more: raw records, keys, events, title, folder,
    index; also where it is encoded. The log itself is as it was."""
    path = write_lines(
        tmp_path / "s.jsonl", *LOG, user("u5", "as %68eron? no: aGVyb24gaGVyb24gaGVyb24gaGVyb24=")
    )
    before = path.read_bytes()
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        index(store)
        assert "heron" in everything(store)
        outcome = desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        told = everything(store)
        assert "heron" not in told
        assert "aGVyb24g" not in told
        assert "<REDACTED>" in told
        assert (outcome.places, outcome.transcripts, outcome.left, outcome.in_names) == (11, 1, 0, [])
        with store.reading() as connection:
            assert search(connection, ["heron"], limit=10) == []
            assert search(connection, ["grey"], limit=10) != []
            (it,) = select(connection)
        assert it.counts["manual"] == 11
        assert it.title == "About a <REDACTED>"
        assert it.folder == "/tmp/<REDACTED>"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        # What is named, the texts of events in which `heron` is left, in order.
        (Wish("prompt", "heron"), ["thinking", "grey", "ls"]),
        (Wish("field", "heron"), ["thinking", "ls"]),
        (Wish("field", "heron", paths=("tool.arguments",)), ["Find", "thinking", "grey", "Two"]),
        (Wish("field", "heron", paths=("raw_json.message.content[1]",)), ["Find", "thinking", "ls", "Two"]),
        (Wish("field", "heron", event="1"), ["thinking", "grey", "ls", "Two"]),
        (Wish("field", "heron", event="u1"), ["thinking", "grey", "ls", "Two"]),
        (Wish("field", event="2.2"), ["Find", "thinking", "ls", "Two"]),
        (Wish("field", event="2"), ["Find", "ls", "Two"]),
        (Wish("field", paths=("prompt",)), ["thinking", "grey", "ls"]),
        (
            Wish("field", paths=("**.command", "message.content[0].input.files")),
            ["Find", "thinking", "grey", "key", "Two"],
        ),
        (Wish("field", event="4", span=(5, 10)), ["Find", "thinking", "grey", "ls", "Two once"]),
        (Wish("prompt", event="4", span=(5, 10)), ["thinking", "grey", "ls"]),
        (Wish("global", event="4", span=(5, 10)), []),
        (Wish("global", "heron", event="2"), ["Find", "ls", "Two"]),
    ],
)  # fmt: skip
def test_what_is_covered(tmp_path: Path, redactor: Redactor, wish: Wish, left: list[str]) -> None:
    """A redaction covers what was named, and with a wider scope the same text elsewhere."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), wish, BY)
        found = []
        for text in texts(store):
            if "heron" in text:
                name = next(iter(re.findall("Find|grey|ls|Two|heron.txt", text)), "thinking")
                name = "key" if name == "heron.txt" else name
                found.append(f"{name} once" if name == "Two" and "<" in text else name)
    assert found == left


def test_a_span_of_the_text_before_any_rule(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A span is counted in characters of the log's text, whatever rules have made of it; where both take
    something out, the person's replacement stands for both, and nothing of either is left."""
    secret = token()
    text = f"älter: {secret} und danach"
    path = write_lines(tmp_path / "s.jsonl", user("u1", text))
    start = text.index(secret)
    cases = [
        ((start + 3, start + 9), "älter: <MINE> und danach"),  # within what the rule takes
        ((start - 4, start + 2), "ält<MINE> und danach"),  # its beginning
        ((start + 30, start + len(secret) + 4), "älter: <MINE> danach"),  # its end
        ((0, len(text)), "<MINE>"),
        ((0, 5), "<MINE>: <REDACTED:github-token> und danach"),  # beside it
        ((start + len(secret), len(text)), "älter: <REDACTED:github-token><MINE>"),
    ]
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        for span, expected in cases:
            desk_ = desk(store, redactor, path)
            wish = Wish("field", event="u1", span=span)
            made = desk_.add(chosen(store), wish, Change("ada", replacement="<MINE>")).redaction
            shown = [re.sub(r"<REDACTED:[\w-]+>", "<REDACTED:github-token>", text) for text in texts(store)]
            assert shown == [expected], span
            assert secret[5:] not in everything(store)
            desk_.remove(made.redaction, None, BY)


def test_it_survives(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """A redaction is applied again when the log is read again: as it was, by other rules, grown, and when it
    lies elsewhere."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    others = Redactor(assembled(None, builtin=False))
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, Change("ada", replacement="<BIRD>"))
        (same,) = ingest(store, redactor, path)
        assert same.what == "same"
        (done,) = ingest(store, others, path)
        assert (done.what, done.lost, done.unsure) == ("changed", 0, 0)
        assert "heron" not in everything(store)
        write_lines(path, *LOG, user("u9", "The heron came later"))
        (done,) = ingest(store, redactor, path)
        assert (done.records, done.lost, done.unsure) == (6, 0, 0)
        assert [text for text in texts(store) if "heron" in text] == ["The heron came later"]
        assert sum("<BIRD>" in text for text in texts(store)) == 5
        moved = write_lines(tmp_path / "archive" / "s.jsonl", *LOG)
        path.unlink()
        ingest(store, redactor, tmp_path)
        assert [it.session for it in chosen(store)] == ["s", "s"]
        assert sum("heron" in text for text in texts(store)) == 1
        assert moved.exists()


def test_a_record_that_changes(tmp_path: Path, url: str, redactor: Redactor) -> None:
    """Where a text is not what it was when it was redacted, all of it is; a record that is gone is told; a
    newer version of a record is covered like the old one."""
    path = write_lines(tmp_path / "s.jsonl", *LOG)
    with open_store(url, create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), Wish("prompt", "heron"), BY)
        write_lines(
            path, user("u0", "new"), user("u1", "Find the great heron"), user("u1", "Find the heron, please")
        )
        (done,) = ingest(store, redactor, path)
        assert texts(store) == ["new", "<REDACTED>", "Find the <REDACTED>, please"]
        assert (done.unsure, done.lost) == (1, 2)


def test_several_versions_of_a_record(tmp_path: Path, redactor: Redactor) -> None:
    """Of records of one id that were there when the redaction was made, those that had nothing are left
    alone; one that comes later is not."""
    path = write_lines(tmp_path / "s.jsonl", user("u1", "a robin"), user("u1", "a robin and a heron"))
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), GLOBAL, BY)
        assert texts(store) == ["a robin", "a robin and a <REDACTED>"]
        write_lines(
            path,
            user("u1", "a robin"),
            user("u1", "a robin and a heron"),
            user("u1", "one robin and a heron"),
        )
        ingest(store, redactor, path)
        assert texts(store) == ["a robin", "a robin and a <REDACTED>", "<REDACTED>"]


def test_sub_agents_and_files_beside(tmp_path: Path, redactor: Redactor) -> None:
    """What is redacted everywhere in a session goes from the logs of its sub-agents and from the files beside
    it, too; one event is of its own log."""
    root = tmp_path / "projects" / "p"
    write_lines(root / "s.jsonl", *LOG)
    write_lines(root / "s" / "subagents" / "agent-1.jsonl", user("a1", "heron for you"))
    (root / "s" / "tool-results").mkdir()
    (root / "s" / "tool-results" / "t.txt").write_text("heron, heron")
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, tmp_path)
        at = desk(store, redactor, tmp_path)
        outcome = at.add(chosen(store, "s"), GLOBAL, BY)
        assert outcome.transcripts == 3
        assert "heron" not in everything(store)
        at.undo(outcome.redaction.redaction, None, BY)
        at.add(chosen(store, "s"), Wish("field", event="1"), BY)
        assert sum("heron" in text for text in texts(store)) == 6


def test_both_copies_of_a_prompt(tmp_path: Path, redactor: Redactor) -> None:
    """A prompt that a log holds twice is covered in both, if a part of one is named."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a heron"}]}
    log = [
        {"type": "session_meta", "payload": {"id": "s"}},
        {"type": "event_msg", "payload": {"type": "user_message", "message": "a heron"}},
        {"type": "response_item", "payload": item},
        {"type": "event_msg", "payload": {"type": "agent_message", "message": "a heron"}},
    ]
    path = write_lines(tmp_path / "rollout-s.jsonl", *log)
    with open_store(f"{tmp_path}/s.db", create=True) as store:
        ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), Wish("field", event="2", span=(2, 7)), BY)
        assert [json.dumps(it).count("heron") for it in raw(store)] == [0, 0, 0, 1]
