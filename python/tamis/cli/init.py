"""Writes a filter to start from: a commented file at .codetracer/trace-filter.toml in the project.

It changes nothing until rules are added to it. Commit it, so that everybody records by the same rules.
"""

from __future__ import annotations

import json
import os

from tamis.cli import EXIT_OK
from tamis.errors import UsageError
from tamis.policy import FILTER_FILES, find_project
from tamis.policy.schema import SCHEMA_DIRECTIVE, SCHEMA_FILE, schema_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  tamis init            for the project that lies around the working directory
  tamis init ../other   for another one
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="the folder of the project")
    parser.add_argument("--force", action="store_true", help="overwrite a filter that is there")


def run(args: argparse.Namespace) -> int:
    folder = args.path if args.path is not None else find_project(os.getcwd())[0]
    if not os.path.isdir(folder):
        raise UsageError(f"`{folder}` is no folder")
    path = os.path.join(folder, *FILTER_FILES[0].split("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, "w" if args.force else "x", encoding="utf-8") as file:
            file.write(template(os.path.basename(os.path.realpath(folder))))
    except FileExistsError:
        raise UsageError(f"`{path}` is there already", hint="`--force` overwrites it") from None
    print(f"wrote {path}")
    with open(os.path.join(folder, *SCHEMA_FILE.split("/")), "w", encoding="utf-8") as file:
        file.write(schema_text())
    return EXIT_OK


def template(name: str) -> str:
    """The text of a new filter for a project of this name."""
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "policy", "builtin", "template.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    printable = "".join(character if character.isprintable() else "_" for character in name)
    # A JSON string without control characters is a TOML string.
    text = text.replace("@SCHEMA@", SCHEMA_DIRECTIVE)
    return text.replace("@NAME@", json.dumps(printable or "project", ensure_ascii=False))
