"""`tamis ingest`, `report`, `export` and `search`, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tamis.cli import main

ROLLOUT = "sessions/2025/12/18/rollout-2025-12-18T10-00-00-019b2ea4-aaaa-bbbb-cccc-58208e1f0000.jsonl"
SAMPLES = Path(__file__).parents[1] / "transcripts" / "samples"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with logs where agents keep them, and a folder to work in."""
    for variable in (
        "CODEX_HOME",
        "CLAUDE_CONFIG_DIR",
        "GEMINI_CLI_HOME",
        "COPILOT_HOME",
        "XDG_STATE_HOME",
        "TAMIS_DB",
    ):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    for source, place in (
        ("codex/large.jsonl", f".codex/{ROLLOUT}"),
        ("claude/large.jsonl", ".claude/projects/-home-ada-shop/large.jsonl"),
        ("copilot/small.jsonl", ".copilot/session-state/copilot_stage0_small/events.jsonl"),
        ("gemini/small.json", ".gemini/tmp/0b7d/chats/session-2026-01-16T18-34-3739ef95.json"),
    ):
        (home / place).parent.mkdir(parents=True)
        (home / place).write_bytes((SAMPLES / source).read_bytes())
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return home


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(list(arguments)) == code, capsys.readouterr()
    out, err = capsys.readouterr()
    return out, err


def test_without_rules_nothing_is_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file of rules it fails at once, says how to make one, and makes no store."""
    _, err = said(capsys, "ingest", code=2)
    assert "there is no `user/redactions.yml`" in err
    assert "`tamis init --rules`" in err
    assert not Path("user").exists()


def test_wrong_rules_stop_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the rules is told with its place, before anything is written."""
    Path("r.yml").write_text("- {id: a, type: regex, pattern: '(', scope: global}\n")
    _, err = said(capsys, "ingest", "--rules", "r.yml", code=2)
    assert "r.yml" in err
    assert not Path("user").exists()


def test_the_usual_places(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The logs of each agent are found where it keeps them; again, there is nothing to do."""
    said(capsys, "init", "--rules")
    out, _ = said(capsys, "ingest", "--json")
    logs = json.loads(out)["logs"]
    assert [(log["agent"], log["source"], log["what"]) for log in logs] == [
        (
            "codex",
            ROLLOUT,
            "new",
        ),
        # Where the user worked is not in the name.
        ("claude", "projects/…/large.jsonl", "new"),
        ("copilot-cli", "session-state/copilot_stage0_small/events.jsonl", "new"),
        ("gemini", "0b7d/chats/session-2026-01-16T18-34-3739ef95.json", "new"),
    ]
    out, _ = said(capsys, "ingest")
    assert out == "0 logs read into `user/transcripts.db`, 4 as before\n"


def test_which_logs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Logs are chosen by agent, by number and by time; a dry run writes nothing."""
    old = home / ".codex"
    for path in old.rglob("*.jsonl"):
        os.utime(path, (1, 1))
    newest = next((home / ".gemini").rglob("*.json"))
    os.utime(newest, (time.time() + 60, time.time() + 60))

    def listed(*arguments: str) -> list[str]:
        out, _ = said(capsys, "ingest", "--dry-run", *arguments)
        return [line.split()[0] for line in out.splitlines()]

    assert listed() == ["codex", "claude", "copilot-cli", "gemini"]
    assert listed("--agent", "claude", "--agent", "codex") == ["codex", "claude"]
    assert listed("--since", "1h") == ["claude", "copilot-cli", "gemini"]
    assert listed("--since", "1999-01-01") == ["claude", "copilot-cli", "gemini"]
    assert listed("--limit", "1") == ["gemini"]
    assert not Path("user").exists()
    for wrong in (["--since", "soon"], ["--limit", "0"], ["nowhere"]):
        said(capsys, "ingest", "--dry-run", *wrong, code=2)


def test_no_logs(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are none, it says so; a file that is none is told."""
    said(capsys, "init", "--rules")
    monkeypatch.setenv("HOME", str(tmp_path))
    _, err = said(capsys, "ingest")
    assert "there are no logs in the usual places" in err
    Path("a.json").write_text('{"a": 1}')
    _, err = said(capsys, "ingest", "a.json", code=2)
    assert "`a.json` is no log of these agents" in err


def test_one_that_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One log that cannot be read keeps nobody from the others, and is told."""
    said(capsys, "init", "--rules")
    packed = next((home / ".codex").rglob("*.jsonl"))
    packed.with_name(packed.name + ".zst").write_bytes(b"not packed at all")
    packed.unlink()
    out, err = said(capsys, "ingest", code=1)
    assert "3 logs read" in out
    assert ".zst" in err


def test_report_export_search(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was ingested is listed, reported, exported and found."""
    _, err = said(capsys, "report", code=2)
    assert "there is no store" in err
    said(capsys, "init", "--rules")
    said(capsys, "ingest", "--no-index", "-q")
    out, _ = said(capsys, "report", "--list")
    assert len(out.splitlines()) == 4
    out, _ = said(capsys, "report", "019b2ea4")
    assert "Prompt 6" in out
    for name, begin in (("p.html", "<!doctype html>"), ("p.md", "# "), ("p.txt", "codex 019b")):
        said(capsys, "report", "019b", "-o", name)
        assert Path(name).read_text().startswith(begin)
    _, err = said(capsys, "export", code=2)
    assert "4 logs cannot be written to one place" in err
    said(capsys, "export", "-o", "out")
    assert len([path for path in Path("out").rglob("*") if path.is_file()]) == 4
    out, _ = said(capsys, "export", "large")
    assert out == (SAMPLES / "claude" / "large.jsonl").read_text()
    out, err = said(capsys, "search", "multiline", "--json")
    assert "being made" in err
    assert {hit["agent"] for hit in json.loads(out)["hits"]} >= {"codex"}
    said(capsys, "search", "nowhere-to-be-found", code=1)


def test_words_of_other_rules(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What new rules take out is not in the bytes of the store any more, whether its log is there or not."""
    said(capsys, "init", "--rules")
    said(capsys, "ingest")
    store = Path("user/transcripts.db")
    assert b"multiline" in store.read_bytes()
    rules = Path("user/redactions.yml")
    rules.write_text(rules.read_text() + "- {id: m, type: literal, pattern: multiline, scope: global}\n")
    next((home / ".codex").rglob("*.jsonl")).unlink()
    out, _ = said(capsys, "ingest")
    assert "1 log of other rules not read" in out
    for file in Path("user").glob("transcripts.db*"):
        assert b"multiline" not in file.read_bytes()
    assert b"<REDACTED> output" in store.read_bytes()


def test_names_of_agents() -> None:
    """Options name the agents that there are readers for, in their order."""
    from tamis.cli.stores import AGENTS
    from tamis.transcripts import discovery

    assert tuple(discovery.AGENTS) == AGENTS


@pytest.mark.parametrize(
    "command", [["report"], ["report", "--format", "html"], ["export"], ["search", "ok"]]
)
def test_a_reader_that_goes(home: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """Where the output is not read to its end, a command ends without a word."""
    log = home / ".claude" / "projects" / "-tmp-p" / "long.jsonl"
    log.parent.mkdir(parents=True)
    message = {"role": "user", "content": "ok " + "and more of it " * 200}
    records = ({"type": "user", "uuid": f"u{n}", "sessionId": "long", "message": message} for n in range(600))
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    said(capsys, "init", "--rules")
    said(capsys, "ingest")
    named = ["long"] if command[0] != "search" else ["--limit", "600"]
    command = [sys.executable, "-m", "tamis", *command, *named]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tamis:
        assert tamis.stdout is not None
        assert tamis.stderr is not None
        assert len(tamis.stdout.read(100)) == 100
        tamis.stdout.close()
        assert tamis.stderr.read().decode() == ""
    assert tamis.returncode == 141


def test_files_that_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is damaged or gone keeps nobody from the others, and is told with its name; a folder that is
    called like a log is none."""
    said(capsys, "init", "--rules")
    logs = Path("logs")
    (logs / "folder.jsonl").mkdir(parents=True)
    (logs / "good.jsonl").write_bytes((SAMPLES / "claude" / "large.jsonl").read_bytes())
    (logs / "bad.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"nonsense" * 20)
    (logs / "gone.jsonl").symlink_to("nowhere")
    out, err = said(capsys, "ingest", "logs", code=1)
    assert "1 log read" in out
    assert "bad.jsonl.zst`" in err
    assert "gone.jsonl`: No such file" in err
    _, err = said(capsys, "ingest", "logs", "--dry-run", code=1)
    assert "bad.jsonl.zst`" in err
