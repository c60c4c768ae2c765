"""Which rule did it, wherever something was redacted."""

from __future__ import annotations

import json
from pathlib import Path

from herons import chosen, desk, texts, user
from logs import ingest, token, write_lines

from tamis.policy.rules import assembled
from tamis.transcripts.marks import Marks, marks_of, note_replacements
from tamis.transcripts.redacting import Change
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.report import as_html, as_text, turns_of
from tamis.transcripts.store import open_store
from tamis.transcripts.wishes import Wish


def test_parts() -> None:
    """What a rule puts in is marked with it, if that rule changed something in the record: what only looks
    like it is not; of several rules that put in the same, those that did."""
    marks = Marks([("stars", "***"), ("plain", "<REDACTED>"), ("other", "<REDACTED>"), ("manual", "<X>")])
    cases = [
        ("a *** b", {"stars": 1}, [("***", "stars")]),
        ("a *** b", {"plain": 1}, []),
        ("<REDACTED><REDACTED:github-token>", {"other": 1}, [("<REDACTED>", "other"),
                                                            ("<REDACTED:github-token>", "github-token")]),
        ("<REDACTED>", {"other": 1, "plain": 2}, [("<REDACTED>", "plain or other")]),
        ("<REDACTED>", {}, [("<REDACTED>", "a rule")]),
        ("<X>", {"manual": 1}, [("<X>", "manual")]),
        ("", {"manual": 1}, []),
    ]  # fmt: skip
    for text, counts, expected in cases:
        parts = list(marks.parts(text, counts))
        assert [part for part in parts if part[1]] == expected
        assert "".join(part for part, _ in parts) == text
    assert marks.told("a *** <REDACTED:jwt>", {"stars": 1}) == "a ***⟨stars⟩ <REDACTED:jwt>"


def test_in_reports(tmp_path: Path, url: str) -> None:
    """Reports tell the rule, whatever it puts in, and what was done by hand; for earlier rules, too."""
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    rule = {"id": "birds", "type": "literal", "pattern": "heron", "scope": "global", "replacement": "[bird]"}
    first.write_text(json.dumps([rule]))
    second.write_text(json.dumps([{**rule, "id": "fish", "pattern": "trout", "replacement": "[fish]"}]))
    path = write_lines(tmp_path / "s.jsonl", user("u1", f"a heron, a trout, an owl, {token()} [fish]"))
    with open_store(url, create=True) as store:
        for rules in (first, second):
            redactor = Redactor(assembled(rules, builtin=True))
            note_replacements(store, redactor)
            ingest(store, redactor, path)
        desk(store, redactor, path).add(chosen(store), Wish("global", "owl"), Change("ada", "[night]"))
        (it,) = chosen(store)
        with store.reading() as connection:
            marks = marks_of(connection)
            page = "".join(as_html([(it, turns_of(connection, it))], marks))
            text = "\n".join(as_text(it, turns_of(connection, it), marks))
        assert texts(store)[0].startswith("a heron, a [fish], an [night], <REDACTED:github-")
    assert '<mark title="fish">[fish]</mark>' in page
    assert '<mark title="manual">[night]</mark>' in page
    assert "bird" not in page
    assert "a [fish], an [night]⟨manual⟩, <REDACTED:github-token>" in text
    assert "1 × manual" in text
