"""Record a Python program into a trace.

The program behaves as it does without Tamis: same output, exit code, signals and tracebacks. Everything
behind its name is the program's own.
"""

from __future__ import annotations

import argparse
import atexit
import os
import time

from tamis.errors import UsageError
from tamis.policy.chain import framework_of
from tamis.record import recorder
from tamis.record.runner import Program, exit_status
from tamis.record.setup import say
from tamis.record.summary import summary

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from tamis.cli import Parser

EXAMPLES = """\
  tamis run app.py --verbose              the trace lies in a new folder here
  tamis run -o bug.tamis -m my_app serve  a module, and a name for the trace
  tamis run --trace-filter strict.toml -m pytest tests/
  tamis run --no-values app.py            structure and time, no values at all
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "tamis run [OPTIONS] (SCRIPT | -m MODULE | -c CODE) [ARGUMENTS…]"
    program = parser.add_argument_group("the program; what follows it is its own")
    program.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="SCRIPT", help="a script, or `-` for stdin"
    )
    program.add_argument("-m", dest="module", metavar="MODULE", help="a module, as for `python -m`")
    program.add_argument("-c", dest="code", metavar="CODE", help="source text, as for `python -c`")
    parser.add_argument(
        "-o", "--output", metavar="DIR", help="where the trace goes (default: NAME-DATE.tamis here)"
    )
    parser.add_argument("--force", action="store_true", help="write over a trace that is there")
    parser.add_argument(
        "--trace-filter",
        metavar="FILE",
        action="append",
        default=[],
        help="a filter after those that are found; can be given again; `a::b` is two",
    )
    parser.add_argument("--no-auto-filter", action="store_true", help="do not use the project's own filter")
    parser.add_argument("--project-root", metavar="DIR", help="the folder that file names are relative to")
    parser.add_argument(
        "--capture", choices=["calls"], default="calls", help="how much is recorded (default: calls)"
    )
    parser.add_argument("--no-values", action="store_true", help="record structure and time only")
    bounds = parser.add_argument_group("how much of a value is kept")
    bounds.add_argument("--depth", type=_count(16), metavar="N", help="levels of fields (default: 1)")
    bounds.add_argument(
        "--receiver", type=_count(16), metavar="N", help="the same for self and cls (default: 0)"
    )
    bounds.add_argument("--items", type=_count(1000), metavar="N", help="items (default: 20)")
    bounds.add_argument(
        "--string", type=_count(1000), metavar="N", help="characters of a text (default: 200)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing at the end")


def parse(parser: Parser, argv: list[str]) -> argparse.Namespace:
    """Splits the command line at the program: nothing behind it is looked at."""
    own, rest = _split(parser, argv)
    args, unknown = parser.parse_known_args(own)
    if unknown:
        parser.refuse(unknown[0])
    args.program = rest
    return args


def run(args: argparse.Namespace) -> int:
    program = _program(args)
    bounds = ("depth", "receiver", "items", "string")
    choices: dict[str, int | bool] = {
        name: getattr(args, name) for name in bounds if getattr(args, name) is not None
    }
    if args.no_values:
        choices["values"] = False
    script = program.script if program.script != "-" else None
    active = recorder.begin(
        args.output or _default_output(program),
        trace_filter=args.trace_filter,
        near=program.folder,
        project_root=args.project_root,
        auto_filter=not args.no_auto_filter,
        framework=framework_of(program.module, script),
        force=args.force,
        choices=choices,
        command=program.name,
        arguments=len(program.arguments),
    )
    for notice in active.loaded.policy.notices:
        say(f"{notice.path}:{notice.line}: {notice.message}")
    ending = _Ending(active, quiet=args.quiet)
    # The first to be registered is the last to run: the program's own exit handlers are recorded.
    atexit.register(ending)
    try:
        program.run()
    except BaseException as leaving:
        ending.status = exit_status(leaving)
        raise
    # Not by returning: what the program did to `sys.stdout` is its own affair.
    raise SystemExit(0)


class _Ending:
    """Ends the recording when the interpreter ends, and says what there is."""

    def __init__(self, active: recorder.ActiveRecording, *, quiet: bool) -> None:
        self.status = 0
        self._active = active
        self._quiet = quiet
        self._stderr = _identity(2)
        self._path = active.path
        self._pid = os.getpid()

    def __call__(self) -> None:
        state = self._active.end_at_exit(self.status)
        if os.getpid() != self._pid:
            return  # a forked child has come to its end; the process that began the recording will speak
        # The program may have closed descriptor 2 and opened a file of its own under this number.
        if state is None or self._quiet or self._stderr is None or _identity(2) != self._stderr:
            return
        if state in ("closed", "open", "busy"):
            for line in summary(self._path, state, self._active.loaded.found_project_filter):
                say(line)


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _split(parser: argparse.ArgumentParser, argv: list[str]) -> tuple[list[str], list[str]]:
    takes_value = {
        option for action in parser._actions if action.nargs != 0 for option in action.option_strings
    }
    at = 0
    while at < len(argv):
        word = argv[at]
        if word in ("-m", "-c"):
            return argv[: at + 2], argv[at + 2 :]
        if word[:2] in ("-m", "-c") and not word.startswith("--"):
            return argv[: at + 1], argv[at + 1 :]
        if word == "--":
            return argv[:at], argv[at + 1 :]
        if word == "-" or not word.startswith("-"):
            return argv[:at], argv[at:]
        at += 2 if word in takes_value else 1
    return argv, []


def _program(args: argparse.Namespace) -> Program:
    if args.module is not None:
        return Program(args.program, module=args.module)
    if args.code is not None:
        return Program(args.program, code=args.code)
    if not args.program:
        raise UsageError("there is nothing to run", hint="name a script, or give `-m MODULE` or `-c CODE`")
    return Program(args.program[1:], script=args.program[0])


def _default_output(program: Program) -> str:
    name = program.module or ("code" if program.code is not None else program.name.removesuffix(".py"))
    name = "stdin" if name == "-" else name
    base = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, again = f"{base}.tamis", 2
    while os.path.exists(path):
        path, again = f"{base}-{again}.tamis", again + 1
    return path


class _count:
    """A whole number from 0 up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not 0 <= number <= self._most:
            raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 0 to {self._most:,}")
        return number
