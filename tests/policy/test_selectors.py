"""Which code a selector selects, and which it does not."""

from typing import NamedTuple

import pytest
from writing import policy, rule, toml

from tamis.errors import PolicyError


class Code(NamedTuple):
    """A code object's names, written shortly: `module:qualname`, or a file with a slash."""

    modules: list[str]
    file: str
    qualname: str
    absolute: str


def code(text: str) -> Code:
    if "/" in text or text.startswith("<"):
        absolute = text if text.startswith("/") else f"/project/{text}"
        return Code(["m"], text, "f", absolute)
    module, _, qualname = text.partition(":")
    file = module.replace(".", "/") + ".py"
    return Code([module], file, qualname or "f", f"/project/{file}")


def selected(selector: str, names: Code, version: int = 1, origin: str = "project") -> bool:
    chain = policy(toml(rule(selector, "skip"), version=version))
    scope = chain.scope(names.modules, names.file, names.qualname, absolute=names.absolute, origin=origin)
    assert scope.matching == ([] if scope.trace else [0])
    return not scope.trace


# selector, what it must select, what it must not
TABLE = [
    # Packages: globs are the default, `*` crosses dots, a trailing `.*` is the package too.
    ("pkg:my_app", ["my_app"], ["my_app.core", "my_app2"]),
    ("pkg:my_app.*", ["my_app", "my_app.core", "my_app.a.b"], ["my_apple", "my"]),
    ("pkg:*", ["a", "a.b"], []),
    ("pkg:*.core", ["a.core", "a.b.core"], ["core", "a.core.x"]),
    ("pkg:*.core.*", ["a.core", "a.core.x"], ["core.x", "a.corex"]),
    ("pkg:my_{app,lib}.*", ["my_app.x", "my_lib"], ["my_other"]),
    ("pkg:a?[0-9]", ["ab1", "a.1"], ["a1", "abx"]),
    ("pkg:glob:my_app.*", ["my_app.core"], ["x"]),
    ("pkg:literal:my_app", ["my_app"], ["my_app.core", "My_app"]),
    ("pkg:literal:*", ["*"], ["my_app"]),
    ("pkg:приложение.*", ["приложение", "приложение.ядро"], ["прило"]),
    # A package regex matches the whole name, the name with a dot, or a beginning that ends in a dot.
    (r"pkg:regex:my_app", ["my_app"], ["my_app.core", "my_app2", "xmy_app"]),
    (r"pkg:regex:my_app\.", ["my_app", "my_app.core"], ["my_app2"]),
    (
        r"pkg:regex:^my_app\.(services|api)\.",
        ["my_app.services", "my_app.api.v1"],
        ["my_app", "my_app.apix", "x.my_app.api"],
    ),
    (
        r"pkg:regex:^(asyncio|selectors)(\.|$)",
        ["asyncio", "asyncio.tasks", "selectors"],
        ["asynciox", "my.asyncio"],
    ),
    (r"pkg:regex:a|ab", ["a", "ab"], ["abc", "b"]),
    (r"pkg:regex:(?i)MY_APP", ["my_app", "My_App"], ["my_app.x"]),
    # Objects cover what is defined in them.
    (
        "obj:my_app.auth.Session",
        ["my_app.auth:Session", "my_app.auth:Session.login", "my_app.auth:Session.login.<locals>.f"],
        ["my_app.auth:Sessions", "my_app.auth:login", "my_app:auth"],
    ),
    ("obj:literal:a.f", ["a:f", "a:f.<locals>.<lambda>"], ["a:g", "b:f", "a:ff"]),
    ("obj:*.login", ["a:login", "a.b:C.login", "a:login.<locals>.g"], ["a:logins", "a:login_x"]),
    ("obj:a.<module>", ["a:<module>"], ["a:f", "a.b:<module>"]),
    ("obj:a.*", ["a:f", "a:C.m", "a.b:f"], ["ab:f"]),
    ("obj:*.C?.m", ["a:C1.m", "a:C1.m.<locals>.x"], ["a:C.m", "a:C1.n"]),
    (r"obj:regex:a\.[a-z]", ["a:f", "a:f.<locals>.g"], ["a:F", "b:f"]),
    (r"obj:regex:^my_app\.auth\.", ["my_app.auth:f", "my_app.auth.x:C.m"], ["my_app:f", "my_app.authx:f"]),
    ("obj:a.f.<locals>", [], ["a:f", "a:f.<locals>.g"]),
    # Files: `*` and `?` stop at a slash, `**` does not, `**/` may be no folder.
    ("file:my_app/*.py", ["my_app/x.py"], ["my_app/a/x.py", "/usr/my_app/x.py"]),
    ("file:my_app/**", ["my_app/x.py", "my_app/a/b.py"], ["my_app2/x.py"]),
    ("file:a/**/*.py", ["a/x.py", "a/b/c/x.py"], ["b/x.py"]),
    ("file:**/test_*.py", ["a/test_x.py", "/usr/test_x.py"], ["a/testx.py", "a/test_a/x.py"]),
    ("file:a/?.py", ["a/x.py"], ["a/xy.py", "a//.py"]),
    ("file:literal:a/x.py", ["a/x.py"], ["b/a/x.py"]),
    (r"file:regex:a/.*\.py", ["a/x.py", "a/b/x.py"], ["a/x.pyc", "b/a/x.py"]),
    ("file:<string>", ["<string>"], ["<stdin>"]),
    # With a slash in front, the absolute path of any file counts.
    ("file:/project/a/*.py", ["a/x.py"], ["b/x.py", "/usr/a/x.py"]),
    (r"file:regex:^/project/.*", ["a/x.py"], ["/usr/x.py"]),
    (r"file:regex:/usr/.*", ["/usr/x.py"], ["a/x.py"]),
    ("file:literal:/project/a/x.py", ["a/x.py"], ["a/y.py"]),
]


@pytest.mark.parametrize(("selector", "yes", "no"), TABLE, ids=[row[0] for row in TABLE])
def test_scope_selectors(selector, yes, no):
    """A selector selects exactly the code that the language says."""
    assert [text for text in yes if not selected(selector, code(text))] == []
    assert [text for text in no if selected(selector, code(text))] == []


def test_a_pattern_may_hold_colons_when_the_match_type_is_written():
    """Parsing stops after two separators."""
    assert selected("file:literal:a:b/c.py", code("a:b/c.py"))
    assert selected("file:glob:a:*/c.py", code("a:b/c.py"))


def test_white_space_counts():
    """White space in a pattern is part of it."""
    assert not selected("pkg: my_app", code("my_app"))
    assert selected("pkg: my_app", code(" my_app"))


def test_any_name_of_a_module_is_enough():
    """A module that has two names is selected by either."""
    names = Code(["__main__", "my_app.core"], "my_app/core.py", "f", "/project/my_app/core.py")
    for selector in ("pkg:__main__", "pkg:my_app.*", "obj:my_app.core.f", "obj:__main__.f"):
        assert selected(selector, names), selector
    assert not selected("pkg:core", names)


def test_code_without_a_module_is_still_everything():
    """`pkg:*` selects code whose module has no name."""
    assert selected("pkg:*", Code([], "<string>", "f", None))
    assert not selected("pkg:a", Code([], "<string>", "f", None))


@pytest.mark.parametrize("origin", ["stdlib", "third-party", "project"])
def test_origins(origin):
    """`origin:` selects by where code comes from."""
    for selector in ("stdlib", "third-party", "project"):
        assert selected(f"origin:{selector}", code("a"), 2, origin) == (selector == origin)


# selector, what it must select, what it must not
VALUES = [
    ("local:user", ["user"], ["users", "the_user"]),
    ("local:*user*", ["user", "the_users"], ["use"]),
    ("local:literal:user*", ["user*"], ["user"]),
    (r"local:regex:user|name", ["user", "name"], ["username"]),
    (r"local:regex:(?i).*token\d+", ["myTOKEN1"], ["token"]),
    (r"local:regex:user\.", ["user."], ["user", "user.x"]),
    ("local:größe", ["größe"], ["groesse"]),
    ("local:{a,b}_[xy]", ["a_x", "b_y"], ["a_z"]),
]


@pytest.mark.parametrize(("selector", "yes", "no"), VALUES, ids=[row[0] for row in VALUES])
def test_value_selectors(selector, yes, no):
    """A value pattern is compared with the whole name, and has no rule for dots."""
    scope = policy(toml(rule("pkg:*", patterns=[(selector, "drop")]))).scope(["m"], "m.py", "f")
    dropped = [name for name in yes + no if scope.value(["local"], [name])[0] == "drop"]
    assert dropped == yes


def test_kinds_of_values():
    """A pattern speaks only of values of its kind; a value of two kinds is matched by patterns of both."""
    kinds = ["local", "global", "arg", "ret", "attr"]
    for kind in kinds:
        scope = policy(toml(rule("pkg:*", patterns=[(f"{kind}:x", "drop")]))).scope(["m"], "m.py", "f")
        assert [other for other in kinds if scope.value([other], ["x"])[0] == "drop"] == [kind]
        assert (scope.attr("x") is not None) == (kind == "attr")
        assert scope.value(["arg", "local"], ["x"])[0] == ("drop" if kind in ("arg", "local") else "allow")


def test_ret_patterns_see_both_names():
    """`ret` patterns match the qualified or the bare name of a callable."""
    names = ["my_app.auth.Session.login", "login"]
    for selector, hit in [
        ("ret:login", True), ("ret:my_app.auth.*", True), ("ret:*.login", True), ("ret:Session.login", False)
    ]:  # fmt: skip
        scope = policy(toml(rule("pkg:*", patterns=[(selector, "drop")]))).scope(["m"], "m.py", "f")
        assert (scope.value(["ret"], names)[0] == "drop") == hit, selector


def test_an_undecidable_regex_captures_nothing():
    """Where a regular expression hits its bound of work, nothing is captured, and the verdict says so."""
    explosive = r"(?:(a+)+\1)+b"
    name = "a" * 60
    scope = policy(toml(rule(f"pkg:regex:{explosive}"))).scope([name], "m.py", "f")
    assert (scope.trace, scope.by[0]) == (False, "undecided")
    scope = policy(toml(rule("pkg:*", patterns=[(f"arg:regex:{explosive}", "allow")]))).scope(
        ["m"], "m.py", "f"
    )
    assert scope.value(["arg"], [name]) == ("redact", ("undecided", None, None), True)


DOTS = [
    ("file:./shop/cart.py", "shop/cart.py"),
    ("file:literal:./shop/cart.py", "shop/cart.py"),
    ("file:../shop/*.py", "shop/*.py"),
    ("file:shop/../cart.py", "shop/cart.py"),
    ("file:shop//cart.py", "shop/cart.py"),
    ("file:shop/", "shop/**"),
    ("file:/opt/./x.py", "/opt/x.py"),
]


@pytest.mark.parametrize(("selector", "meant"), DOTS)
def test_paths_that_no_file_has(selector, meant):
    """Paths of files have no steps that name no folder: such a pattern would never match, and is an error."""
    with pytest.raises(PolicyError) as caught:
        policy(toml(rule(selector, "skip")))
    [problem] = caught.value.diagnostics
    assert (problem.id, problem.hint) == ("bad-selector", f"write `{meant}`")


@pytest.mark.parametrize(
    "selector", ["file:.hidden/x.py", "file:**/..x/*.py", "file:regex:\\./x", "pkg:a..b"]
)
def test_dots_that_are_no_steps(selector):
    """Names that begin with a dot, and what is no path, are left alone."""
    policy(toml(rule(selector, "skip")))
