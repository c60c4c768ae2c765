"""The documentation holds: its links lead somewhere, its commands, programs and filters work."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tracked_files import ROOT

from tamis.cli import COMMANDS

DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(DOCS.glob("*.md"))
# The commands of these pages are run in a small project, one after the other; those of the others are read.
RUN = ("README.md", "docs/exit-codes.md")

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*).*?\n(?P<text>.*?)^(?P=indent)```", re.S | re.M)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


class Snippet(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def snippets(*languages: str) -> list[Snippet]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for fence in FENCE.finditer(text):
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Snippet(name_of(page), line, fence["language"], fence["text"]))
    return [snippet for snippet in found if snippet.language in languages]


# Links


def anchors(page: Path) -> set[str]:
    """The names that headings get on GitHub."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_link(page: Path, target: str) -> str | None:
    """What is wrong with a link, if it leads into the project; others are not followed."""
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.is_file():
        return f"{name_of(page)}: there is no {target}"
    if anchor and anchor not in anchors(file):
        return f"{name_of(page)}: {path or name_of(page)} has no heading #{anchor}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path):
    """Every link of the documentation leads to a file, and to a heading where it names one."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = [broken_link(page, link["target"]) for link in LINK.finditer(text)]
    assert not any(broken), "\n".join(filter(None, broken))


def test_broken_links_are_noticed():
    """The check itself tells a link that leads somewhere from one that does not."""
    page = ROOT / "README.md"
    assert broken_link(page, "LICENSE") is None
    assert broken_link(page, "https://example.org/nothing") is None
    assert broken_link(page, "#the-first-ten-minutes") is None
    assert broken_link(page, "docs/nothing.md")
    assert broken_link(page, "#nothing")


def test_every_page_is_in_the_index():
    """No page of the documentation can be missed: the index links to all of them."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {link["target"].partition("#")[0] for link in LINK.finditer(index)}
    assert {page.name for page in DOCS.glob("*.md")} - linked == {"index.md"}


# Commands

APP = """
import argparse


def order(number):
    return {"number": number, "total": number * 10}


parser = argparse.ArgumentParser()
parser.add_argument("--orders", type=int, default=1)
for number in range(parser.parse_args().orders):
    print(order(number))
"""


def tamis_lines(snippet: Snippet) -> list[str]:
    """The lines of a console block that call Tamis, without the prompt."""
    lines = [line[2:] for line in snippet.text.splitlines() if line.startswith("$ ")]
    return [line for line in lines if re.search(r"(?:^|[|;&] *)tamis ", line)]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="the console blocks are written for bash")
@pytest.mark.parametrize("page", RUN)
def test_commands_run(page: str, tmp_path: Path):
    """The commands of a page, run in its order in a small project, do what they say without a complaint."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_app.py").write_text("def test_app():\n    assert 1 + 1 == 2\n")
    ran = 0
    if page != "README.md":
        assert shell("tamis run -o bug.tamis app.py", tmp_path).returncode == 0
    for snippet in snippets("console"):
        if snippet.page == page:
            for line in tamis_lines(snippet):
                done = shell(line, tmp_path)
                assert done.returncode == 0, f"{snippet}: {line}\n{done.stdout}{done.stderr}"
                ran += 1
    assert ran, f"{page} has no commands any more: take it out of RUN"


@pytest.mark.parametrize("snippet", snippets("console"), ids=str)
def test_commands_exist(snippet: Snippet):
    """A command or option that the documentation names is one that Tamis has."""
    for line in tamis_lines(snippet):
        words = re.split(r" [|>;] ?|  +#", re.sub(r"^.*?\btamis ", "", line))[0].split()
        assert words[0] in {*COMMANDS, "help"} or words[0].startswith("-"), f"{snippet}: {line}"
        if words[0] in COMMANDS:
            known = shell(f"tamis {words[0]} --help", ROOT).stdout
            for option in own_options(words):
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", known), f"{snippet}: {option} in {line}"


def own_options(words: list[str]) -> list[str]:
    """The long options of a command line; after `run`, those before `-m`, `-c` or a script."""
    if words[0] == "run":
        words = list(itertools.takewhile(lambda w: w not in {"-m", "-c"} and not w.endswith(".py"), words))
    return [word.split("=")[0] for word in words if word.startswith("--")]


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("run -o x.tamis app.py --orders 3", []),
        ("run --no-values --force app.py --orders", ["--no-values", "--force"]),
        ("run --quiet -m pytest --tb=short", ["--quiet"]),
        ("show x.tamis --function f --depth=3", ["--function", "--depth"]),
    ],
)
def test_own_options(line: str, options: list[str]):
    """The check of options does not take those of the recorded program for ours."""
    assert own_options(line.split()) == options


# Programs and filters


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_programs_run(snippet: Snippet, tmp_path: Path):
    """A program of the documentation runs to its end as it stands."""
    file = tmp_path / "snippet.py"
    file.write_text(snippet.text)
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


# The filters on the page of diagnostics are wrong on purpose; `tests/policy/test_diagnostics.py` runs them.
RIGHT_FILTERS = [snippet for snippet in snippets("toml") if snippet.page != "docs/diagnostics.md"]


@pytest.mark.parametrize("snippet", RIGHT_FILTERS, ids=str)
def test_filters_are_right(snippet: Snippet, tmp_path: Path):
    """A filter of the documentation, or a part of one, passes `tamis check`."""
    file = tmp_path / "filter.toml"
    text = snippet.text
    if "[scope]" not in text:
        text = '[scope]\ndefault_exec = "trace"\ndefault_value_action = "allow"\n\n' + text
    if "[meta]" not in text:
        text = '[meta]\nname = "snippet"\nversion = 1\n\n' + text
    file.write_text(text)
    done = shell(f"tamis check {file}", tmp_path)
    assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


def test_snippets_are_found():
    """The checks above look at something: the README has a block of each kind."""
    found = {
        snippet.language for snippet in snippets("console", "python", "toml") if snippet.page == "README.md"
    }
    assert found == {"console", "python", "toml"}
