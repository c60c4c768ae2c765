"""Takes transcripts out of the store, with all that was made of them, and those of their sub-agents.

Nothing of them stays in the file of the store, nor in any row or index of PostgreSQL; what PostgreSQL keeps
in its log of changes and in backups is out of reach. The logs themselves are not touched: `tamis ingest`
would read them again.
"""

from __future__ import annotations

import sys

from tamis.cli import EXIT_OK, terminal
from tamis.cli.stores import add_choice, add_store, time_of, warn_of_readers
from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
  tamis forget --older-than 90d --dry-run    which would go
  tamis forget 0a1b2c3d                      the session whose id begins so
  tamis forget --agent gemini --yes          all of one agent, without a question
"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument(
        "--older-than", metavar="WHEN", help="that ended before: a date, or so long ago (12h, 30d, 8w)"
    )
    parser.add_argument("--all", action="store_true", help="every transcript of the store")
    parser.add_argument("--dry-run", action="store_true", help="list them; take out nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    if not (args.transcripts or args.agent or args.older_than or args.all):
        raise UsageError(
            "nothing says which transcripts are to be forgotten",
            hint="name them, or use `--agent`, `--older-than` or `--all`",
        )
    if args.all and (args.transcripts or args.agent or args.older_than):
        raise UsageError("`--all` leaves nothing to choose")
    before = time_of("--older-than", args.older_than) if args.older_than else None
    from tamis.transcripts.forgetting import forget, older_than, with_sub_agents
    from tamis.transcripts.store import open_store
    from tamis.transcripts.stored import select

    with open_store(args.db) as store:
        with store.reading() as connection:
            everything = select(connection)
            chosen = select(connection, args.transcripts, agent=args.agent)
        if before is not None:
            chosen = older_than(chosen, before)
        chosen = with_sub_agents(chosen, everything)
        for it in chosen:
            print(f"{it.began[:16]:16}  {it.agent:14}  {it.session}  {it.prompts:,} prompts".rstrip())
        count = terminal.counted(len(chosen), "transcript")
        if args.dry_run or not chosen:
            print(f"tamis: {count} would be forgotten", file=sys.stderr)
            return EXIT_OK
        if not args.yes and not _is_sure(count):
            print("tamis: nothing was forgotten", file=sys.stderr)
            return EXIT_OK
        if not forget(store, chosen):
            warn_of_readers()
    print(f"tamis: {count} forgotten; the logs are where they were", file=sys.stderr)
    return EXIT_OK


def _is_sure(count: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{count} would be forgotten, and there is nobody to ask", hint="`--yes` does it")
    print(f"forget {count}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
