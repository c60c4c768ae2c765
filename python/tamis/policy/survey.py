"""What a project consists of, found by reading its files: nothing of it is imported or run.

Bounded, so that it ends soon in any folder: what lies near the root is looked at first, and a survey that
did not see everything says so.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections import deque
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Survey", "survey"]

_MAX_FILES = 5_000
_MAX_FOLDERS = 5_000
_MAX_ENTRIES = 20_000  # of one folder
_MAX_BYTES = 16 << 20
_MAX_FILE_BYTES = 1 << 20

# Virtual environments are recognised by what lies in them.
_NOT_SOURCES = {"__pycache__", "node_modules", "site-packages"}
_NOT_IN_ROOT = {"build", "dist", "doc", "docs"}
_TESTS = {"test", "tests"}
_VENDORED = {"vendor", "_vendor", "vendored", "_vendored", "third_party"}
_SECRETS = {
    "credential",
    "credentials",
    "keyring",
    "password",
    "passwords",
    "secret",
    "secrets",
    "vault",
}
# Scripts in the root that work on the project and are no part of it.
_TOOLING = {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"}


class Survey:
    """What was found. Paths are relative to the project, with `/`."""

    def __init__(self) -> None:
        self.packages: list[str] = []
        """Folders with modules: `shop`, `src/shop`."""
        self.scripts: list[str] = []
        """Folders that hold modules of their own, beside the packages: `` and `src`."""
        self.tests: list[str] = []
        """Folders of tests."""
        self.test_files: list[str] = []
        """Tests that lie beside what they test."""
        self.vendored: list[str] = []
        """Folders with copies of other projects."""
        self.secret_modules: list[str] = []
        """Files and folders that are about secrets by their name."""
        self.names: dict[tuple[str, str], str] = {}
        """Names in the code, as (kind of value, name), and where each was first seen: `shop/auth.py:12`."""
        self.unread: list[tuple[str, str]] = []
        """Files that could not be read, and why."""
        self.files = 0
        """How many files were read."""
        self.whole = True
        """Whether everything was looked at."""


def survey(root: str) -> Survey:
    """Looks at the project in this folder."""
    found = Survey()
    files, space = _MAX_FILES, _MAX_BYTES
    for path in _sources(root, found):
        _place(found, path)
        if _in_folder(path, _TESTS | _VENDORED) or _is_test(path):
            continue
        if files <= 0 or space <= 0:
            found.whole = False
            continue
        files -= 1
        space -= _read(found, root, path)
    return found


def _sources(root: str, found: Survey) -> Iterator[str]:
    """The Python files of the project, those near its root first."""
    waiting = deque([""])
    for _ in range(_MAX_FOLDERS):
        if not waiting:
            return
        folder = waiting.popleft()
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                entries = sorted(islice(listing, _MAX_ENTRIES), key=lambda entry: entry.name)
        except OSError:
            continue
        found.whole &= len(entries) < _MAX_ENTRIES
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            # What no filter could name is left out: file names that are no text.
            if not entry.name.isprintable() or entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _NOT_SOURCES and path not in _NOT_IN_ROOT:
                    waiting.append(path)
            elif entry.name.endswith(".py") and _is_file(entry):
                yield path
    found.whole &= not waiting


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a symbolic link that leads to itself, say
        return False


def _place(found: Survey, path: str) -> None:
    """Notes what the place of a file says about the project."""
    parts = path.split("/")
    for words, list_ in ((_TESTS, found.tests), (_VENDORED, found.vendored)):
        if _in_folder(path, words):
            depth = next(n for n, part in enumerate(parts) if part in words)
            _add(list_, "/".join(parts[: depth + 1]))
    if _in_folder(path, _TESTS | _VENDORED):
        return
    if _is_test(path):
        _add(found.test_files, path)
        return
    source = ["src"] if parts[0] == "src" and len(parts) > 1 else []
    inside = parts[len(source) :]
    if len(inside) > 1:
        _add(found.packages, "/".join([*source, inside[0]]))
    elif source or inside[0] not in _TOOLING:
        _add(found.scripts, "/".join(source))
    stems = [*parts[:-1], parts[-1].removesuffix(".py")]
    for depth, stem in enumerate(stems, 1):
        if stem in _SECRETS:
            _add(found.secret_modules, "/".join(parts[:depth]))
            break


def _add(list_: list[str], item: str) -> None:
    if item not in list_:
        list_.append(item)


def _in_folder(path: str, words: set[str]) -> bool:
    return any(part in words for part in path.split("/")[:-1])


def _is_test(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def _read(found: Survey, root: str, path: str) -> int:
    """Notes the names in a file. Returns its size."""
    try:
        with open(os.path.join(root, path), "rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            found.unread.append((path, "it is too large"))
            return len(data)
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(data)
        for kind, name, line in sorted(_names(tree), key=lambda item: item[2]):
            found.names.setdefault((kind, name), f"{path}:{line}")
    except SyntaxError as error:
        found.unread.append((path, f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        found.unread.append((path, getattr(error, "strerror", None) or "it is no Python"))
    else:
        found.files += 1
        return len(data)
    return 0


def _names(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """What gets a value in a file: (kind of value, name, line). A parameter is a local, too."""
    stack: list[tuple[ast.AST, str]] = [(tree, "global")]
    while stack:
        node, place = stack.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                place = "local"
                for parameter in ast.walk(node.args):
                    if isinstance(parameter, ast.arg):
                        yield "local", parameter.arg, parameter.lineno
            case ast.ClassDef():
                place = "attr"
            case ast.AnnAssign(target=ast.Name(id=name)) if place == "attr":
                # A field of a data class is a parameter of what makes its objects.
                yield "local", name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()):
                yield place, name, node.lineno
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield "attr", name, node.lineno
            case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Store()):
                yield "attr", name, node.lineno
            case ast.Dict():
                for key in node.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield "attr", key.value, key.lineno
        stack += [(child, place) for child in ast.iter_child_nodes(node)]
