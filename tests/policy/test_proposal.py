"""What `tamis init` proposes for projects of many shapes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tamis import cli
from tamis._core import Policy
from tamis.policy import proposal as proposals
from tamis.policy import survey as surveys
from tamis.policy.chain import builtin
from tamis.policy.proposal import Proposal, propose
from tamis.policy.survey import survey

DEFAULT = ("builtin-default", None, Path(builtin("builtin-default").path).read_bytes())


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def proposed(root: Path) -> Proposal:
    return propose(root.name, survey(str(root)))


def policy(proposal: Proposal) -> Policy:
    """The proposal behind builtin-default; raises if it is no valid filter."""
    return Policy([DEFAULT, ("proposal.toml", None, proposal.text.encode())])


def rules(proposal: Proposal) -> list[Any]:
    return [rule for rule in policy(proposal).describe()["rules"] if rule["filter"] == 1]


def verdict(proposal: Proposal, file: str) -> bool:
    """Whether a module of the project is recorded, under the name that follows from its place."""
    module = file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return policy(proposal).scope([module], file, "f").trace


LAYOUTS: dict[str, tuple[list[str], list[str]]] = {
    "package": (["shop/__init__.py", "shop/cart.py"], ["tests/test_cart.py", "setup.py", "docs/conf.py"]),
    "src": (["src/shop/__init__.py", "src/shop/a/b.py", "src/one.py"], ["tests/test_cart.py", "noxfile.py"]),
    "namespace": (["src/org/shop/cart.py", "src/org/pay/card.py"], []),
    "flat scripts": (["load.py", "clean-up.py", "plot.py"], ["test_load.py", "conftest.py"]),
    "a folder that is no package": (["my tools/run [1].py", "shop/a.py"], []),
    "two packages": (["shop/a.py", "pay/a.py", "app.py"], []),
    "tests inside": (
        ["shop/a.py"],
        ["shop/tests/x.py", "shop/a/test/y.py", "shop/test_a.py", "shop/a_test.py"],
    ),
    "copies of others": (["shop/a.py"], ["shop/_vendor/six.py", "vendor/x/y.py"]),
    "many folders": ([f"p{n}/a.py" for n in range(30)], ["p1/tests/test_a.py"]),
    "other alphabets": (["магазин/корзина.py", "日本/コード.py"], []),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_proposal_is_clean(tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch):
    """What `tamis init` writes has no warning, the look at the project included."""
    text = "def login(user, api_token, card_number): return user\n"
    make(tmp_path, dict.fromkeys([name for names in LAYOUTS[layout] for name in names], text))
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init"]) == 0
    assert cli.main(["check", "--strict"]) == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path: Path, layout: str):
    """The code of a project is recorded, whatever its layout; tests, tooling and copies of others are not."""
    traced, skipped = LAYOUTS[layout]
    proposal = proposed(make(tmp_path, dict.fromkeys([*traced, *skipped], "x = 1\n")))
    assert [file for file in traced if not verdict(proposal, file)] == []
    assert [file for file in skipped if verdict(proposal, file)] == []
    for file in ("/venv/lib/site-packages/requests/api.py", ".venv/lib/site-packages/requests/api.py"):
        others = policy(proposal).scope(
            ["requests.api"], file, "f", absolute=f"/{file}", origin="third-party"
        )
        assert not others.trace
    assert len(rules(proposal)) < 30
    assert all(rule["reason"] for rule in rules(proposal))


def test_an_empty_folder(tmp_path: Path):
    """Without code there are no rules, and nothing changes."""
    proposal = proposed(tmp_path)
    assert rules(proposal) == []
    assert verdict(proposal, "later.py")
    assert proposal.notes == ("looked at 0 files",)


def test_what_is_not_of_the_project(tmp_path: Path):
    """Virtual environments, hidden folders, caches and what symbolic links lead to are not looked at."""
    make(tmp_path / "elsewhere", {"x/a.py": ""})
    files = [".hidden/a.py", "__pycache__/a.py", "env/lib/a.py", "node_modules/a/b.py", "build/a.py"]
    root = make(tmp_path / "project", {**dict.fromkeys(files, "email = 1"), "env/pyvenv.cfg": ""})
    (root / "link").symlink_to(tmp_path / "elsewhere/x")
    (root / "circle").symlink_to(root)
    (root / "itself.py").symlink_to(root / "itself.py")
    (root / "nowhere.py").symlink_to(root / "nothing.py")
    os.mkfifo(root / "pipe.py")
    found = survey(str(root))
    assert (found.packages, found.scripts, found.names, found.files) == ([], [], {}, 0)


CODE = """
import dataclasses
SALT = "x"
plain = 1
def send(email, *, phone_number=None, count=0, password=None):
    birthday = {"lastName": 1, "colour": 2}
    birthday["homeAddress"] = 3
class Customer:
    surname: str
    def __init__(self):
        self.mobile = self.height = 1
encrypt = lambda plaintext: plaintext
"""


def test_names(tmp_path: Path):
    """Names that look like secrets or personal data are redacted; the reason says where they are."""
    proposal = proposed(make(tmp_path, {"shop/a.py": CODE}))
    found = {p["selector"]: p for rule in rules(proposal) for p in rule["patterns"]}
    assert {selector: int(p["reason"].rpartition(":")[2]) for selector, p in found.items()} == {
        "global:literal:SALT": 3,
        "local:literal:email": 5,
        "local:literal:phone_number": 5,
        "local:literal:birthday": 6,
        "attr:literal:lastName": 6,
        "attr:literal:homeAddress": 7,
        "attr:literal:surname": 9,
        "local:literal:surname": 9,
        "attr:literal:mobile": 11,
        "local:literal:plaintext": 12,
    }
    assert {p["action"] for p in found.values()} == {"redact"}
    assert found["global:literal:SALT"]["reason"] == "looks like a secret: shop/a.py:3"
    assert "#   password (shop/a.py:5)\n" in proposal.text
    scope = policy(proposal).scope(["shop.a"], "shop/a.py", "send")
    for kinds, name, action in [
        (["arg", "local"], "email", "redact"),
        (["arg", "local"], "count", "allow"),
        (["attr"], "colour", "allow"),
    ]:
        assert scope.value(kinds, [name])[0] == action


def test_modules_about_secrets(tmp_path: Path):
    """What a module called after secrets holds is redacted."""
    proposal = proposed(make(tmp_path, {"shop/auth/secrets.py": "", "shop/vault/a.py": "", "shop/a.py": ""}))
    for module, action in [("shop.auth.secrets", "redact"), ("shop.vault.a", "redact"), ("shop.a", "allow")]:
        assert policy(proposal).scope([module], "x.py", "f").value(["local"], ["x"])[0] == action


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"def f(:\n", "line 1: "),
        (b"x = 1\0", "null bytes"),
        (b"\xff\xfe\x00", "shop/bad.py: "),
        (b"# coding: no-such-codec\n", "no-such-codec"),
        (b"(" * 5000, "shop/bad.py: "),
        (b"x = " + b"-" * 200_000 + b"1", "shop/bad.py: "),
        (b"#" * 2_000_000, "too large"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, text: bytes, why: str):
    """A file that is no Python, or too large, is reported; the others are looked at."""
    root = make(tmp_path, {"shop/good.py": "email = 1\n"})
    (root / "shop/bad.py").write_bytes(text)
    proposal = proposed(root)
    assert proposal.notes[0] == "looked at 1 file"
    assert len(proposal.notes) == 2
    assert why in proposal.notes[1]
    assert "global:literal:email" in proposal.text


def test_warnings_of_the_code_are_not_ours(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    """Python's warnings about the code it reads are not shown."""
    proposed(make(tmp_path, {"a.py": 'x = "\\d"\nx is 1\n'}))
    assert len(recwarn) == 0


@pytest.mark.parametrize("bound", ["_MAX_FILES", "_MAX_FOLDERS", "_MAX_ENTRIES", "_MAX_BYTES"])
def test_large_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str):
    """Of a tree beyond a bound a part is looked at, what is near the root first, and that is said."""
    root = make(tmp_path, {f"p/a{n}/b/c.py": "x = 1\n" for n in range(20)} | {"p/first.py": "email = 1\n"})
    assert "large" not in proposed(root).notes[0]
    monkeypatch.setattr(surveys, bound, 10)
    proposal = proposed(root)
    assert proposal.notes[0].endswith("; the project is large, and not all of it was looked at")
    assert verdict(proposal, "p/a1/b/c.py") or bound == "_MAX_ENTRIES"
    if bound == "_MAX_FILES":
        assert "p/first.py:1" in proposal.text


def test_many_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of very many names some get a rule, and the others are counted."""
    monkeypatch.setattr(proposals, "_MAX_NAMES", 5)
    root = make(tmp_path, {"a.py": "".join(f"email_{n} = 1\n" for n in range(8))})
    proposal = proposed(root)
    assert proposal.text.count("global:literal:email_") == 5
    assert proposal.notes[-1].startswith("3 more names")


@pytest.mark.parametrize(
    "name", ["shop", 'a "b" \\ c', "@RULES@", "x\x7fy", "\u202e", os.fsdecode(b"\xff"), ""], ids=ascii
)
def test_any_name_gives_a_valid_filter(tmp_path: Path, name: str):
    """Whatever the project and its files are called, the proposal is a valid filter."""
    files = {"a'b/x.py": "email = {'e\\x7fmail': 1, 'email @RULES@ \"x\"': 2, '\\ud800email': 3}\n"}
    make(tmp_path, {**files, 'q"uo\\te*[x]{y}/secrets.py': ""})
    proposal = propose(name, survey(str(tmp_path)))
    assert len(rules(proposal)) == 4
    assert [p["selector"] for p in rules(proposal)[-1]["patterns"]] == [
        "global:literal:email",
        'attr:literal:email @RULES@ "x"',
    ]
    assert policy(proposal).scope(["x"], 'q"uo\\te*[x]{y}/secrets.py', "f").trace
