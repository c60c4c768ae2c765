"""The names of a project, found in its sources. Nothing of it is imported or run: files are compiled only."""

from __future__ import annotations

import opcode
import os
import sys
import types
import warnings
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis._core import Namer

__all__ = ["CodeNames", "ProjectNames", "SourceFile", "code_at", "foreign", "import_name", "scan", "sources"]

_IMPORT_NAME = opcode.opmap["IMPORT_NAME"]
_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
_LOAD_CONST = opcode.opmap["LOAD_CONST"]
# Folders that hold no code of the project's own.
_NOT_OURS = {"__pycache__", "node_modules", "site-packages", "dist-packages"}
# More files than a project has: somebody's home directory, say.
_MOST_FILES = 20_000
# A text longer than that is no key of a mapping.
_LONGEST_WORD = 64


class CodeNames(NamedTuple):
    """A code object, by the names that filters know it by."""

    qualname: str
    line: int
    parameters: tuple[str, ...]
    locals: tuple[str, ...]
    others: tuple[str, ...]
    """Globals, builtins and attributes, which code objects do not tell apart."""


class SourceFile(NamedTuple):
    """A file of the project, by the names that filters know it by."""

    modules: list[str]
    file: str
    absolute: str | None
    origin: str
    code: tuple[CodeNames, ...]


class ProjectNames(NamedTuple):
    """What there is in a project."""

    files: tuple[SourceFile, ...]
    words: frozenset[str]
    """Attributes, names of fields, and texts that may be keys of mappings."""
    imported: frozenset[str]
    """Top-level names of the modules that it imports."""
    unreadable: tuple[str, ...]
    """Files that this interpreter cannot compile; what is in them is not known."""
    whole: bool
    """Whether all files were looked at: there were not too many."""


def sources(root: str) -> Iterator[str]:
    """The Python files of a project, in order: not those of hidden folders and virtual environments."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_OURS
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith((".py", ".pyw")))


def scan(paths: Iterable[str], namer: Namer) -> ProjectNames:
    """Reads the sources of a project. `namer` is one for its root."""
    files = []
    words: set[str] = set()
    imported: set[str] = set()
    unreadable = []
    whole = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, path in enumerate(paths):
            if number >= _MOST_FILES:
                whole = False
                break
            top = _compiled(path) if _is_text(path) else None
            if top is None:
                unreadable.append(path)
                continue
            names = namer.names(path, import_name(path), "")
            code = tuple(_code(top, words, imported))
            files.append(
                SourceFile(names["modules"], names["file"], names["absolute"], names["origin"], code)
            )
    # What nobody can write is in no pattern; lone surrogates are not even text.
    writable = frozenset(filter(str.isprintable, words))
    return ProjectNames(tuple(files), writable, frozenset(imported), tuple(unreadable), whole)


def import_name(path: str) -> str | None:
    """The name under which a module of a package is imported, wherever its folder is found: `shop.cart` of
    `backend/shop/cart.py`, if there is a `backend/shop/__init__.py`. None: it is in no package."""
    folder, name = os.path.split(path)
    steps = [] if name.startswith("__init__.") else [name.partition(".")[0]]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        steps.append(package)
    packages = len(steps) - (not name.startswith("__init__."))
    return ".".join(reversed(steps)) if packages else None


def _is_text(path: str) -> bool:
    """Names that are not text are in no filter."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def code_at(path: str, line: int) -> CodeNames | None:
    """The innermost code object of a file that a line belongs to. None: the file cannot be compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = _compiled(path)
    while code is not None:
        inside = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        within = [inner for inner in inside if inner.co_firstlineno <= line <= _last_line(inner)]
        if not within:
            return next(_code(code, set(), set()))
        # Of those that share a line, the one that begins last.
        code = max(within, key=lambda inner: inner.co_firstlineno)
    return None


def _last_line(code: types.CodeType) -> int:
    inside = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    lines = [line for _, _, line in code.co_lines() if line is not None]
    return max([code.co_firstlineno, *lines, *map(_last_line, inside)])


def _compiled(path: str) -> types.CodeType | None:
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return None
        with open(path, "rb") as file:
            return compile(file.read(), path, "exec", dont_inherit=True, optimize=0)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _code(top: types.CodeType, words: set[str], imported: set[str]) -> Iterator[CodeNames]:
    """The code objects of a file, outermost first; collects what is not one object's on the way."""
    waiting = [top]
    while waiting:
        code = waiting.pop()
        inside = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        waiting += reversed(inside)
        words.update(code.co_names)
        words.update(code.co_varnames)
        _add_words(code.co_consts, words)
        imported.update(_imports(code))
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
        parameters = code.co_varnames[:count]
        variables = code.co_varnames[count:] + code.co_cellvars + code.co_freevars
        if not code.co_flags & 0x02:  # what a class or module body stores, it stores by name
            variables += tuple(filter(None, code.co_names))  # `from . import x` imports what has no name
        yield CodeNames(code.co_qualname, code.co_firstlineno, parameters, variables, code.co_names)


def _add_words(constants: tuple[object, ...], words: set[str]) -> None:
    for constant in constants:
        if isinstance(constant, str):
            if len(constant) <= _LONGEST_WORD:
                words.add(constant)
        elif isinstance(constant, tuple | frozenset):
            words.update(part for part in constant if isinstance(part, str) and len(part) <= _LONGEST_WORD)


def _imports(code: types.CodeType) -> Iterator[str]:
    """Top-level names of the modules that a code object imports, those of its own package not among them."""
    data = code.co_code
    at = data.find(_IMPORT_NAME)
    while at >= 0:
        if at % 2 == 0:  # an instruction, not the argument of one
            _, index, names = _instruction(data, at)
            # Before it, the level of the import is loaded, and then the names that it wants.
            operation, level, _ = _instruction(data, _instruction(data, names)[2])
            relative = operation == _LOAD_CONST and code.co_consts[level] != 0
            if index < len(code.co_names) and not relative:
                yield code.co_names[index].partition(".")[0]
        at = data.find(_IMPORT_NAME, at + 1)


def _instruction(data: bytes, at: int) -> tuple[int, int, int]:
    """The operation at a place, its argument, and where the instruction before it is."""
    argument, shift, before = data[at + 1], 8, at - 2
    while before >= 0 and data[before] == _EXTENDED_ARG:
        argument |= data[before + 1] << shift
        before, shift = before - 2, shift + 8
    return data[at], argument, before


def foreign(names: ProjectNames) -> list[str]:
    """The top-level names of modules that the project may use and that are not its own; what runs as a script
    is called `__main__`."""
    own = {module.partition(".")[0] for file in names.files for module in file.modules}
    return sorted((names.imported | sys.stdlib_module_names | {"__main__"}) - own)
