"""Writes a filter to start from, at .codetracer/trace-filter.toml in the project.

Looks at the project without importing it, and proposes rules, each with its reason: the project's packages
are recorded, its tests and copies of other projects are not, names that look like secrets are redacted. Read
them, change them, and commit the file, so that everybody records by the same rules.
"""

from __future__ import annotations

import os
import sys

from tamis.cli import EXIT_OK
from tamis.errors import UsageError
from tamis.policy import FILTER_FILES, find_project
from tamis.policy.project import filter_of
from tamis.policy.proposal import propose
from tamis.policy.schema import (
    RULES_FILE,
    RULES_SCHEMA_FILE,
    SCHEMA_FILE,
    rules_schema_text,
    rules_text,
    schema_text,
)
from tamis.policy.survey import survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  tamis init            for the project that lies around the working directory
  tamis init ../other   for another one
  tamis init --schema   only renews the schema that editors check the filter with
  tamis init --rules    content rules to start from, at user/redactions.yml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="the folder of the project")
    parser.add_argument("--force", action="store_true", help="overwrite a filter that is there")
    parser.add_argument(
        "--schema", action="store_true", help="write the JSON Schema for editors only, over an older one"
    )
    parser.add_argument(
        "--rules", action="store_true", help="write content rules to start from, instead of a filter"
    )


def run(args: argparse.Namespace) -> int:
    folder = args.path if args.path is not None else find_project(os.getcwd())[0]
    if not os.path.isdir(folder):
        raise UsageError(f"`{folder}` is no folder")
    if args.rules:
        return _rules(folder, args)
    there = filter_of(folder)
    if there and not (args.force or args.schema):
        raise UsageError(f"`{there}` is there already", hint="`--force` overwrites it")
    path, schema = (os.path.join(folder, *name.split("/")) for name in (FILTER_FILES[0], SCHEMA_FILE))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not args.schema:
        proposal = propose(os.path.basename(os.path.realpath(folder)), survey(folder))
        _write(path, proposal.text, over=args.force)
        for note in proposal.notes:
            print(f"tamis: {note}", file=sys.stderr)
    if args.schema or args.force or not os.path.exists(schema):
        _write(schema, schema_text(), over=True)
    if not args.schema:
        print("tamis: read the filter, change what is wrong, then try `tamis check`", file=sys.stderr)
    return EXIT_OK


def _rules(folder: str, args: argparse.Namespace) -> int:
    path, schema = (os.path.join(folder, *name.split("/")) for name in (RULES_FILE, RULES_SCHEMA_FILE))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not args.schema:
        _write(path, rules_text(), over=args.force)
    if args.schema or args.force or not os.path.exists(schema):
        _write(schema, rules_schema_text(), over=True)
    if not args.schema:
        print("tamis: read the rules, change what is wrong, then try `tamis redact`", file=sys.stderr)
    return EXIT_OK


def _write(path: str, text: str, *, over: bool) -> None:
    try:
        with open(path, "w" if over else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"`{path}` is there already", hint="`--force` overwrites it") from None
    here = os.path.realpath(os.getcwd()).rstrip("/") + "/"
    whole = os.path.realpath(path)
    print(f"wrote {whole.removeprefix(here)}")
