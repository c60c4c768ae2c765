"""The documentation holds: its links lead somewhere, its commands, programs and filters work."""

from __future__ import annotations

import inspect
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from build_site import gather, relink
from tracked_files import ROOT

import tamis
from tamis._core import Policy
from tamis.cli import COMMANDS
from tamis.policy.chain import builtin
from tamis.trace.reader import Trace

DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(DOCS.glob("*.md"))
# The commands of these pages are run in a small project, one after the other; those of the others are read.
RUN = ("README.md", "docs/exit-codes.md", "docs/filter.md", "docs/reading.md")
# These pages make a project of their own, file by file, in a folder of this name.
STORIES = {"docs/tutorial.md": "shop-demo"}

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]*)\")?.*?\n(?P<text>.*?)^(?P=indent)```",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


class Snippet(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str
    title: str | None
    """The file that it is."""

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
            found.append(Snippet(name_of(page), line, fence["language"], fence["text"], fence["title"]))
    return [snippet for snippet in found if not languages or snippet.language in languages]


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

TESTS = """
import unittest


class TestApp(unittest.TestCase):
    def test_app(self):
        self.assertEqual(1 + 1, 2)
"""


def tamis_lines(snippet: Snippet) -> list[str]:
    """The lines of a console or shell block that call Tamis, without prompt and variables before it."""
    prompt = "$ " if snippet.language == "console" else ""
    lines = [line.removeprefix(prompt) for line in snippet.text.splitlines() if line.startswith(prompt)]
    lines = [re.sub(r"^(?:[A-Z_]+=\S* )+", "", line) for line in lines]
    return [line for line in lines if re.search(r"(?:^|[|;&] *)tamis ", line)]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Whoever runs the tests may have logs of agents: they are no part of them.
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "HOME": str(folder)}
    for variable in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "COPILOT_HOME", "TAMIS_DB"):
        environment.pop(variable, None)
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
    (tmp_path / "server.log").write_text("GET / 200\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_app.py").write_text(TESTS)
    ran = 0
    if page != "README.md":
        assert shell("tamis run -o bug.tamis app.py && cp -r bug.tamis trace", tmp_path).returncode == 0
    for snippet in snippets("console", "sh"):
        if snippet.page == page:
            for line in tamis_lines(snippet):
                done = shell(line, tmp_path)
                assert done.returncode == 0, f"{snippet}: {line}\n{done.stdout}{done.stderr}"
                ran += 1
    assert ran, f"{page} has no commands any more: take it out of RUN"


# What differs from run to run.
VOLATILE = re.compile(r"\b[\d,.]+ (?:ns|µs|ms|s|m)\b")


def shown(text: str) -> list[str]:
    """The lines of an output, without what differs from run to run."""
    return [VOLATILE.sub("<time>", line).rstrip() for line in text.splitlines()]


def steps(block: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it prints; `…` stands for lines left out."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line != "…":
            found[-1][1].append(line)
    return found


@pytest.mark.skipif(shutil.which("bash") is None, reason="the console blocks are written for bash")
@pytest.mark.parametrize("page", STORIES)
def test_stories_happen(page: str, tmp_path: Path):
    """What a page tells from its first file to its last command happens, with the output that it shows."""
    folder = tmp_path / STORIES[page]
    folder.mkdir()
    ran = 0
    for snippet in (snippet for snippet in snippets() if snippet.page == page):
        if snippet.title:
            (folder / snippet.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / snippet.title).write_text(snippet.text)
        elif snippet.language == "console":
            for command, expected in steps(snippet.text):
                done = shell(f"{{ {command}\n}} 2>&1", folder)
                assert done.returncode == 0, f"{snippet}: {command}\n{done.stdout}"
                missing = [line for line in shown("\n".join(expected)) if line not in shown(done.stdout)]
                assert not missing, f"{snippet}: {command}\n{done.stdout}"
                ran += 1
    assert ran > 5


def test_stories_are_compared():
    """The check itself reads commands and what they print, and knows times from other numbers."""
    block = "$ a\nx  1.5 µs\n…\ny\n$ b\n"
    assert steps(block) == [("a", ["x  1.5 µs", "y"]), ("b", [])]
    assert shown("x  1.5 µs\ny 3 \n") == ["x  <time>", "y 3"]


@pytest.mark.parametrize("snippet", snippets("console", "sh"), ids=str)
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


# Programs, queries and filters


PROGRAMS = [snippet for snippet in snippets("python") if not snippet.title]


@pytest.mark.parametrize("snippet", PROGRAMS, ids=str)
def test_programs_run(snippet: Snippet, tmp_path: Path):
    """A program of the documentation runs to its end as it stands."""
    file = tmp_path / "snippet.py"
    file.write_text(snippet.text)
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


def test_queries_run(tmp_path: Path):
    """Each query of the documentation is one that a trace answers."""
    with tamis.trace(tmp_path / "trace"):
        shown("")
    queries = [query for snippet in snippets("sql") for query in snippet.text.split(";") if query.strip()]
    with tamis.open(tmp_path / "trace") as trace:
        assert [columns for query in queries if not (columns := trace.sql(query).columns)] == []
    assert len(queries) > 3


# The filters on the page of diagnostics are wrong on purpose; `tests/policy/test_diagnostics.py` runs them.
RIGHT_FILTERS = [snippet for snippet in snippets("toml") if snippet.page != "docs/diagnostics.md"]


def whole(text: str) -> str:
    """A filter, or a part of one with what it lacks."""
    if "[scope]" not in text:
        text = '[scope]\ndefault_exec = "trace"\ndefault_value_action = "allow"\n\n' + text
    return text if "[meta]" in text else '[meta]\nname = "snippet"\nversion = 1\n\n' + text


@pytest.mark.parametrize("snippet", RIGHT_FILTERS, ids=str)
def test_filters_are_right(snippet: Snippet, tmp_path: Path):
    """A filter of the documentation, or a part of one, passes `tamis check`."""
    file = tmp_path / "filter.toml"
    file.write_text(whole(snippet.text))
    done = shell(f"tamis check {file}", tmp_path)
    assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


RIGHT_RULES = [snippet for snippet in snippets("yaml") if snippet.page == "docs/rules.md"]


@pytest.mark.parametrize("snippet", RIGHT_RULES, ids=str)
def test_rules_are_right(snippet: Snippet, tmp_path: Path):
    """Content rules that the documentation shows are read, and match what they say."""
    file = tmp_path / "rules.yml"
    file.write_text(snippet.text)
    done = shell(f"tamis check --strict {file}", tmp_path)
    assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


def test_the_example_of_verdicts():
    """The table on the page of the filter language says what the filter above it decides."""
    text = (DOCS / "filter.md").read_text(encoding="utf-8").partition("**An example.**")[2]
    fence = FENCE.search(text)
    assert fence
    default = builtin("builtin-default")
    source = (default.display, default.path, Path(default.path).read_bytes())
    policy = Policy([source, ("filter.md", None, whole(fence["text"]).encode())])
    rows = re.findall(r"^\| `(\w+)` (?:in `([\w.]+)`|anywhere) \| (\w+) \|", text, re.MULTILINE)
    assert len(rows) == 5
    for name, place, action in rows:
        module, _, function = (place or "shop.billing.pay").rpartition(".")
        scope = policy.scope([module], "x.py", function)
        assert scope.value(["arg", "local"], [name])[0] == action, (name, place)


def test_the_hooks():
    """The hooks that the documentation shows run what those of the repository run, on the same files."""
    (snippet,) = (snippet for snippet in snippets("yaml") if snippet.page == "docs/filter.md")
    keys = re.compile(r"^ *(?:- )?((?:id|entry|files): .*)$", re.MULTILINE)
    of_filters = keys.findall(
        (ROOT / ".pre-commit-hooks.yaml").read_text().partition("- id: tamis-redact")[0]
    )
    assert keys.findall(snippet.text) == of_filters


def test_the_api_is_documented():
    """The page of the API names all that `tamis` offers, its keywords, and what a trace can do."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    names = [f"tamis.{name}" for name in tamis.__all__]
    keywords = {*inspect.signature(tamis.trace.__init__).parameters} - {"self", "path"}
    options = set(inspect.signature(tamis.Options).parameters)
    methods = {name for name in dir(Trace) if not name.startswith("_")} - INTERNAL
    assert [name for name in names if f"`{name}" not in page] == []
    assert [name for name in keywords if f"| `{name}` |" not in page] == []
    assert [name for name in options if f"{name}=…" not in page] == []
    assert [name for name in methods if not re.search(rf"`{name}[`(]", page)] == []


# What the commands use of a trace, and what may change.
INTERNAL = {"arrow", "cursor", "run", "stream"}


def test_snippets_are_found():
    """The checks above look at something: the README has a block of each kind."""
    found = {
        snippet.language for snippet in snippets("console", "python", "toml") if snippet.page == "README.md"
    }
    assert found == {"console", "python", "toml"}


# The site


def test_the_site(tmp_path: Path):
    """The site has every page, and its builder refuses a link that leads nowhere."""
    config = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    listed = set(re.findall(r'"([\w-]+\.md)"', config))
    gather(ROOT, tmp_path / "target/site")
    assert {page.name for page in (tmp_path / "target/site").glob("*.md")} == listed
    (tmp_path / "zensical.toml").write_text(config)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    for name in listed:
        assert (tmp_path / "site" / name).with_suffix(".html").is_file()
    page = tmp_path / "target/site/filter.md"
    page.write_text(page.read_text() + "\n[nothing](nothing.md)\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode != 0


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](../README.md)", "[a](start.md)"),
        ("[a](docs/filter.md#the-chain)", "[a](filter.md#the-chain)"),
        ("![a](docs/images/show.svg)", "![a](images/show.svg)"),
        ("[a](LICENSE)", "[a](licence.md)"),
        ("[a](#here) [b](https://example.org/docs/x)", "[a](#here) [b](https://example.org/docs/x)"),
    ],
)
def test_links_follow_their_pages(link: str, expected: str):
    """Links to pages that lie elsewhere in the repository lead to where these pages are in the site."""
    assert relink(link) == expected
