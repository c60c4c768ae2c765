"""Content rules applied: exactly as `re.sub`, rule after rule; where what was changed stood."""

from __future__ import annotations

import json
import pickle
import random
import re
import threading
from pathlib import Path

import pytest

import tamis
from tamis.policy.rulefile import Rule
from tamis.policy.rules import Rules

# What patterns and texts are made of: little, so that rules meet what others left.
LETTERS = "abAB1-_.k\u017fé"
PIECES = [
    "a",
    "b",
    "ab",
    "[ab]",
    "[^a]",
    ".",
    r"\w",
    r"\b",
    r"\d",
    "(a|b)",
    "(?:ab|1)",
    "x",
    "k",
    "-",
    "é",
    "(?=b)",
    "(?<!a)",
]


def model(rules: list[Rule], text: str) -> tuple[str, dict[str, int], list[tuple[str, int, int]]]:
    """Rule after rule, character by character: each character knows where it, or what it stands for,
    stood."""
    characters = [(character, place, place + 1) for place, character in enumerate(text)]
    counts: dict[str, int] = {}
    places = []
    for rule in rules:
        flags = re.IGNORECASE * rule.ignore_case | re.DOTALL * rule.dotall
        pattern = re.compile(re.escape(rule.pattern) if rule.type == "literal" else rule.pattern, flags)
        now = "".join(character for character, _, _ in characters)
        made: list[tuple[str, int, int]] = []
        done = 0
        for match in pattern.finditer(now):
            start = min(origin for _, origin, _ in characters[match.start() : match.end()])
            end = max(origin for _, _, origin in characters[match.start() : match.end()])
            made += characters[done : match.start()]
            made += [(character, start, end) for character in match.expand(rule.replacement)]
            places.append((rule.id, start, end))
            counts[rule.id] = counts.get(rule.id, 0) + 1
            done = match.end()
        characters = made + characters[done:]
    return "".join(character for character, _, _ in characters), counts, places


def random_rule(source: random.Random, number: int) -> Rule:
    kind = source.choice(["regex", "regex", "literal"])
    while True:
        pieces = source.choices(PIECES, k=source.randint(1, 4))
        repeats = ["", "", "", "+", "?", "{2}", "*?"]
        pattern = "".join(
            piece + (source.choice(repeats) if piece[0] not in "\\(" or piece[:2] in (r"\w", r"\d") else "")
            for piece in pieces
        )
        if kind == "literal":
            pattern = "".join(source.choices(LETTERS, k=source.randint(1, 3)))
        elif re.compile(pattern).search("") or re.compile(pattern).match(""):
            continue
        groups = re.compile(pattern).groups if kind == "regex" else 0
        choices = ["", "x", "<r>", "ab", r"\g<0>-", r"a\\b", *([r"\1", r"[\g<1>]"] if groups else [])]
        rule = Rule(
            f"r{number}",
            kind,
            pattern,
            replacement=source.choice(choices),
            ignore_case=source.random() < 0.5,
            dotall=source.random() < 0.3,
        )
        try:
            Rules([rule])
        except ValueError:
            continue  # it may match nothing
        return rule


@pytest.mark.parametrize("seed", range(6))
def test_rule_after_rule(seed: int) -> None:
    """Whatever the rules and the text, the result is that of each rule on what the one before left."""
    source = random.Random(seed)
    changed = 0
    for _ in range(250):
        rules = [random_rule(source, number) for number in range(source.randint(1, 6))]
        ready = Rules(rules)
        for _ in range(6):
            text = "".join(source.choices(LETTERS, k=source.randint(0, 14)))
            done = ready.redact(text)
            expected, counts, places = model(rules, text)
            assert done.text == expected, (rules, text)
            assert done.counts == counts, (rules, text)
            assert list(done.positions) == places, (rules, text)
            changed += bool(places)
    assert changed > 300


def rules(*texts: str, **keys: object) -> Rules:
    return Rules([Rule(f"r{n}", "regex", text, **keys) for n, text in enumerate(texts)])  # type: ignore[arg-type]


def test_positions_count_characters() -> None:
    """Places are those of the text that was given, in characters and not in bytes."""
    done = rules("secret").redact("é🎉 secret")
    assert done.positions == (("r0", 3, 9),)
    assert done.text == "é🎉 <REDACTED>"


def test_letters_beyond_ascii() -> None:
    """Characters that `re` holds to be letters of ASCII, when case is ignored, are found though no literal
    is."""
    assert rules("secret").redact("a \u017fecret").text == "a <REDACTED>"
    assert rules("token").redact("a to\u212aen").text == "a <REDACTED>"


def test_nothing_to_do() -> None:
    """A text that no rule matches comes back as it is."""
    text = "nothing " * 3
    done = rules("secret").redact(text)
    assert (done.text, done.counts, done.positions, done.undecided) == (text, {}, (), {})
    assert Rules([]).redact("x").text == "x"


def test_too_much_work() -> None:
    """Where a rule takes too much work, nothing of the line is left."""
    done = rules(r"(a+a+)+b\1", "never").redact("a" * 5_000 + "b")
    assert (done.text, done.undecided, done.counts) == ("<REDACTED>", {"r0": 1}, {"r0": 1})


ROLES = [(None, "<p><f><a><g>"), ("prompt", "<p><f>-a-<g>"), ("other", "-p-<f>-a-<g>")]


@pytest.mark.parametrize(("role", "expected"), ROLES)
def test_roles(role: str | None, expected: str) -> None:
    """Rules for prompts are for prompts, those with fields for structured text; without a role all apply."""
    chosen = Rules(
        [
            Rule("g", "literal", "-g-", scope="global", replacement="<g>"),
            Rule("a", "literal", "-a-", scope="field", fields=("tool.output",), replacement="<a>"),
            Rule("f", "literal", "-f-", scope="field", replacement="<f>"),
            Rule("p", "literal", "-p-", replacement="<p>"),
        ]
    )
    assert chosen.redact("-p--f--a--g-", role=role).text == expected


def test_rules_for_prompts_go_first() -> None:
    """On a prompt, and there only, they see the text before the others do."""
    chosen = Rules(
        [
            Rule("g", "literal", "a", scope="global", replacement="b"),
            Rule("p", "literal", "a", scope="prompt", replacement="c"),
        ]
    )
    assert chosen.redact("a").text == "b"
    assert chosen.redact("a", role="prompt").text == "c"


def test_an_unknown_role() -> None:
    """A misspelt role is an error, and not a text that nothing was applied to."""
    with pytest.raises(ValueError, match="unknown role `prmopt`"):
        rules("a").redact("a", role="prmopt")


def test_pickled() -> None:
    """Rules go to other processes as they are."""
    chosen = rules("(a)b", replacement=r"\1")
    again = pickle.loads(pickle.dumps(chosen))
    assert again == chosen
    assert again.redact("xab").text == "xa"


def test_many_threads() -> None:
    """Threads that share rules do not disturb each other."""
    chosen = rules("a+b", r"(?<=x)\d+", "(c)(d)?")
    text = "aab x12 cd " * 50
    expected = chosen.redact(text)
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.extend(chosen.redact(text) == expected for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 200


def test_the_api(tmp_path: Path) -> None:
    """`tamis.load_rules` reads a file, and raises a `ValueError` with all of its mistakes."""
    path = tmp_path / "rules.yml"
    path.write_text("- id: order\n  type: regex\n  pattern: 'order ([0-9]+)'\n  replacement: 'order #\\1'\n")
    assert tamis.load_rules(path).redact("ORDER 17").text == "order #17"
    path.write_text("- id: order\n  type: regexp\n  pattern: a\n- id: order\n")
    with pytest.raises(ValueError, match="is no type") as caught:
        tamis.load_rules(path)
    assert isinstance(caught.value, tamis.PolicyError)
    assert [problem.id for problem in caught.value.diagnostics] == [
        "unknown-value",
        "missing-key",
        "missing-key",
        "duplicate-id",
    ]


@pytest.mark.parametrize("value", [{"bird": "heron typed"}, {"a": ["heron typed"]}, "heron typed"])
def test_a_replacement_that_matches_again(tmp_path: Path, value: object) -> None:
    """In a document, too, a rule is applied once to each place, though it would match what it puts in."""
    rule = {"id": "r", "type": "regex", "pattern": "(?P<bird>heron)", "replacement": r"[\g<bird>]"}
    (tmp_path / "r.json").write_text(json.dumps([{**rule, "scope": "global"}]))
    done = tamis.load_rules(tmp_path / "r.json", builtin=False).redact_json(value)
    assert json.dumps(done.value) == json.dumps(value).replace("heron", "[heron]")
    assert done.counts == {"r": 1}
