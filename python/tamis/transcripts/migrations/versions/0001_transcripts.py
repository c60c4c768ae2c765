"""Transcripts, their records and events, and the index for searching."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _of_transcript() -> sa.Column[int]:
    return sa.Column("transcript", _LONG, sa.ForeignKey("transcripts.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "transcripts",
        sa.Column("id", _LONG, primary_key=True),
        sa.Column("agent", sa.String(40), nullable=False),
        *_text("session", "parent", "source", "title", "model", "version", "folder", "began", "ended"),
        sa.Column("prompts", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("undecided", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rules", sa.String(64), nullable=False),
        sa.UniqueConstraint("agent", "source", name="one_source"),
    )
    op.create_index("by_session", "transcripts", ["session"])
    _create_what_is_in_them()
    _create_search()


def _create_what_is_in_them() -> None:
    op.create_table(
        "records",
        _of_transcript(),
        sa.Column("line", sa.Integer, nullable=False),
        *_text("record_id", "time", "raw"),
        sa.Column("counts", sa.JSON(none_as_null=True)),
        sa.Column("undone", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("transcript", "line"),
    )
    op.create_table(
        "events",
        sa.Column("id", _LONG, primary_key=True),
        _of_transcript(),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("prompt", sa.Integer, nullable=False),
        *_text("role", "name", "call", "text", "path"),
        *(sa.Column(name, sa.BigInteger) for name in ("input", "cached", "output", "reasoning", "total")),
        sqlite_autoincrement=True,
    )
    op.create_index("by_transcript", "events", ["transcript", "line"])
    op.create_table(
        "broken",
        _of_transcript(),
        sa.Column("line", sa.Integer, nullable=False),
        *_text("reason"),
        sa.PrimaryKeyConstraint("transcript", "line"),
    )


def _create_search() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # The words only: the texts are in `events`.
        op.execute("CREATE VIRTUAL TABLE search USING fts5 (text, content='events', content_rowid='id')")
    else:
        op.create_table(
            "search",
            sa.Column("event", _LONG, sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
            sa.Column("words", sa.dialects.postgresql.TSVECTOR, nullable=False),
        )
        op.create_index("by_words", "search", ["words"], postgresql_using="gin")
