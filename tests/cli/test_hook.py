"""The hooks for pre-commit: what they run, and on which files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tamis import cli

ROOT = Path(__file__).resolve().parents[2]
# Each key of a hook is a line.
TEXTS = (ROOT / ".pre-commit-hooks.yaml").read_text().split("\n- ")[1:]
HOOKS = [dict(re.findall(r"^ *(\w+): (.*)$", text, re.MULTILINE)) for text in TEXTS]
CHECK, FMT, REDACT = HOOKS


def run_hook(hook: dict[str, str], folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Runs the hook's entry as pre-commit does: with the names of the files, in the repository's root."""
    program, *arguments = shlex.split(hook["entry"])
    command = [str(Path(sys.executable).with_name(program)), *arguments, *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_has_what_pre_commit_needs(hook):
    """The keys that pre-commit requires are there, and one language that it installs by itself."""
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert hook["language"] == "python"


def test_the_entry(tmp_path: Path):
    """A commit with a filter that is right passes; one with a mistake in any filter does not, and sees it."""
    (tmp_path / "a").mkdir()
    assert cli.main(["init", str(tmp_path)]) == 0
    assert cli.main(["init", str(tmp_path / "a")]) == 0
    files = [".codetracer/trace-filter.toml", "a/.codetracer/trace-filter.toml"]
    assert run_hook(CHECK, tmp_path, *files).returncode == 0
    wrong = tmp_path / files[1]
    wrong.write_text(wrong.read_text().replace("default_exec", "defualt_exec"))
    done = run_hook(CHECK, tmp_path, *files)
    assert done.returncode == 1
    assert f"{files[1]}:" in done.stdout
    assert "did you mean `default_exec`?" in done.stdout


def test_the_layout(tmp_path: Path):
    """The hook changes what is not laid out, which is how pre-commit knows that a commit must wait."""
    file = ".codetracer/trace-filter.toml"
    assert cli.main(["init", str(tmp_path)]) == 0
    proposed = (tmp_path / file).read_text()
    assert run_hook(FMT, tmp_path, file).returncode == 0
    assert (tmp_path / file).read_text() == proposed
    (tmp_path / file).write_text(re.sub(r"^(\w+) = ", r"\1=", proposed, flags=re.MULTILINE))
    assert run_hook(FMT, tmp_path, file).returncode == 0
    assert (tmp_path / file).read_text() == proposed


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        (".codetracer/trace-filter.toml", True),
        (".codetracer/trace-filter.cfg", True),
        ("services/shop/.codetracer/strict.toml", True),
        (".codetracer/trace-filter.schema.json", False),
        (".codetracer/old/trace-filter.toml", False),
        ("my.codetracer/trace-filter.toml", False),
        ("pyproject.toml", False),
    ],
)
def test_the_files(path: str, checked: bool):
    """Filters are checked, wherever in the repository; other files are not."""
    assert [bool(re.search(hook["files"], path)) for hook in (CHECK, FMT)] == [checked] * 2


def test_secrets_in_a_commit(tmp_path: Path):
    """A commit with a credential waits, and the place is shown, without the credential."""
    (tmp_path / "clean.py").write_text("token = read_token()\n")
    assert run_hook(REDACT, tmp_path, "clean.py").returncode == 0
    token = "gh" + "p_" + "aB3dE6gH9jK2" * 3
    (tmp_path / "leak.py").write_text(f'TOKEN = "{token}"\n')
    done = run_hook(REDACT, tmp_path, "clean.py", "leak.py")
    assert (done.returncode, done.stdout) == (1, "leak.py:1:10: github-token\n")
