"""What is said about filters, held against documents of filters and the text that they must give."""

import re
from pathlib import Path

import pytest
from writing import rule, toml

from tamis._core import Diagnostic, Policy
from tamis.diagnostics import render, render_all, render_line
from tamis.errors import PolicyError
from tamis.policy.chain import Link, builtin
from tamis.policy.checking import check
from tamis.policy.names import scan, sources
from tamis.policy.rulefile import read_rules
from tamis.record.setup import namer

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/diagnostics.md").read_text(encoding="utf-8")
DEFAULT = ("builtin-default", None, Path(builtin("builtin-default").path).read_bytes())


def problems(*filters: str | bytes, alone: bool = False) -> list[Diagnostic]:
    """The diagnostics of these filters as a chain; behind builtin-default unless they stand alone."""
    sources = [] if alone else [DEFAULT]
    for index, text in enumerate(filters):
        name = "trace-filter.toml" if index == 0 else f"filter-{index + 1}.toml"
        sources.append((name, None, text.encode() if isinstance(text, str) else text))
    try:
        return Policy.check(sources, 0 if alone else 1)[1]
    except PolicyError as error:
        return list(error.diagnostics)


def cases():
    """The filters of each section of the documents, and the text behind them."""
    for path in sorted((HERE / "diagnostics").glob("*.md")):
        for section in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            title = section.partition("\n")[0]
            filters = re.findall(r"^```toml\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
            [expected] = re.findall(r"^```text\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
            yield pytest.param(filters, "(alone)" in title, expected, id=f"{path.stem}: {title}")


@pytest.mark.parametrize(("filters", "alone", "expected"), list(cases()))
def test_documents(filters, alone, expected):
    """A filter with mistakes gets exactly the text that stands behind it."""
    assert render_all(problems(*filters, alone=alone)) + "\n" == expected


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_id_has_a_section():
    """The page describes every id, in order, and no others."""
    assert list(sections()) == Diagnostic.IDS == sorted(Diagnostic.IDS)


FENCE = re.compile(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)


def checked(folder: Path, section: str) -> list[Diagnostic]:
    """What the filters of a part of the page give as one chain, in a project of its Python code."""
    fences = FENCE.findall(section)
    for language, _, text in fences:
        if language in RULES:
            (folder / RULES[language]).write_text(text)
            return of_rules(folder / RULES[language])
    code = [text for language, _, text in fences if language == "python"]
    links = [builtin("builtin-default")]
    filters = [(title, text) for language, title, text in fences if language == "toml"]
    for number, (title, text) in enumerate(filters):
        path = folder / (title or f"filter-{number}.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if path.suffix == ".toml":
            links.append(Link(str(path.relative_to(folder)), str(path), "a test"))
    for text in code:
        (folder / "shop").mkdir(exist_ok=True)
        (folder / "shop/cart.py").write_text(text)
    project = (lambda: scan(sources(str(folder)), namer(str(folder)))) if code else None
    return check(links, project).diagnostics


# What files of content rules are called.
RULES = {"yaml": "rules.yml", "json": "rules.json"}


def of_rules(path: Path) -> list[Diagnostic]:
    try:
        return list(read_rules(path, path.name, examples=True).warnings)
    except PolicyError as error:
        return list(error.diagnostics)


ALL_WARNINGS = [*Diagnostic.WARNINGS, *Diagnostic.RULE_WARNINGS]


def ids(found: list[Diagnostic]) -> set[str]:
    return {problem.id for problem in found}


@pytest.mark.parametrize("name", sections())
def test_examples_of_the_page(tmp_path, name):
    """The filters of an example, as one chain, give the diagnostic that they stand under, and no other; those
    behind "Better" give none."""
    bad, better, good = sections()[name].partition("\nBetter:")
    assert ids(checked(tmp_path, bad)) == ({name} if FENCE.search(bad) else set())
    for path in [*tmp_path.rglob("*.toml"), *tmp_path.rglob("*.cfg")]:
        path.unlink()
    python = "".join(
        f"```python\n{text}```\n" for language, _, text in FENCE.findall(bad) if language == "python"
    )
    assert checked(tmp_path, python + good) == []
    assert bool(better) == (name in ALL_WARNINGS)


# What mends the example of an error: a text of it, and what must stand there.
SCOPE = '[scope]\ndefault_exec = "trace"\ndefault_value_action = "allow"\n'
FIXES = {
    "bad-glob": ("[a-", "[a-c]"),
    "bad-path": ("[first]", "[0]"),
    "bad-regex": ("(cart", "(cart|till)"),
    "bad-replacement": ("nubmer", "number"),
    "bad-selector": ('"shop.cart"', '"pkg:shop.cart"'),
    "duplicate-id": (
        "id: order\n  type: literal\n  pattern: inv",
        "id: invoice\n  type: literal\n  pattern: inv",
    ),
    "duplicate-key": ("  pattern: invoice\n", ""),
    "empty-value": ('name = ""', 'name = "shop"'),
    "example-fails": ("12345", "123456"),
    "json-syntax": ('"order" "type"', '"order", "type"'),
    "locked": ('exec = "trace"', 'exec = "skip"'),
    "marker-without-content": ("?P<text>", "?P<content>"),
    "matches-empty": ("[0-9]*", "[0-9]+"),
    "missing-key": ("[meta]", '[meta]\nname = "shop"'),
    "missing-table": ("version = 1", f"version = 1\n{SCOPE}"),
    "needs-version-2": ("version = 1", "version = 2"),
    "reserved-key": ('modes = ["text"]', "capture = false"),
    "toml-syntax": ("name = shop", f'name = "shop"\nversion = 1\n{SCOPE}'),
    "unknown-key": ("defualt", "default"),
    "unknown-kind": ("package:", "pkg:"),
    "unknown-match": ("regexp:", "literal:"),
    "unknown-value": ('"record"', '"trace"'),
    "unknown-version": ("version = 3", "version = 2"),
    "yaml-syntax": ('"order\n', '"order"\n'),
    "wrong-type": ('version = "1"', "version = 1"),
}


@pytest.mark.parametrize("name", sorted(set(Diagnostic.IDS) - set(ALL_WARNINGS)))
def test_errors_can_be_mended(tmp_path, name):
    """The example of an error without its mistake gives nothing."""
    if name not in FIXES:
        assert name in OTHERS
        return
    text = sections()[name]
    wrong, right = FIXES[name]
    assert wrong in text
    assert checked(tmp_path, text.replace(wrong, right)) == []


GOOD = toml(version=2)
# What needs more than the text of a filter: files that are wrong (None: a folder), and those that are right.
OTHERS: dict[str, tuple[dict[str, bytes | None], dict[str, bytes | None]]] = {
    "file-missing": ({}, {"a.toml": GOOD.encode()}),
    "file-unreadable": ({"a.toml": None}, {"a.toml": GOOD.encode()}),
    "include-cycle": ({"a.toml": f'include = ["a.toml"]\n{GOOD}'.encode()}, {"a.toml": GOOD.encode()}),
    "not-utf8": ({"a.toml": GOOD.encode() + b"# \xff\n"}, {"a.toml": GOOD.encode() + b"# y\n"}),
    "nothing-to-inherit": (
        {"a.toml": toml(default_exec="inherit").encode()},
        {"a.toml": toml(default_exec="trace").encode()},
    ),
}


def of_files(folder: Path, name: str, files: dict[str, bytes | None]) -> list[Diagnostic]:
    path = folder / "a.toml"
    if path.is_dir():
        path.rmdir()
    for file, text in files.items():
        if text is None:
            (folder / file).mkdir()
        else:
            (folder / file).write_bytes(text)
    alone = name == "nothing-to-inherit"
    links = [*([] if alone else [builtin("builtin-default")]), Link("a.toml", str(path), "a test")]
    return check(links).diagnostics


@pytest.mark.parametrize("name", OTHERS)
def test_ids_without_an_example(tmp_path, name):
    """What needs a file that is not there or is no text: the diagnostic, and none when the file is right."""
    assert "```toml" not in sections()[name]
    bad, good = OTHERS[name]
    assert ids(of_files(tmp_path, name, bad)) == {name}
    assert of_files(tmp_path, name, good) == []


def texts() -> dict[str, str]:
    text = (HERE / "diagnostics/each.txt").read_text(encoding="utf-8")
    parts = re.split(r"^== (.*) ==\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", Diagnostic.IDS)
def test_the_text_of_each(tmp_path, name):
    """Every diagnostic has exactly this text: for the example of the page, or for what has none."""
    found = (
        of_files(tmp_path, name, OTHERS[name][0])
        if name in OTHERS
        else checked(tmp_path, sections()[name].partition("\nBetter:")[0])
    )
    assert render_all(found) + "\n" == texts()[name]


def test_an_id_that_does_not_exist_cannot_be_used():
    """Every diagnostic has an id that the page describes."""
    with pytest.raises(ValueError, match="no-such-id"):
        Diagnostic("no-such-id", "x", "y")


def test_nothing_in_a_message_steers_a_terminal():
    """Control characters and bidirectional overrides of the file are not passed on."""
    [problem] = problems(toml(rule("pkg:x")).replace("pkg:x", "p\\u001b[2J\u202ekg:x"))
    shown = render(problem) + render_line(problem)
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_colour_only_paints():
    """Without the colours the text is the same."""
    found = problems(toml(rule("pgk:x"), rule("pkg:x", "trac")))
    painted = render_all(found, colour=True)
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render_all(found)


def test_the_caret_stands_below_the_place():
    """Columns count characters; wide ones take two columns, tabs one, and of a long line a part is shown."""
    for before in ("", "é", "日本", "\t\t", "x" * 500):
        text = toml(rule("pkg:x")).replace(
            "[[scope.rules]]\nsel", f'[[scope.rules]]\nreason = """{before}"""\nsel'
        )
        text = text.replace('"""\nsel', '"""\n"' + before + '" = 1\nsel')
        [problem] = problems(text)
        source, caret = render(problem).splitlines()[3:5]
        assert problem.column == 1
        assert len(source) < 120
        assert caret.index("^") == source.index('"')


def test_a_message_in_one_line():
    """A notice fits one line and names its place."""
    [notice] = problems(toml(io={"capture": True, "streams": ["stdout"]}))
    assert render_line(notice) == (
        "warning[io-not-served]: trace-filter.toml:5:11: `capture = true` cannot be served yet: "
        "what the program reads and writes is not recorded"
    )
