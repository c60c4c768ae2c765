"""Redactions that people make by hand, their history, and what they cover."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _of_redaction() -> sa.Column[int]:
    return sa.Column("redaction", _LONG, sa.ForeignKey("redactions.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "redactions",
        sa.Column("id", _LONG, primary_key=True),
        *_numbers("version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "redaction_history",
        _of_redaction(),
        *_numbers("version"),
        sa.Column("what", sa.String(20), nullable=False),
        *_texts("time", "actor"),
        *_numbers("before"),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        *_texts("replacement", "reason"),
        *_numbers("places"),
        sa.PrimaryKeyConstraint("redaction", "version"),
    )
    op.create_table(
        "redaction_places",
        _of_redaction(),
        *_numbers("version", "number"),
        sa.Column("agent", sa.String(40), nullable=False),
        *_texts("source", "session"),
        *_numbers("line"),
        *_texts("record_id", "path"),
        sa.Column("is_key", sa.Boolean, nullable=False),
        *_numbers("start", "stop", "length"),
        sa.Column("exact", sa.Boolean, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("redaction", "version", "number"),
    )
    op.create_index("by_log", "redaction_places", ["agent", "source"])
