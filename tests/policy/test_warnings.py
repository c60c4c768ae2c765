"""Warnings: what is said about rules and patterns, and what is not, because it is not proven."""

import time
from pathlib import Path
from typing import Any

import pytest
from writing import rule, toml

from tamis._core import Policy
from tamis.policy.chain import builtin

DEFAULT = ("builtin-default", None, Path(builtin("builtin-default").path).read_bytes())
INHERIT = {"default_exec": "inherit", "default_value_action": "inherit"}


def found(*texts: str) -> list[tuple[str, int]]:
    """The warnings about a chain of filters behind builtin-default: id and the number of the rule or line."""
    sources = [DEFAULT, *((f"{n}.toml", None, text.encode()) for n, text in enumerate(texts))]
    return [(warning.id, warning.line) for warning in Policy.check(sources, 1)[1]]


def ids(*rules: dict[str, Any]) -> list[str]:
    return [name for name, _ in found(toml(*rules, **INHERIT, version=2))]


# an earlier rule, a later one, whether the later one covers the earlier one
COVERS = [
    ("pkg:a.b", "pkg:a.*", True),
    ("pkg:a.*", "pkg:a.*", True),
    ("pkg:a.*", "pkg:a*", True),
    ("pkg:a*", "pkg:a.*", False),
    ("pkg:a", "pkg:b", False),
    ("pkg:a.b.*", "pkg:regex:a\\..*", True),
    ("pkg:a.b.*", "pkg:regex:^a\\.", True),
    ("pkg:a.*", "pkg:regex:^a\\.b\\.", False),
    ("pkg:regex:^(a|b)\\.", "pkg:{a,b}.*", True),
    ("pkg:regex:^(a|b)(\\.|$)", "pkg:{a,c}.*", False),
    ("pkg:regex:(?i)abc", "pkg:regex:(?i)[a-c]+", True),
    ("pkg:literal:a.b", "pkg:*", True),
    ("obj:a.b.C", "pkg:a.*", True),
    ("obj:a.b.C", "pkg:a.b", False),  # C may be a function of the module a.b, or of the class b in a
    ("obj:a.b.C.*", "pkg:*", True),
    ("obj:a.C.f", "obj:a.C.*", True),
    ("obj:a.C.f", "obj:a.C", False),  # a.C may be a module
    ("pkg:a.b", "obj:a.*", False),
    ("file:a/b.py", "file:a/*.py", True),
    ("file:a/b/c.py", "file:a/*.py", False),
    ("file:a/b/c.py", "file:a/**/*.py", True),
    ("file:a/b.py", "file:/x/**", False),
    ("file:a/b.py", "pkg:*", True),
    ("pkg:a", "file:**", True),
    ("origin:stdlib", "origin:stdlib", True),
    ("origin:stdlib", "origin:project", False),
    # What looks around is no regular language: nothing is said.
    ("pkg:ab", "pkg:regex:a(?=b).*", False),
    ("pkg:ab", "pkg:regex:(a)b?\\1?b?", False),
]


@pytest.mark.parametrize(("earlier", "later", "covers"), COVERS)
def test_shadowed_rules(earlier, later, covers):
    """A rule is shadowed if and only if a later one is proven to select all of its code, whatever it says."""
    for exec in ("trace", "skip"):
        assert ("shadowed-rule" in ids(rule(earlier, "trace"), rule(later, exec))) == covers


# rules, what is said
RULES = [
    ([rule("pkg:a", "trace"), rule("pkg:*", default="redact")], []),
    ([rule("pkg:a", default="allow"), rule("pkg:*", default="redact")], ["shadowed-rule"]),
    ([rule("pkg:a", "trace", "allow"), rule("pkg:*", default="redact")], ["broad-after-narrow"]),
    ([rule("pkg:a", "trace", "redact"), rule("pkg:*", default="redact")], []),
    ([rule("pkg:*", "trace", "allow"), rule("pkg:*", default="redact")], []),
    ([rule("pkg:a", patterns=[("arg:x", "drop")]), rule("pkg:*", "skip")], []),
    ([rule("pkg:a", patterns=[("arg:x", "drop")]), rule("pkg:*", patterns=[("arg:*", "redact")])],
     ["shadowed-rule"]),
    ([rule("pkg:a", "skip", patterns=[("arg:x", "drop")]), rule("pkg:*", patterns=[("local:x*", "drop")])],
     ["shadowed-pattern"]),
    ([rule("pkg:a", patterns=[("local:x", "drop")]), rule("pkg:*", patterns=[("arg:x", "drop")])], []),
    # A default that closes leaves a closing pattern its say: what it covers is a secret.
    ([rule("pkg:a", "trace", patterns=[("arg:x", "allow")]), rule("pkg:*", default="redact")],
     ["shadowed-pattern"]),
    ([rule("pkg:a", "trace", patterns=[("arg:x", "drop")]), rule("pkg:*", default="redact")], []),
    ([rule("pkg:a", "trace", patterns=[("attr:x", "allow")]), rule("pkg:*", default="redact")], []),
    ([rule("pkg:a", "trace", patterns=[("arg:x", "allow")]), rule("pkg:*", default="redact"),
      rule("pkg:b", default="allow")], []),
    ([rule("pkg:a", "trace", patterns=[("arg:x*", "drop"), ("arg:xy", "allow")])], ["shadowed-pattern"]),
    ([rule("pkg:a", "trace", patterns=[("arg:xy", "drop"), ("arg:x*", "redact")])], []),
    # A closing type pattern covers derived types, which an allowing one does not match.
    ([rule("pkg:a", "trace", patterns=[("type:*", "allow"), ("type:a.T", "redact")])], []),
    ([rule("pkg:a", "trace", patterns=[("type:*", "redact"), ("type:a.T", "redact")])], ["shadowed-pattern"]),
    # Rules that say nothing cover nothing.
    ([rule("pkg:a", "trace"), rule("pkg:*")], []),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "said"), RULES)
def test_what_is_left_of_a_rule(rules, said):
    """Each part of a rule is looked at for itself, and a rule with parts that live is not dead."""
    assert ids(*rules) == said


def test_rules_of_other_files_are_meant_to_be_overridden():
    """A later filter goes before an earlier one on purpose: nothing is said about order between files."""
    first, second = (toml(rule(s, e), **INHERIT) for s, e in (("pkg:a", "trace"), ("pkg:*", "skip")))
    assert found(first, second) == []


# patterns that allow, and whether they uncover a common name of a secret
SECRETS = [
    ("arg:*", True),
    ("local:literal:password", True),
    ("attr:*_key", True),
    ("global:DATABASE_*", True),
    ("ret:get_*", True),
    ("arg:regex:(?i).*token", True),
    ("arg:order", False),
    ("arg:order_*", True),
    ("local:trace_id", False),
    ("attr:regex:[a-f]{1,3}", False),
    ("type:*", False),
    ("arg:{order_id,stripe_token}", True),
    ("arg:regex:x_(id|token)", True),
    ("arg:{order_id,stripe_id}", False),
]


@pytest.mark.parametrize(("selector", "uncovers"), SECRETS)
def test_allowed_secrets(selector, uncovers):
    """A pattern that allows is named if there is a name that it allows and builtin-default redacts."""
    assert (ids(rule("pkg:a", patterns=[(selector, "allow")])) == ["allows-secret"]) == uncovers
    assert ids(rule("pkg:a", patterns=[(selector, "redact")])) == []


def test_a_pattern_before_it_may_keep_the_secret():
    """Only what a pattern itself decides counts."""
    patterns = [("arg:regex:.*", "redact")]
    assert "allows-secret" not in ids(rule("pkg:a", patterns=[*patterns, ("arg:*", "allow")]))


def test_a_local_pattern_speaks_of_parameters():
    """A parameter is a local, too: what a `local` pattern before an `arg` pattern keeps is not uncovered."""
    patterns = [("local:regex:.*", "redact"), ("arg:*", "allow")]
    assert "allows-secret" not in ids(rule("pkg:a", patterns=patterns))


def test_a_later_rule_may_redact_it_again():
    """A name that a later rule covers for all of the code is not uncovered."""
    allowing = rule("pkg:a.*", patterns=[("arg:*", "allow")])
    secret = [("arg:regex:(?i).*", "redact")]
    assert "allows-secret" not in ids(allowing, rule("pkg:*", patterns=secret))
    assert "allows-secret" in ids(allowing, rule("pkg:a.b", patterns=secret))


def test_a_default_that_closes_is_found_behind_others():
    """Of several defaults that close, one that nothing opens again is enough."""
    rules = [rule("pkg:a", "trace", patterns=[("arg:x", "allow")]), rule("pkg:*", default="redact")]
    again = [rule("pkg:b", default="allow"), rule("pkg:*", default="redact")]
    assert ids(*rules, *again).count("shadowed-pattern") == 1


# the later of two filters, whether it tries to loosen the earlier one, which redacts `x`
LOOSENING = [
    (toml(rule("pkg:a", default="allow"), **INHERIT), True),
    (toml(rule("pkg:a", default="allow", patterns=[("arg:y", "allow")]), **INHERIT), True),
    (toml(rule("pkg:a", default="allow", patterns=[("arg:x", "allow")]), **INHERIT), False),
    (toml(rule("pkg:b", default="allow"), **INHERIT), False),
    (toml(default_exec="inherit", default_value_action="allow"), False),
]


@pytest.mark.parametrize(("later", "loosens"), LOOSENING)
def test_loosening_without_a_pattern(later, loosens):
    """A default that allows is reported where only a pattern could uncover, and none of the rule does."""
    first = toml(rule("pkg:a", patterns=[("arg:x", "redact")]), **INHERIT)
    assert ("cannot-loosen" in [name for name, _ in found(first, later)]) == loosens
    closed = first.replace('default_value_action = "inherit"', 'default_value_action = "redact"')
    opened = toml(default_exec="inherit", default_value_action="allow")
    assert "cannot-loosen" in [name for name, _ in found(closed, opened)]


HINTS = [
    ("local:regex:(?i)customer", "local:regex:(?i).*customer.*"),
    ("ret:regex:\\.a|\\.b", "ret:regex:.*(?:\\.a|\\.b).*"),
    ("ret:regex:^\\.a", "ret:regex:.*\\.a.*"),
    ("pkg:regex:^(a|b)", "pkg:regex:^(a|b).*"),
]


@pytest.mark.parametrize(("selector", "longer"), HINTS)
def test_what_is_proposed_for_a_part(selector, longer):
    """The regex of the hint is one, and matches more."""

    def hints(selector: str) -> list[str]:
        scope = selector.startswith("pkg")
        one = rule(selector, "skip") if scope else rule("pkg:a", patterns=[(selector, "redact")])
        text = toml(one, **INHERIT, version=2)
        return [warning.hint for warning in Policy.check([DEFAULT, ("x.toml", None, text.encode())], 1)[1]]

    [hint] = hints(selector)
    assert f"`{longer}`" in hint
    assert hints(longer) == []


def test_patterns_that_take_too_long_to_compare():
    """Regexes and globs whose comparison would take hours take no time, and nothing is said."""
    start = time.process_time()
    for selector in ("local:regex:(?:a?){3000}", "local:" + "{a,}" * 200):
        ids(rule("pkg:a", patterns=[(selector, "redact"), (selector, "redact")]))
        ids(*[rule(selector.replace("local:", "pkg:"), "skip")] * 2)
    assert time.process_time() - start < 30  # it was hours


# a regex in a selector, whether it is meant to be found in longer names
PARTS = [
    ("pkg:regex:^a", True), ("pkg:regex:^a$", False), ("pkg:regex:a", True), ("pkg:regex:^a\\.", False),
    ("pkg:regex:^a(\\.|$)", False), ("pkg:regex:^a\\.(b|c)\\.", False), ("pkg:regex:^a.*", False),
    ("pkg:regex:\\.tests\\.", True), ("obj:regex:\\.login$", True), ("obj:regex:.*\\.login$", False),
    ("file:regex:\\.py", True), ("file:regex:a/", True), ("file:regex:.*\\.py", False),
    ("pkg:regex:a|b", False), ("pkg:regex:^(a|b)", True), ("file:regex:(/usr|/opt)/lib/.*", False),
]  # fmt: skip
PATTERN_PARTS = [
    ("arg:regex:(?i)token", True), ("arg:regex:(?i).*token", False), ("arg:regex:^id_", True),
    ("arg:regex:(?i)^customer$", False), ("arg:regex:pass(word)?", False), ("attr:regex:-id", True),
    ("arg:regex:.*-id", True), ("attr:regex:.*-id", False), ("local:regex:\\.0", True),
    ("local:regex:x\\d+", False),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "partial"), PARTS + PATTERN_PARTS)
def test_regexes_for_parts(selector, partial):
    """A regex that is a plain word, marks only its beginning, or fits no name, is reported."""
    scope = selector.startswith(("pkg", "obj", "file"))
    one = rule(selector, "skip") if scope else rule("pkg:a", patterns=[(selector, "redact")])
    assert (ids(one) == ["partial-regex"]) == partial


def test_accept_silences_what_it_names():
    """`accept` on a rule holds for it and its patterns, in `[meta]` for the file; and for no other id."""
    shadowed = [rule("pkg:a", "trace"), rule("pkg:b", "trace"), rule("pkg:*", "skip")]
    assert ids(*shadowed) == ["shadowed-rule"] * 2
    accepting = [rule("pkg:a", "trace", accept=["shadowed-rule"]), *shadowed[1:]]
    assert found(toml(*accepting, **INHERIT, version=2)) == [("shadowed-rule", 12)]
    assert ids(rule("pkg:a", "trace", accept=["partial-regex"]), *shadowed[1:]) == ["shadowed-rule"] * 2
    secret = rule("pkg:c", patterns=[("arg:*", "allow")], accept=["allows-secret"])
    assert ids(secret) == []
    text = toml(*shadowed, rule("pkg:regex:c", "skip"), **INHERIT, version=2)
    in_meta = text.replace("version = 2", 'version = 2\naccept = ["shadowed-rule"]')
    assert [name for name, _ in found(in_meta)] == ["partial-regex"]
    other = toml(*shadowed, **INHERIT, version=2)
    assert [name for name, _ in found(in_meta, other)] == ["partial-regex", "shadowed-rule", "shadowed-rule"]


def test_nothing_is_said_about_what_comes_with_tamis():
    """builtin-default and the filters of frameworks are not the user's."""
    framework = ("pytest", None, Path(builtin("pytest").path).read_bytes())
    assert Policy.check([DEFAULT, framework], 2)[1] == []


def test_many_rules():
    """A thousand rules are looked at in a time that nobody notices, proofs included."""
    rules = [
        rule(
            (f"pkg:app.m{n}.*", f"obj:app.m{n}.C.f", f"pkg:regex:^app\\.(m{n}|x{n})\\.")[n % 3],
            "skip",
            patterns=[(f"local:regex:(?i).*name{n}", "redact"), (f"arg:other{n}", "drop")],
        )
        for n in range(1000)
    ]
    start = time.process_time()
    said = ids(*rules)
    assert said == []
    # Far from what it takes (a tenth of a second): this is here to notice work that grows with the square.
    assert time.process_time() - start < 30
