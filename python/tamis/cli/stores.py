"""What the commands that use a store of transcripts have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["add_store"]


def add_store(group: argparse._ArgumentGroup) -> None:
    """Adds `--db`. The names repeat those of `tamis.transcripts.store`, whose import takes long."""
    group.add_argument(
        "--db",
        metavar="URL",
        help="the store: a file, or `postgresql://…` (default: TAMIS_DB, else user/transcripts.db)",
    )
