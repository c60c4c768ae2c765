"""Reads the logs of coding agents into a store, redacted.

Without paths, it looks where Codex CLI, Claude Code, GitHub Copilot and Gemini CLI keep their logs. What is
in the store already, as it is now, is not read again; a log that has grown is. Nothing goes into the store
but what the content rules leave: those of `user/redactions.yml`, which must be there, and behind them the
built-in ones.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, terminal
from tamis.cli.stores import AGENTS, add_rules, add_store, redactor_of, time_of, warn_of_readers
from tamis.errors import MovedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tamis.transcripts.agents import Agent
    from tamis.transcripts.discovery import Candidate
    from tamis.transcripts.ingest import Done
    from tamis.transcripts.redaction import Redactor
    from tamis.transcripts.store import Store

EXAMPLES = """\
  tamis init --rules                     write the rules: read them before you go on
  tamis ingest --dry-run                 which logs there are
  tamis ingest                           all of them
  tamis ingest --agent claude --since 7d
  tamis ingest old-logs/ --db postgresql://user@host/transcripts
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="logs, or folders of them")
    which = parser.add_argument_group("which logs")
    which.add_argument(
        "--agent", action="append", choices=AGENTS, metavar="NAME", help=f"of this one: {', '.join(AGENTS)}"
    )
    which.add_argument("--limit", type=int, metavar="N", help="the N that were changed last")
    which.add_argument(
        "--since",
        metavar="WHEN",
        help="changed since: a date (2026-11-25), or so long ago (90m, 12h, 7d, 2w)",
    )
    how = parser.add_argument_group("how")
    add_store(how)
    add_rules(how)
    how.add_argument("--no-index", action="store_true", help="leave the words to the first `tamis search`")
    how.add_argument("--dry-run", action="store_true", help="list the logs; read and write nothing")
    how.add_argument("--json", action="store_true", help="the summary as JSON")
    how.add_argument("-q", "--quiet", action="store_true", help="no summary")


def run(args: argparse.Namespace) -> int:
    if args.limit is not None and args.limit < 1:
        raise UsageError("`--limit` takes a number from 1")
    since = time_of("--since", args.since) if args.since is not None else None
    if args.dry_run:
        return _list(*_candidates(args, since))
    redactor = redactor_of(args)
    from tamis.transcripts.forgetting import purge
    from tamis.transcripts.ingest import redact_stored
    from tamis.transcripts.manual import clean_by_rules
    from tamis.transcripts.marks import note_replacements
    from tamis.transcripts.store import open_store

    candidates, unreadable = _candidates(args, since)
    if not candidates and not unreadable:
        where = "at these paths" if args.paths else "in the usual places of these agents"
        print(f"tamis: there are no logs {where}", file=sys.stderr)
    with open_store(args.db, create=True) as store:
        note_replacements(store, redactor)
        clean_by_rules(store, lambda text: redactor.text(text)[0], redactor.digest)
        done, failed = _ingest(store, redactor, candidates)
        failed = unreadable + failed
        done += redact_stored(store, redactor)
        if not purge(store):  # of what other rules had left
            warn_of_readers()
        _report(args, done, failed, store.name)
        # Apart, and at last: without it all is there but `tamis search`, which makes what is missing.
        if not args.no_index:
            _index(store, args)
    return EXIT_PROBLEMS if failed else EXIT_OK


def _candidates(
    args: argparse.Namespace, since: float | None
) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """The logs that are asked for, and files that cannot be read, with why."""
    from tamis.transcripts.discovery import AGENTS as known
    from tamis.transcripts.discovery import Unreadable, discover, named

    agents: list[Agent] = [agent for name, agent in known.items() if not args.agent or name in args.agent]
    found: list[Candidate] = []
    failed: list[tuple[str, str]] = []
    for candidate in named(args.paths, agents) if args.paths else discover(agents, Path.home()):
        if isinstance(candidate, Unreadable):
            failed.append((str(candidate.path), candidate.reason))
            continue
        if isinstance(candidate, Path):
            if str(candidate) in args.paths:
                raise UsageError(
                    f"`{candidate}` is no log of these agents: {', '.join(a.title for a in agents)}"
                )
            continue
        found.append(candidate)
    changed = {candidate[1].path: candidate[1].path.stat().st_mtime for candidate in found}
    if since is not None:
        found = [candidate for candidate in found if changed[candidate[1].path] >= since]
    if args.limit is not None:
        by_time = sorted((candidate[1].path for candidate in found), key=changed.__getitem__, reverse=True)
        newest = set(by_time[: args.limit])
        found = [candidate for candidate in found if candidate[1].path in newest]
    return found, failed


def _list(candidates: list[Candidate], failed: list[tuple[str, str]]) -> int:
    for agent, found in candidates:
        print(f"{agent.name:14}  {found.path.stat().st_size:>13,}  {found.path}")
    for path, reason in failed:
        print(f"error: `{path}`: {reason}", file=sys.stderr)
    print(f"tamis: {terminal.counted(len(candidates), 'log')}", file=sys.stderr)
    return EXIT_PROBLEMS if failed else EXIT_OK


def _ingest(
    store: Store, redactor: Redactor, candidates: list[Candidate]
) -> tuple[list[Done], list[tuple[str, str]]]:
    from tamis.transcripts.ingest import ingest_log

    done: list[Done] = []
    failed: list[tuple[str, str]] = []
    for candidate in _with_progress(candidates):
        try:
            outcome = ingest_log(store, redactor, candidate)
        except OSError as error:
            # One file that cannot be read keeps nobody from the others.
            failed.append((str(candidate[1].path), error.strerror or str(error)))
            continue
        except MovedError as error:
            failed.append(("", str(error)))
            continue
        done.append(outcome)
        for line in outcome.broken:
            print(f"{candidate[1].path}:{line.line}: skipped: {line.reason}", file=sys.stderr)
        if outcome.unfinished:
            print(f"{candidate[1].path}: its end is not whole yet: for the next time", file=sys.stderr)
        if outcome.unsure:
            texts = terminal.counted(outcome.unsure, "text")
            print(
                f"{candidate[1].path}: {texts} changed since redacted by hand: redacted whole",
                file=sys.stderr,
            )
        if outcome.lost:
            places = terminal.counted(outcome.lost, "place")
            print(f"{candidate[1].path}: {places} redacted by hand not found any more", file=sys.stderr)
    return done, failed


def _index(store: Store, args: argparse.Namespace) -> None:
    import time

    from tamis.transcripts.searching import index

    began = time.monotonic()
    count = index(store)
    if count and not (args.quiet or args.json):
        print(f"{count:,} events put into the index for `tamis search` ({time.monotonic() - began:.1f} s)")


def _with_progress(candidates: list[Candidate]) -> Iterator[Candidate]:
    """One after the other, with a bar by size on standard error, if that is a terminal."""
    if not terminal.colour(sys.stderr):
        yield from candidates
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("ingesting"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        sizes = [found.path.stat().st_size for _, found in candidates]
        task = progress.add_task("", total=sum(sizes))
        for candidate, size in zip(candidates, sizes, strict=True):
            yield candidate
            progress.advance(task, size)


def _report(args: argparse.Namespace, done: list[Done], failed: list[tuple[str, str]], store: str) -> None:
    for path, reason in failed:
        print(f"error: `{path}`: {reason}" if path else f"error: {reason}", file=sys.stderr)
    if args.json:
        _print_json(done, failed)
    elif not args.quiet:
        _print_summary(done, store)


def _print_json(done: list[Done], failed: list[tuple[str, str]]) -> None:
    import json

    logs = [
        {
            "agent": it.agent,
            "source": it.source,
            "what": it.what,
            "records": it.records,
            "prompts": it.prompts,
            "events": dict(it.kinds),
            "counts": dict(it.counts),
            "undecided": it.undecided,
            "by_hand": {"whole": it.unsure, "lost": it.lost},
            "broken": [{"line": line.line, "reason": line.reason} for line in it.broken],
        }
        for it in done
    ]
    told = {"version": 1, "logs": logs, "failed": [{"path": path, "reason": why} for path, why in failed]}
    json.dump(told, sys.stdout, ensure_ascii=False, indent=2)
    print()


def _print_summary(done: list[Done], store: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    read = [it for it in done if it.what in ("new", "changed")]
    stored = [it for it in done if it.what == "stored"]
    if read:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("agent")
        for name in ("logs", "records", "prompts", "events", "redacted", "skipped lines"):
            table.add_column(name, justify="right")
        for agent in dict.fromkeys(it.agent for it in read):
            of_it = [it for it in read if it.agent == agent]
            sums = (
                len(of_it),
                sum(it.records for it in of_it),
                sum(it.prompts for it in of_it),
                sum(sum(it.kinds.values()) for it in of_it),
                sum(sum(it.counts.values()) for it in of_it),
                sum(len(it.broken) for it in of_it),
            )
            table.add_row(agent, *(f"{number:,}" for number in sums))
        Console().print(table)
        counts: Counter[str] = sum((it.counts for it in read), Counter())
        for rule, count in counts.most_common():
            print(f"{count:>9,}  {rule}")
        undecided = sum(it.undecided for it in read)
        if undecided:
            print(f"{undecided:>9,}  of these because a bound of work or length was hit")
    if stored:
        places = sum(sum(it.counts.values()) for it in stored)
        logs = terminal.counted(len(stored), "log")
        print(
            f"{logs} of other rules not read: these rules applied to what is stored, {places:,} more redacted"
        )
    same = len(done) - len(read) - len(stored)
    print(
        f"{terminal.counted(len(read), 'log')} read into `{store}`"
        + (f", {same:,} as before" if same else "")
    )
