"""What code is called, from what the interpreter knows of it."""

from pathlib import Path

import pytest

from tamis._core import Namer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


def namer(root: Path) -> Namer:
    return Namer(
        root,
        stdlib=[root.parent / "lib/python3"],
        third_party=[root.parent / "vendor"],
        stdlib_modules=["json", "collections"],
        cwd=root,
    )


# file, runtime module, all names of the module, file name, origin
TABLE = [
    ("my_app/core.py", "my_app.core", ["my_app.core"], "my_app/core.py", "project"),
    ("my_app/core.py", "core", ["core", "my_app.core"], "my_app/core.py", "project"),
    ("my_app/core.py", "__main__", ["__main__", "my_app.core"], "my_app/core.py", "project"),
    ("my_app/core.py", None, ["my_app.core"], "my_app/core.py", "project"),
    ("my_app/__init__.py", "my_app", ["my_app"], "my_app/__init__.py", "project"),
    (
        "src/my_app/core.py",
        "my_app.core",
        ["my_app.core", "src.my_app.core"],
        "src/my_app/core.py",
        "project",
    ),
    ("src/my_app/__init__.py", None, ["my_app", "src.my_app"], "src/my_app/__init__.py", "project"),
    ("my_app/../my_app/./core.py", "core", ["core", "my_app.core"], "my_app/core.py", "project"),
    ("пакет/ядро.py", "ядро", ["ядро", "пакет.ядро"], "пакет/ядро.py", "project"),
    ("{root}/x.py", "x", ["x"], "x.py", "project"),
    ("{root}/../other/x.py", "x", ["x"], "{parent}/other/x.py", "third-party"),
    ("{parent}/lib/python3/json/decoder.py", "json.decoder", ["json.decoder"], None, "stdlib"),
    ("{parent}/lib/python3/site-packages/a/b.py", "a.b", ["a.b"], None, "third-party"),
    ("{parent}/vendor/a.py", "a", ["a"], None, "third-party"),
    (".venv/lib/python3.13/site-packages/a.py", "a", ["a"], None, "third-party"),
    ("dist-packages/a.py", "a", ["a"], None, "third-party"),
    ("env/bin/tool", "__main__", ["__main__"], "env/bin/tool", "third-party"),
    ("archive.zip/a/b.py", "a.b", ["a.b", "archive.zip.a.b"], "archive.zip/a/b.py", "project"),
    ("<string>", "my_app.core", ["my_app.core"], "<string>", "project"),
    ("<string>", None, [""], "<string>", "project"),
    ("<string>", "json.x", ["json.x"], "<string>", "stdlib"),
    ("<frozen importlib._bootstrap>", "importlib._bootstrap", ["importlib._bootstrap"], None, "stdlib"),
    ("<frozen os>", None, [""], None, "stdlib"),
]


@pytest.mark.parametrize(("file", "module", "modules", "name", "origin"), TABLE)
def test_names(root, file, module, modules, name, origin):
    """A module has its runtime name and that of its place; files are relative to the project root."""
    (root / "env").mkdir()
    (root / "env/pyvenv.cfg").touch()
    fill = {"root": root, "parent": root.parent}
    names = namer(root).names(file.format(**fill), module, "C.m")
    assert names["modules"] == modules
    assert names["origin"] == origin
    assert names["qualname"] == "C.m"
    if name is not None:
        assert names["file"] == name.format(**fill)


def test_symbolic_links_do_not_matter(root, tmp_path):
    """Code has the same names through whatever link its file was reached, and so has the root."""
    (root / "my_app").mkdir()
    (root / "my_app/core.py").touch()
    (tmp_path / "link").symlink_to(root)
    (root / "alias.py").symlink_to(root / "my_app/core.py")
    for place in (root, tmp_path / "link"):
        for file in (root / "my_app/core.py", tmp_path / "link/my_app/core.py", root / "alias.py"):
            names = namer(place).names(str(file), None, "f")
            assert (names["modules"], names["file"]) == (["my_app.core"], "my_app/core.py")
            assert names["absolute"] == str(root.resolve() / "my_app/core.py")


def test_generated_code_belongs_to_its_module(root):
    """The methods that a dataclass generates have no file; they take the names and origin of their module."""
    one = namer(root)
    one.names("my_app/core.py", "__main__", "<module>")
    one.names("/elsewhere/site-packages/lib/a.py", "lib.a", "<module>")
    names = one.names("<string>", "__main__", "C.__init__")
    assert (names["modules"], names["origin"]) == (["__main__", "my_app.core"], "project")
    assert one.names("<string>", "lib.a", "f")["origin"] == "third-party"
    assert one.names("<string>", "lib.other", "f")["origin"] == "third-party"
    assert one.names("<string>", "unheard_of", "f")["origin"] == "project"
