"""Finds mistakes in filters: all of them, each with its place and what was probably meant.

Files that are given are checked one by one, each as it would be read behind the built-in filter; with
--chain, as one chain in this order. Without files, it is the chain that `tamis run` would use here.
"""

from __future__ import annotations

import os
import sys

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, terminal
from tamis.diagnostics import render_all, render_line
from tamis.errors import PolicyError
from tamis.policy import chain as chains

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tamis._core import Diagnostic

EXAMPLES = """\
  tamis check                                 the filters that apply here
  tamis check .codetracer/trace-filter.toml   one file
  tamis check --chain team.toml mine.toml     two files, the second over the first
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="a filter; `a::b` is two")
    parser.add_argument("--chain", action="store_true", help="check the files as one chain, in this order")


def run(args: argparse.Namespace) -> int:
    files = [
        chains.Link(part or file, os.path.expanduser(part), "the command line")
        for file in args.files
        for part in file.split("::")
    ]
    default = chains.builtin("builtin-default")
    if not files:
        groups: list[tuple[chains.Link, ...]] = [
            chains.find_chain(
                trace_filter=(),
                start=os.getcwd(),
                project_root=None,
                auto=True,
                environ=os.environ,
                framework=None,
            )[0]
        ]
    elif args.chain:
        groups = [(default, *files)]
    else:
        groups = [(default, file) for file in files]
    return _report(groups)


def _report(groups: Sequence[tuple[chains.Link, ...]]) -> int:
    colour = terminal.colour(sys.stdout)
    problems: list[Diagnostic] = []
    for group in groups:
        try:
            policy = chains.load(group)
        except PolicyError as error:
            problems += error.diagnostics
            continue
        for notice in policy.notices:
            print(render_line(notice, colour=colour))
        described = policy.describe()
        rules = sum(rule["filter"] > 0 for rule in described["rules"])
        names = " + ".join(link.display for link in group)
        print(f"{names}: no errors, {rules} rule{'s' * (rules != 1)} beside those of builtin-default")
    if problems:
        print(render_all(problems, colour=colour))
    return EXIT_PROBLEMS if problems else EXIT_OK
