"""How rules decide together: what is recorded, and what becomes of a value."""

import pytest
from writing import policy, rule, toml

from tamis.policy import Policy
from tamis.policy.chain import builtin


def with_builtin(*texts: str) -> Policy:
    with open(builtin("builtin-default").path, "rb") as file:
        sources = [("builtin-default", None, file.read())]
    return Policy(sources + [(f"{n}.toml", None, text.encode()) for n, text in enumerate(texts)])


def scope_of(chain: Policy, name: str = "my_app.core:f"):
    module, _, qualname = name.partition(":")
    return chain.scope([module], module.replace(".", "/") + ".py", qualname)


# rules, whether the code is recorded, and the index of the rule that decided (None: the default)
EXECUTION = [
    ([], True, None),
    ([rule("pkg:*", "skip")], False, 0),
    ([rule("pkg:*", "skip"), rule("pkg:my_app.*", "trace")], True, 1),
    ([rule("pkg:my_app.*", "trace"), rule("pkg:*", "skip")], False, 1),
    ([rule("pkg:*", "skip"), rule("pkg:my_app.*")], False, 0),
    ([rule("pkg:*", "skip"), rule("pkg:my_app.*", "inherit")], False, 0),
    ([rule("pkg:*", "skip"), rule("pkg:other", "trace")], False, 0),
    # Order alone decides between kinds.
    ([rule("obj:my_app.core.f", "skip"), rule("pkg:*", "trace")], True, 1),
]


@pytest.mark.parametrize(("rules", "trace", "decider"), EXECUTION)
def test_the_last_rule_that_speaks_wins(rules, trace, decider):
    """Execution: start from the default; every matching rule that does not inherit replaces it."""
    scope = scope_of(policy(toml(*rules)))
    assert scope.trace == trace
    assert scope.by == (("default", 0, None) if decider is None else ("rule", decider, None))


X = "local:x"
# rules, the action for the local `x`, who decided, whether it is a secret
VALUES = [
    ([], "allow", ("default", 0, None), False),
    ([rule("pkg:*", default="redact")], "redact", ("rule", 0, None), False),
    # Within a rule the first pattern wins, and goes before the rule's default.
    ([rule("pkg:*", patterns=[(X, "allow"), (X, "drop")])], "allow", ("pattern", 0, 0), False),
    ([rule("pkg:*", default="drop", patterns=[(X, "allow")])], "allow", ("pattern", 0, 0), False),
    # Later rules go before earlier ones, and patterns add up.
    ([rule("pkg:*", patterns=[(X, "redact")]), rule("pkg:*", patterns=[(X, "drop")])],
     "drop", ("pattern", 1, 0), True),
    ([rule("pkg:*", patterns=[(X, "redact")]), rule("pkg:*", patterns=[("local:y", "drop")])],
     "redact", ("pattern", 0, 0), True),
    # A later default replaces earlier defaults.
    ([rule("pkg:*", default="redact"), rule("pkg:*", default="allow")], "allow", ("rule", 1, None), False),
    ([rule("pkg:*", default="allow"), rule("pkg:*", default="drop")], "drop", ("rule", 1, None), False),
    ([rule("pkg:*", default="drop"), rule("pkg:*", default="allow"), rule("pkg:*", default="inherit")],
     "allow", ("rule", 1, None), False),
    # A default that allows does not uncover what an earlier pattern covers; a pattern that allows does.
    ([rule("pkg:*", patterns=[(X, "redact")]), rule("pkg:*", default="allow")],
     "redact", ("pattern", 0, 0), True),
    ([rule("pkg:*", patterns=[(X, "redact")]), rule("pkg:*", patterns=[(X, "allow")])],
     "allow", ("pattern", 1, 0), False),
    ([rule("pkg:*", patterns=[(X, "allow")]), rule("pkg:*", default="redact"),
      rule("pkg:*", default="allow")],
     "allow", ("pattern", 0, 0), False),
    # A default that closes decides, and the value is a secret all the same if a pattern covers it.
    ([rule("pkg:*", patterns=[(X, "drop")]), rule("pkg:*", default="redact")],
     "redact", ("rule", 1, None), True),
    ([rule("pkg:*", patterns=[(X, "allow")]), rule("pkg:*", default="redact")],
     "redact", ("rule", 1, None), False),
    ([rule("pkg:*", patterns=[(X, "drop")]), rule("pkg:*", patterns=[(X, "allow")]),
      rule("pkg:*", default="redact")],
     "redact", ("rule", 2, None), False),
    # "deny" is another way to write redact.
    ([rule("pkg:*", default="deny")], "redact", ("rule", 0, None), False),
    ([rule("pkg:*", patterns=[(X, "deny")])], "redact", ("pattern", 0, 0), True),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "action", "by", "secret"), VALUES)
def test_the_walk_over_value_rules(rules, action, by, secret):
    """Values: rules are asked last to first; patterns before defaults; only a pattern loosens a pattern."""
    assert scope_of(policy(toml(*rules))).value(["local"], ["x"]) == (action, by, secret)


def test_filters_of_a_chain_append_their_rules():
    """Rules of later filters come after those of earlier ones, and indices count through the chain."""
    chain = policy(toml(rule("pkg:a"), rule("pkg:*", "skip")), toml(rule("pkg:my_app.*", "trace")))
    assert scope_of(chain).by == ("rule", 2, None)
    described = chain.describe()
    assert [(r["filter"], r["index"], r["line"]) for r in described["rules"]] == [
        (0, 0, 8),
        (0, 1, 10),
        (1, 0, 8),
    ]


def test_defaults_are_those_of_the_last_filter_that_does_not_inherit():
    """`inherit` takes the value of the chain before it."""
    first = toml(default_exec="skip", default_value_action="drop")
    middle = toml(default_exec="inherit", default_value_action="redact")
    last = toml(default_exec="inherit", default_value_action="inherit")
    scope = scope_of(policy(first, middle, last))
    assert (scope.trace, scope.by) == (False, ("default", 0, None))
    assert scope.value(["local"], ["x"]) == ("redact", ("default", 1, None), False)


def test_io_is_overridden_key_by_key():
    """Each key of `[io]` is that of the last filter that has it; capture that cannot be served is said."""
    chain = policy(
        toml(io={"capture": True, "streams": ["stdout"]}), toml(io={"streams": ["stderr", "stderr"]})
    )
    io = chain.describe()["io"]
    assert (io["capture"]["value"], io["capture"]["filter"]) == (True, 0)
    assert (io["streams"]["value"], io["streams"]["filter"]) == (["stderr"], 1)
    assert [notice.id for notice in chain.notices] == ["io-not-served"]
    assert (
        policy(toml(io={"capture": True, "streams": ["stdout"]}), toml(io={"capture": False})).notices == []
    )


def test_a_rule_that_traces_everything_uncovers_nothing():
    """`exec = "trace"` or `value_default = "allow"` in a project's rule leaves a password covered."""
    for project in (rule("pkg:*", "trace"), rule("pkg:*", default="allow")):
        scope = scope_of(with_builtin(toml(project)))
        assert scope.trace
        action, _, secret = scope.value(["arg", "local"], ["password"])
        assert (action, secret) == ("redact", True)
        assert scope.value(["arg", "local"], ["city"])[0] == "allow"
        assert scope.attr("password")[0] == "redact"


def test_an_explicit_pattern_uncovers():
    """A pattern that allows a name uncovers it, and only for its kind."""
    project = rule("pkg:*", patterns=[("arg:literal:password", "allow")])
    scope = scope_of(with_builtin(toml(project)))
    assert scope.value(["arg", "local"], ["password"])[0] == "allow"
    assert scope.value(["local"], ["password"])[0] == "redact"
    assert scope.attr("password")[0] == "redact"


def test_an_object_opens_what_its_package_closed():
    """`value_default = "allow"` on an object goes before `value_default = "redact"` on its package."""
    chain = with_builtin(
        toml(rule("pkg:my_app.*", default="redact"), rule("obj:my_app.core.Shop", default="allow"))
    )
    assert scope_of(chain, "my_app.core:Shop.sell").value(["arg"], ["price"])[0] == "allow"
    assert scope_of(chain, "my_app.core:buy").value(["arg"], ["price"])[0] == "redact"
    assert scope_of(chain, "my_app.core:Shop.sell").value(["arg"], ["password"])[0] == "redact"


def test_attr_patterns_share_a_number_when_they_are_the_same():
    """Scopes have the same `attr_set` if and only if the same `attr` patterns apply to them."""
    chain = policy(
        toml(
            rule("pkg:a.*", patterns=[("attr:x", "redact")]),
            rule("pkg:a.b", patterns=[("local:x", "redact")]),
            rule("pkg:a.c", patterns=[("attr:y", "redact")]),
        )
    )
    a, ab, ac, other = (scope_of(chain, f"{name}:f").attr_set for name in ("a", "a.b", "a.c", "z"))
    assert a == ab
    assert ac not in (a, 0)
    assert other == 0
    assert scope_of(chain, "a:f").attr("y") is None
    assert scope_of(chain, "a.c:f").attr("y")[0] == "redact"


def test_private_attributes_have_two_names():
    """What the compiler makes of `__pin` in a class is covered by patterns on either name, and uncovered."""
    chain = with_builtin(toml(rule("pkg:a", patterns=[("attr:literal:__balance", "drop")])))
    scope = scope_of(chain, "a:f")
    for name in ("__balance", "_Account__balance", "_A__B__balance"):
        assert scope.attr(name)[0] == "drop"
    assert all(scope.attr(name) is None for name in ("_balance", "_x_balance", "__a__balance__"))
    assert scope.attr("_Card__pin")[0] == "redact", "by builtin-default, as `__pin`"
    for name in ("__balance", "_Account__balance"):
        opened = policy(
            toml(rule("pkg:a", patterns=[("attr:*balance", "drop")])),
            toml(rule("pkg:a", patterns=[(f"attr:literal:{name}", "allow")])),
        )
        assert scope_of(opened, "a:f").attr("_Account__balance")[0] == "allow"


def test_attr_patterns_decide_inside_allowed_values():
    """Inside a value only patterns decide; without one the part shares the verdict of the whole."""
    chain = policy(
        toml(
            rule("pkg:*", default="redact", patterns=[("attr:x", "drop")]),
            rule("pkg:*", patterns=[("attr:x*", "allow")]),
        )
    )
    scope = scope_of(chain)
    assert scope.attr("x") == ("allow", ("pattern", 1, 0), False)
    assert scope.attr("y") is None
