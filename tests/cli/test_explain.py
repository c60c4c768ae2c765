"""`tamis explain`: names and places, every rule that matches, who decided, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tamis import cli

HEAD = (
    '[meta]\nname = "x"\nversion = 1\n[scope]\ndefault_exec = "inherit"\ndefault_value_action = "inherit"\n'
)
FILTER = (
    HEAD
    + """\
[[scope.rules]]
selector = "pkg:shop.*"
exec = "skip"
reason = "not now"
[[scope.rules]]
selector = "obj:shop.Cart"
exec = "trace"
value_default = "redact"
[[scope.rules.value_patterns]]
selector = "arg:order"
action = "allow"
reason = "needed"
[[scope.rules.value_patterns]]
selector = "attr:price"
action = "drop"
"""
)
SHOP = """\
class Cart:
    def add(self, order, customer):
        def inner(password):
            return password
        return inner(
            order)

def pay(amount): return lambda: amount
pay(1)()
Cart().add("a", "b")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".codetracer").mkdir()
    (tmp_path / ".codetracer/trace-filter.toml").write_text(FILTER)
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODETRACER_TRACE_FILTER", raising=False)
    return tmp_path


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert cli.main(["explain", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("wanted", "qualname"),
    [
        ("shop", "<module>"), ("shop.Cart", "Cart"), ("shop.Cart.add", "Cart.add"), ("shop.py:1", "Cart"),
        ("shop.py:2", "Cart.add"), ("shop.py:4", "Cart.add.<locals>.inner"), ("shop.py:5", "Cart.add"),
        ("shop.py:6", "Cart.add"), ("shop.py:7", "<module>"), ("shop.py:8", "pay.<locals>.<lambda>"),
    ],
)  # fmt: skip
def test_names_and_places(place, capsys, wanted, qualname):
    """Code is found by its name, and by any line of it: the innermost object that the line belongs to."""
    [one] = explained(capsys, wanted)
    assert one["name"] == f"shop.{qualname}"


def test_what_is_said(place, capsys):
    """The verdict, who decided and where, the rules that match, each value with its decider and reason."""
    assert cli.main(["explain", "shop.Cart.add"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("shop.Cart.add (shop.py:2) is recorded\n")
    assert "decided by `obj:shop.Cart` (.codetracer/trace-filter.toml:12)" in out
    assert "pkg:shop.*  exec = skip  (.codetracer/trace-filter.toml:8)" in out
    assert (
        "order (arg, local): allow, decided by `arg:order` (.codetracer/trace-filter.toml:16): needed" in out
    )
    assert "customer (arg, local): redact, decided by `obj:shop.Cart`" in out
    assert "return (ret): redact, decided by `obj:shop.Cart`" in out
    assert cli.main(["explain", "shop.pay"]) == 0
    out = capsys.readouterr().out
    assert "is not recorded\n  decided by `pkg:shop.*` (.codetracer/trace-filter.toml:8): not now" in out


def test_one_value(place, capsys):
    """--value asks for one name: as what it is in the code, and as an attribute of what is captured."""
    [one] = explained(capsys, "shop.Cart.add", "--value", "price")
    assert [(value["kinds"], value["action"]) for value in one["values"]] == [
        (["local"], "redact"),
        (["global"], "redact"),
        (["attr"], "drop"),
    ]
    [one] = explained(capsys, "shop.Cart.add", "--value", "password")
    assert [value["secret"] for value in one["values"]] == [True, True, True]
    [one] = explained(capsys, "shop.Cart.add", "--value", "order")
    assert [(value["kinds"], value["action"]) for value in one["values"]] == [
        (["arg", "local"], "allow"),
        (["attr"], None),
    ]


def test_values_by_name(place, capsys):
    """`return` is what leaves; a name that is not there is told; options that mean nothing are refused."""
    [one] = explained(capsys, "shop.Cart.add", "--value", "return")
    assert [(value["kinds"], value["action"]) for value in one["values"]] == [
        (["ret"], "redact"),
        (["attr"], None),
    ]
    assert cli.main(["explain", "shop.Cart.add", "--value", "custmer"]) == 0
    assert "nothing is called `custmer` there: did you mean `customer`?" in capsys.readouterr().err
    for words in (["--value", "x"], ["shop.pay", "--depth", "1"], ["shop.pay", "--all"]):
        assert cli.main(["explain", *words]) == 2


def test_other_chains(place, capsys):
    """What is explained is the chain that `tamis run` would use with the same options."""
    (place / "more.toml").write_text(HEAD + '[[scope.rules]]\nselector = "pkg:shop"\nexec = "trace"\n')
    [one] = explained(capsys, "shop.pay", "--trace-filter", "more.toml")
    assert one["trace"]
    [one] = explained(capsys, "shop.pay", "--no-auto-filter")
    assert (one["trace"], one["by"]) == (True, {"what": "default", "path": "builtin-default"})


def test_what_is_not_there(place, capsys):
    """An unknown name is a problem, an unknown file a mistake in the command."""
    assert cli.main(["explain", "shop.nothing"]) == 1
    assert "there is no `shop.nothing` in the project" in capsys.readouterr().err
    for wanted, meant in {"add": "shop.Cart.add", "shop.Crat": "shop.Cart", "pay": "shop.pay"}.items():
        assert cli.main(["explain", wanted]) == 1
        assert capsys.readouterr().err.endswith(f"hint: did you mean `{meant}`?\n")
    assert cli.main(["explain", "shop.py"]) == 2
    assert "name a line of it, `shop.py:1`" in capsys.readouterr().err
    assert cli.main(["explain", "nothing.py:1"]) == 2
    assert cli.main(["explain", ""]) == 2


INSIDE = """\
[[scope.rules]]
selector = "pkg:shop.*"
value_patterns = [
  { selector = "attr:price", action = "allow" }, { selector = "attr:password", action = "allow" },
  { selector = "type:shop.Cart", action = "redact", reason = "large" },
]
"""


def test_what_is_inside_of_values(place, capsys):
    """Patterns on attributes and types are shown, and what a filter changes by them too."""
    (place / "more.toml").write_text(HEAD.replace("version = 1", "version = 2") + INSIDE)
    (place / "shop.py").write_text(SHOP + "print(Cart().price, {'password': 1})\n")
    assert cli.main(["explain", "shop.Cart.add", "--trace-filter", "more.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    inside = lines[lines.index("  inside of them, the first that matches decides:") + 1 :]
    assert inside[:4] == [
        "    allow `attr:price` (more.toml:10)",
        "    allow `attr:password` (more.toml:10)",
        "    redact `type:shop.Cart` (more.toml:11): large",
        "    drop `attr:price` (.codetracer/trace-filter.toml:20)",
    ]
    assert cli.main(["explain", "--diff", "more.toml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "inside of the values of 3 code objects: password: allow, was redact, a secret",
        "inside of the values of 3 code objects: price: allow, was drop, a secret",
        "inside of the values of 3 code objects: patterns on types type:shop.Cart redact, were none",
        "3 code objects would change",
    ]


def test_what_runs_as_a_script(place, capsys):
    """Where a rule about `__main__` makes a difference, both are told."""
    (place / "more.toml").write_text(HEAD + '[[scope.rules]]\nselector = "pkg:__main__"\nexec = "trace"\n')
    assert cli.main(["explain", "shop.pay", "--trace-filter", "more.toml"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("shop.pay (shop.py:8) is not recorded\n")
    assert "  run as a script it is recorded, decided by `pkg:__main__` (more.toml:8)\n" in out
    [one] = explained(capsys, "shop.Cart.add")
    assert one["as_script"] is None


def test_nothing_steers_the_terminal(place, capsys):
    """Text of filters is shown, not obeyed."""
    reason = 'reason = "\\u001b[2Kfine"'
    (place / ".codetracer/trace-filter.toml").write_text(FILTER.replace('reason = "needed"', reason))
    for words in (["explain", "shop.Cart.add"], ["explain"], ["explain", "--all"]):
        assert cli.main(words) == 0
        assert all(character.isprintable() or character == "\n" for character in capsys.readouterr().out)


def test_the_project(place, capsys):
    """Without a name, the tree of the project: what is skipped or hidden, by whom; the rest is folded."""
    for name in ("lib/one/a.py", "lib/one/b.py", "lib/two.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x = 1")
    (place / "other.py").write_text("def login(user, password, token): pass")
    assert cli.main(["explain"]) == 0
    out = capsys.readouterr().out
    [default] = re.findall(r"password, token by (.*)", out)
    assert re.fullmatch(r"`.*` \(builtin-default:[0-9]+\): a common name of secrets", default)
    attr = out.rpartition("builtin-default:")[2].strip(")\n")
    assert out.splitlines() == TREE.format(default=default, attr=attr).splitlines()
    files = {file["file"]: file for file in explained(capsys)}
    assert list(files) == ["other.py", "shop.py", "lib/two.py", "lib/one/a.py", "lib/one/b.py"]
    shop = files["shop.py"]
    assert (shop["recorded"], shop["code_objects"]) == (3, 6)
    hidden = {one["qualname"]: {value["name"] for value in one["hidden"]} for one in shop["code"]}
    assert hidden["Cart.add"] == {"self", "customer", "inner", "return"}
    assert hidden["pay"] == set()


TREE = """\
other.py  recorded, 2 values hidden
  login:1  recorded
    redacts password, token by {default}
shop.py  3 of 6 recorded, 8 values hidden, 1 allowed by a pattern
  Cart:1  recorded
    redacts add, return by `obj:shop.Cart` (.codetracer/trace-filter.toml:12)
  Cart.add:2  recorded
    allows order by `arg:order` (.codetracer/trace-filter.toml:16): needed
    redacts self, customer, inner, return by `obj:shop.Cart` (.codetracer/trace-filter.toml:12)
  Cart.add.<locals>.inner:3  recorded
    redacts password, return by `obj:shop.Cart` (.codetracer/trace-filter.toml:12)
  skips <module>:1, pay:8, pay.<locals>.<lambda>:8 by `pkg:shop.*` (.codetracer/trace-filter.toml:8): not now
lib/  3 files, recorded
5 files, 8 of 11 code objects are recorded
1 value allowed by `arg:order` (.codetracer/trace-filter.toml:16): needed
8 values redacted by `obj:shop.Cart` (.codetracer/trace-filter.toml:12)
2 values redacted by {default}
inside of the values of 8 code objects: redact by `attr:regex:(?sx)…` (builtin-default:{attr})
"""


def test_the_tree_unfolds(place, capsys):
    """--depth folds the tree, --all unfolds what is alike too; the totals stay."""
    (place / "lib").mkdir()
    (place / "lib/a.py").write_text("def f(): pass")
    assert cli.main(["explain", "--depth", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith((" ", "lib", "shop"))] == [
        "shop.py  3 of 6 recorded, 8 values hidden, 1 allowed by a pattern",
        "lib/  1 file, recorded",
    ]
    assert "2 files, 5 of 8 code objects are recorded" in lines
    assert cli.main(["explain", "--depth", "0"]) == 0
    assert capsys.readouterr().out.splitlines() == lines[2:]
    assert cli.main(["explain", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    lib = lines.index("lib/  1 file, recorded")
    assert lines[lib + 1 : lib + 4] == ["  a.py  recorded", "    <module>:1  recorded", "    f:1  recorded"]


def test_files_that_cannot_be_read(place, capsys):
    """A file that is no Python is told, not passed over."""
    (place / "broken.py").write_text("def f(:")
    assert cli.main(["explain"]) == 0
    done = capsys.readouterr()
    assert "broken.py` cannot be compiled" in done.err
    assert "1 file, 3 of 6 code objects are recorded" in done.out


def test_a_filter_more(place, capsys):
    """--diff shows the code that a filter would change the verdicts of, and the values, and nothing else."""
    more = HEAD + '[[scope.rules]]\nselector = "obj:shop.pay"\nexec = "trace"\n'
    more += '[[scope.rules]]\nselector = "obj:shop.Cart"\nvalue_default = "drop"\n'
    (place / "more.toml").write_text(more)
    assert cli.main(["explain", "--diff", "more.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "shop.Cart (shop.py:1)",
        "shop.Cart.add (shop.py:2)",
        "shop.Cart.add.<locals>.inner (shop.py:3)",
        "shop.pay (shop.py:8): recorded, was skipped",
        "shop.pay.<locals>.<lambda> (shop.py:8): recorded, was skipped",
        "5 code objects would change",
    ]
    assert "  customer (arg, local): drop, was redact" in lines
    assert "  order (arg, local): drop, was allow" in lines
    # Of code that is recorded now, there is nothing to compare.
    assert not any("amount" in line for line in lines)
    changed = explained(capsys, "--diff", "more.toml")
    assert {one["name"]: one["after"] for one in changed}["shop.pay"] is True
    assert cli.main(["explain", "shop.pay", "--diff", "more.toml"]) == 2
    assert cli.main(["explain", "--diff", "none.toml"]) == 2
    assert "hint: it was named by `--diff`" in capsys.readouterr().err


def test_what_a_class_or_module_holds(place, capsys):
    """Of a class or a module, what stands directly in it is listed with whether it is recorded."""
    held = {}
    for name in ("shop", "shop.Cart", "shop.Cart.add", "shop.pay"):
        [one] = explained(capsys, name)
        held[name] = [(inner["name"], inner["line"], inner["trace"]) for inner in one["holds"]]
    assert held == {
        "shop": [("Cart", 1, True), ("pay", 8, False)],
        "shop.Cart": [("Cart.add", 2, True)],
        "shop.Cart.add": [("Cart.add.<locals>.inner", 3, True)],
        "shop.pay": [("pay.<locals>.<lambda>", 8, False)],
    }
    assert cli.main(["explain", "shop"]) == 0
    assert capsys.readouterr().out.endswith("    Cart:1 is recorded\n    pay:8 is not recorded\n")


def test_lines_that_a_file_does_not_have(place, capsys):
    """A line behind the last one, or before the first, is a mistake."""
    for line in (0, 99):
        assert cli.main(["explain", f"shop.py:{line}"]) == 2
        assert f"error: `shop.py` has no line {line}" in capsys.readouterr().err
    assert cli.main(["explain", "--diff", "x.toml", "--value", "order"]) == 2
