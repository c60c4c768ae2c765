"""The command `tamis`: finds the command asked for, runs it, and turns errors into exit codes.

A command is a module of this package, imported only when it is asked for:

    __doc__                     first line: what it does; the whole is the description in its help
    EXAMPLES: str               lines shown below the options; optional
    configure(parser) -> None   adds its arguments
    run(args) -> int            does it; returns the exit code
    parse(parser, argv)         optional, instead of `parser.read(argv)`: for a command whose
                                command line ends in somebody else's
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys

from tamis.cli import terminal
from tamis.errors import PolicyError, TamisError

TYPE_CHECKING = False  # `typing` is slow to import, and a recording waits for this module.
if TYPE_CHECKING:
    from typing import Any, NoReturn, Protocol

    class Command(Protocol):
        """What a module of this package offers; `parse` and `EXAMPLES` are optional and looked up by name."""

        def configure(self, parser: argparse.ArgumentParser) -> None: ...

        def run(self, args: argparse.Namespace) -> int: ...


__all__ = ["COMMANDS", "EXIT_BAD_INPUT", "EXIT_OK", "EXIT_PROBLEMS", "full_parser", "main"]

EXIT_OK = 0
EXIT_PROBLEMS = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # what a shell reports for SIGINT
EXIT_BROKEN_PIPE = 141  # what a shell reports for SIGPIPE

# What is wrong with a disk that our output goes to.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

# Name and one line of help, in the order in which one gets to know them.
COMMANDS: dict[str, str] = {
    "run": "record a Python program",
    "show": "print the calls of a trace",
    "query": "ask a trace in SQL",
    "init": "write a commented filter for this project",
    "check": "find mistakes in filters",
    "fmt": "lay filters out, keeping their comments",
    "explain": "say what is recorded of a function, and why",
    "filters": "list the filters in use, or print one",
    "redact": "take secrets out of any text",
    "rules": "list the content rules, or try them on a text",
    "ingest": "read the logs of coding agents into a store, redacted",
    "report": "say what coding agents did, prompt by prompt",
    "export": "write redacted logs of coding agents",
    "search": "find words in transcripts",
    "redactions": "redact more in transcripts by hand, and take it back",
    "forget": "take transcripts out of the store",
    "completion": "print completion for a shell",
}

_SUMMARY = "Records what a Python program did, and keeps out of the record what must not be in it."

_EPILOG = """\
`tamis COMMAND --help` explains a command.

exit codes:
  0    done, nothing to complain about
  1    done, and problems were found
  2    not done: a wrong command line, or input that cannot be used
  130  interrupted
  `tamis run` exits as the program that it ran; with 2 if it could not start it
"""


class Parser(argparse.ArgumentParser):
    """argparse, with a suggestion for a misspelt option or command."""

    def read(self, argv: list[str]) -> argparse.Namespace:
        """`parse_args`, which reports unknown arguments without a thought for what was meant."""
        known, rest = self.parse_known_intermixed_args(argv)
        if rest:
            self.refuse(rest[0])
        return known

    def refuse(self, word: str) -> NoReturn:
        """Ends the command because of an argument that it does not know."""
        wrong = word.split("=", 1)[0]
        self.fail(f"unknown argument `{wrong}`", wrong, list(self._option_string_actions))

    def error(self, message: str) -> NoReturn:
        self.fail(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leaves after help or version; flushed here, where `main` still catches a reader that has gone."""
        sys.stdout.flush()
        super().exit(status, message)

    def fail(self, message: str, wrong: str = "", candidates: list[str] | None = None) -> NoReturn:
        """Ends the command with a usage error; names the candidate that `wrong` looks like."""
        print(f"error: {message}", file=sys.stderr)
        close = _closest(wrong, candidates or [])
        hint = f"did you mean `{close}`?" if close else f"try `{self.prog} --help`"
        print(f"hint: {hint}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)


def main(argv: list[str] | None = None) -> int:
    """Runs `tamis` with these arguments (without any: those of the process) and returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except PolicyError as error:
        # Only this way out needs the renderer, and a recording that goes well should not pay for it.
        from tamis.diagnostics import render_all

        print(render_all(error.diagnostics, colour=terminal.colour(sys.stderr)), file=sys.stderr)
        return EXIT_BAD_INPUT
    except TamisError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except BrokenPipeError:
        _give_up_output()  # the reader of our output has gone
        return EXIT_BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:
            print(f"error: `{os.fsdecode(error.filename)}`: {error.strerror}", file=sys.stderr)
        elif error.errno in _FULL:
            _give_up_output()
            print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        elif isinstance(error, FileNotFoundError) and not _is_here():
            print("error: the working directory does not exist any more", file=sys.stderr)
        else:
            raise
        return EXIT_BAD_INPUT
    except RuntimeError as error:
        if error.args != ("Query interrupted",):
            raise
        return EXIT_INTERRUPTED  # DuckDB's word for Ctrl-C
    except KeyboardInterrupt as error:
        if getattr(error, "from_program", False):
            raise  # the interpreter ends by SIGINT, as it does for the program alone
        return EXIT_INTERRUPTED


def _is_here() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _give_up_output() -> None:
    """The interpreter flushes once more at exit: lets it go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def full_parser() -> argparse.ArgumentParser:
    """The parser of all commands at once, for shell completion. It imports every command."""
    parser = _top_parser()
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        module = _load(name)
        module.configure(commands.add_parser(name, help=summary, **_texts(module)))
    return parser


def _dispatch(argv: list[str]) -> int:
    top = _top_parser()
    if not argv:
        top.print_help(sys.stderr)
        return EXIT_BAD_INPUT
    name = argv[0]
    if name.startswith("-"):
        top.read(argv)  # --help and --version leave from here
        top.fail("no command was given")
    if name == "help":
        return _dispatch([*argv[1:2], "--help"])
    if name not in COMMANDS:
        top.fail(f"unknown command `{name}`", name, list(COMMANDS))
    module = _load(name)
    parser = Parser(prog=f"tamis {name}", **_texts(module))
    module.configure(parser)
    parse = getattr(module, "parse", None)
    args = parse(parser, argv[1:]) if parse else parser.read(argv[1:])
    return module.run(args)


def _load(name: str) -> Command:
    module: Command = importlib.import_module(f"tamis.cli.{name}")
    return module


def _texts(module: Command) -> dict[str, Any]:
    examples = getattr(module, "EXAMPLES", "")
    return {
        "description": module.__doc__,
        "epilog": f"examples:\n{examples}" if examples else None,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


class _Version(argparse.Action):
    """Prints the version, which the native module knows; it is loaded only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        from tamis._core import VERSION

        print(f"tamis {VERSION}")
        parser.exit(EXIT_OK)


def _top_parser() -> Parser:
    width = max(map(len, COMMANDS))
    table = "\n".join(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items())
    parser = Parser(
        prog="tamis",
        usage="tamis COMMAND [ARGUMENTS…]",
        description=f"{_SUMMARY}\n\ncommands:\n{table}",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    return parser


def _closest(word: str, candidates: list[str]) -> str | None:
    import difflib  # only for somebody who mistyped

    return next(iter(difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)), None)
