"""What the commands that use a store of transcripts have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    type Group = argparse._ActionsContainer

__all__ = ["AGENTS", "add_choice", "add_store"]

# Those of `tamis.transcripts.discovery`, whose import takes long.
AGENTS = ("codex", "claude", "copilot-vscode", "copilot-cli", "gemini")


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
