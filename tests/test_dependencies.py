"""CONTRIBUTING says of each dependency why it is there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import pytest
from tracked_files import ROOT, text_of

PROJECT = tomllib.loads(text_of(ROOT / "pyproject.toml"))
CORE = tomllib.loads(text_of(ROOT / "crates/core/Cargo.toml"))
NATIVE = tomllib.loads(text_of(ROOT / "crates/python/Cargo.toml"))
FUZZ = tomllib.loads(text_of(ROOT / "fuzz/Cargo.toml"))


def named(requirements: Iterable[str]) -> set[str]:
    """The names in requirements such as `duckdb>=1.1`."""
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements}


CORES_OWN = set(CORE["dependencies"])
NEEDED: dict[str, set[str]] = {
    "Python": named(PROJECT["project"]["dependencies"]),
    "Rust, `crates/core`": CORES_OWN,
    # Those that it shares with the core are in the core's table.
    "Rust, `crates/python`": {*NATIVE["dependencies"], *NATIVE["build-dependencies"]}
    - CORES_OWN
    - {"tamis-core"},
    "to develop": named(
        requirement for group in PROJECT["dependency-groups"].values() for requirement in group
    )
    | set(CORE["dev-dependencies"])
    | {*FUZZ["dependencies"]} - CORES_OWN - {"tamis-core"},
}


def table(heading: str) -> list[str]:
    """The names in the first column of a table of CONTRIBUTING, by the heading of that column."""
    text = text_of(ROOT / "CONTRIBUTING.md")
    found = re.search(rf"^\| {re.escape(heading)} \| why \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, f"CONTRIBUTING.md has no table `{heading}`"
    return [name for row in found[1].splitlines() for name in row.split("|")[1].strip().split(", ")]


@pytest.mark.parametrize("heading", NEEDED)
def test_each_dependency_is_accounted_for(heading: str) -> None:
    """The table of dependencies names those that the build files name, each once, and no others."""
    assert sorted(table(heading)) == sorted(NEEDED[heading])
