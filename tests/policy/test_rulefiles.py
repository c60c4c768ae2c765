"""Files of content rules: every key, every mistake with its place, in YAML and in JSON; and the traps of
YAML."""

from __future__ import annotations

import contextlib
import json
import runpy
from pathlib import Path

import pytest
from tracked_files import ROOT

from tamis import cli
from tamis.errors import PolicyError
from tamis.policy.rulefile import Rule, RuleFile, read_rules

GOOD = {"id": "a", "type": "regex", "pattern": "b"}


def read(folder: Path, text: str | bytes, name: str = "rules.yml", **keys: bool) -> RuleFile:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_rules(path, name, **keys)


def problems(
    folder: Path, text: str | bytes, name: str = "rules.yml", **keys: bool
) -> list[tuple[str, int, int]]:
    """What is said: id, line and column."""
    with pytest.raises(PolicyError) as caught:
        read(folder, text, name, **keys)
    return [(problem.id, problem.line, problem.column) for problem in caught.value.diagnostics]


WHOLE = {
    "id": "note",
    "type": "marker",
    "pattern": r"\[(?P<content>.*?)\]",
    "scope": "field",
    "fields": ["tool.output", "**.text"],
    "replacement": r"[\g<content>?]",
    "enabled": True,
    "ignore_case": False,
    "dotall": True,
    "reason": "asked for",
    "actor": "somebody",
    "examples": ["a [b] c"],
    "counterexamples": ["a b c"],
}


@pytest.mark.parametrize("name", ["rules.yml", "rules.json"])
def test_every_key(tmp_path, name):
    """All keys are read, in both forms; JSON is YAML, too."""
    [rule] = read(tmp_path, json.dumps([WHOLE]), name, examples=True).rules
    expected = {key: tuple(value) if isinstance(value, list) else value for key, value in WHOLE.items()}
    del expected["enabled"]
    assert rule == Rule(**expected, file=name, line=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["rules.yml", "rules.json"])
def test_defaults(tmp_path, name):
    """What a rule leaves out."""
    [rule] = read(tmp_path, json.dumps([GOOD]), name).rules
    assert (rule.scope, rule.replacement, rule.ignore_case, rule.dotall) == (
        "prompt",
        "<REDACTED>",
        True,
        False,
    )
    assert (rule.fields, rule.examples, rule.reason) == ((), (), "")


def test_switched_off(tmp_path):
    """A rule that is not enabled is read and checked; `id` and `enabled` alone name a built-in one."""
    off = read(tmp_path, json.dumps([{**GOOD, "enabled": False}, {"id": "e-mail", "enabled": False}]))
    assert (off.rules, [rule.id for rule in off.disabled], off.without) == ((), ["a"], {"e-mail"})
    assert problems(tmp_path, json.dumps([{**GOOD, "pattern": "(", "enabled": False}]))[0][0] == "bad-regex"
    assert problems(tmp_path, '[{"id": "a", "enabled": true}]') == [("missing-key", 1, 2)] * 2


# a rule, and what is said about it
WRONG = [
    ({}, ["missing-key"] * 3),
    ({"id": "a"}, ["missing-key"] * 2),
    ({**GOOD, "type": "regexp"}, ["unknown-value"]),
    ({**GOOD, "scope": "all"}, ["unknown-value"]),
    ({**GOOD, "pattren": "b"}, ["unknown-key"]),
    ({**GOOD, "id": ""}, ["empty-value"]),
    ({**GOOD, "pattern": ["b"]}, ["wrong-type"]),
    ({**GOOD, "pattern": None}, ["wrong-type"]),
    ({**GOOD, "enabled": "true"}, ["wrong-type"]),
    ({**GOOD, "dotall": {}}, ["wrong-type"]),
    ({**GOOD, "examples": "b"}, ["wrong-type"]),
    ({**GOOD, "examples": [["b"]]}, ["wrong-type"]),
    ({**GOOD, "fields": ["a.b"]}, ["unknown-key"]),
    ({**GOOD, "pattern": "("}, ["bad-regex"]),
    ({**GOOD, "pattern": "b*"}, ["matches-empty"]),
    ({**GOOD, "pattern": "(?:a?){3}(?:)"}, ["matches-empty"]),
    ({**GOOD, "type": "literal", "pattern": ""}, ["matches-empty"]),
    ({**GOOD, "type": "marker"}, ["marker-without-content"]),
    ({**GOOD, "scope": "field", "fields": ["a.b", "a["]}, ["bad-path"]),
    ({**GOOD, "replacement": "\\2"}, ["bad-replacement"]),
    ({**GOOD, "replacement": "\\"}, ["bad-replacement"]),
    ({**GOOD, "examples": ["c"]}, ["example-fails"]),
    ({**GOOD, "counterexamples": ["b"]}, ["example-fails"]),
    ({**GOOD, "pattern": "(?:(?:a{999}){999}){999}"}, ["bad-regex"]),
    ("x", ["wrong-type"]),
    ([], ["wrong-type"]),
]


@pytest.mark.parametrize("name", ["rules.yml", "rules.json"])
@pytest.mark.parametrize(("rule", "ids"), WRONG)
def test_mistakes(tmp_path, name, rule, ids):
    """Each mistake has its diagnostic, in both forms; the rule beside it has none."""
    other = {**GOOD, "id": "other"}
    found = problems(tmp_path, json.dumps([other, rule]), name, examples=True)
    assert [id for id, _, _ in found] == ids


# two rules, and whether the second one finds nothing
PREEMPTED = [
    ({"pattern": "order [0-9]+"}, {"pattern": "order 4[0-9]"}, True),
    ({"pattern": "order 4[0-9]"}, {"pattern": "order [0-9]+"}, False),
    ({"pattern": "b"}, {"pattern": "b"}, True),
    ({"pattern": "b"}, {"pattern": "B"}, True),
    ({"pattern": "b", "ignore_case": False}, {"pattern": "b"}, False),
    ({"pattern": "b", "scope": "global"}, {"pattern": "b"}, False),
    ({"pattern": "b", "scope": "global"}, {"pattern": "b", "scope": "field", "fields": ["a"]}, True),
    ({"pattern": "b", "scope": "field", "fields": ["a"]}, {"pattern": "b", "scope": "field"}, False),
    ({"pattern": "b", "enabled": False}, {"pattern": "b"}, False),
    ({"pattern": "(b)(?!c)"}, {"pattern": "b"}, False),
]


@pytest.mark.parametrize(("first", "second", "expected"), PREEMPTED)
def test_rules_that_find_nothing(tmp_path, first, second, expected):
    """A rule to which an earlier one leaves nothing is a warning, if that is proven for all texts."""
    rules = [{**GOOD, **first}, {**GOOD, **second, "id": "second"}]
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    warnings = read_rules(tmp_path / "rules.json", examples=True).warnings
    assert [warning.id for warning in warnings] == ["preempted-rule"] * expected
    assert read_rules(tmp_path / "rules.json").warnings == ()


def test_all_at_once(tmp_path):
    """Every mistake of a file is told, at its place, with what was probably meant."""
    text = """\
- id: one
  type: regexx
  pattern: a
- id: two
  type: regex
  pattern: 'a('
  ignorecase: true
- id: two
  type: literal
  pattern: "a"
  replacement: '\\q'
"""
    assert problems(tmp_path, text) == [
        ("unknown-value", 2, 9),
        ("bad-regex", 6, 14),
        ("unknown-key", 7, 3),
        ("duplicate-id", 8, 7),
        ("bad-replacement", 11, 17),
    ]


# what is no list of rules, by the name of the file
NO_RULES = [
    ("rules.yml", "", None),
    ("rules.yml", "# nothing yet\n", None),
    ("rules.yml", "[]", None),
    ("rules.json", "[]", None),
    ("rules.json", "", "json-syntax"),
    ("rules.json", "[1,]", "json-syntax"),
    ("rules.json", "[{'id': 1}]", "json-syntax"),
    ("rules.json", '[{"id" "a"}]', "json-syntax"),
    ("rules.json", '["a\nb"]', "json-syntax"),
    ("rules.json", "[nul]", "json-syntax"),
    ("rules.json", "[] []", "json-syntax"),
    ("rules.json", "[" * 100_000, "json-syntax"),
    ("rules.json", "{}", "wrong-type"),
    ("rules.yml", "a: b", "wrong-type"),
    ("rules.yml", "rules", "wrong-type"),
    ("rules.yml", "- [", "yaml-syntax"),
    ("rules.yml", "- a\n---\n- b\n", "yaml-syntax"),
    ("rules.yml", "- !!python/name:os.system x", "wrong-type"),
    ("rules.yml", "\t- a", "yaml-syntax"),
    ("rules.yml", "- \x00", "yaml-syntax"),
    ("rules.yml", "[" * 100_000, "yaml-syntax"),
    ("rules.yml", "- " * 100_000, "yaml-syntax"),
    ("rules.yml", "- *a", "yaml-syntax"),
    ("rules.yml", "&a [*a]", "yaml-syntax"),
    ("rules.yml", b"- \xff", "not-utf8"),
    ("rules.json", b"[\xff]", "not-utf8"),
]


@pytest.mark.parametrize(("name", "text", "id"), NO_RULES, ids=range(len(NO_RULES)))
def test_no_rules(tmp_path, name, text, id):
    """What cannot be read is told with its place, and never hangs."""
    if id is None:
        assert read(tmp_path, text, name).rules == ()
    else:
        [(found, line, _)] = problems(tmp_path, text, name)
        assert (found, line > 0) == (id, True)


# YAML, and what of the rule must come out
TRAPS = [
    ("id: no\ntype: literal\npattern: yes", {"id": "no", "pattern": "yes"}),
    ("id: 0123\ntype: literal\npattern: 1_000", {"id": "0123", "pattern": "1_000"}),
    ("id: 1e3\ntype: literal\npattern: 2024-01-01", {"id": "1e3", "pattern": "2024-01-01"}),
    ("id: a\ntype: literal\npattern: 12:30:45\nenabled: on", {"pattern": "12:30:45"}),
    ("id: a\ntype: literal\npattern: |\n  two\n  lines", {"pattern": "two\nlines\n"}),
    ("id: &x a\ntype: literal\npattern: *x", {"pattern": "a"}),
    ("id: a\ntype: regex\npattern: '\\d+'", {"pattern": "\\d+"}),
    ('id: a\ntype: regex\npattern: "\\\\d\\u0031"', {"pattern": "\\d1"}),
    ("id: é\ntype: literal\npattern: 漢", {"id": "é", "pattern": "漢"}),
]


@pytest.mark.parametrize(("text", "expected"), TRAPS)
def test_yaml_that_looks_like_something_else(tmp_path, text, expected):
    """A text is the text that is written, whatever YAML would take it for."""
    [rule] = read(tmp_path, "- " + text.replace("\n", "\n  ") + "\n").rules
    assert {key: getattr(rule, key) for key in expected} == expected


def test_merge_keys(tmp_path):
    """A key that YAML would merge into a rule is an unknown one."""
    text = "- &a\n  id: a\n  type: literal\n  pattern: b\n- <<: *a\n  id: b\n"
    assert [id for id, _, _ in problems(tmp_path, text)] == ["unknown-key", "missing-key", "missing-key"]


def test_aliases_that_explode(tmp_path):
    """Lists of lists of aliases are looked at once each."""
    levels = "".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    text = "- id: a\n  type: literal\n  pattern: b\n  examples:\n  - &l0 [x]\n" + levels
    assert {id for id, _, _ in problems(tmp_path, text)} == {"wrong-type"}


def test_files(tmp_path):
    """A file that is not there, or none, is told as such."""
    with pytest.raises(PolicyError, match="does not exist"):
        read_rules(tmp_path / "none.yml")
    with pytest.raises(PolicyError, match="Is a directory"):
        read_rules(tmp_path)


def test_check(tmp_path, monkeypatch, capsys):
    """`tamis check` takes files of rules beside filters, and runs their examples."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yml").write_text("- id: a\n  type: literal\n  pattern: b\n  examples: [abc]\n")
    assert cli.main(["check", "rules.yml"]) == 0
    assert capsys.readouterr().out == "rules.yml: no errors, 1 content rule\n"
    Path("rules.json").write_text(json.dumps([{**GOOD, "examples": ["c"]}]))
    assert cli.main(["check", "rules.yml", "rules.json"]) == 1
    assert "error[example-fails]: the rule does not match this example" in capsys.readouterr().out


SEEDS: list[bytes] = runpy.run_path(str(ROOT / "fuzz" / "seeds.py"))["loader"]()


@pytest.mark.parametrize("data", SEEDS)
def test_seeds_of_the_fuzzer(data: bytes, tmp_path: Path) -> None:
    """Whatever stands in a file of rules, it is read, or refused with what is wrong and where. The seeds of
    `fuzz/loader.py`, whole and cut."""
    name = "rules.json" if data[:1] == b"{" else "rules.yml"
    for end in {*range(0, len(data), 7), len(data)}:
        with contextlib.suppress(PolicyError):
            read(tmp_path, data[:end], name, examples=True)
