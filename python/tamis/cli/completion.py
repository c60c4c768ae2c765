"""Prints completion for a shell, to be sourced or put where the shell looks for it."""

from __future__ import annotations

import shtab

from tamis.cli import EXIT_OK, full_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  eval "$(tamis completion bash)"                                in ~/.bashrc
  tamis completion zsh > ~/.zfunc/_tamis                         in a folder of $fpath
  tamis completion fish > ~/.config/fish/completions/tamis.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def run(args: argparse.Namespace) -> int:
    print(shtab.complete(full_parser(), shell=args.shell))
    return EXIT_OK
