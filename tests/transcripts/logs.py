"""Logs for tests: samples, and what tests make of them."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tamis.transcripts.discovery import AGENTS, named
from tamis.transcripts.ingest import Done, ingest_log
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import Store, open_store

SAMPLES = Path(__file__).with_name("samples")


def token(seed: int = 1) -> str:
    """A token of a service, that nobody has: made here, so that it stands in no file."""
    return "gh" + "p_" + "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=36))


def ingest(store: Store, redactor: Redactor, *paths: Path) -> list[Done]:
    """Ingests all logs at these paths."""
    found = named([str(path) for path in paths], list(AGENTS.values()))
    return [ingest_log(store, redactor, it) for it in found if not isinstance(it, Path)]


def ingested(url: str, redactor: Redactor, *paths: Path) -> list[Done]:
    with open_store(url, create=True) as store:
        return ingest(store, redactor, *paths)


def write_lines(path: Path, *records: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in the store, but for numbers that count how often something was written."""
    found = {}
    with store.reading() as connection:
        source = {
            row.id: row.source for row in connection.execute(sa.text("SELECT id, source FROM transcripts"))
        }
        for name, order in (("transcripts", "agent, source"), ("records", "transcript, line"),
                            ("events", "transcript, line, id"), ("broken", "transcript, line")):  # fmt: skip
            told = connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY {order}")).mappings()
            kept = [
                tuple(_plain(key, value, source) for key, value in row.items() if key != "id") for row in told
            ]
            found[name] = sorted(kept, key=repr) if name != "transcripts" else kept
    return found


def _plain(key: str, value: Any, source: dict[int, str]) -> Any:
    """A value as it is the same in both databases."""
    if key == "transcript":
        return source[value]
    return json.loads(value) if key == "counts" and isinstance(value, str) else value


def everything(store: Store) -> str:
    """Every value of every column of every table, with those that the databases keep for themselves."""
    with store.reading() as connection:
        inspector = sa.inspect(connection)
        texts = [
            repr(tuple(row))
            for name in inspector.get_table_names()
            for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')
        ]
    return "\n".join(texts)


def changed(value: Any, change: Callable[[str, str], str], name: str = "") -> Any:
    """A value of JSON with its texts changed: `change` is told the name that each has."""
    if isinstance(value, dict):
        return {key: changed(inner, change, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [changed(inner, change, name) for inner in value]
    return change(name, value) if isinstance(value, str) else value
