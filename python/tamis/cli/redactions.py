"""Redactions that people make by hand, on top of the rules.

A redaction covers what somebody names: a text wherever it stands, or a part of a prompt, an answer, a call
or a result. It is applied to the store at once, and again whenever the log is read, after the rules. The text
that it covers is kept nowhere: only where it stands in the log. Every change is kept, with who made it, when
and why.
"""

from __future__ import annotations

import argparse
import sys

from tamis.cli import EXIT_OK, Parser, redactionviews, terminal
from tamis.cli.stores import AGENTS, add_rules, add_store, redactor_of, warn_of_readers
from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.transcripts.manual import Scope
    from tamis.transcripts.redacting import Desk, Outcome
    from tamis.transcripts.store import Store
    from tamis.transcripts.wishes import Wish

EXAMPLES = """\
  tamis redactions add 0a1b2c3d --text -              what is typed, wherever this session has it
  tamis redactions add 0a1b2c3d --event 57            all that line 57 of the log tells
  tamis redactions add 0a1b2c3d --event 57.2 --span 10:25 --reason "name of a customer"
  tamis redactions add --all --text "Project Heron" --replacement "<PROJECT>"
  tamis redactions list
  tamis redactions update 3 --replacement "<CUSTOMER>"
  tamis redactions undo 3
"""

_SCOPES = ("prompt", "field", "global")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(
        dest="what", metavar="WHAT", title="what", required=True, parser_class=Parser
    )
    add = commands.add_parser("add", help="redact something", allow_abbrev=False)
    add.add_argument(
        "transcripts",
        nargs="*",
        metavar="TRANSCRIPT",
        help="the id of a session, or how it begins; the transcripts of its sub-agents belong to it",
    )
    add.add_argument("--all", action="store_true", help="in every transcript of the store")
    add.add_argument("--agent", choices=AGENTS, metavar="NAME", help=f"of this one: {', '.join(AGENTS)}")
    _add_wish(add)
    add.add_argument(
        "--replacement", type=_text, metavar="TEXT", help="what is put there (default: <REDACTED>)"
    )
    add.add_argument("--dry-run", action="store_true", help="say what would be covered; change nothing")
    _add_change(add)
    listed = commands.add_parser("list", help="which redactions there are", allow_abbrev=False)
    listed.add_argument("--all", action="store_true", help="those that were removed, too")
    show = commands.add_parser("show", help="one redaction, and what it covers", allow_abbrev=False)
    update = commands.add_parser("update", help="change what is put in, why, or what is covered")
    remove = commands.add_parser("remove", help="take a redaction back", allow_abbrev=False)
    history = commands.add_parser("history", help="who did what, when and why", allow_abbrev=False)
    undo = commands.add_parser("undo", help="take back what was done last", allow_abbrev=False)
    for command in (show, update, remove, undo):
        command.add_argument("id", type=_number, metavar="ID", help="the number of the redaction")
    history.add_argument("id", type=_number, nargs="?", metavar="ID", help="of this one (default: of all)")
    _add_wish(update)
    update.add_argument("--replacement", type=_text, metavar="TEXT", help="what is put there from now on")
    for command in (update, remove, undo):
        command.add_argument(
            "--version",
            type=_number,
            metavar="N",
            help="only if it still is this version, as `show` tells it",
        )
        _add_change(command)
    for command in (listed, show, history):
        command.add_argument("--json", action="store_true", help="as JSON")
        add_store(command)


def _add_wish(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("what is covered")
    which.add_argument(
        "--text", type=_text, metavar="TEXT", help="this text; `-` reads it from standard input"
    )
    which.add_argument(
        "--event",
        type=_text,
        metavar="LINE[.N]",
        help="what this line of the log tells (the N-th thing of it), or the record of this id",
    )
    which.add_argument(
        "--path",
        action="append",
        type=_text,
        metavar="PATH",
        help="in this field: `prompt`, `assistant`, `reasoning`, `tool.arguments`, `tool.output` or a path in"
        " the record; may be repeated",
    )
    which.add_argument("--span", metavar="FROM:TO", help="these characters, from 0, of the one text named")
    which.add_argument(
        "--scope",
        choices=_SCOPES,
        help="where: what was named, and where the log tells all of it again (field); wherever prompts have"
        " the text (prompt); wherever anything has it (global). Default: global for a text alone, else field",
    )


def _add_change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", type=_text, metavar="TEXT", help="why: kept in the history")
    parser.add_argument(
        "--actor", type=_text, metavar="NAME", help="who does it (default: your name on this machine)"
    )
    how = parser.add_argument_group("how")
    add_store(how)
    how.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="PATH",
        help="where logs are, as `tamis ingest` was told (default: the usual places)",
    )
    if parser.prog.endswith("add"):
        how.add_argument(
            "--stored", action="store_true", help="redact what is stored of a log that is not there any more"
        )
    add_rules(how)
    how.add_argument("--json", action="store_true", help="what was done, as JSON")


def parse(parser: Parser, argv: list[str]) -> argparse.Namespace:
    args, rest = parser.parse_known_args(argv)
    if rest:
        parser.refuse(rest[0])
    return args


def run(args: argparse.Namespace) -> int:
    from tamis.transcripts.store import open_store

    commands: dict[str, Callable[[argparse.Namespace, Store], None]] = {
        "add": _add,
        "update": _change,
        "remove": _change,
        "undo": _change,
        "list": redactionviews.print_list,
        "show": redactionviews.print_one,
        "history": redactionviews.print_history,
    }
    if args.what == "add" and not (args.transcripts or args.all or args.agent):
        raise UsageError("nothing says in which transcripts", hint="name them, or use `--agent` or `--all`")
    with open_store(args.db) as store:
        commands[args.what](args, store)
    return EXIT_OK


def _wish(args: argparse.Namespace) -> Wish | None:
    """What is to be covered; None: nothing says so."""
    from tamis.transcripts.wishes import Wish

    text: str | None = _typed() if args.text == "-" else args.text
    is_named = args.event is not None or args.path
    if text is None and not is_named:
        for option in ("span", "scope"):
            if getattr(args, option) is not None:
                raise UsageError(f"`--{option}` says where, not what", hint="`--text`, `--event` or `--path`")
        return None
    if text == "":
        raise UsageError("the text is empty")
    if text is not None and args.span is not None:
        raise UsageError("`--span` and `--text` both say which part")
    scope: Scope = args.scope or ("field" if is_named else "global")
    return Wish(scope, text, args.event, tuple(args.path or ()), _span(args.span))


def _typed() -> str:
    """What is on standard input."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("there is no standard input to read the text from")
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError:
        raise UsageError("standard input is no UTF-8") from None


def _number(told: str) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise argparse.ArgumentTypeError(f"`{told}` is no number of a redaction or version")
    return int(told)


def _text(told: str) -> str:
    try:
        told.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("it is no UTF-8") from None
    return told


def _span(told: str | None) -> tuple[int, int] | None:
    if told is None:
        return None
    start, colon, stop = told.partition(":")
    if not (colon and f"{start}{stop}".isascii() and start.isdigit() and stop.isdigit() and len(told) < 20):
        raise UsageError(f"`--span {told}` is not like `10:25`")
    return int(start), int(stop)


def _desk(args: argparse.Namespace, store: Store) -> Desk:
    from tamis.transcripts.redacting import Desk

    return Desk(store, redactor_of(args), args.log, stored=getattr(args, "stored", False))


def _actor(args: argparse.Namespace) -> str:
    import getpass

    if args.actor is not None:
        return str(args.actor)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _add(args: argparse.Namespace, store: Store) -> None:
    from tamis.transcripts.redacting import Change
    from tamis.transcripts.stored import select

    wish = _wish(args)
    if wish is None:
        raise UsageError("nothing says what is to be redacted", hint="`--text`, `--event` or `--path`")
    with store.reading() as connection:
        chosen = select(connection, args.transcripts, agent=args.agent)
    if not chosen:
        raise UsageError("there are no transcripts in the store")
    desk = _desk(args, store)
    if args.dry_run:
        found = desk.preview(chosen, wish)
        covered = [place for place in found.places if place.covers]
        redactionviews.print_places(covered, chosen)
        print(f"tamis: {terminal.counted(len(covered), 'place')} would be redacted", file=sys.stderr)
        _warn(found.left, [])
        return
    change = Change(_actor(args), args.replacement, args.reason)
    _report(args, desk.add(chosen, wish, change))


def _change(args: argparse.Namespace, store: Store) -> None:
    from tamis.transcripts.redacting import Change

    desk = _desk(args, store)
    change = Change(_actor(args), getattr(args, "replacement", None), args.reason)
    if args.what == "update":
        wish = _wish(args)
        if wish is None and change.replacement is None and change.reason is None:
            raise UsageError(
                "nothing says what is to be changed",
                hint="`--replacement`, `--reason`, or, for what is covered, what `redactions add` takes",
            )
        outcome = desk.update(args.id, args.version, change, wish)
    else:
        outcome = (desk.remove if args.what == "remove" else desk.undo)(args.id, args.version, change)
    _report(args, outcome)


def _report(args: argparse.Namespace, outcome: Outcome) -> None:
    made = outcome.redaction
    if args.json:
        about = {**redactionviews.told(made), "covered": outcome.places, "transcripts": outcome.transcripts}
        redactionviews.print_json({"redaction": about, "left": outcome.left})
    else:
        places = terminal.counted(outcome.places, "place")
        state = f"{places} covered" if made.active else "nothing covered any more"
        count = terminal.counted(outcome.transcripts, "transcript")
        print(f"redaction {made.redaction}, version {made.version}: {state}; {count} redacted anew")
    _warn(outcome.left, outcome.in_names)
    if outcome.kept:
        count = terminal.counted(outcome.kept, "transcript")
        print(f"tamis: {count} whose log is gone: redacted as before", file=sys.stderr)
    if not outcome.is_clean:
        warn_of_readers()


def _warn(left: int, in_names: list[str]) -> None:
    if left:
        records = terminal.counted(left, "record")
        print(
            f"warning: {records} still hold the text where nothing is changed: in ids, signatures, images and"
            " encrypted data",
            file=sys.stderr,
        )
        print("hint: `--event` with `--path` redacts such a field as a whole", file=sys.stderr)
    for name in in_names:
        print(f"warning: the name of the log `{name}` holds it: a rule can redact that", file=sys.stderr)
