"""The built-in rules: what each must and must not find, where it is published, and how they stand
together."""

from __future__ import annotations

import random
import re
import string
import sys
from collections.abc import Iterator

import pytest
from tracked_files import ROOT

from tamis import cli
from tamis._core import ContentRules
from tamis.policy.pack import builtin_rules
from tamis.policy.rulefile import Rule
from tamis.policy.rules import Rules, assembled

PACK = builtin_rules()
ALNUM = string.ascii_letters + string.digits
CLASSES = {
    "alnum": ALNUM,
    "alpha": string.ascii_letters,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "digit": string.digits,
    "hex": "0123456789abcdef",
    "upperhex": "0123456789ABCDEF",
    "upperdigit": string.ascii_uppercase + string.digits,
    "lowerdigit": string.ascii_lowercase + string.digits,
    "base32": string.ascii_uppercase + "234567",
    "b64": ALNUM + "+/",
    "b64url": ALNUM + "-_",
}
RECIPE = re.compile(r"\{\{|\}\}|\{\}|\{(\w+):(\d+)(?:-(\d+))?\}")


def cooked(recipe: str, source: random.Random) -> str:
    """A text for a recipe: `{alnum:36}` is 36 random characters of a class, `{}` is nothing, `{{` a brace."""

    def part(match: re.Match[str]) -> str:
        if match[1] is None:
            return "" if match[0] == "{}" else match[0][0]
        length = source.randint(int(match[2]), int(match[3] or match[2]))
        return "".join(source.choices(CLASSES[match[1]], k=length))

    return RECIPE.sub(part, recipe)


def pattern_of(rule: Rule) -> ContentRules:
    """The rule without its validator, of which random texts know nothing."""
    return ContentRules([(*rule.spec()[:-3], "", [], True)])


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.id)
def test_examples(rule: Rule) -> None:
    """What a rule is for is found, and what only looks like it is not."""
    source = random.Random(rule.id)
    pattern, whole = pattern_of(rule), ContentRules([rule.spec()])
    assert len(rule.examples) >= 2
    for example in rule.examples:
        for _ in range(3):
            text = cooked(example, source)
            assert pattern.redact(text) is not None, text
    for example in rule.counterexamples:
        for _ in range(3):
            text = cooked(example, source)
            assert whole.redact(text) is None, text


CHECKED = ("luhn", "iban", "jwt")


@pytest.mark.parametrize(
    "rule", [rule for rule in PACK if rule.validator not in CHECKED], ids=lambda rule: rule.id
)
def test_examples_pass_the_validator(rule: Rule) -> None:
    """Random text is hardly ever taken for a placeholder, or for one that is not random."""
    source = random.Random(rule.id)
    whole = ContentRules([rule.spec()])
    texts = [cooked(example, source) for example in rule.examples for _ in range(10)]
    found = sum(whole.redact(text) is not None for text in texts)
    assert found >= 0.8 * len(texts)


def with_check_digit(digits: str) -> Iterator[str]:
    yield from (digits + digit for digit in string.digits)


def test_cards() -> None:
    """Of ten numbers one has the right check digit."""
    rules = Rules([rule for rule in PACK if rule.validator == "luhn"])
    for begin in ("4111 1111 1111 111", "5500-0000-0000-000", "340000 00000 000".replace(" ", "")):
        found = [text for text in with_check_digit(begin) if rules.redact(text).counts]
        assert len(found) == 1


def test_ids_and_sources() -> None:
    """Each id stands once; each rule says where its format is published, and has a word that its matches
    hold."""
    assert len({rule.id for rule in PACK}) == len(PACK) >= 120
    assert len({rule.vendor for rule in PACK}) >= 60
    assert [rule.id for rule in PACK if not re.fullmatch(r"https://\S+", rule.source)] == []
    assert [rule.id for rule in PACK if not rule.title] == []
    assert [rule.id for rule in PACK if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)] == []


def test_twice_changes_nothing_more() -> None:
    """What rules put in, no rule takes for a secret."""
    source = random.Random(7)
    rules = Rules(PACK)
    for rule in PACK:
        text = rules.redact(cooked(rule.examples[0], source)).text
        assert rules.redact(text).text == text, rule.id


def test_replaced_and_switched_off(tmp_path) -> None:
    """An entry with the id of a built-in rule takes its place, or switches it off."""
    path = tmp_path / "rules.yml"
    path.write_text(
        "- {id: own, type: literal, pattern: x}\n"
        "- {id: jwt, type: literal, pattern: y, scope: global}\n"
        "- {id: email-address, enabled: false}\n"
    )
    rules = assembled(path, builtin=True).rules
    assert [rule.id for rule in rules[:2]] == ["own", "jwt"]
    assert len(rules) == len(PACK)
    assert "email-address" not in {rule.id for rule in rules}
    assert len(assembled(path, builtin=False)) == 2


def test_the_page() -> None:
    """The page of the documentation is what the rules say."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from write_rules_page import PAGE, page
    finally:
        sys.path.pop(0)
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_command(capsys) -> None:
    """`tamis rules` lists, explains and tries."""
    assert cli.main(["rules"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > len(PACK)
    assert cli.main(["rules", "github-token"]) == 0
    assert "published  https://" in capsys.readouterr().out
    assert cli.main(["rules", "github-tokn"]) == 1
    assert "did you mean `github-token`?" in capsys.readouterr().err
    secret = "ghp_" + "".join(random.Random(1).choices(ALNUM, k=36))
    assert cli.main(["rules", "--try", f"use {secret}"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("use <REDACTED:github-token>\n", "github-token: characters 4 to 44\n")
    assert cli.main(["rules", "x", "--try", "y"]) == 2


@pytest.mark.parametrize("before", ["\x1b[32m", "\x1b[0;1m", r"\x1b[31m", r"\u001b[31m", r"first\n", r"a\t"])
def test_behind_escapes(before: str) -> None:
    """A colour of a terminal, or a newline that is written out, is no letter of the word behind it."""
    token = "gh" + "p_" + "aB3dE6gH9jK2" * 3
    rules = Rules(builtin_rules())
    assert rules.redact(f"see {before}{token} there").text == f"see {before}<REDACTED:github-token> there"
    assert rules.redact(f"see am{token} there").text == f"see am{token} there"


@pytest.mark.parametrize("between", [" ", "\n", "&", "; ", ", "])
def test_one_behind_the_other(between: str) -> None:
    """Of secrets that follow each other, what ends one may begin the next: all of them go."""
    source = random.Random(between)
    values = ["".join(source.choices(string.ascii_letters + string.digits, k=20)) for _ in range(6)]
    names = ("password", "token", "client_secret")
    text = between.join(f"{names[index % 3]}={value}" for index, value in enumerate(values))
    done = assembled(None, builtin=True).redact(f"start {text}\n").text
    assert not [value for value in values if value in done], done
