"""The names of a project, as they are found in its sources; and what of a filter matches none of them."""

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest
from writing import rule, toml

from tamis.policy import names as project_names
from tamis.policy.chain import Link, builtin
from tamis.policy.checking import check
from tamis.policy.names import ProjectNames, foreign, import_name, scan, sources
from tamis.record.setup import namer

FILES = {
    "src/shop/__init__.py": "raise SystemExit('never run')",
    "src/shop/cart.py": """
        import sqlalchemy.orm
        from collections import abc
        from .coupons import coupon
        LIMIT = 3
        class Cart:
            size: int
            def add(self, order, *rest, key=None, **more):
                global COUNT
                COUNT = LIMIT
                total = order.price["net_price"]
                def inner(x): return total + x
                return [item for item in rest]
        price = lambda discount: discount
        """,
    "tests/test_cart.py": "def test_cart(cart): assert cart.total != '\\udc80'",
    "broken.py": "def (",
    "bytes.py": "x = '\x00'",
    ".hidden/x.py": "x = 1",
    "env/pyvenv.cfg": "",
    "env/lib/x.py": "x = 1",
    "node_modules/x.py": "x = 1",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def names(folder: Path) -> ProjectNames:
    return scan(sources(str(folder)), namer(str(folder)))


def test_sources_of_a_project(project):
    """What is hidden, installed or an environment is not the project's; the order is always the same."""
    found = [str(Path(path).relative_to(project)) for path in sources(str(project))]
    assert found == [
        "broken.py",
        "bytes.py",
        "src/shop/__init__.py",
        "src/shop/cart.py",
        "tests/test_cart.py",
    ]


def test_names_of_a_project(project):
    """Modules by both names, code by qualified name, parameters and locals; nothing is imported or run."""
    found = names(project)
    assert [Path(path).name for path in found.unreadable] == ["broken.py", "bytes.py"]
    [cart] = [file for file in found.files if file.file.endswith("cart.py") and "src" in file.file]
    assert cart.modules == ["shop.cart", "src.shop.cart"]
    code = {one.qualname: one for one in cart.code}
    assert set(code) >= {"<module>", "Cart", "Cart.add", "Cart.add.<locals>.inner", "<lambda>"}
    add = code["Cart.add"]
    assert add.parameters == ("self", "order", "key", "rest", "more")
    assert "total" in add.locals
    assert {"COUNT", "LIMIT", "price"} <= set(add.others)
    assert (add.line, code["Cart"].line) == (8, 6)
    assert {"net_price", "size", "key", "price"} <= found.words
    assert {"sqlalchemy", "collections"} <= found.imported
    assert "shop" not in foreign(found)
    assert {"sqlalchemy", "json"} <= set(foreign(found))


FILLER = "".join(f"name{number}.attribute{number}\n" for number in range(300))
IMPORTS = [
    ("import a.b", {"a"}),
    ("from a import b", {"a"}),
    ("import a.b as c, d", {"a", "d"}),
    ("from .a import b", set()),
    ("from . import a", set()),
    ("from ..a.b import c", set()),
    ("from .a import *", set()),
    ("def f():\n    from .a import b\n    import c", {"c"}),
    # Names and constants whose numbers need more than a byte.
    (FILLER + "from .a import b", set()),
    (FILLER + "from a import b", {"a"}),
    ("x = [" + ", ".join(f"'{number}', {number}.5" for number in range(300)) + "]\nfrom .a import b", set()),
    ("".join(f"v = {number}.5\n" for number in range(300)) + "from .a import b\nimport c", {"c"}),
]


@pytest.mark.parametrize(("text", "expected"), IMPORTS)
def test_what_is_imported(tmp_path, text, expected):
    """Modules of the project's own packages, which an import names by its dots, are no foreign ones."""
    (tmp_path / "a.py").write_text(text)
    found = names(tmp_path)
    assert found.imported == expected
    assert all(code.locals.count("") == 0 for file in found.files for code in file.code)


def test_files_that_are_none(project):
    """A pipe is not waited for; a file whose name is no text is told, and does not end the look."""
    os.mkfifo(project / "pipe.py")
    with open(os.fsencode(project) + b"/caf\xe9.py", "w") as file:
        file.write("x = 1")
    found = names(project)
    assert {os.fsencode(os.path.basename(path)) for path in found.unreadable} == {
        b"broken.py", b"bytes.py", b"pipe.py", b"caf\xe9.py",
    }  # fmt: skip
    assert found.whole


def test_too_many_files(project, monkeypatch):
    """Of more files than a project has, the first are looked at, and nothing is said to match nothing."""
    monkeypatch.setattr(project_names, "_MOST_FILES", 3)
    assert not names(project).whole
    assert said(project, rule("pkg:nothing.*", "skip")) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app.py", None), ("backend/run.py", None), ("backend/shop/__init__.py", "shop"),
        ("backend/shop/cart.py", "shop.cart"), ("backend/shop/inner/__init__.py", "shop.inner"),
        ("backend/shop/inner/x.py", "shop.inner.x"), ("backend/shop/loose/y.py", None),
    ],
)  # fmt: skip
def test_names_of_imports(tmp_path, path, name):
    """A module of a package is known by the name under which it is imported, wherever its folder lies."""
    for package in ("backend/shop", "backend/shop/inner"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    assert import_name(str(tmp_path / path)) == name


def test_scripts_are_called_main(project):
    """A rule about what runs as a script is not said to match nothing."""
    assert said(project, rule("pkg:__main__", "skip")) == []


def said(project: Path, *rules: dict[str, Any], **more: Any) -> list[tuple[str, str | None]]:
    path = project / "filter.toml"
    path.write_text(toml(*rules, version=2, default_exec="inherit", default_value_action="inherit", **more))
    links = [builtin("builtin-default"), Link("filter.toml", str(path), "a test")]
    found = check(links, lambda: names(project)).diagnostics
    return [(problem.id, problem.hint) for problem in found]


def meant(name: str) -> list[tuple[str, str]]:
    return [("misspelt-name", f"did you mean `{name}`?")]


NOTHING = [
    ("matches-nothing", 'if it is there at run time only, write `accept = ["matches-nothing"]` at the rule')
]
# a rule that skips, what is said
RULES = [
    ("pkg:shop.*", []),
    ("pkg:src.shop.cart", []),
    ("pkg:shop.crat", meant("shop.cart")),
    ("pkg:shpo.*", meant("shop")),
    ("pkg:shop.billing.*", NOTHING),
    ("pkg:coupons", NOTHING),
    ("pkg:regex:^shop\\.billing\\.", NOTHING),
    ("obj:shop.cart.Cart", []),
    ("obj:*.Cart.add", []),
    ("obj:shop.cart.cart.add", meant("shop.cart.Cart.add")),
    ("obj:*.Basket", NOTHING),
    ("file:src/shop/*.py", []),
    ("file:src/shop/crt.py", meant("src/shop/cart.py")),
    ("file:lib/**/*.py", NOTHING),
    # A package, a folder, or what is around a function left out.
    ("pkg:cart", meant("shop.cart")),
    ("pkg:cart.*", meant("shop.cart")),
    ("obj:Cart.add", meant("shop.cart.Cart.add")),
    ("obj:shop.cart.inner", meant("shop.cart.Cart.add.<locals>.inner")),
    ("file:cart.py", meant("src/shop/cart.py")),
    ("file:/src/shop/cart.py", meant("src/shop/cart.py")),
    # What is not the project's may be anywhere.
    ("pkg:sqlalchemy.orm.*", []),
    ("pkg:json.*", []),
    ("file:/usr/**", []),
    ("file:**/conftest.py", []),
    ("file:.venv/**", []),
    ("file:venv/**", []),
    ("file:tools/node_modules/**", []),
    ("file:regex:.*/site-packages/.*", []),
    ("origin:third-party", []),
]


@pytest.mark.parametrize(("selector", "expected"), RULES)
def test_rules_that_match_nothing(project, selector, expected):
    """A rule without code in the project is reported, with the name that was probably meant."""
    assert said(project, rule(selector, "skip")) == expected


PATTERNS = [
    ("arg:order", []),
    ("arg:rest", []),
    ("arg:oder", meant("order")),
    ("arg:total", NOTHING),
    ("local:order", []),
    ("local:total", []),
    ("local:totl", meant("total")),
    ("global:LIMIT", []),
    ("global:LIMITS", meant("LIMIT")),
    ("ret:add", []),
    ("ret:shop.cart.Cart.add", []),
    ("ret:shop.cart.Cart.ad", meant("shop.cart.Cart.add")),
    ("attr:net_price", []),
    ("attr:net_prcie", meant("net_price")),
    ("attr:from_data", []),
    ("arg:regex:.*customer.*", NOTHING),
    ("type:*.SecretStr", []),
]


@pytest.mark.parametrize(("selector", "expected"), PATTERNS)
def test_patterns_that_match_nothing(project, selector, expected):
    """A pattern is compared with the names in the code of its rule; keys and types may be from elsewhere."""
    assert said(project, rule("pkg:shop.*", patterns=[(selector, "redact")])) == expected


def test_names_of_other_code_are_not_known(project):
    """A rule that is about more than the project may mean a name that is in other people's code."""
    for selector in ("pkg:*", "file:**", "origin:third-party"):
        assert said(project, rule(selector, patterns=[("arg:sslkeyfile", "redact")])) == []
    assert said(project, rule("pkg:*", patterns=[("arg:oder", "redact")])) == meant("order")


def test_only_the_code_of_the_rule_counts(project):
    """A name that is elsewhere is not in the code that the rule speaks of; `accept` says that it is meant."""
    one = rule("pkg:shop.*", patterns=[("arg:discount", "redact"), ("arg:cart", "redact")])
    assert said(project, one) == NOTHING
    assert said(project, {**one, "accept": ["matches-nothing"]}) == []


NEEDLESS = ("unused-accept", "take it out: it would silence one that comes later")
# rules, what the file accepts, what is said
ACCEPT: list[tuple[list[dict[str, Any]], list[str], list[tuple[str, str]]]] = [
    # What the project shows, what the filters show by themselves, at the rule and for the file.
    ([{**rule("pkg:shop.billing", "skip"), "accept": ["matches-nothing"]}], [], []),
    ([rule("pkg:shop.billing", "skip")], ["matches-nothing"], []),
    ([{**rule("pkg:*", patterns=[("local:password", "allow")]), "accept": ["allows-secret"]}], [], []),
    ([rule("pkg:*", patterns=[("local:password", "allow")])], ["allows-secret"], []),
    ([{**rule("pkg:shop.cart", "skip"), "accept": ["matches-nothing"]}], [], [NEEDLESS]),
    ([rule("pkg:shop.cart", "skip")], ["matches-nothing"], [NEEDLESS]),
    ([{**rule("pkg:shop.cart", "skip"), "accept": ["matches-nothing", "allows-secret"]}], [], [NEEDLESS] * 2),
    # What the rule accepts, the file need not.
    (
        [{**rule("pkg:shop.billing", "skip"), "accept": ["matches-nothing"]}],
        ["matches-nothing"],
        [NEEDLESS],
    ),
    # Nobody would capture here, and what depends on other files is not judged.
    ([rule("pkg:shop.cart", "skip")], ["io-not-served"], [NEEDLESS]),
    ([rule("pkg:shop.cart", "skip")], ["cannot-loosen", "two-project-filters"], []),
    # One may say that this is meant.
    ([{**rule("pkg:shop.cart", "skip"), "accept": ["matches-nothing", "unused-accept"]}], [], []),
]


@pytest.mark.parametrize(("rules", "accept", "expected"), ACCEPT)
def test_what_is_accepted_without_need(project, rules, accept, expected):
    """Accepting a warning that does not come is reported, at the rule or at the file that accepts it."""
    assert said(project, *rules, accept=accept) == expected


def test_what_is_captured_is_accepted_with_need(project):
    """That capture cannot be served is said of the whole file, and may be accepted there."""
    assert said(project, accept=["io-not-served"], io={"capture": True, "streams": ["stdout"]}) == []


ORDER = [
    # an object in a file, and a package in a folder
    (["obj:shop.cart.Cart.add skip", "file:src/shop/*.py trace"], ["broad-after-narrow"]),
    (["pkg:shop.cart skip", "file:src/** trace"], ["broad-after-narrow"]),
    (["file:src/shop/cart.py skip", "pkg:shop.* trace"], ["broad-after-narrow"]),
    # the order that is right, the same said twice, code that is not in it, what is given back
    (["file:src/shop/*.py trace", "obj:shop.cart.Cart.add skip"], []),
    (["obj:shop.cart.Cart.add skip", "file:src/shop/*.py skip"], []),
    (["obj:shop.cart.Cart.add skip", "file:tests/*.py trace"], []),
    (["file:src/** skip", "obj:shop.cart.Cart trace"], []),
    (["pkg:shop.cart skip", "file:src/** trace", "file:src/shop/cart.py skip"], []),
    # what is known without the project is said without it
    (["pkg:shop.cart skip", "pkg:shop.* trace"], ["shadowed-rule"]),
]


@pytest.mark.parametrize(("rules", "expected"), ORDER)
def test_broad_rules_of_another_kind(project, rules, expected):
    """Where the selectors cannot be compared, the code that they match in the project is."""
    rules = [rule(*said.split()) for said in rules]
    assert [name for name, _ in said(project, *rules)] == expected


def test_broad_defaults_of_another_kind(project):
    """`value_default` is compared as `exec` is, and `accept` silences it."""
    narrow, broad = rule("obj:shop.cart.Cart", default="redact"), rule("file:src/**", default="allow")
    (found,) = said(project, narrow, broad)
    assert found[0] == "broad-after-narrow"
    assert said(project, narrow, {**broad, "accept": ["broad-after-narrow"]}) == []
    assert said(project, narrow, rule("file:src/**", "trace")) == []


def test_an_empty_project(tmp_path):
    """Without any source there is nothing to compare with."""
    assert said(tmp_path, rule("pkg:shop.*", "skip")) == []
