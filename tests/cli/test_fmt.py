"""`tamis fmt`: files, folders, standard input, and what it leaves alone."""

import io
import sys
from pathlib import Path

import pytest

from tamis import cli

ROUGH = "[meta]\nname='shop'\n# kept\nversion=1\n"
NEAT = "[meta]\nname = 'shop'\n# kept\nversion = 1\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".codetracer").mkdir()
    (tmp_path / ".codetracer/trace-filter.toml").write_text(ROUGH)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_filter_of_the_project(place, capsys):
    """Without files it is the project's, from anywhere in it; a second time there is nothing to do."""
    file = place / ".codetracer/trace-filter.toml"
    file.chmod(0o640)
    assert cli.main(["fmt"]) == 0
    assert capsys.readouterr().out == "laid out .codetracer/trace-filter.toml\n"
    assert file.read_text() == NEAT
    assert file.stat().st_mode & 0o777 == 0o640
    assert cli.main(["fmt"]) == 0
    assert capsys.readouterr() == ("", "1 filter: laid out already\n")


def test_no_filter(place, capsys):
    """Who has none is told how to get one."""
    (place / ".codetracer/trace-filter.toml").unlink()
    (place / "pyproject.toml").touch()
    assert cli.main(["fmt"]) == 2
    assert "hint: `tamis init` writes one, or name a file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_looking_only(place, capsys, option):
    """Nothing is changed, and the exit code says whether something would be."""
    file = place / ".codetracer/trace-filter.toml"
    assert cli.main(["fmt", option, "."]) == 1
    assert file.read_text() == ROUGH
    out = capsys.readouterr().out
    if option == "--diff":
        assert "-version=1\n+version = 1\n" in out
    else:
        assert out == "would lay out .codetracer/trace-filter.toml\n"
    file.write_text(NEAT)
    assert cli.main(["fmt", option, "."]) == 0


def test_one_of_many_is_wrong(place, capsys):
    """A file that is no TOML is named and left alone, a missing one named; the others are laid out."""
    (place / "broken.toml").write_text("[meta\nname=1\n")
    (place / "rough.toml").write_text(ROUGH)
    assert cli.main(["fmt", "broken.toml", "missing.toml", "rough.toml"]) == 2
    out = capsys.readouterr().out
    assert "error[toml-syntax]" in out
    assert "error[file-missing]" in out
    assert (place / "broken.toml").read_text() == "[meta\nname=1\n"
    assert (place / "rough.toml").read_text() == NEAT


def test_a_filter_with_mistakes_of_another_kind(place):
    """Layout asks for TOML only: what keys mean is for `tamis check`."""
    (place / "x.toml").write_text("nonsense=[1,2]")
    assert cli.main(["fmt", "x.toml"]) == 0
    assert (place / "x.toml").read_text() == "nonsense = [1, 2]\n"


def test_a_link(place):
    """The file behind a symbolic link is laid out, and the link stays one."""
    (place / "link.toml").symlink_to(".codetracer/trace-filter.toml")
    assert cli.main(["fmt", "link.toml"]) == 0
    assert (place / "link.toml").is_symlink()
    assert (place / ".codetracer/trace-filter.toml").read_text() == NEAT


@pytest.mark.parametrize(
    ("arguments", "out", "code"),
    [([], NEAT, 0), (["--check"], "", 1)],
)
def test_standard_input(monkeypatch, capsysbinary, arguments, out, code):
    """`-` reads and writes no file, as editors want it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROUGH.encode())))
    assert cli.main(["fmt", *arguments, "-"]) == code
    assert capsysbinary.readouterr().out == out.encode()


def test_standard_input_alone(capsys):
    """Two kinds of places at once are a mistake."""
    assert cli.main(["fmt", "-", "x.toml"]) == 2
    assert "`-` goes alone" in capsys.readouterr().err
