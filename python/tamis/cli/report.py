"""Says what coding agents did, prompt by prompt, of the transcripts in the store.

What was redacted is marked with the rule that did it, and counted by rule.
"""

from __future__ import annotations

import contextlib
import sys

from tamis.cli import EXIT_OK
from tamis.cli.stores import add_choice, add_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Iterator
    from typing import IO

    from sqlalchemy import Connection

    from tamis.transcripts.stored import Stored

EXAMPLES = """\
  tamis report --list                               which transcripts there are
  tamis report 0a1b2c3d                             one of them
  tamis report 0a1b2c3d --format html -o page.html  as a page
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument("--list", action="store_true", help="one line for each transcript")
    parser.add_argument(
        "--format",
        choices=("text", "markdown", "html"),
        help="(default: by the name of the output, else text)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write it there")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    from tamis.transcripts.store import open_store
    from tamis.transcripts.stored import select

    with open_store(args.db) as store, store.reading() as connection:
        chosen = select(connection, args.transcripts, agent=args.agent)
        if not chosen:
            print("tamis: there are no transcripts to report", file=sys.stderr)
            return EXIT_OK
        with _output(args.output) as file:
            parts = _list(chosen) if args.list else _parts(args, connection, chosen)
            # A reader of the output may go: what reads the store must end before the store is closed.
            with contextlib.closing(parts):
                for part in parts:
                    file.write(part)
    return EXIT_OK


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with open(path, "w", encoding="utf-8") as file:
        yield file


def _list(chosen: list[Stored]) -> Generator[str]:
    for it in chosen:
        redacted = sum(it.counts.values())
        numbers = f"{it.prompts:>5,} prompts {it.records:>7,} records {redacted:>6,} redacted"
        title = "".join(c for c in it.title if c.isprintable())
        yield f"{it.began[:16]:16}  {it.agent:14}  {it.session}  {numbers}  {title}".rstrip() + "\n"


def _parts(args: argparse.Namespace, connection: Connection, chosen: list[Stored]) -> Generator[str]:
    from tamis.transcripts.marks import marks_of
    from tamis.transcripts.report import as_html, as_markdown, as_text, turns_of

    marks = marks_of(connection)
    name = (args.output or "").lower()
    by_name = "html" if name.endswith((".html", ".htm")) else "markdown" if name.endswith(".md") else "text"
    format = args.format or by_name
    if format == "html":
        yield from as_html(((it, turns_of(connection, it)) for it in chosen), marks)
        return
    for at, transcript in enumerate(chosen):
        write = as_text if format == "text" else as_markdown
        lines = write(transcript, turns_of(connection, transcript), marks)
        yield "\n\n" if at else ""
        for line in lines:
            yield line + "\n"
