"""Runs a program as `python` would run it: its `__main__`, `sys.argv`, `sys.path`, exit code and
tracebacks."""

from __future__ import annotations

import builtins
import io
import os
import sys
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import ModuleType

from tamis import _core
from tamis.errors import UsageError
from tamis.record.setup import working_directory

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

__all__ = ["Program", "exit_status"]


class Program:
    """A program that is not started yet. One of:

    script  the path of a script, a folder or zip file with a `__main__.py`, or `-` for standard input
    module  a module or package, as for `python -m`
    code    source text, as for `python -c`
    """

    __slots__ = ("arguments", "code", "module", "script")

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
        if script is not None and script != "-" and not os.path.exists(script):
            raise UsageError(f"cannot open `{script}`: no such file")

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
            return self._prepare()()
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

    def _prepare(self) -> Callable[[], None]:
        main = ModuleType("__main__")
        main.__builtins__ = builtins  # type: ignore[attr-defined]
        main.__annotations__ = {}
        sys.modules["__main__"] = main
        if self.module is not None:
            return self._as_module(self.module)
        if self.code is not None:
            sys.argv = ["-c", *self.arguments]
            _first_on_path("")
            main.__loader__ = sys.modules["builtins"].__loader__
            source = self.code
            return self._execute(main, lambda: _compile_argument(source))
        script = self.script or "-"
        sys.argv = [script, *self.arguments]
        if script == "-":
            _first_on_path("")
            main.__loader__ = sys.modules["builtins"].__loader__
            return self._execute(
                main, lambda: compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True)
            )
        path = os.path.abspath(script)
        if os.path.isdir(path) or _is_zip(path):
            return self._as_folder(path)
        _first_on_path(os.path.dirname(os.path.realpath(script)))
        main.__file__ = path
        main.__cached__ = None  # type: ignore[attr-defined]
        if path.endswith(".pyc"):
            loader = SourcelessFileLoader("__main__", path)
            main.__loader__ = loader
            return self._execute(main, lambda: _code_of(loader))
        main.__loader__ = SourceFileLoader("__main__", path)
        return self._execute(main, lambda: compile(_read(path), path, "exec", dont_inherit=True))

    def _execute(self, main: ModuleType, make: Callable[[], CodeType]) -> Callable[[], None]:
        return lambda: exec(make(), main.__dict__)

    def _as_module(self, module: str) -> Callable[[], None]:
        import runpy

        sys.argv = ["-m", *self.arguments]
        _first_on_path(os.getcwd())
        run: Callable[..., None] = runpy._run_module_as_main  # type: ignore[attr-defined]
        return lambda: run(module, alter_argv=True)

    def _as_folder(self, folder: str) -> Callable[[], None]:
        import runpy

        if sys.flags.safe_path:
            sys.path.insert(0, folder)
        _first_on_path(folder)
        run: Callable[..., None] = runpy._run_module_as_main  # type: ignore[attr-defined]
        return lambda: run("__main__", alter_argv=False)


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


def _is_zip(path: str) -> bool:
    import zipimport

    try:
        zipimport.zipimporter(path)
    except zipimport.ZipImportError:
        return False
    return True


def _read(path: str) -> bytes:
    with io.open_code(path) as file:
        return file.read()


def _code_of(loader: SourcelessFileLoader) -> CodeType:
    code = loader.get_code("__main__")
    if code is None:
        raise ImportError(f"no code in {loader.path}")
    return code
