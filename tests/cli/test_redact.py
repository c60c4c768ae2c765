"""`tamis redact`: what goes in and comes out, where it is written, and what is said."""

import io
import json
import os
import random
import signal
import string
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tamis import cli

SOURCE = random.Random(11)
TOKEN = "gh" + "p_" + "".join(SOURCE.choices(string.ascii_letters + string.digits, k=36))
GONE = "<REDACTED:github-token>"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text(f"start\nusing {TOKEN}\nend\n")
    (tmp_path / "clean.log").write_text("nothing here\n")
    return tmp_path


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input(place, monkeypatch, capfdbinary):
    """Without files, from standard input to standard output; what was done is said on standard error."""
    piped(monkeypatch, f"é {TOKEN} \n".encode() + b"\xff\x00")
    assert cli.main(["redact"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == f"é {GONE} \n".encode() + b"\xff\x00"
    assert err == b"tamis: 1 place redacted: 1 github-token\n"
    piped(monkeypatch, b"")
    assert cli.main(["redact", "-", "--quiet"]) == 0
    assert capfdbinary.readouterr() == (b"", b"")


def test_a_file_to_standard_output(place, capfd):
    """One file is written to standard output, and left as it is."""
    assert cli.main(["redact", "a.log"]) == 0
    assert capfd.readouterr().out == f"start\nusing {GONE}\nend\n"
    assert TOKEN in (place / "a.log").read_text()


def test_into_another_file(place, capsys):
    """--output writes to a file, and never over the one that is read."""
    assert cli.main(["redact", "a.log", "-o", "b.log"]) == 0
    assert (place / "b.log").read_text() == f"start\nusing {GONE}\nend\n"
    assert cli.main(["redact", "a.log", "-o", "a.log"]) == 2
    assert "hint: `--in-place` changes it" in capsys.readouterr().err
    assert TOKEN in (place / "a.log").read_text()


def test_in_place(place, capsys):
    """Files that change are replaced, with their modes; backups are for the owner alone, and all are kept."""
    (place / "a.log").chmod(0o640)
    before = (place / "clean.log").stat()
    for number in range(2):
        (place / "a.log").write_text(f"start {number}\nusing {TOKEN}\nend\n")
        assert cli.main(["redact", "-i", "."]) == 0
        assert (place / "a.log").read_text() == f"start {number}\nusing {GONE}\nend\n"
    assert (place / "a.log").stat().st_mode & 0o777 == 0o640
    after = (place / "clean.log").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    for name, number in (("a.log.tamis-backup", 0), ("a.log.1.tamis-backup", 1)):
        assert (place / name).read_text() == f"start {number}\nusing {TOKEN}\nend\n"
        assert (place / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in place.iterdir()) == [
        "a.log", "a.log.1.tamis-backup", "a.log.tamis-backup", "clean.log",
    ]  # fmt: skip
    err = capsys.readouterr().err
    assert "tamis: the backup `a.log.1.tamis-backup` still holds the secrets: look, and delete\n" in err
    assert "tamis: 1 place redacted in 1 of 2 files: 1 github-token\n" in err


def test_in_place_without_backup(place, capsys):
    """Who wants no backup gets none."""
    assert cli.main(["redact", "--in-place", "--no-backup", "a.log", "clean.log"]) == 0
    assert sorted(path.name for path in place.iterdir()) == ["a.log", "clean.log"]
    assert "backup" not in capsys.readouterr().err


def test_check(place, capsys):
    """--check writes nothing, names each place, and fails if there is one; backups are files like others."""
    assert cli.main(["redact", "--check", "clean.log"]) == 0
    assert cli.main(["redact", "--check", "."]) == 1
    said = capsys.readouterr()
    assert said.out == "a.log:2:7: github-token\n"
    assert said.err.endswith("tamis: 1 place would be redacted in 1 of 2 files: 1 github-token\n")
    assert TOKEN in (place / "a.log").read_text()
    cli.main(["redact", "-i", "-q", "a.log"])
    assert cli.main(["redact", "--check", "-q", "."]) == 1
    assert capsys.readouterr().out == "a.log.tamis-backup:2:7: github-token\n"


def test_dry_run(place, capsys):
    """--dry-run shows the lines as they would be; what would go only to a terminal, or when asked for."""
    (place / "long.log").write_text("x" * 1_000 + f" {TOKEN} " + "y" * 1_000)
    assert cli.main(["redact", "--dry-run", "."]) == 1
    out = capsys.readouterr().out
    assert TOKEN not in out
    assert f"a.log\n     2 + using {GONE}\n" in out
    assert max(map(len, out.splitlines())) < 300
    assert out.count(GONE) == 2
    assert cli.main(["redact", "--dry-run", "--show-secrets", "a.log"]) == 1
    assert f"     2 - using {TOKEN}\n     2 + using {GONE}\n" in capsys.readouterr().out


def test_for_programs(place, capsys):
    """--json and --sarif say what was changed where, and never what it was."""
    assert cli.main(["redact", "--check", "--json", "a.log"]) == 1
    report = json.loads(capsys.readouterr().out)
    [file] = report["files"]
    assert file == {
        "path": "a.log",
        "counts": {"github-token": 1},
        "undecided": {},
        "broken": 0,
        "changes": [{"id": "github-token", "line": 2, "column": 7, "undecided": False}],
    }
    assert cli.main(["redact", "--check", "--sarif", "a.log"]) == 1
    out = capsys.readouterr().out
    assert TOKEN not in out
    [result] = json.loads(out)["runs"][0]["results"]
    assert result["ruleId"] == "github-token"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert cli.main(["redact", "-i", "--json", "-q", "a.log"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["counts"] == {"github-token": 1}


def test_formats(place, capfd):
    """Lines and documents of JSON are known by their names and their beginnings, and stay JSON."""
    value = {"password": "hunter2" + "abcX", "text": f'"{TOKEN}"'}
    gone = {"password": "<REDACTED:yaml-assignment>", "text": f'"{GONE}"'}
    (place / "x.jsonl").write_text(json.dumps(value) + "\n{broken\n" + json.dumps([value]) + "\n")
    (place / "x.json").write_text(json.dumps(value, indent=2))
    (place / "unnamed").write_text(json.dumps(value) + "\n" + json.dumps(value))
    assert cli.main(["redact", "x.jsonl"]) == 0
    said = capfd.readouterr()
    lines = said.out.splitlines()
    assert [json.loads(lines[0]), lines[1], json.loads(lines[2])] == [gone, "{broken", [gone]]
    assert "1 line or document begins like JSON, and cannot be read as such: taken for text" in said.err
    assert cli.main(["redact", "x.json"]) == 0
    assert capfd.readouterr().out == json.dumps(gone, indent=2)
    assert cli.main(["redact", "unnamed"]) == 0
    assert [json.loads(line) for line in capfd.readouterr().out.splitlines()] == [gone, gone]
    assert cli.main(["redact", "--format", "text", "--no-decode", "x.json"]) == 0
    assert TOKEN not in capfd.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16(place, encoding, capfdbinary):
    """UTF-16 is known by its mark, and written as it was."""
    text = f"\ufeffé \U0001f600 {TOKEN}\r\n" + "x" * 300_000
    (place / "u.txt").write_bytes(text.encode(encoding))
    assert cli.main(["redact", "u.txt"]) == 0
    assert capfdbinary.readouterr().out.decode(encoding) == text.replace(TOKEN, GONE)


def test_utf_16_without_its_mark(place, capsys):
    """Without a mark, UTF-16 is not known, and nobody is left to think that it was read."""
    (place / "u.txt").write_bytes(f"using {TOKEN}".encode("utf-16-le"))
    assert cli.main(["redact", "--check", "u.txt"]) == 0
    assert "u.txt is no text, or UTF-16 without its mark" in capsys.readouterr().err


def test_folders(place, capsys):
    """Of folders all text is read, but what is hidden for version control; links and pipes are left alone."""
    for name in ("sub/b.log", ".git/c.log", "node/x.min.js", "sub/.env"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(f"T={TOKEN}")
    (place / "picture").write_bytes(b"\x89PNG\0" + TOKEN.encode())
    (place / "link").symlink_to("a.log")
    (place / "loop").symlink_to(".")
    os.mkfifo(place / "pipe")
    assert cli.main(["redact", "--check", "--exclude", "*.min.js", "."]) == 1
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["a.log", "sub/.env", "sub/b.log"]
    assert "tamis: 1 file left out: no text\n" in said.err
    assert cli.main(["redact", "--check", "-q", "**/*.log", "**/x.min.js"]) == 1
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines()] == ["a.log", "sub/b.log", "node/x.min.js"]
    # A link that is named is followed, and stays one.
    assert cli.main(["redact", "-i", "-q", "--no-backup", "link"]) == 0
    assert (place / "link").is_symlink()
    assert (place / "a.log").read_text() == f"start\nusing {GONE}\nend\n"


def test_rules_of_ones_own(place, capfd):
    """Rules of a file go first; one at its usual place is used without being named."""
    rule = "- id: end\n  type: literal\n  pattern: end\n"
    (place / "my.yml").write_text(rule)
    assert cli.main(["redact", "--rules", "my.yml", "--no-builtin-rules", "a.log"]) == 0
    assert capfd.readouterr().out == f"start\nusing {TOKEN}\n<REDACTED>\n"
    (place / "user").mkdir()
    (place / "user/redactions.yml").write_text(rule)
    assert cli.main(["redact", "a.log"]) == 0
    said = capfd.readouterr()
    assert said.out == f"start\nusing {GONE}\n<REDACTED>\n"
    assert "rules of `user/redactions.yml`, too" in said.err
    # That rule is for prompts.
    assert cli.main(["redact", "-q", "--role", "other", "a.log"]) == 0
    assert capfd.readouterr().out == f"start\nusing {GONE}\nend\n"


MISTAKES = [
    (["nosuch.log"], "there is no file `nosuch.log`"),
    (["*.nothing"], "there is no file `*.nothing`"),
    (["a.log", "clean.log"], "2 files cannot be written to one place"),
    (["-i"], "`--in-place` needs files to change"),
    (["-", "a.log"], "`-` goes alone"),
    (["--check", "--dry-run", "a.log"], "`--check` and `--dry-run` do not go together"),
    (["--json", "a.log"], "`--json` and `--sarif` write to standard output"),
    (["--json", "--sarif", "--check", "a.log"], "do not go together"),
    (["--no-backup", "a.log"], "`--no-backup` goes with `--in-place`"),
    (["--no-builtin-rules", "a.log"], "there are no rules to apply"),
    (["--rules", "nosuch.yml", "a.log"], "this file of rules does not exist"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES)
def test_mistakes(place, arguments, says, capsys):
    """A mistake is said, and nothing is written."""
    assert cli.main(["redact", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert TOKEN in (place / "a.log").read_text()


def test_interrupted(place):
    """Ctrl-C leaves each file as it was or as it should be, and no file of its own."""
    for number in range(300):
        (place / f"{number}.log").write_text(f"{'x' * 200_000} {TOKEN}\n")
    command = [sys.executable, "-m", "tamis", "redact", "-i", "--no-backup", "."]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while "<REDACTED" not in (place / "0.log").read_text() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert process.returncode in (0, 130)
    ends = {path.read_text()[200_000:] for path in place.glob("[0-9]*.log")}
    assert ends <= {f" {TOKEN}\n", f" {GONE}\n"}
    assert not [path for path in place.iterdir() if path.suffix != ".log"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(place, capsys):
    """A folder or file that may not be read is no clean one."""
    (place / "shut").mkdir(mode=0)
    assert cli.main(["redact", "--check", "."]) == 2
    assert "shut" in capsys.readouterr().err


BINARIES = [b"\0", b"x" * 300_000 + b"\0", b"%PDF-1.4 text only", bytes(range(1, 32)) * 20]


@pytest.mark.parametrize("data", BINARIES, ids=["a zero", "a late zero", "a PDF", "control characters"])
def test_what_is_no_text(place, data, capsys):
    """Files in a folder that are no text are left out, and counted; one that is named is read."""
    (place / "data").write_bytes(data + f" {TOKEN} ".encode())
    assert cli.main(["redact", "--check", "--exclude", "a.log", "."]) == 0
    assert "tamis: 1 file left out: no text\n" in capsys.readouterr().err
    assert cli.main(["redact", "--check", "data"]) == 1


def test_a_reader_that_goes(place):
    """When the reader of the output has gone, it ends as other commands do."""
    data = b"some text\n" * 1_000_000
    command = f"{sys.executable} -m tamis redact -q | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], input=data, capture_output=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"some text\n", b"", 141)
