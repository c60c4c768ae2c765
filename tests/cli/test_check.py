"""`tamis check`: which files it looks at, what it prints, how it exits."""

from pathlib import Path

import pytest

from tamis import cli

GOOD = """\
[meta]
name = "good"
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "pkg:shop.*"
value_default = "redact"
"""
BAD = GOOD.replace("redact", "redcat")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and nothing from outside that would be checked with it."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODETRACER_TRACE_FILTER", raising=False)
    return tmp_path


def test_the_chain_that_applies_here(place, capsys):
    """Without files, the chain of `tamis run` is checked, the project's filter included."""
    assert cli.main(["check"]) == 0
    said = capsys.readouterr()
    assert said.out == "builtin-default: no errors, 0 rules beside those of builtin-default\n"
    assert said.err == "note: no filter of this project was found; `tamis init` writes one\n"
    (place / ".codetracer").mkdir()
    (place / ".codetracer/trace-filter.toml").write_text(BAD)
    assert cli.main(["check"]) == 1
    assert capsys.readouterr().out == (
        "error[unknown-value]: `value_default` cannot be `redcat`\n"
        " --> .codetracer/trace-filter.toml:9:17\n"
        "  |\n"
        '9 | value_default = "redcat"\n'
        "  |                 ^^^^^^^^\n"
        "hint: did you mean `redact`?\n"
    )


def test_files_are_checked_one_by_one(place, capsys):
    """Each file is read on its own, and the problems of all are shown."""
    (place / "good.toml").write_text(GOOD)
    (place / "bad.toml").write_text(BAD)
    assert cli.main(["check", "good.toml", "bad.toml", "none.toml"]) == 1
    out = capsys.readouterr().out
    assert "builtin-default + good.toml: no errors, 1 rule beside those of builtin-default\n" in out
    assert "error[unknown-value]" in out
    assert "error[file-missing]: this filter does not exist\n --> none.toml\n" in out
    assert out.endswith("\n2 errors\n")


def test_files_as_one_chain(place, capsys):
    """With --chain, later files complete earlier ones: here the streams for the capture."""
    capture = GOOD + "[io]\ncapture = true\n"
    (place / "a.toml").write_text(GOOD + '[io]\nstreams = ["stdout"]\n')
    (place / "b.toml").write_text(capture)
    assert cli.main(["check", "a.toml", "b.toml"]) == 1
    assert "does not say which streams" in capsys.readouterr().out
    assert cli.main(["check", "--chain", "a.toml::b.toml"]) == 0
    out = capsys.readouterr().out
    assert "a.toml + b.toml: no errors, 1 warning, 2 rules" in out
    assert "warning[io-not-served]: `capture = true` cannot be served yet" in out
