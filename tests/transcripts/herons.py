"""A log about a heron, and what is asked of a store that has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from logs import rows

from tamis.transcripts.redacting import Change, Desk
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import Store
from tamis.transcripts.stored import select
from tamis.transcripts.wishes import Wish

BY = Change("ada")
GLOBAL = Wish("global", "heron")


def user(id: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "user",
        "uuid": id,
        "sessionId": "s",
        "message": {"role": "user", "content": text},
        **more,
    }


def answer(id: str, *content: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(content), "model": "m"}
    return {"type": "assistant", "uuid": id, "sessionId": "s", "message": message}


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def called(**arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "c1", "name": "Bash", "input": arguments}


LOG = (
    user("u1", "Find the heron, please", cwd="/tmp/heron"),
    answer("u2", {"type": "thinking", "thinking": "A heron?"}, said("The heron is grey.")),
    answer("u3", called(command="ls heron", files={"heron.txt": 1})),
    user("u4", "Two: heron\nand \"heron\""),
    {"type": "summary", "summary": "About a heron", "leafUuid": "u4"},
)  # fmt: skip


def desk(store: Store, redactor: Redactor, path: Path, **more: bool) -> Desk:
    return Desk(store, redactor, [str(path)], **more)


def texts(store: Store) -> list[str]:
    """What the events tell, in order."""
    with store.reading() as connection:
        return list(
            connection.execute(sa.text("SELECT text FROM events ORDER BY transcript, line, id")).scalars()
        )


def raw(store: Store) -> list[dict[str, Any]]:
    return [json.loads(row[4]) for row in rows(store)["records"]]


def chosen(store: Store, *names: str) -> list[Any]:
    with store.reading() as connection:
        return select(connection, list(names))
