"""`tamis redactions`, as it is typed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tamis.cli import main

ID = "0a1b2c3d-0000-4000-8000-000000000001"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A log where its agent keeps it, ingested."""
    for variable in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME", "COPILOT_HOME", "TAMIS_DB"):
        monkeypatch.delenv(variable, raising=False)
    home, here = tmp_path / "home", tmp_path / "here"
    path = home / ".claude" / "projects" / "-tmp-p" / f"{ID}.jsonl"
    path.parent.mkdir(parents=True)
    here.mkdir()
    prompts = ["a heron came", "and two robins", "the heron left"]
    path.write_text("".join(json.dumps(prompt(n, text)) + "\n" for n, text in enumerate(prompts)))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.chdir(here)
    assert main(["init", "--rules"]) == 0
    assert main(["ingest"]) == 0
    capsys.readouterr()
    return path


def prompt(number: int, text: str) -> dict[str, object]:
    message = {"role": "user", "content": text}
    return {"type": "user", "uuid": f"u{number}", "sessionId": ID, "message": message}


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(["redactions", *arguments]) == code, capsys.readouterr()
    out, err = capsys.readouterr()
    return out, err


def report(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["report"]) == 0
    return capsys.readouterr().out


def test_from_add_to_undo(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What one types, and what one reads."""
    out, _ = said(capsys, "add", "0a1b", "--text", "heron", "--reason", "a bird", "--replacement", "<BIRD>")
    assert out == "redaction 1, version 1: 2 places covered; 1 transcript redacted anew\n"
    assert "a <BIRD>⟨manual⟩ came" in report(capsys)
    out, _ = said(capsys, "list")
    assert out.split()[0] == "1"
    assert out.split()[2:] == ["ada", "global", "2", "places", ID, "<BIRD>", "a", "bird"]
    out, _ = said(capsys, "show", "1")
    assert "redaction    1, version 1\n" in out
    assert f"  claude {ID}  line 3  message.content  4:9 of 14\n" in out
    out, _ = said(capsys, "update", "1", "--version", "1", "--replacement", "<X>", "--actor", "bob")
    assert "version 2: 2 places" in out
    _, err = said(capsys, "update", "1", "--version", "1", "--replacement", "<Y>", code=2)
    assert "changed by `bob` meanwhile: it is version 2 now" in err
    out, _ = said(capsys, "remove", "1")
    assert "nothing covered any more" in out
    assert "a heron came" in report(capsys)
    assert said(capsys, "list") == ("", "tamis: there are no redactions by hand\n")
    out, _ = said(capsys, "list", "--all", "--json")
    assert json.loads(out)["redactions"][0]["active"] is False
    said(capsys, "undo", "1")
    assert "a <X>" in report(capsys)
    out, _ = said(capsys, "history", "1")
    assert [line.split()[3] for line in out.splitlines()] == ["add", "update", "remove", "undo"]
    out, _ = said(capsys, "history", "--json")
    assert [it["version"] for it in json.loads(out)["history"]] == [1, 2, 3, 4]


def test_a_text_from_standard_input(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text need not be in the history of a shell. A dry run says what would be covered; nothing changes."""
    for more, shown in ((["--dry-run"], "a heron came"), ([], "a <REDACTED>")):
        monkeypatch.setattr("sys.stdin", io.StringIO("heron\n"))
        out, err = said(capsys, "add", "--all", "--text", "-", *more)
        assert ("2 places would be redacted" in err) == bool(more)
        assert "heron" not in out + err
        assert shown in report(capsys)


def test_no_standard_input(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input that is closed, or holds no text, is told."""
    monkeypatch.setattr("sys.stdin", None)
    assert "no standard input" in said(capsys, "add", "--all", "--text", "-", code=2)[1]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"))
    assert "no UTF-8" in said(capsys, "add", "--all", "--text", "-", code=2)[1]


def test_nothing_moves_a_cursor(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What people write, and names in logs, are printed without what a terminal would act on."""
    log.write_text(log.read_text() + json.dumps({**prompt(9, "x"), "\x1b[31m": {"k": "an ibis"}}) + "\n")
    assert main(["ingest"]) == 0
    capsys.readouterr()
    evil = ["--actor", "A\x1b]0;evil\a", "--reason", "\x1b[2J", "--replacement", "\x1b[1m"]
    shown = said(capsys, "add", "0a1b", "--text", "ibis", "--dry-run")
    shown += said(capsys, "add", "0a1b", "--text", "ibis", *evil)
    shown += said(capsys, "update", "1", "--reason", "r", *evil[:2])
    shown += said(capsys, "update", "1", "--version", "1", "--reason", "r", code=2)
    for command in (["list"], ["show", "1"], ["history"]):
        shown += said(capsys, *command)
    assert not [text for text in shown if "\x1b" in text or "\a" in text]


def test_parts_of_one_event(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the log names what is told there, and a span a part of it."""
    said(capsys, "add", "0a1b", "--event", "1", "--span", "2:7")
    said(capsys, "add", "0a1b", "--event", "2.1", "--json")
    told = report(capsys)
    for text in ("[1]", "a <REDACTED>⟨manual⟩ came", "the heron left"):
        assert text in told
    assert "robins" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add"], "nothing says in which transcripts"),
        (["add", "0a1b"], "nothing says what is to be redacted"),
        (["add", "0a1b", "--text", ""], "the text is empty"),
        (["add", "0a1b", "--text", "ibis"], "no such text"),
        (["add", "nope", "--text", "heron"], "there is no transcript `nope`"),
        (["add", "0a1b", "--span", "1:2"], "`--span` says where, not what"),
        (["add", "0a1b", "--scope", "global"], "`--scope` says where, not what"),
        (["add", "0a1b", "--event", "1", "--span", "two"], "`--span two` is not like `10:25`"),
        (["add", "0a1b", "--text", "heron", "--span", "1:2"], "both say which part"),
        (["add", "0a1b", "--text", "heron", "--rules", "none.yml"], "none.yml"),
        (["add", "0a1b", "--text", "heron", "--no-builtin-rules"], "other rules"),
        (["add", "0a1b", "--text", "heron", "--log", "none"], "there is no file `none`"),
        (["add", "0a1b", "--text", "heron", "--wrong"], "unknown argument `--wrong`"),
        (["add", "0a1b", "--path", "a..b"], "is no path"),
        (["show", "7"], "there is no redaction 7"),
        (["history", "7"], "there is no redaction 7"),
        (["update", "7"], "nothing says what is to be changed"),
        (["undo", "7"], "there is no redaction 7"),
        (["show", "9" * 30], "is no number of a redaction"),
        (["remove", "1", "--version", "9" * 30], "is no number of a redaction"),
        (["show", "²"], "is no number of a redaction"),
        (["add", "0a1b", "--event", "²"], "no such text"),
        (["add", "0a1b", "--event", "1.0"], "no such text"),
        (["add", "0a1b", "--event", "9" * 5000], "no such text"),
        (["add", "0a1b", "--event", "1", "--span", "²:3"], "is not like `10:25`"),
        (["add", "0a1b", "--event", "1", "--span", "0:" + "9" * 5000], "is not like `10:25`"),
        (["add", "0a1b", "--event", "1", "--span", "5:2"], "a span is within 0:12"),
        (["add", "0a1b", "--event", "1", "--span", "-1:3"], "expected one argument"),
        (["add", "0a1b", "--text", "a\udcff"], "no UTF-8"),
        (["add", "0a1b", "--text", "heron", "--reason", "a\udcff"], "no UTF-8"),
        (["add", "0a1b", "--text", "heron", "--actor", "a heron"], "holds the text"),
        (["wipe"], "invalid choice"),
        ([], "WHAT"),
    ],
)  # fmt: skip
def test_mistakes(log: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Each is told in a sentence, and nothing is done."""
    try:
        code = main(["redactions", *arguments])
    except SystemExit as error:
        code = int(str(error.code))
    _, err = capsys.readouterr()
    assert code == 2, err
    assert message in err
    assert "Traceback" not in err
    assert said(capsys, "list", "--all")[0] == ""


def test_without_the_log(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said that the log is not there, and how to go on; what went in that way cannot come back."""
    log.rename(log.with_suffix(".away"))
    _, err = said(capsys, "add", "0a1b", "--text", "heron", code=2)
    assert "is not there" in err
    assert "`--stored`" in err
    said(capsys, "add", "0a1b", "--text", "heron", "--stored")
    assert "a <REDACTED>" in report(capsys)
    _, err = said(capsys, "undo", "1", code=2)
    assert "cannot come back" in err
    assert "a <REDACTED>" in report(capsys)


def test_what_became_of_a_log(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ingest says where a redaction does not fit any more."""
    said(capsys, "add", "0a1b", "--text", "heron")
    log.write_text(json.dumps(prompt(0, "some herons came")) + "\n")
    assert main(["ingest"]) == 0
    err = capsys.readouterr().err
    assert "1 text changed since redacted by hand: redacted whole" in err
    assert "1 place redacted by hand not found any more" in err
