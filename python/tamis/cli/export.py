"""Writes redacted logs of the store in the format of their agents, which can go on with them.

One log goes to standard output. Several go into a folder, each below the name of its agent.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tamis.cli import EXIT_OK, terminal
from tamis.cli.stores import add_choice, add_store
from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tamis.transcripts.stored import Stored

EXAMPLES = """\
  tamis export 0a1b2c3d >session.jsonl     the session whose id begins so
  tamis export --agent codex -o shared/    all of one agent
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument("-o", "--output", metavar="FOLDER", help="the folder that they go into")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    from tamis.transcripts.export import write_log
    from tamis.transcripts.store import open_store
    from tamis.transcripts.stored import select

    with open_store(args.db) as store, store.reading() as connection:
        chosen = select(connection, args.transcripts, agent=args.agent)
        if not chosen:
            raise UsageError("there is no transcript to export")
        if args.output is None:
            if len(chosen) > 1:
                hint = "name one, or a folder with `--output`"
                raise UsageError(f"{len(chosen)} logs cannot be written to one place", hint=hint)
            write_log(connection, chosen[0], sys.stdout)
            return EXIT_OK
        folder = Path(args.output)
        for transcript in chosen:
            path = _path(folder, transcript)
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                write_log(connection, transcript, file)
    print(f"tamis: {terminal.counted(len(chosen), 'log')} written to `{folder}`", file=sys.stderr)
    return EXIT_OK


def _path(folder: Path, transcript: Stored) -> Path:
    """Where a log goes: a name from a log leads nowhere but below the folder."""
    parts = [part for part in transcript.source.split("/") if part not in ("", ".", "..")]
    safe = ["".join("_" if c in '<>:"\\|?*' or ord(c) < 32 else c for c in part) for part in parts]
    return folder.joinpath(transcript.agent, *safe)
