"""What the commands that use a store of transcripts have in common."""

from __future__ import annotations

import os
import sys

from tamis.errors import UsageError
from tamis.policy.schema import RULES_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tamis.transcripts.redaction import Redactor

    type Group = argparse._ActionsContainer

__all__ = ["AGENTS", "add_choice", "add_rules", "add_store", "redactor_of", "time_of", "warn_of_readers"]

# Those of `tamis.transcripts.discovery`, whose import takes long.
AGENTS = ("codex", "claude", "copilot-vscode", "copilot-cli", "gemini")

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def time_of(option: str, told: str) -> float:
    """A date, or so long ago (`90m`, `12h`, `7d`, `2w`), in seconds since 1970. Raises `UsageError`."""
    import time
    from datetime import datetime

    number, unit = told[:-1], told[-1:]
    if unit in _UNITS and number.isdigit():
        return time.time() - int(number) * _UNITS[unit]
    try:
        return datetime.fromisoformat(told).timestamp()
    except ValueError:
        raise UsageError(f"`{option} {told}` is neither a date nor like `12h`, `7d`") from None


def add_store(group: Group) -> None:
    """Adds `--db`."""
    group.add_argument(
        "--db",
        metavar="URL",
        help="the store: a file or `postgresql://…` (TAMIS_DB, else user/transcripts.db)",
    )


def add_rules(group: Group) -> None:
    """Adds `--rules` and `--no-builtin-rules`, for `redactor_of`."""
    group.add_argument("--rules", metavar="FILE", help=f"rules of your own (default: {RULES_FILE})")
    group.add_argument(
        "--no-builtin-rules", action="store_true", help="without the rules that come with Tamis"
    )


def redactor_of(args: argparse.Namespace) -> Redactor:
    """The rules, all of which are right, before anything is written."""
    path = args.rules
    if path is None:
        path = os.path.join(*RULES_FILE.split("/"))
        if not os.path.isfile(path):
            raise UsageError(
                f"there is no `{path}`: nothing is ingested without rules that somebody has read",
                hint="`tamis init --rules` writes one to begin with; `--rules FILE` names another",
            )
    from tamis.policy.rules import assembled
    from tamis.transcripts.redaction import Redactor

    rules = assembled(path, builtin=not args.no_builtin_rules)
    return Redactor(rules)


def warn_of_readers() -> None:
    """Says that what was taken out of the store could not be taken out of its files."""
    print(
        "warning: somebody reads the store: what was taken out of it stays in its files until the next"
        " `tamis ingest`",
        file=sys.stderr,
    )


def add_choice(group: Group) -> None:
    """Adds what chooses transcripts of the store."""
    group.add_argument(
        "transcripts",
        nargs="*",
        metavar="TRANSCRIPT",
        help="the id of a session, or how it begins (default: all)",
    )
    group.add_argument("--agent", choices=AGENTS, metavar="NAME", help=f"of this one: {', '.join(AGENTS)}")
