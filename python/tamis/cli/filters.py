"""Lists the built-in filters, and the chain that `tamis run` would use here.

With the name of a built-in filter, prints that filter.
"""

from __future__ import annotations

import os
import sys

from tamis.cli import EXIT_OK
from tamis.errors import PolicyError, UsageError
from tamis.policy import chain as chains

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  tamis filters                   what there is, and what applies here
  tamis filters builtin-default   the filter that redacts passwords and the like
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a built-in filter to print")


def run(args: argparse.Namespace) -> int:
    if args.name is not None:
        return _print_filter(args.name)
    chain, root, found = chains.find_chain(
        trace_filter=(), start=os.getcwd(), project_root=None, auto=True, environ=os.environ, framework=None
    )
    print("built in:")
    _table([(name, why) for name, why in chains.BUILTIN.items()])
    print(f"\nchain for the project {root}:")
    whys = {link.display: link.why for link in chain}
    _table(
        [
            (name, whys.get(name, "included") + (", locked" if locked else ""))
            for name, locked in _composed(chain)
        ]
    )
    if not found:
        print("\nthe project has no filter of its own; `tamis init` writes one", file=sys.stderr)
    return EXIT_OK


def _composed(chain: tuple[chains.Link, ...]) -> list[tuple[str, bool]]:
    """The filters of a chain with those that they include, and whether each is locked; of a chain with
    mistakes, only itself is known."""
    try:
        described = chains.load(chain).describe()
    except PolicyError:
        return [(link.display, False) for link in chain]
    return [(filter["path"], filter["locked"]) for filter in described["filters"]]


def _print_filter(name: str) -> int:
    if name not in chains.BUILTIN:
        known = ", ".join(f"`{known}`" for known in chains.BUILTIN)
        raise UsageError(f"there is no built-in filter `{name}`", hint=f"there are {known}")
    with open(chains.builtin(name).path, encoding="utf-8") as file:
        sys.stdout.write(file.read())
    return EXIT_OK


def _table(rows: list[tuple[str, str]]) -> None:
    width = max(len(first) for first, _ in rows)
    for first, second in rows:
        print(f"  {first:{width}}  {second}")
