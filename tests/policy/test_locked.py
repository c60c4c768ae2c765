"""`meta.locked`: filters around a locked one may only skip, redact and drop more, however they come in."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from writing import rule, toml

from tamis._core import Policy
from tamis.errors import PolicyError
from tamis.policy import load_policy
from tamis.policy.chain import builtin

DEFAULT = ("builtin-default", None, Path(builtin("builtin-default").path).read_bytes())
INHERIT = {"default_exec": "inherit", "default_value_action": "inherit"}


def locked(text: str) -> str:
    return text.replace("version = 1", "version = 2\nlocked = true")


# Skips and redacts all but what its rules say.
VETTED = locked(
    toml(
        rule("pkg:shop.*", "trace", patterns=[("local:order", "allow"), ("local:card", "drop")]),
        default_exec="skip",
        default_value_action="redact",
    )
)
# What loosens it, each in a way of its own.
LOOSE: dict[str, str] = {
    "default_exec": toml(**{**INHERIT, "default_exec": "trace"}),
    "default_value_action": toml(**{**INHERIT, "default_value_action": "allow"}),
    "exec": toml(rule("pkg:other", "trace"), **INHERIT),
    "value_default": toml(rule("pkg:shop.*", default="allow"), **INHERIT),
    "pattern": toml(rule("pkg:shop.*", patterns=[("local:customer", "allow")]), **INHERIT),
    "attr": toml(rule("pkg:shop.*", patterns=[("attr:password", "allow")]), **INHERIT),
    "type": toml(rule("pkg:shop.*", patterns=[("type:*", "allow")]), **INHERIT, version=2),
    "capture": toml(**INHERIT, io={"capture": True, "streams": ["stdout"]}),
}
STRICT: dict[str, str] = {
    "skip": toml(rule("pkg:shop.admin", "skip"), **INHERIT),
    "default": toml(**{**INHERIT, "default_exec": "skip"}),
    "redact": toml(rule("pkg:shop.*", default="redact", patterns=[("local:order", "redact")]), **INHERIT),
    "drop": toml(rule("pkg:shop.*", default="drop", patterns=[("attr:x", "drop")]), **INHERIT),
}


def problems(*texts: str | tuple[str, str | None, bytes]) -> list[str]:
    sources = [(f"{n}.toml", None, t.encode()) if isinstance(t, str) else t for n, t in enumerate(texts)]
    try:
        Policy(sources)
    except PolicyError as error:
        return [problem.id for problem in error.diagnostics]
    return []


@pytest.mark.parametrize("name", LOOSE)
def test_loosening_behind_a_locked_filter_is_an_error(name):
    """To trace or allow more behind a locked filter is an error; without the lock it is none."""
    assert set(problems(DEFAULT, VETTED, LOOSE[name])) == {"locked"}
    assert not problems(DEFAULT, VETTED.replace("locked = true", "locked = false"), LOOSE[name])


@pytest.mark.parametrize("name", STRICT)
def test_less_may_be_recorded_behind_a_locked_filter(name):
    """To skip, redact and drop more is what later filters may do."""
    assert not problems(DEFAULT, VETTED, STRICT[name])


def test_the_locked_filter_once_more():
    """The same file named twice is no attempt to loosen it."""
    assert not problems(DEFAULT, VETTED, VETTED)


def verdicts(policy: Policy) -> dict[str, Any]:
    """What is recorded of a few places, from 0 (nothing) to 2 (all)."""
    rank = {"drop": 0, "redact": 1, "allow": 2}
    found: dict[str, Any] = {}
    for module in ("shop", "shop.admin", "other"):
        scope = policy.scope([module], module.replace(".", "/") + ".py", "f")
        found[module] = scope.trace
        for name in ("order", "card", "customer", "password", "x"):
            found[f"{module} {name}"] = rank[scope.value(["local"], [name])[0]]
            found[f"{module}.{name}"] = rank[(scope.attr(name) or ("allow",))[0]]
        found[f"{module} type"] = rank[(scope.of_type(["t.T"]) or ("allow",))[0]]
    return found


def policy_of(*texts: str) -> Policy:
    return Policy([DEFAULT, *((f"{n}.toml", None, text.encode()) for n, text in enumerate(texts))])


@pytest.mark.parametrize("name", LOOSE | STRICT)
def test_order_does_not_get_round_it(name):
    """What stands before a locked filter loosens nothing that it says: not by a default, not by a pattern."""
    alone = verdicts(policy_of(VETTED))
    together = verdicts(policy_of((LOOSE | STRICT)[name], VETTED))
    assert all(together[place] <= alone[place] for place in alone)
    assert policy_of((LOOSE | STRICT)[name], VETTED).describe()["io"]["capture"] in (
        None,
        {"value": False, "filter": 1, "line": 5},
    )


def test_what_is_dropped_stays_dropped():
    """A later filter that redacts what a locked one drops makes no more of it."""
    for later in (
        toml(rule("pkg:*", patterns=[("local:card", "redact")]), **INHERIT),
        toml(rule("pkg:*", default="redact"), **INHERIT),
    ):
        action, _, secret = (
            policy_of(VETTED, later).scope(["shop"], "shop.py", "f").value(["local"], ["card"])
        )
        assert (action, secret) == ("drop", True)


def put(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def ids(folder: Path, **options: Any) -> list[str]:
    environ = {"HOME": "/", **options.pop("environ", {})}
    try:
        load_policy(start=folder, environ=environ, **options)
    except PolicyError as error:
        return sorted({problem.id for problem in error.diagnostics})
    return []


@pytest.mark.parametrize("name", LOOSE)
def test_ways_into_the_chain(tmp_path, name):
    """A locked filter of the project holds against environment, command line, API and includes."""
    put(tmp_path, ".codetracer/trace-filter.toml", VETTED)
    loose = put(tmp_path, "loose.toml", LOOSE[name])
    harmless = put(tmp_path, "harmless.toml", toml(version=2, **INHERIT))
    by_include = 'include = ["loose.toml"]\n' + toml(version=2, **INHERIT)
    including = put(tmp_path, "including.toml", by_include)
    again = put(
        tmp_path,
        "again.toml",
        'include = [".codetracer/trace-filter.toml", "loose.toml"]\n' + toml(version=2, **INHERIT),
    )
    assert ids(tmp_path) == ids(tmp_path, trace_filter=[harmless]) == []
    for path in (loose, including, again):
        assert ids(tmp_path, environ={"CODETRACER_TRACE_FILTER": path}) == ["locked"]
        assert ids(tmp_path, environ={"CODETRACER_TRACE_FILTER": f"{harmless}::{path}"}) == ["locked"]
        assert ids(tmp_path, trace_filter=[path]) == ["locked"]
        assert ids(tmp_path, trace_filter=[f"{harmless}::{path}"]) == ["locked"]


@pytest.mark.parametrize("included", [False, True])
def test_it_cannot_be_left_out(tmp_path, included):
    """The chain of a recording that starts in a project with a locked filter has it, whatever is asked."""
    project = tmp_path / "project"
    put(project, "common.toml" if included else ".codetracer/trace-filter.toml", VETTED)
    if included:
        including = 'include = ["../common.toml"]\n' + toml(version=2, **INHERIT)
        put(project, ".codetracer/trace-filter.toml", including)
    loose = put(tmp_path, "loose.toml", LOOSE["exec"])
    put(tmp_path, "other/.codetracer/trace-filter.toml", toml(**INHERIT))
    for options in (
        {"auto": False},
        {"project_root": tmp_path / "other"},
        {"project_root": tmp_path, "auto": False},
    ):
        assert ids(project / "src", **options) == []
        assert ids(project / "src", **options, trace_filter=[loose]) == ["locked"]
    put(project, ".codetracer/trace-filter.toml", VETTED.replace("locked = true", "locked = false"))
    assert ids(project / "src", auto=False, trace_filter=[loose]) == []
    put(project, ".codetracer/trace-filter.toml", "[meta]\n")
    assert ids(project / "src", auto=False) != [], "what cannot be read may be locked"


def test_an_included_filter_may_be_locked(tmp_path):
    """The lock of an included filter holds for the file that includes it; one that is locked itself may hold
    what it includes together with its own rules."""
    put(tmp_path, "common.toml", VETTED)
    head = 'include = ["common.toml"]\n'
    put(
        tmp_path,
        ".codetracer/trace-filter.toml",
        head.replace("common", "../common") + LOOSE["pattern"].replace("version = 1", "version = 2"),
    )
    assert ids(tmp_path) == ["locked"]
    put(tmp_path, "common.toml", VETTED.replace("locked = true", "locked = false"))
    project = locked(head.replace("common", "../common") + LOOSE["pattern"])
    put(tmp_path, ".codetracer/trace-filter.toml", project)
    assert ids(tmp_path) == []
    scope = load_policy(start=tmp_path, environ={"HOME": "/"}).policy.scope(["shop"], "shop.py", "f")
    assert scope.value(["local"], ["customer"])[0] == "allow"
    assert scope.value(["local"], ["someone"])[0] == "redact"


def test_a_broken_filter_hides_no_lock():
    """A chain with a filter that cannot be read is refused in any case."""
    assert problems(DEFAULT, VETTED, "[meta]\n") != []


texts = st.builds(
    lambda rules, execs, actions: toml(*rules, version=2, default_exec=execs, default_value_action=actions),
    st.lists(
        st.builds(
            lambda selector, exec, default, patterns: rule(selector, exec, default, patterns=patterns),
            st.sampled_from(["pkg:*", "pkg:shop.*", "pkg:other", "obj:shop.f"]),
            st.sampled_from(["trace", "skip", "inherit"]),
            st.sampled_from(["allow", "redact", "drop", "inherit"]),
            st.lists(
                st.tuples(
                    st.sampled_from(["local:*", "local:card", "attr:x", "attr:*", "type:t.*"]),
                    st.sampled_from(["allow", "redact", "drop"]),
                ),
                max_size=2,
            ),
        ),
        max_size=3,
    ),
    st.sampled_from(["trace", "skip", "inherit"]),
    st.sampled_from(["allow", "redact", "drop", "inherit"]),
)


@given(before=st.lists(texts, max_size=2), vetted=texts, after=st.lists(texts, max_size=2))
def test_no_chain_is_looser_than_its_locked_filter(before, vetted, after):
    """Whatever stands around a locked filter: the chain is refused, or as strict as the filter alone."""
    vetted = vetted.replace("version = 2", "version = 2\nlocked = true")
    alone = verdicts(policy_of(vetted))
    try:
        together = verdicts(policy_of(*before, vetted, *after))
    except PolicyError as error:
        refused = {problem.id for problem in error.diagnostics}
    else:
        refused = set()
    assert refused <= {"locked"}
    assert refused or all(together[place] <= alone[place] for place in alone), json.dumps(
        [*before, vetted, *after]
    )
