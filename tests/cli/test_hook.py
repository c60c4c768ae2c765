"""The hook for pre-commit: what it runs, and on which files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tamis import cli

ROOT = Path(__file__).resolve().parents[2]
# The file has one hook, and each of its keys is a line.
HOOK = dict(re.findall(r"^[- ] (\w+): (.*)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE))


def run_hook(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Runs the hook's entry as pre-commit does: with the names of the files, in the repository's root."""
    program, *arguments = shlex.split(HOOK["entry"])
    command = [str(Path(sys.executable).with_name(program)), *arguments, *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_hook_has_what_pre_commit_needs():
    """The keys that pre-commit requires are there, and one language that it installs by itself."""
    assert {"id", "name", "entry", "language", "files"} <= set(HOOK)
    assert HOOK["language"] == "python"


def test_the_entry(tmp_path: Path):
    """A commit with a filter that is right passes; one with a mistake in any filter does not, and sees it."""
    (tmp_path / "a").mkdir()
    assert cli.main(["init", str(tmp_path)]) == 0
    assert cli.main(["init", str(tmp_path / "a")]) == 0
    files = [".codetracer/trace-filter.toml", "a/.codetracer/trace-filter.toml"]
    assert run_hook(tmp_path, *files).returncode == 0
    wrong = tmp_path / files[1]
    wrong.write_text(wrong.read_text().replace("default_exec", "defualt_exec"))
    done = run_hook(tmp_path, *files)
    assert done.returncode == 1
    assert f"{files[1]}:" in done.stdout
    assert "did you mean `default_exec`?" in done.stdout


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
    assert bool(re.search(HOOK["files"], path)) is checked
