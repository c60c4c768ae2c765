"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "METADATA",
    "NEWEST",
    "broken",
    "events",
    "facts",
    "records",
    "redaction_history",
    "redaction_places",
    "redactions",
    "transcripts",
]

METADATA = MetaData()
NEWEST = "0002"
"""The migration that makes these tables."""

# SQLite counts rows by itself in a column that is called an integer, and nothing longer.
_LONG = BigInteger().with_variant(Integer(), "sqlite")


def _of_transcript() -> Column[int]:
    return Column("transcript", _LONG, ForeignKey("transcripts.id", ondelete="CASCADE"), nullable=False)


facts = Table(
    "facts",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""What is known of the store as a whole."""

transcripts = Table(
    "transcripts",
    METADATA,
    Column("id", _LONG, primary_key=True),
    Column("agent", String(40), nullable=False),
    Column("session", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("began", Text, nullable=False),
    Column("ended", Text, nullable=False),
    Column("prompts", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("undecided", Integer, nullable=False),
    # Of the log: bytes, when it was changed (in nanoseconds), SHA-256; by what rules it was redacted.
    Column("size", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rules", String(64), nullable=False),
    UniqueConstraint("agent", "source", name="one_source"),
    Index("by_session", "session"),
)

records = Table(
    "records",
    METADATA,
    _of_transcript(),
    Column("line", Integer, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("counts", JSON(none_as_null=True)),
    Column("undone", Boolean, nullable=False),
    PrimaryKeyConstraint("transcript", "line"),
)
"""The log, record by record, redacted."""

events = Table(
    "events",
    METADATA,
    Column("id", _LONG, primary_key=True),
    _of_transcript(),
    Column("line", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("prompt", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("input", BigInteger),
    Column("cached", BigInteger),
    Column("output", BigInteger),
    Column("reasoning", BigInteger),
    Column("total", BigInteger),
    Index("by_transcript", "transcript", "line"),
    # A number is given once: the index for searching knows events by it.
    sqlite_autoincrement=True,
)
"""What the records tell, in order."""

broken = Table(
    "broken",
    METADATA,
    _of_transcript(),
    Column("line", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("transcript", "line"),
)
"""Lines of logs that cannot be read."""

redactions = Table(
    "redactions",
    METADATA,
    Column("id", _LONG, primary_key=True),
    # Who changes a redaction names the version that they saw: of two at once, one is told.
    Column("version", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""Redactions that people made by hand."""

redaction_history = Table(
    "redaction_history",
    METADATA,
    Column("redaction", _LONG, ForeignKey("redactions.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("what", String(20), nullable=False),
    Column("time", Text, nullable=False),
    Column("actor", Text, nullable=False),
    # The version that this one took the place of, to which an undo goes back; 0: there was none.
    Column("before", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("scope", String(20), nullable=False),
    Column("replacement", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # The version with which its places were given.
    Column("places", Integer, nullable=False),
    PrimaryKeyConstraint("redaction", "version"),
)
"""What each was like, version by version; the last one counts."""

redaction_places = Table(
    "redaction_places",
    METADATA,
    Column("redaction", _LONG, ForeignKey("redactions.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("agent", String(40), nullable=False),
    Column("source", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("record_id", Text, nullable=False),
    # To the text in the record: names, places in lists, and, for names that must not be kept, the number of
    # the member in a list of its own. All in JSON.
    Column("path", Text, nullable=False),
    Column("is_key", Boolean, nullable=False),
    # In characters of the text before any rule, and how many that has. Nothing between start and stop: this
    # line was looked at when another one of the same record had something.
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    # Whether that text was the log's, and not what the store had of it.
    Column("exact", Boolean, nullable=False),
    # Of the log: bytes and SHA-256. Lines are where they were as long as it has only grown.
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    PrimaryKeyConstraint("redaction", "version", "number"),
    Index("by_log", "agent", "source"),
)
"""What they cover. The texts are nowhere."""
