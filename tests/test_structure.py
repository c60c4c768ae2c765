"""The shape of the project: who may import whom, what the façade is, how long things may grow."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tracked_files import ROOT, text_of, tracked

import tamis

PACKAGE = ROOT / "python" / "tamis"

# Which rooms a room may import besides itself and the native module.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "diagnostics": set(),
    "policy": {"errors", "diagnostics"},
    "record": {"errors", "diagnostics", "policy"},
    "trace": {"errors"},
    "export": {"errors", "trace"},
    "view": {"errors", "trace"},
    "transcripts": {"errors", "diagnostics", "policy"},
    "cli": {"errors", "diagnostics", "policy", "record", "trace", "export", "view", "transcripts"},
    "__init__": {"errors", "policy", "record", "trace", "transcripts"},
    "__main__": {"cli"},
}

# The one room that imports inside functions: a command must not wait for what it does not use.
LAZY = {"cli"}

# Files of more than 350 lines and why each is not two files. Tests are not counted: they are tables.
LONG_FILES: dict[str, str] = {
    "benchmarks/quality.py": "how values are made, put into texts and looked for again: one measurement",
    "benchmarks/quality_sets.py": "tables",
    "crates/core/src/helper/pairing.rs": "one machine: what it does with an event depends on all others",
    "crates/python/csrc/frames.c": "a block for each version of CPython, to be compared side by side",
}
LONG_FUNCTIONS: dict[str, str] = {}


# Imports


class Import(NamedTuple):
    """One import of a module of Tamis."""

    name: str
    inside: bool = False
    """It is inside a function."""
    typing: bool = False
    """It is for the type checker only."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(module: str) -> list[Import]:
    """What a module imports of Tamis."""
    path = modules()[module]
    tree = ast.parse(text_of(path), str(path))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    inside = {id(node) for f in ast.walk(tree) if isinstance(f, functions) for node in ast.walk(f)}
    typing = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return [
        Import(name, id(node) in inside, id(node) in typing)
        for node in ast.walk(tree)
        for name in named_by(node, package)
        if name.split(".")[0] == "tamis"
    ]


def named_by(node: ast.AST, package: str) -> list[str]:
    """The modules that an import statement of this package names; none for any other node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
    # `from tamis.cli import terminal` names a module, `from tamis.cli import main` does not.
    full = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in modules() or name == "tamis._core" else base for name in full]


def complaint(module: str, imported: Import) -> str | None:
    """What is wrong with this import of this module."""
    room, target = room_of(module), room_of(imported.name)
    if target == "_core":
        return None
    if target != room and target not in ROOMS.get(room, set()):
        return f"{module} imports {imported.name}: `{room}` may not import `{target}`"
    if imported.inside and room not in LAZY:
        return f"{module} imports {imported.name} inside a function"
    return None


def test_imports_go_one_way():
    """A room imports only what stands before it in the design, at the top of the file; `cli` may be lazy."""
    unknown = {room_of(module) for module in modules()} - set(ROOMS)
    assert not unknown, f"rooms that the design does not know: {unknown}"
    complaints = [complaint(module, imported) for module in modules() for imported in imports_of(module)]
    assert not any(complaints), "\n".join(filter(None, complaints))


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("tamis.policy.chain", Import("tamis.errors"), True),
        ("tamis.policy.chain", Import("tamis.policy.project"), True),
        ("tamis.record.session", Import("tamis._core", inside=True), True),
        ("tamis.cli.show", Import("tamis.trace", inside=True), True),
        ("tamis.errors", Import("tamis.policy"), False),
        ("tamis.trace.reader", Import("tamis.policy"), False),
        ("tamis.trace.reader", Import("tamis.policy", typing=True), False),
        ("tamis.record.session", Import("tamis.trace"), False),
        ("tamis.record.session", Import("tamis.policy", inside=True), False),
        ("tamis.policy.chain", Import("tamis.cli.terminal"), False),
        ("tamis.trace.reader", Import("tamis"), False),
    ],
)
def test_the_rule_of_imports(module: str, imported: Import, allowed: bool):
    """The check itself tells a good import from a bad one."""
    assert (complaint(module, imported) is None) is allowed


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import tamis.errors", ["tamis.errors"]),
        ("from tamis import errors", ["tamis.errors"]),
        ("from tamis.errors import TamisError", ["tamis.errors"]),
        ("from ..errors import TamisError", ["tamis.errors"]),
        ("from . import terminal", ["tamis.cli.terminal"]),
        ("from tamis import _core, start", ["tamis._core", "tamis"]),
        ("x = 1", []),
    ],
)
def test_names_of_imports(source: str, names: list[str]):
    """Every way to write an import is understood."""
    assert named_by(ast.parse(source).body[0], "tamis.cli") == names


def test_no_module_waits_for_itself():
    """What runs when modules are imported makes no circle."""
    graph = {
        module: {i.name for i in imports_of(module) if not (i.inside or i.typing) and i.name in modules()}
        for module in modules()
    }
    TopologicalSorter({module: names - {module} for module, names in graph.items()}).prepare()


# The façade


def facade_faults(source: str) -> list[str]:
    """What keeps a module from being a list: imports and a sorted `__all__`."""
    body = ast.parse(source).body
    imported: set[str] = set()
    listed: list[str] = []
    faults = []
    for node in body[1:] if ast.get_docstring(ast.parse(source)) else body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if getattr(node, "module", None) != "__future__":
                imported |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(node).split("=")[0]:
            listed = ast.literal_eval(node.value) if node.value else []
        else:
            faults.append(f"line {node.lineno} is neither an import nor `__all__`")
    if listed != sorted(listed):
        faults.append("`__all__` is not sorted")
    if set(listed) != imported:
        faults.append(f"imported but not listed, or the other way round: {sorted(imported ^ set(listed))}")
    return faults


def test_the_facade_is_a_list():
    """`tamis/__init__.py` holds imports and a sorted `__all__`, and every name in it is there."""
    assert not facade_faults(text_of(PACKAGE / "__init__.py"))
    assert [name for name in tamis.__all__ if not hasattr(tamis, name)] == []


@pytest.mark.parametrize(
    "source",
    [
        "from a import b",
        "from a import c, b\n__all__ = ['c', 'b']",
        "__all__ = ['b']",
        "from a import b\n__all__ = ['b']\ndef f(): ...",
        "from a import b\n__all__ = ['b']\nb = b()",
    ],
)
def test_a_facade_with_logic_is_noticed(source: str):
    """The check itself fails on logic, and on a list that is not complete or not sorted."""
    assert facade_faults(source)


# The core


def lock() -> dict[str, Any]:
    return tomllib.loads(text_of(ROOT / "Cargo.lock"))


def test_the_core_does_not_know_python():
    """Nothing that `tamis-core` is built from, near or far, binds to Python."""
    needs = {package["name"]: package.get("dependencies", []) for package in lock()["package"]}
    closure: set[str] = set()
    waiting = ["tamis-core"]
    while waiting:
        name = waiting.pop().split(" ")[0]
        if name not in closure:
            closure.add(name)
            waiting += needs[name]
    assert len(closure) > 10, "the lock file was not understood"
    assert not {name for name in closure if re.match(r"pyo3|python|cpython", name)}


def test_packages_come_from_the_public_registry():
    """The lock file names no other registry than crates.io."""
    sources = {package.get("source") for package in lock()["package"]}
    assert sources == {None, "registry+https://github.com/rust-lang/crates.io-index"}


# Sizes


def length(path: Path) -> int:
    """Lines of a file, the tests at its end not counted."""
    text = text_of(path)
    if path.suffix == ".rs":
        text = re.split(r"^#\[cfg\(test\)\]\n(?:#\[.*\n)*mod ", text, maxsplit=1, flags=re.MULTILINE)[0]
    return text.count("\n")


def test_long_files_have_a_reason():
    """A file of more than 350 lines says in `LONG_FILES` why it is one file."""
    sources = [path for path in tracked() if path.suffix in {".py", ".rs", ".c", ".h", ".js"}]
    names = {str(path.relative_to(ROOT)): length(path) for path in sources if "tests" not in path.parts}
    found = {name: lines for name, lines in names.items() if lines > 350}
    assert {name: found[name] for name in found if name not in LONG_FILES} == {}
    assert [name for name in LONG_FILES if not (ROOT / name).is_file()] == []


def test_long_functions_have_a_reason():
    """A Python function of more than 50 lines, its docstring not counted, says in `LONG_FUNCTIONS` why."""
    found = {}
    for path in (path for path in tracked() if path.suffix == ".py"):
        for node in ast.walk(ast.parse(text_of(path), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > 50:
                    found[f"{path.relative_to(ROOT)}:{node.name}"] = lines
    assert {name: found[name] for name in found if name not in LONG_FUNCTIONS} == {}
    assert sorted(set(LONG_FUNCTIONS) - set(found)) == []
