"""What the commands that use a store of transcripts have in common."""

from __future__ import annotations

from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    type Group = argparse._ActionsContainer

__all__ = ["AGENTS", "add_choice", "add_store", "time_of"]

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


def add_choice(group: Group) -> None:
    """Adds what chooses transcripts of the store."""
    group.add_argument(
        "transcripts",
        nargs="*",
        metavar="TRANSCRIPT",
        help="the id of a session, or how it begins (default: all)",
    )
    group.add_argument("--agent", choices=AGENTS, metavar="NAME", help=f"of this one: {', '.join(AGENTS)}")
