"""`tamis check`: warnings and how they count, folders, forms of output, --upgrade."""

import json
import stat
from pathlib import Path

import pytest

from tamis import cli

FILTER = """\
# kept
[meta]
name = "shop" # and kept
version = 1
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "pkg:shop"
exec = "trace"
"""
WARNED = FILTER + '[[scope.rules]]\nselector = "pkg:*"\nexec = "skip"\n'
BROKEN = FILTER + 'execc = "skip"\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "shop.py").write_text("def buy(order): pass")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODETRACER_TRACE_FILTER", raising=False)
    return tmp_path


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "plain", "strict"),
    [(FILTER, 0, 0), (WARNED, 0, 1), (BROKEN, 1, 1)],
    ids=["good", "warned", "bad"],
)
def test_exit_codes(place, text, plain, strict):
    """Errors give 1; warnings do with --strict."""
    put(place / "x.toml", text)
    assert cli.main(["check", "x.toml"]) == plain
    assert cli.main(["check", "--strict", "x.toml"]) == strict


def test_folders(place, capsys):
    """Of a folder, the filters of all projects in it are checked, each for its own project."""
    put(place / "a/.codetracer/trace-filter.toml", FILTER.replace("pkg:shop", "pkg:one"))
    put(place / "a/one.py", "x = 1")
    put(place / "b/c/.codetracer/trace-filter.cfg", WARNED.replace("pkg:shop", "pkg:two"))
    put(place / "b/c/two.py", "x = 1")
    put(place / "b/c/.codetracer/other.toml", BROKEN)
    put(place / ".cache/.codetracer/trace-filter.toml", BROKEN)
    assert cli.main(["check", "."]) == 0
    out = capsys.readouterr().out
    assert "+ a/.codetracer/trace-filter.toml: no errors, 1 rule" in out
    assert "+ b/c/.codetracer/trace-filter.cfg: no errors, 1 warning, 2 rules" in out
    (place / "empty").mkdir()
    assert cli.main(["check", "empty"]) == 2
    assert "there is no filter in `empty`" in capsys.readouterr().err


def test_two_filters_of_a_project(place, capsys):
    """The one that is not read is named, unless the one that is read accepts that."""
    both = [put(place / f".codetracer/trace-filter.{end}", FILTER) for end in ("toml", "cfg")]
    assert cli.main(["check", "--strict"]) == 1
    assert (
        "warning[two-project-filters]: this filter of the project is not read\n"
        " --> .codetracer/trace-filter.cfg\n"
    ) in capsys.readouterr().out
    both[0].write_text(FILTER.replace("version = 1", 'version = 2\naccept = ["two-project-filters"]'))
    assert cli.main(["check", "--strict"]) == 0
    both[0].unlink()
    assert cli.main(["check", "--strict"]) == 0


def test_the_look_at_the_project_can_be_left_out(place):
    """--no-project compares the filters with nothing but themselves."""
    put(place / "x.toml", FILTER.replace("pkg:shop", "pkg:nothing"))
    assert cli.main(["check", "--strict", "x.toml"]) == 1
    assert cli.main(["check", "--strict", "--no-project", "x.toml"]) == 0


def test_json(place, capsys):
    """Every diagnostic once, with its place; parsers need no text."""
    put(place / "x.toml", WARNED)
    put(place / "y.toml", BROKEN)
    assert cli.main(["check", "--output", "json", "x.toml", "y.toml", "x.toml"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["version"], report["errors"], report["warnings"]) == (1, 1, 1)
    first, second = report["diagnostics"]
    assert (first["id"], first["severity"], first["path"]) == ("shadowed-rule", "warning", "x.toml")
    assert (first["line"], first["column"], first["end"]) == (9, 12, 22)
    assert first["source"] == 'selector = "pkg:shop"'
    assert second["id"] == "unknown-key"


def test_json_of_nothing(place, capsys):
    """Where nothing is wrong there is an empty list, not no answer."""
    put(place / "x.toml", FILTER)
    for output in ("json", "sarif"):
        assert cli.main(["check", "--output", output, "x.toml"]) == 0
        json.loads(capsys.readouterr().out)
    assert cli.main(["check", "--output", "github", "x.toml"]) == 0
    assert capsys.readouterr().out == ""


def test_sarif(place, capsys):
    """SARIF 2.1.0: a run with its rules, and a result with a place for each diagnostic."""
    put(place / "a b.toml", WARNED)
    put(place / "y.toml", BROKEN)
    assert cli.main(["check", "--output", "sarif", "a b.toml", "y.toml", "no.toml"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["version"] == "2.1.0"
    [run] = report["runs"]
    ids = [one["id"] for one in run["tool"]["driver"]["rules"]]
    results = {result["ruleId"]: result for result in run["results"]}
    assert set(results) == set(ids) == {"shadowed-rule", "unknown-key", "file-missing"}
    for result in results.values():
        assert ids[result["ruleIndex"]] == result["ruleId"]
    place_of = results["shadowed-rule"]["locations"][0]["physicalLocation"]
    assert place_of["artifactLocation"]["uri"] == "a%20b.toml"
    assert place_of["region"] == {"startLine": 9, "startColumn": 12, "endColumn": 22}
    assert results["shadowed-rule"]["level"] == "warning"
    assert "region" not in results["file-missing"]["locations"][0]["physicalLocation"]


def test_github(place, capsys):
    """One command a diagnostic; nothing in a message ends it or begins another."""
    put(place / "x.toml", BROKEN.replace("execc", '"a::b,\\n"'))
    assert cli.main(["check", "--output", "github", "x.toml"]) == 1
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith("::error file=x.toml,title=tamis%3A unknown-key,line=11,col=1,endColumn=")
    assert "::unknown key `a::b,%0A` in `[[scope.rules]]`" in out


def test_upgrade_changes_one_number(place, capsys):
    """A filter of version 1 becomes one of version 2; every other byte and the mode stay."""
    path = put(place / ".codetracer/trace-filter.toml", FILTER.replace("\n", "\r\n"))
    path.write_bytes(path.read_bytes().replace(b"\r\r", b"\r"))
    path.chmod(0o640)
    before = path.read_bytes()
    assert cli.main(["check", "--upgrade"]) == 0
    assert capsys.readouterr().out == ".codetracer/trace-filter.toml: upgraded to version 2\n"
    assert path.read_bytes() == before.replace(b"version = 1", b"version = 2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert cli.main(["check", "--upgrade"]) == 0
    assert capsys.readouterr().out == ".codetracer/trace-filter.toml: is version 2 already\n"
    assert list((place / ".codetracer").iterdir()) == [path]


def test_upgrade_of_what_waits_for_it(place):
    """Keys of version 2 in a filter of version 1 are the reason to upgrade, not an obstacle."""
    path = put(place / "x.toml", FILTER + 'accept = ["matches-nothing"]\n')
    assert cli.main(["check", "x.toml"]) == 1
    assert cli.main(["check", "--upgrade", "x.toml"]) == 0
    assert cli.main(["check", "x.toml"]) == 0
    assert "version = 2\n" in path.read_text()


def test_no_upgrade_of_what_is_wrong(place, capsys):
    """A filter with errors is left as it is, and they are printed."""
    path = put(place / "x.toml", BROKEN)
    assert cli.main(["check", "--upgrade", "x.toml", "no.toml"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("x.toml: not upgraded\nerror[unknown-key]")
    assert "error[file-missing]" in out
    assert path.read_text() == BROKEN


def test_upgrade_through_a_link(place):
    """A symbolic link stays one: the file behind it is upgraded."""
    real = put(place / "real.toml", FILTER)
    (place / "link.toml").symlink_to("real.toml")
    assert cli.main(["check", "--upgrade", "link.toml"]) == 0
    assert (place / "link.toml").is_symlink()
    assert "version = 2" in real.read_text()
