"""The store: where it is, who may read it, what it says when something is wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from conftest import Server
from logs import SAMPLES, ingest, ingested

from tamis.errors import StoreError, TamisError
from tamis.transcripts.redaction import Redactor
from tamis.transcripts.store import open_store
from tamis.transcripts.tables import METADATA, NEWEST

OURS = {"search", "alembic_version"}


def test_tables_are_those_of_the_migrations(url: str) -> None:
    """The migrations make what the program believes that there is."""

    def is_ours(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in METADATA.tables

    with open_store(url, create=True) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == NEWEST
        names = sa.inspect(connection).get_table_names()
    tables = {name for name in names if not name.startswith(("search_", "sqlite_"))}
    assert tables == set(METADATA.tables) | OURS


def test_a_file_is_its_owners(tmp_path: Path, redactor: Redactor) -> None:
    """The file of the store, and those that SQLite puts beside it, have mode 0600, whatever the mask is."""
    before = os.umask(0)
    try:
        with open_store(f"{tmp_path}/deep/er/s.db", create=True) as store:
            ingest(store, redactor, SAMPLES / "codex")
            files = list((tmp_path / "deep" / "er").iterdir())
            assert len(files) >= 1
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("{tmp}/none.db", "there is no store `.*none.db`"),
        ("sqlite://", "a store needs a file to be in"),
        ("mysql://u@h/d", "a store cannot be in `mysql`"),
        ("://", "cannot be read"),
        ("{tmp}/text", "file is not a database"),
        ("{tmp}/other.db", "another database|no store of transcripts"),
        ("{tmp}/newer.db", "newer version of Tamis"),
    ],
)
def test_what_is_no_store(told: str, message: str, tmp_path: Path) -> None:
    """What cannot be opened is told in a sentence."""
    (tmp_path / "text").write_text("no database at all, but a text that is long enough" * 9)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    open_store(f"{tmp_path}/newer.db", create=True).engine.dispose()
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with pytest.raises(TamisError, match=message):
        open_store(told.format(tmp=tmp_path))


def test_passwords_are_told_nowhere(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the name of a store nor an error shows the password of its URL."""
    password = "".join(["pass", "word", "-9"])
    told = server.url("nowhere").replace("tamis@", f"tamis:{password}@")
    monkeypatch.setenv("TAMIS_DB", told)
    with pytest.raises(StoreError) as error:
        open_store(None)
    assert password not in str(error.value)
    good = server.new_database().replace("tamis@", f"tamis:{password}@")
    with open_store(good, create=True) as store:
        assert password not in store.name
        assert "***" in store.name


def test_two_at_once(url: str, redactor: Redactor) -> None:
    """Two that make a new store and ingest the same logs at once both succeed; it is there once."""
    errors: list[BaseException] = []

    def go() -> None:
        try:
            ingested(url, redactor, SAMPLES / "copilot")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with open_store(url) as store, store.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM transcripts")).scalar() == 4
        assert connection.execute(sa.text("SELECT count(*) FROM records")).scalar() == 71
