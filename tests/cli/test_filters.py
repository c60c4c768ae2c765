"""`tamis filters`: what it lists and prints."""

from pathlib import Path

import tamis
from tamis import cli
from tamis.policy.chain import BUILTIN


def test_it_lists_what_there_is_and_what_applies(tmp_path, monkeypatch, capsys):
    """All built-in filters, and the chain of this project in order, each with why it is there."""
    (tmp_path / ".codetracer").mkdir()
    (tmp_path / ".codetracer/trace-filter.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODETRACER_TRACE_FILTER", "mine.toml")
    assert cli.main(["filters"]) == 0
    built_in, chain = capsys.readouterr().out.split("\n\n")
    assert all(name in built_in for name in BUILTIN)
    assert [line.split()[0] for line in chain.splitlines()[1:]] == [
        "builtin-default", ".codetracer/trace-filter.toml", "mine.toml"
    ]  # fmt: skip


def test_it_says_what_is_locked(tmp_path, monkeypatch, capsys):
    """A filter that cannot be loosened is marked."""
    (tmp_path / ".codetracer").mkdir()
    head = '[meta]\nname = "x"\nversion = 2\nlocked = true\n'
    scope = '[scope]\ndefault_exec = "skip"\ndefault_value_action = "redact"\n'
    (tmp_path / ".codetracer/trace-filter.toml").write_text(head + scope)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["filters"]) == 0
    chain = capsys.readouterr().out.splitlines()
    assert [line.endswith(", locked") for line in chain[-2:]] == [False, True]


def test_it_names_what_is_included(tmp_path, monkeypatch, capsys):
    """What a filter of the chain includes is in the list, before it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".codetracer").mkdir()
    body = '[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
    meta = '[meta]\nname = "x"\nversion = 2\n'
    (tmp_path / ".codetracer/common.toml").write_text(meta + body)
    (tmp_path / ".codetracer/trace-filter.toml").write_text(f'include = ["common.toml"]\n{meta}{body}')
    assert cli.main(["filters"]) == 0
    chain = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split() for line in chain] == [
        ["builtin-default", "first", "of", "every", "chain"],
        [".codetracer/common.toml", "included"],
        [".codetracer/trace-filter.toml", "the", "project's", "filter"],
    ]
    assert cli.main(["check"]) == 0
    assert ".codetracer/common.toml + .codetracer/trace-filter.toml: no errors" in capsys.readouterr().out


def test_it_says_how_to_write_a_filter(tmp_path, monkeypatch, capsys):
    """A project without a filter is told about `tamis init`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    assert cli.main(["filters"]) == 0
    assert "`tamis init` writes one" in capsys.readouterr().err


def test_it_prints_a_filter(capsys):
    """With a name, the very text of that filter comes out, to be read or copied."""
    folder = Path(tamis.__file__).parent / "policy/builtin"
    for name in BUILTIN:
        assert cli.main(["filters", name]) == 0
        assert capsys.readouterr().out == (folder / f"{name}.toml").read_text(encoding="utf-8")


def test_an_unknown_name(capsys):
    """A name that does not exist is an error that lists those that do."""
    assert cli.main(["filters", "builtin"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: there is no built-in filter `builtin`\nhint: there are `builtin-default`")
