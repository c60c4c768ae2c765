"""`include`: what is loaded, in which order, once."""

import os
import secrets
from pathlib import Path

import pytest
from writing import rule, toml

from tamis.diagnostics import render_all
from tamis.errors import PolicyError
from tamis.policy import load_policy
from tamis.policy.chain import Link, load


def write(folder: Path, files: dict[str, list[str]]) -> None:
    """Filters that skip the package of their own name, and what they include."""
    for name, includes in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = toml(rule(f"pkg:{path.stem}", "skip"), name=path.stem, version=2)
        path.write_text(f"include = {includes!r}\n{text}")


def names(folder: Path, *start: str) -> list[str]:
    """The names of the filters of this chain, in its order."""
    policy = load([Link(name, str(folder / name), "a test") for name in start])
    return [item["name"] for item in policy.describe()["filters"]]


# files and what they include; the files that are named; the chain
ORDERS = [
    ({"a.toml": ["b.toml"], "b.toml": []}, ["a.toml"], "b a"),
    ({"a.toml": ["b.toml", "c.toml"], "b.toml": [], "c.toml": []}, ["a.toml"], "b c a"),
    ({"a.toml": ["b.toml"], "b.toml": ["c.toml"], "c.toml": []}, ["a.toml"], "c b a"),
    # A diamond: once, at the first place.
    ({"a.toml": ["b.toml", "c.toml"], "b.toml": ["d.toml"], "c.toml": ["d.toml"], "d.toml": []},
     ["a.toml"], "d b c a"),
    ({"a.toml": ["c.toml"], "b.toml": ["c.toml"], "c.toml": []}, ["a.toml", "b.toml"], "c a b"),
    # Relative to the file, wherever it lies, and however it is spelled.
    ({"x/a.toml": ["../b.toml", ".././x/../b.toml"], "b.toml": ["x/y/c.toml"], "x/y/c.toml": []},
     ["x/a.toml"], "c b a"),
    # What is named is there, even twice.
    ({"a.toml": [], "b.toml": ["a.toml"]}, ["a.toml", "b.toml", "a.toml"], "a b a"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "start", "chain"), ORDERS)
def test_the_order_of_includes(tmp_path, files, start, chain):
    """A filter stands behind what it includes; what is included stands in the chain once."""
    write(tmp_path, files)
    assert names(tmp_path, *start) == chain.split()


def problems(folder: Path, *start: str) -> list[tuple[str, str, int]]:
    with pytest.raises(PolicyError) as caught:
        load([Link(name, str(folder / name), "a test") for name in start])
    return [(problem.id, problem.message, problem.line) for problem in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"a.toml": ["a.toml"]}, "a.toml → a.toml"),
        ({"a.toml": ["b.toml"], "b.toml": ["a.toml"]}, "a.toml → b.toml → a.toml"),
        ({"a.toml": ["b.toml"], "b.toml": ["x/c.toml"], "x/c.toml": ["../b.toml"]},
         "b.toml → x/c.toml → b.toml"),
    ],
)  # fmt: skip
def test_a_circle_is_named_whole(tmp_path, monkeypatch, files, path):
    """A cycle of includes is an error that prints the whole path, and the file where it closes."""
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert problems(tmp_path, "a.toml") == [("include-cycle", f"`include` goes in a circle: {path}", 1)]


def test_a_circle_through_a_link(tmp_path, monkeypatch):
    """A symbolic link is the file that it leads to."""
    write(tmp_path, {"a.toml": ["b.toml"]})
    (tmp_path / "b.toml").symlink_to("a.toml")
    monkeypatch.chdir(tmp_path)
    [(name, message, _)] = problems(tmp_path, "a.toml")
    assert (name, message) == ("include-cycle", "`include` goes in a circle: a.toml → b.toml")


def test_includes_that_cannot_be_read(tmp_path):
    """A missing file, a folder and a broken file are reported together, each in the file that is to blame."""
    write(tmp_path, {"a.toml": ["no.toml", "folder", "bad.toml"], "folder/x.toml": []})
    (tmp_path / "bad.toml").write_text("[meta]\nname = 3\n")
    found = problems(tmp_path, "a.toml")
    assert [name for name, _, _ in found if name.startswith("file")] == ["file-missing", "file-unreadable"]
    assert "the included filter `no.toml` does not exist" in [message for _, message, _ in found]
    assert {"wrong-type", "missing-table"} <= {name for name, _, _ in found}


def test_what_is_no_filter_is_not_read_out(tmp_path):
    """A filter from elsewhere cannot make lines of other files be printed, nor be waited for without end."""
    secret = secrets.token_hex(8)
    (tmp_path / ".env").write_text(f"KEY={secret}\n")
    (tmp_path / "link.toml").symlink_to(".env")
    (tmp_path / "huge.toml").write_bytes(b"#" * (5 << 20))
    os.mkfifo(tmp_path / "pipe.toml")
    names = [".env", "link.toml", "huge.toml", "pipe.toml", "/dev/zero"]
    write(tmp_path, {"a.toml": names})
    with pytest.raises(PolicyError) as caught:
        load([Link("a.toml", str(tmp_path / "a.toml"), "a test")])
    assert [problem.id for problem in caught.value.diagnostics] == ["file-unreadable"] * len(names)
    assert secret not in render_all(caught.value.diagnostics)


def test_includes_without_end(tmp_path):
    """Many levels are an error, not the end of the stack."""
    write(tmp_path, {f"{n}.toml": [f"{n + 1}.toml"] for n in range(100)} | {"100.toml": []})
    assert problems(tmp_path, "0.toml") == [("include-cycle", "`include` is nested in more than 64 files", 1)]


def test_what_is_included_is_described(tmp_path, monkeypatch):
    """An included filter has its name, digest and path in the description, and who includes it tells."""
    write(tmp_path, {".codetracer/trace-filter.toml": ["../common.toml"], "common.toml": []})
    monkeypatch.chdir(tmp_path)
    loaded = load_policy(start=tmp_path, environ={"HOME": "/"})
    builtin, common, project = loaded.policy.describe()["filters"]
    assert (common["name"], common["path"]) == ("common", "common.toml")
    assert len(common["sha256"]) == 64
    assert common["sha256"] != project["sha256"]
    assert (builtin["includes"], common["includes"], project["includes"]) == ([], [], [1])


def test_an_included_filter_inherits_from_the_chain(tmp_path):
    """Rules and defaults of an included filter stand where it stands, and whoever includes it goes before."""
    inner = toml(rule("pkg:*", "skip"), version=2, default_exec="skip", default_value_action="redact")
    outer = toml(rule("pkg:b", "trace"), version=2, default_exec="inherit", default_value_action="inherit")
    (tmp_path / "inner.toml").write_text(inner)
    (tmp_path / "outer.toml").write_text('include = ["inner.toml"]\n' + outer)
    policy = load([Link("outer.toml", str(tmp_path / "outer.toml"), "a test")])
    assert policy.scope(["b"], "b.py", "f").trace
    assert not policy.scope(["c"], "c.py", "f").trace
    assert policy.scope(["b"], "b.py", "f").value(["local"], ["x"])[0] == "redact"
