"""Redacted logs, in the format of their agents."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import IO, TYPE_CHECKING

from tamis.transcripts.reading import FILE
from tamis.transcripts.stored import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tamis.transcripts.stored import Stored, StoredRecord

__all__ = ["write_log"]

# Stands where the list of a document is.
_LIST = "\ue000tamis-list\ue000"


def write_log(connection: Connection, transcript: Stored, file: IO[str]) -> None:
    """Writes the log of a transcript: what no rule has changed, byte for byte as it was, but for the white
    space between the members of a document."""
    # Whoever reads what is written may go: the store is left before it is closed.
    with contextlib.closing(records_of(connection, transcript.id)) as found:
        _write(found, file)


def _write(found: Iterator[StoredRecord], file: IO[str]) -> None:
    first = next(found, None)
    if first is None:
        return
    if first.raw.startswith('{"' + FILE):
        file.write(json.loads(first.raw)[FILE])
    elif first.line:
        for record in itertools.chain([first], found):
            file.write(record.raw + "\n")
    else:
        before, after = _around(first.raw)
        file.write(before)
        between = "\n"
        for record in found:
            file.write(between + record.raw)
            between = ",\n"
        file.write(after + "\n")


def _around(envelope: str) -> tuple[str, str]:
    """What stands before and behind the members of the list that is empty in a document."""
    value = json.loads(envelope)
    if isinstance(value, dict):
        name = next((name for name, inner in value.items() if inner == []), None)
        if name is None:
            return envelope, ""
        value = {**value, name: [_LIST]}
    else:
        value = [_LIST]
    before, _, after = json.dumps(value, ensure_ascii=False, indent=2).partition(
        json.dumps(_LIST, ensure_ascii=False)
    )
    return before.rstrip(), after
