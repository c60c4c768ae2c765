"""Finds mistakes in filters and content rules: all of them, each with its place and what was probably meant.

Files that are given are checked one by one, each as it would be read behind the built-in filter; with
--chain, as one chain in this order. Of a folder, the filters of all projects in it are checked. Without
files, it is the chain that `tamis run` would use here. A file whose name ends in .yml, .yaml or .json holds
content rules: their examples are run, too.

Errors are what `tamis run` would not start with. Warnings are about rules that have no effect, or another
one than it seems; those that compare a filter with the names in the project look at its sources, and run
nothing of it.
"""

from __future__ import annotations

import functools
import os
import sys

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, paths, reports, terminal
from tamis.errors import PolicyError
from tamis.policy import chain as chains
from tamis.policy import checking, find_project
from tamis.policy import upgrade as upgrades

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tamis.policy.names import ProjectNames

    type Group = tuple[tuple[chains.Link, ...], str | None]

# The names of files of content rules end so.
RULES = (".yml", ".yaml", ".json")

EXAMPLES = """\
  tamis check                                 the filters that apply here
  tamis check .codetracer/trace-filter.toml   one file
  tamis check --strict --output github .      all filters below this folder, in a workflow
  tamis check --chain team.toml mine.toml     two files, the second over the first
  tamis check user/redactions.yml             content rules and their examples
  tamis check --upgrade                       to version 2 of the language
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="PATH", help="a filter, a file of rules, or a folder; `a::b` is two"
    )
    parser.add_argument("--chain", action="store_true", help="check the files as one chain, in this order")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors do")
    parser.add_argument(
        "--no-project", action="store_true", help="do not look for what matches nothing in the project"
    )
    parser.add_argument(
        "--output", choices=list(reports.FORMATS), default="text", help="how problems are printed"
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="make version 2 of files of version 1, and change nothing else"
    )


def run(args: argparse.Namespace) -> int:
    rules = [path for path in args.files if path.endswith(RULES) and not os.path.isdir(path)]
    filters = [path for path in args.files if path not in rules]
    groups = list(_groups(filters, args.chain)) if filters or not rules else []
    if args.upgrade:
        return _upgrade(groups)
    look = functools.cache(_names_of)
    found = [_check_rules(path) for path in rules]
    for chain, root in groups:
        project = None if root is None or args.no_project else functools.partial(look, root)
        found.append(checking.check(chain, project))
    reports.FORMATS[args.output](found, terminal.colour(sys.stdout))
    if not args.files and all(link.display in chains.BUILTIN for chain, _ in groups for link in chain):
        print("note: no filter of this project was found; `tamis init` writes one", file=sys.stderr)
    severities = {diagnostic.severity for checked in found for diagnostic in checked.diagnostics}
    return EXIT_PROBLEMS if severities - ({"warning"} if not args.strict else set()) else EXIT_OK


def _check_rules(path: str) -> checking.Checked:
    # Reading YAML is for those who have some.
    from tamis.policy.rulefile import read_rules

    try:
        file = read_rules(path, examples=True)
    except PolicyError as error:
        return checking.Checked(path, list(error.diagnostics), 0, "content rule")
    return checking.Checked(path, list(file.warnings), len(file.rules), "content rule")


def _groups(files: list[str], chain: bool) -> Iterator[Group]:
    """The chains to check, each with the project that it is for."""
    default = chains.builtin("builtin-default")
    if not files:
        found, root, _ = chains.find_chain(
            trace_filter=(),
            start=os.getcwd(),
            project_root=None,
            auto=True,
            environ=os.environ,
            framework=None,
        )
        yield found, root
        return
    links = [link for path in files for link in paths.filters_at(path)]
    if chain:
        yield (default, *links), find_project(os.getcwd())[0]
    else:
        for link in links:
            yield (default, link), _project_of(link)


def _project_of(link: chains.Link) -> str:
    """The root that a filter is for: where it lies if it is a project's, else the one here."""
    folder = os.path.dirname(os.path.abspath(link.path))
    return (
        os.path.dirname(folder) if os.path.basename(folder) == ".codetracer" else find_project(os.getcwd())[0]
    )


def _names_of(root: str) -> ProjectNames:
    from tamis.policy.names import scan, sources
    from tamis.record.setup import namer

    return scan(terminal.progress(list(sources(root)), "reading the project"), namer(root))


def _upgrade(groups: list[Group]) -> int:
    code = EXIT_OK
    for chain, _ in groups:
        for link in chain:
            if link.display in chains.BUILTIN:
                continue
            outcome = upgrades.upgrade(link)
            print(f"{link.display}: {outcome.says}")
            if outcome.problems:
                code = EXIT_PROBLEMS
                reports.problems(outcome.problems, terminal.colour(sys.stdout))
    return code
