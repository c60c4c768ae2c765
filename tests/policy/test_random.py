"""Random filters: what the core decides is what a slow and obvious model decides, and nothing crashes."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from writing import policy, rule, toml

from tamis._core import Policy
from tamis.diagnostics import render_all
from tamis.errors import PolicyError

MODULES = ["a", "a.b", "a.bc", "b", "ab.c"]
QUALNAMES = ["f", "C", "C.f", "C.f.<locals>.g", "b.f"]
FILES = ["a.py", "a/b.py", "a/b/c.py", "/x/a/b.py"]
VALUES = ["x", "xy", "y", "user_x"]

# The model


def glob_regex(pattern: str, path: bool) -> str:
    """The regular expression of a glob without `{` and classes."""
    if not path and (tail := re.search(r"\.\*+\Z", pattern)):
        return f"{plain_regex(pattern[: tail.start()], '.', '.*')}(?:\\..*)?"
    if path and "**/" in pattern and (pattern.startswith("**/") or "/**/" in pattern):
        before, after = ("", pattern[3:]) if pattern.startswith("**/") else pattern.split("/**/", 1)
        start = plain_regex(before + "/", "[^/]", "[^/]*") if before else ""
        return f"{start}(?:.*/)?{glob_regex(after, path)}"
    return plain_regex(pattern, "[^/]", "[^/]*") if path else plain_regex(pattern, ".", ".*")


def plain_regex(pattern: str, one: str, many: str) -> str:
    """Without the special cases: what `?` and `*` are is said, `**` is anything."""
    parts = {"*": many, "?": one}
    tokens = re.findall(r"\*{2,}|.", pattern)
    return "".join(".*" if token[:2] == "**" else parts.get(token) or re.escape(token) for token in tokens)


def full(match: str, pattern: str, name: str, path: bool = False) -> bool:
    if match == "literal":
        return pattern == name
    regex = pattern if match == "regex" else glob_regex(pattern, path)
    return re.fullmatch(regex, name) is not None


def dotted(match: str, pattern: str, name: str) -> bool:
    """Whether a package or object pattern selects the name itself."""
    names = [name]
    if match == "regex":
        names += [name + ".", *(name[: dot.end()] for dot in re.finditer(r"\.", name))]
    return any(full(match, pattern, candidate) for candidate in names)


def scope_matches(selector: str, modules: list[str], file: str, qualname: str) -> bool:
    kind, match, pattern = selector.split(":", 2)
    if kind == "pkg":
        return any(dotted(match, pattern, module) for module in modules)
    if kind == "file":
        absolute = file if file.startswith("/") else "/project/" + file
        return full(match, pattern, absolute if pattern.startswith("/") else file, path=True)
    parts = qualname.split(".")
    objects = [".".join(parts[: n + 1]) for n in range(len(parts)) if parts[n] != "<locals>"]
    return any(dotted(match, pattern, f"{module}.{name}") for module in modules for name in objects)


def model_exec(rules: list[dict[str, Any]], default: str) -> str:
    for one in rules:
        if one.get("exec", "inherit") != "inherit":
            default = one["exec"]
    return default


def model_value(rules: list[dict[str, Any]], kinds: list[str], name: str, default: str) -> str:
    allowed = False
    for one in reversed(rules):
        for selector, action in one["patterns"]:
            kind, match, pattern = selector.split(":", 2)
            if kind in kinds and full(match, pattern, name):
                return action
        chosen = one.get("value_default", "inherit")
        if not allowed and chosen in ("redact", "drop"):
            return chosen
        allowed = allowed or chosen == "allow"
    return "allow" if allowed else default


def model_secret(rules: list[dict[str, Any]], kinds: list[str], name: str) -> bool:
    for one in reversed(rules):
        for selector, action in one["patterns"]:
            kind, match, pattern = selector.split(":", 2)
            if kind in kinds and full(match, pattern, name):
                return action != "allow"
    return False


# Filters to compare on

pieces = st.sampled_from(["a", "b", "c", "f", "C", ".", "*", "?", "x", "y", "a.b", ".*"])
file_pieces = st.sampled_from(["a", "b", "c", "/", "*", "?", ".py", "a/b"])
regex_pieces = st.sampled_from(["a", "b", "f", r"\.", ".", "a?", "(a|b)", "[ab]*", "x", ".*", "C"])


def patterns_of(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(parts, min_size=1, max_size=5).map("".join)


@st.composite
def scope_selectors(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["pkg", "obj", "file"]))
    match = draw(st.sampled_from(["glob", "glob", "regex", "literal"]))
    if kind == "file":
        if match == "regex":
            match = "glob"
        path = draw(st.sampled_from(["", "**/", "/x/", "a/**/"])) + draw(patterns_of(file_pieces))
        # Steps that are empty or dots are errors.
        assume("//" not in path and not path.endswith("/"))
        return f"{kind}:{match}:{path}"
    if match == "literal":
        names = MODULES if kind == "pkg" else [f"{m}.{q}" for m in MODULES for q in QUALNAMES]
        return f"{kind}:{match}:{draw(st.sampled_from(names))}"
    return f"{kind}:{match}:{draw(patterns_of(regex_pieces if match == 'regex' else pieces))}"


@st.composite
def value_selectors(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["local", "arg", "global", "ret", "attr"]))
    match = draw(st.sampled_from(["glob", "regex", "literal"]))
    value_pieces = st.sampled_from(["x", "y", "*", "user", "_", "?"])
    value_regexes = st.sampled_from(["x", "y", ".*", "user_", "[xy]", "x?"])
    bodies = {
        "glob": patterns_of(value_pieces),
        "regex": patterns_of(value_regexes),
        "literal": st.sampled_from(VALUES),
    }
    return f"{kind}:{match}:{draw(bodies[match])}"


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    actions = st.sampled_from(["allow", "redact", "drop"])
    one = rule(
        draw(scope_selectors()), patterns=draw(st.lists(st.tuples(value_selectors(), actions), max_size=3))
    )
    one["exec"] = draw(st.sampled_from(["trace", "skip", "inherit"]))
    one["value_default"] = draw(st.sampled_from(["allow", "redact", "drop", "inherit", "inherit"]))
    return one


@given(
    chain=st.lists(st.lists(rules(), max_size=4), min_size=1, max_size=3),
    modules=st.lists(st.sampled_from(MODULES), min_size=1, max_size=2, unique=True),
    file=st.sampled_from(FILES),
    qualname=st.sampled_from(QUALNAMES),
    default_exec=st.sampled_from(["trace", "skip"]),
    default_action=st.sampled_from(["allow", "redact", "drop"]),
)
def test_verdicts_are_those_of_the_model(chain, modules, file, qualname, default_exec, default_action):
    """Execution and value verdicts agree with the rules as they are written down."""
    loaded = policy(
        *(toml(*some, default_exec=default_exec, default_value_action=default_action) for some in chain)
    )
    absolute = file if file.startswith("/") else "/project/" + file
    scope = loaded.scope(modules, file, qualname, absolute=absolute)
    flat = [one for some in chain for one in some]
    matching = [n for n, one in enumerate(flat) if scope_matches(one["selector"], modules, file, qualname)]
    assert scope.matching == matching
    matched = [flat[n] for n in matching]
    assert scope.trace == (model_exec(matched, default_exec) == "trace")
    for kinds in (["local"], ["arg", "local"], ["global"], ["ret"], ["attr"]):
        for name in VALUES:
            action, _, secret = scope.value(kinds, [name])
            assert action == model_value(matched, kinds, name, default_action)
            assert secret == model_secret(matched, kinds, name)
    for name in VALUES:
        found = scope.attr(name)
        inside = [dict(one, value_default="inherit") for one in matched]
        assert (found[0] if found else None) == model_value(inside, ["attr"], name, None)


def loads(data: bytes) -> bool:
    """Whether it is a filter; if not, its problems can be shown."""
    try:
        Policy([("x.toml", None, data)])
    except PolicyError as error:
        shown = render_all(error.diagnostics)
        assert shown.isprintable() or set(shown) <= set(filter(str.isprintable, shown)) | {"\n"}
        for problem in error.diagnostics:
            lines = data.decode("utf-8", "replace").split("\n")
            assert problem.line <= len(lines)
            assert problem.column <= problem.end
            assert problem.column <= len(problem.source) + 1
        return False
    return True


@given(st.binary(max_size=300))
def test_random_bytes(data):
    """Any bytes are a filter or have diagnostics, never a traceback."""
    assert not loads(data)


GOOD = toml(rule("pkg:regex:a.*", "skip", "redact", patterns=[("arg:x{a,b}", "drop")]), io={"capture": False})


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.integers(0, 6),
            st.text(st.sampled_from("[]{}\"'=.:*\\()|?+^$#\n\t\x00\u202e\U0001f600aé,1"), max_size=4),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_random_edits(edits):
    """A good filter with a few random edits is a filter or has diagnostics that can be shown."""
    text = GOOD
    for at, length, put in edits:
        text = text[:at] + put + text[at + length :]
    loads(text.encode())


@pytest.mark.parametrize("depth", [100, 100_000])
@pytest.mark.parametrize("opening", ["[", "{a=", "a.", "[a.", 'selector = "pkg:regex:' + "(", 'x = "pkg:{'])
def test_deep_nesting(opening, depth):
    """No nesting overflows a stack."""
    assert not loads((opening * depth).encode())
    assert not loads(toml(rule("pkg:" + "{" * depth)).encode())
    assert not loads(toml(rule("pkg:regex:" + "(" * depth)).encode())
