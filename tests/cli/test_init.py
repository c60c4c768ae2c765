"""`tamis init`: the filter that it writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tamis import cli
from tamis.policy import load_policy
from tamis.policy.schema import schema_text


def test_it_writes_a_filter_that_is_valid(tmp_path, monkeypatch, capsys):
    """The file lies in the project root, wherever below it the command is given, and changes nothing."""
    (tmp_path / "shop/src").mkdir(parents=True)
    (tmp_path / "shop/pyproject.toml").touch()
    monkeypatch.chdir(tmp_path / "shop/src")
    assert cli.main(["init"]) == 0
    path = tmp_path / "shop/.codetracer/trace-filter.toml"
    assert capsys.readouterr().out == f"wrote {path}\nwrote {path.with_suffix('.schema.json')}\n"
    described = load_policy(start=tmp_path / "shop", environ={"HOME": "/"}).policy.describe()
    assert [entry["name"] for entry in described["filters"]] == ["builtin-default", "shop"]
    assert {rule["filter"] for rule in described["rules"]} == {0}
    assert cli.main(["check", "--strict"]) == 0


def test_it_overwrites_nothing_unless_forced(tmp_path, capsys):
    """A filter that is there stays, without `--force`."""
    path = tmp_path / ".codetracer/trace-filter.toml"
    path.parent.mkdir()
    path.write_text("mine")
    assert cli.main(["init", str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("is there already\nhint: `--force` overwrites it\n")
    assert path.read_text() == "mine"
    assert cli.main(["init", str(tmp_path), "--force"]) == 0
    assert path.read_text().startswith("#:schema ./trace-filter.schema.json\n# What Tamis may record")


@pytest.mark.parametrize("name", ['a "quoted" \\ name', "имя", "with\nnewline"])
def test_any_folder_name_gives_a_valid_filter(tmp_path, name):
    """The name of the folder becomes the name of the filter, whatever is in it."""
    folder = tmp_path / name
    folder.mkdir()
    assert cli.main(["init", str(folder)]) == 0
    described = load_policy(start=folder, environ={"HOME": "/"}).policy.describe()
    assert described["filters"][1]["name"] == name.replace("\n", "_")


def test_a_folder_that_is_none(tmp_path, capsys):
    """A path that is no folder is an error in one line."""
    assert cli.main(["init", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"error: `{tmp_path / 'none'}` is no folder\n"


def test_the_commented_rules_are_valid_too(tmp_path):
    """What the comments show can be used as it stands."""
    assert cli.main(["init", str(tmp_path)]) == 0
    path = tmp_path / ".codetracer/trace-filter.toml"
    starts = ("[[", "selector", "exec", "value_", "action", "reason")
    head, rules = path.read_text().split("# [[", 1)
    lines = (line.removeprefix("#").strip() for line in f"# [[{rules}".splitlines())
    path.write_text(head + "\n".join(line for line in lines if line.startswith(starts)))
    described = load_policy(start=tmp_path, environ={"HOME": "/"}).policy.describe()
    rules_of_project = [rule for rule in described["rules"] if rule["filter"] == 1]
    assert [rule["selector"] for rule in rules_of_project] == [
        "pkg:my_app.accounts.*",
        "pkg:my_app.generated.*",
    ]
    assert len(rules_of_project[0]["patterns"]) == 1


def test_the_schema(tmp_path, capsys):
    """The schema lies beside the filter; one that is there stays, unless it is asked for."""
    folder = tmp_path / ".codetracer"
    folder.mkdir()
    (folder / "trace-filter.schema.json").write_text("mine")
    assert cli.main(["init", str(tmp_path)]) == 0
    assert (folder / "trace-filter.schema.json").read_text() == "mine"
    (folder / "trace-filter.toml").write_text("mine, too")
    capsys.readouterr()
    assert cli.main(["init", "--schema", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"wrote {folder / 'trace-filter.schema.json'}\n"
    assert (folder / "trace-filter.schema.json").read_text() == schema_text()
    assert (folder / "trace-filter.toml").read_text() == "mine, too"


def test_a_filter_of_the_other_name(tmp_path, capsys):
    """A project with a `.cfg` has its filter: a second one would silently replace it."""
    (tmp_path / ".codetracer").mkdir()
    (tmp_path / ".codetracer/trace-filter.cfg").write_text("mine")
    assert cli.main(["init", str(tmp_path)]) == 2
    assert "trace-filter.cfg` is there already" in capsys.readouterr().err
    assert not (tmp_path / ".codetracer/trace-filter.toml").exists()


def test_it_asks_nothing(tmp_path):
    """It comes to its end with nobody there to answer."""
    done = subprocess.run(
        [sys.executable, "-m", "tamis", "init", str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True
    )
    assert done.returncode == 0
    assert done.stderr.startswith(b"tamis: looked at 0 files\n")


def test_template_is_part_of_the_package():
    """The template lies where the installed package finds it."""
    import tamis

    assert (Path(tamis.__file__).parent / "policy/builtin/template.toml").is_file()
