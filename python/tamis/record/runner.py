"""Runs a program as `python` would run it: its `__main__`, `sys.argv`, `sys.path`, exit code and
tracebacks."""

from __future__ import annotations

import builtins
import os
import sys
from importlib._bootstrap_external import MAGIC_NUMBER  # `importlib.util` is slow to import
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType

from tamis import _core
from tamis.record.setup import working_directory

__all__ = ["Program", "exit_status"]

# Bytes of a `.pyc` before the code: a magic number, flags, and what says which source it was made of.
_PYC_HEADER = 16


class Program:
    """A program that is not started yet. One of:

    script  the path of a script, a folder or zip file with a `__main__.py`, or `-` for standard input
    module  a module or package, as for `python -m`
    code    source text, as for `python -c`

    A script that cannot be opened raises SystemExit after the message that the interpreter has for it.
    """

    __slots__ = ("_source", "arguments", "code", "module", "script")

    def __init__(
        self,
        arguments: list[str],
        *,
        script: str | None = None,
        module: str | None = None,
        code: str | None = None,
    ) -> None:
        self.script = script
        self.module = module
        self.code = code
        self.arguments = arguments
        self._source = None if script is None else _source_of(script)

    @property
    def name(self) -> str:
        """What runs, without arguments and without the path: what a trace may say of it."""
        if self.module is not None:
            return f"-m {self.module}"
        if self.code is not None:
            return "-c"
        return "-" if self.script == "-" else os.path.basename(os.path.abspath(self.script or ""))

    @property
    def folder(self) -> str:
        """Where the search for the project begins."""
        if self.script is None or self.script == "-":
            return working_directory()
        path = os.path.realpath(self.script)
        return path if os.path.isdir(path) else os.path.dirname(path)

    def run(self) -> None:
        """Runs it to its end. Leaves by SystemExit or KeyboardInterrupt when the program does, and by
        SystemExit(1) after any other exception, which is printed as the interpreter prints it."""
        try:
            return self._start()
        except SystemExit:
            raise
        except BaseException as error:
            trim(error)
            leaving = error
        # Outside of the handler: what a hook of the program raises has no context then.
        _core.print_uncaught(leaving)
        if isinstance(leaving, KeyboardInterrupt):
            # The interpreter ends itself by SIGINT when this leaves the outermost code, which whoever
            # started it wants to see; it has been printed already.
            sys.excepthook = lambda *_: None
            leaving.from_program = True  # type: ignore[attr-defined]
            raise leaving
        raise SystemExit(1)

    def _start(self) -> None:
        main = ModuleType("__main__")
        main.__builtins__ = builtins  # type: ignore[attr-defined]
        main.__annotations__ = {}
        main.__loader__ = sys.modules["builtins"].__loader__
        sys.modules["__main__"] = main
        if self.module is not None:
            sys.argv = ["-m", *self.arguments]
            _first_on_path(os.getcwd())
            _run_module(self.module, True)
        elif self.code is not None:
            sys.argv = ["-c", *self.arguments]
            _first_on_path("")
            _core.run_code(_compile_argument(self.code), main.__dict__)
        else:
            script = self.script or "-"
            sys.argv = [script, *self.arguments]
            if self._source is None:
                folder = os.path.abspath(script)
                if sys.flags.safe_path:
                    sys.path.insert(0, folder)
                _first_on_path(folder)
                _run_module("__main__", False)
            elif script == "-":
                _first_on_path("")
                self._run_source(main, "<stdin>", self._source)
            else:
                _first_on_path(os.path.dirname(os.path.realpath(script)))
                self._run_source(main, os.path.abspath(script), self._source)

    def _run_source(self, main: ModuleType, path: str, source: int) -> None:
        """Runs a script from the descriptor `source`."""
        main.__file__ = path
        main.__cached__ = None  # type: ignore[attr-defined]
        if path.endswith(".pyc"):
            os.close(source)
            main.__loader__ = SourcelessFileLoader("__main__", path)
            _core.run_code(_compiled(path), main.__dict__)
        else:
            if path != "<stdin>":
                main.__loader__ = SourceFileLoader("__main__", path)
            _core.run_file(source, os.fsencode(path), main.__dict__)


def exit_status(leaving: BaseException | None) -> int:
    """The exit status that the interpreter makes of what leaves the program."""
    if leaving is None:
        return 0
    if not isinstance(leaving, SystemExit):
        return 1
    code = leaving.code
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def trim(error: BaseException) -> None:
    """Takes the frames of Tamis off the start of a traceback."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename == __file__:
        place = place.tb_next
    error.__traceback__ = place


def _compile_argument(source: str) -> CodeType:
    """The code of a `-c`; from 3.13 on, tracebacks show its lines."""
    code = compile(source, "<string>", "exec", dont_inherit=True)
    if sys.version_info >= (3, 13):
        import linecache

        by_code = hasattr(linecache, "_interactive_cache")
        linecache._register_code(code if by_code else "<string>", source, "<string>")  # type: ignore[attr-defined]
    return code


def _first_on_path(entry: str) -> None:
    """Puts the program's own folder where that of the command `tamis` is."""
    if sys.flags.safe_path:
        return
    if sys.path:
        sys.path[0] = entry
    else:
        sys.path.append(entry)


def _source_of(script: str) -> int | None:
    """A descriptor of the script's text; None for a folder or zip file, which is run as a package is."""
    if script == "-":
        try:
            return os.dup(0)
        except OSError:  # closed: as if it were empty
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    path = os.path.abspath(script)
    if os.path.isdir(path) or _is_zip(path):
        return None
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        python = sys.orig_argv[0] if sys.orig_argv else "python"
        said = f"{python}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}"
        if sys.stderr is not None:
            print(said, file=sys.stderr)
            if isinstance(error, FileNotFoundError) and _is_module(script):
                print(f"hint: {script} is a module: tamis run -m {script}", file=sys.stderr)
        raise SystemExit(2) from None


def _is_module(name: str) -> bool:
    """Whether `tamis run -m` would find it; of a name with dots that would run code, so it is not asked."""
    from importlib.machinery import PathFinder

    return name.isidentifier() and PathFinder.find_spec(name) is not None


def _is_zip(path: str) -> bool:
    import zipimport

    try:
        zipimport.zipimporter(path)
    except zipimport.ZipImportError:
        return False
    return True


def _run_module(name: str, alter_argv: bool) -> None:
    import runpy

    _core.run_function(runpy._run_module_as_main, name, alter_argv)  # type: ignore[attr-defined]


def _compiled(path: str) -> CodeType:
    """The code of a `.pyc`; raises what the interpreter raises for one that is damaged."""
    import marshal

    with open(path, "rb") as file:
        header = file.read(_PYC_HEADER)
        magic = header[: len(MAGIC_NUMBER)]
        whole = len(magic) == len(MAGIC_NUMBER) or sys.version_info < (3, 13)
        if whole and magic != MAGIC_NUMBER:
            raise RuntimeError("Bad magic number in .pyc file")
        if len(header) < _PYC_HEADER:
            raise EOFError("EOF read where not expected")
        try:
            code = marshal.load(file)
        except (EOFError, ValueError, TypeError):
            code = None
    if not isinstance(code, CodeType):
        raise RuntimeError("Bad code object in .pyc file")
    return code
