"""Finds words in the transcripts of the store.

All words must be in one prompt, answer, thought, call or result; several words in quotes are a phrase.
"""

from __future__ import annotations

import sys

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, terminal
from tamis.cli.stores import AGENTS, add_store
from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tamis.transcripts.searching import Hit

EXAMPLES = """\
  tamis search migration failed
  tamis search "permission denied" --kind tool_result --agent codex
"""

_KINDS = ("prompt", "message", "reasoning", "tool_call", "tool_result")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORD")
    parser.add_argument("--agent", choices=AGENTS, metavar="NAME", help=f"of this one: {', '.join(AGENTS)}")
    parser.add_argument("--kind", choices=_KINDS, metavar="KIND", help=f"in these only: {', '.join(_KINDS)}")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="so many at most (default: 20)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise UsageError("`--limit` takes a number from 1")
    from tamis.transcripts.searching import index, search, unindexed
    from tamis.transcripts.store import open_store

    with open_store(args.db) as store:
        if unindexed(store):
            print("tamis: the index is not complete: it is being made", file=sys.stderr)
            index(store)
        with store.reading() as connection:
            hits = search(connection, args.words, agent=args.agent, kind=args.kind, limit=args.limit)
    if args.json:
        _print_json(hits)
    else:
        for hit in hits:
            _print(hit)
        if not hits:
            print("tamis: nothing found", file=sys.stderr)
    return EXIT_OK if hits else EXIT_PROBLEMS


def _print(hit: Hit) -> None:
    from tamis.transcripts.searching import BEGIN, END

    begin, end = ("\x1b[1m", "\x1b[0m") if terminal.colour(sys.stdout) else ("", "")
    text = " ".join(hit.text.replace(BEGIN, "\0").replace(END, "\1").split())
    text = "".join(character for character in text if character.isprintable() or character in "\0\1")
    name = f" {hit.name}" if hit.name else ""
    print(f"{hit.agent} {hit.session} prompt {hit.prompt}, line {hit.line}: {hit.kind}{name}")
    print(f"    {text}".replace("\0", begin).replace("\1", end))


def _print_json(hits: list[Hit]) -> None:
    import json
    from dataclasses import asdict

    from tamis.transcripts.searching import BEGIN, END

    told = [{**asdict(hit), "text": hit.text.replace(BEGIN, "").replace(END, "")} for hit in hits]
    json.dump({"version": 1, "hits": told}, sys.stdout, ensure_ascii=False, indent=2)
    print()
