"""The agents whose logs are read: each in a file of its own.

A reader says what a record tells (`events`), without a memory: it is asked of the record as it was, for where
its texts stand, and of the redacted one, for what is kept. `docs/agents.md` says how another one is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tamis.transcripts.model import Event

__all__ = ["Agent", "Found", "Head"]


@dataclass(slots=True, frozen=True)
class Found:
    """A file that may hold a transcript, and how it is named in the store."""

    path: Path
    source: str
    """Below the agent's folder, with `/`; not redacted yet."""
    session: str
    """The id of the session, as the file's name tells it; a record may tell it better."""
    parent: str = ""
    """Of the log of a sub-agent, or of a file beside a log, the session that it belongs to."""
    is_log: bool = True
    """Not a file that an agent keeps beside its logs, such as a long result of a tool: that is one text."""


@dataclass(slots=True)
class Head:
    """What is known of a transcript as a whole; empty: the log does not say."""

    session: str = ""
    parent: str = ""
    title: str = ""
    model: str = ""
    version: str = ""
    """Of the agent."""
    folder: str = ""
    """In which it worked."""
    began: str = ""
    ended: str = ""
    undone: set[str] = field(default_factory=set)
    """Ids of records that a later one takes back."""
    rewind: str | None = None
    """This record takes back all after the one of this id; empty: all before itself."""
    prompts_back: int = 0
    """This record takes back so many of the last prompts, and all since."""


class Agent(Protocol):
    """How the logs of one agent are found and read."""

    name: str
    """In the store and on the command line."""
    title: str
    members: tuple[str, ...]
    """Of logs that are one document: the names that the list of records may have."""
    replaces: bool
    """A record takes the place of an earlier one of the same id."""

    def roots(self, environment: Mapping[str, str], home: Path) -> list[Path]:
        """Where this agent keeps its logs."""

    patterns: tuple[str, ...]
    """Where below such a folder its logs lie, as globs."""
    beside: tuple[str, ...]
    """Where in any folder files lie that belong to logs, as globs."""

    def found(self, root: Path, path: Path) -> Found | None:
        """How a file below a folder is named; None: it is no log, or not the one to read."""

    def knows(self, record: dict[str, Any]) -> bool:
        """Whether a file that begins with this record is a log of this agent."""

    def events(self, record: dict[str, Any], *, parent: bool) -> list[Event]:
        """What a record tells; never nothing. `parent`: it stands in the log of a sub-agent."""

    def note(self, record: dict[str, Any], head: Head) -> str:
        """Takes down what a record says of the whole; returns the record's own id, or nothing."""
