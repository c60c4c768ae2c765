"""Lays filters out as `tamis init` writes them; comments, values and their order stay as they are.

Without files, it is the filter of the project here; of a folder, the filters of all projects in it. `-` reads
standard input and writes standard output.
"""

from __future__ import annotations

import difflib
import os
import sys

from tamis.cli import EXIT_BAD_INPUT, EXIT_OK, EXIT_PROBLEMS, paths, reports, terminal
from tamis.errors import PolicyError, UsageError
from tamis.policy import chain as chains
from tamis.policy import find_project, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  tamis fmt                 the filter of this project
  tamis fmt --check .       whether all filters below this folder are laid out, in a workflow
  tamis fmt --diff x.toml   what would change in a file
  tamis fmt - <x.toml       from standard input to standard output
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="PATH", help="a filter, a folder, or `-`")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if something would be"
    )
    parser.add_argument("--diff", action="store_true", help="the same, and show what would be changed")


def run(args: argparse.Namespace) -> int:
    if args.files == ["-"]:
        return _stdin(args)
    if "-" in args.files:
        raise UsageError("`-` goes alone: it is standard input")
    links = [link for path in args.files for link in paths.filters_at(path)] or [_of_project()]
    look_only = args.check or args.diff
    changed, code = 0, EXIT_OK
    for link in links:
        sources, problems = chains.read([link])
        try:
            new = layout.laid_out(sources[0]) if sources else b""
        except PolicyError as error:
            problems += error.diagnostics
        if problems:
            reports.problems(problems, terminal.colour(sys.stdout))
            code = EXIT_BAD_INPUT
            continue
        old = sources[0][2]
        if new == old:
            continue
        changed += 1
        if args.diff:
            _print_diff(old, new, link.display)
        else:
            print(f"{'would lay out' if look_only else 'laid out'} {link.display}")
        if not look_only:
            layout.replace(link.path, new)
    if not changed and code == EXIT_OK:
        print(f"{len(links)} filter{'s' * (len(links) != 1)}: laid out already", file=sys.stderr)
    return code or (EXIT_PROBLEMS if changed and look_only else EXIT_OK)


def _of_project() -> chains.Link:
    root, path = find_project(os.getcwd())
    if path is None:
        raise UsageError(
            f"the project in `{root}` has no filter", hint="`tamis init` writes one, or name a file"
        )
    return chains.Link(os.path.relpath(path), path, "the project's filter")


def _stdin(args: argparse.Namespace) -> int:
    old = sys.stdin.buffer.read()
    new = layout.laid_out(("standard input", None, old))
    if args.diff:
        _print_diff(old, new, "standard input")
    elif not args.check:
        sys.stdout.buffer.write(new)
    return EXIT_PROBLEMS if new != old and (args.check or args.diff) else EXIT_OK


def _print_diff(old: bytes, new: bytes, name: str) -> None:
    before, after = (text.decode().splitlines() for text in (old, new))
    for line in difflib.unified_diff(before, after, name, f"{name}, laid out", lineterm=""):
        print(line)
