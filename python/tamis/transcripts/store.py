"""The database of transcripts: a file of SQLite, or a PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from tamis.errors import StoreError, UsageError
from tamis.transcripts.tables import NEWEST, facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from tamis.transcripts.covering import Places

__all__ = ["DEFAULT", "VARIABLE", "Store", "only_one", "open_store", "read_fact", "write_fact"]

VARIABLE = "TAMIS_DB"
DEFAULT = "user/transcripts.db"

_MIGRATIONS = Path(__file__).with_name("migrations")
_WAIT = 20  # seconds for somebody else who is at it


class Store:
    """An open store."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.by_hand: dict[str, tuple[tuple[int, int], Places]] = {}
        """What people redacted, by agent, and of when that is."""

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @property
    def name(self) -> str:
        """What it is called in messages: without a password."""
        url = self.engine.url
        return url.database or ":memory:" if self.is_sqlite else url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that writes nothing. Raises `StoreError` for what the database says."""
        with self._errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; of SQLite it is the only one that writes, from its beginning."""
        with self._errors(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """For what a database does in no transaction."""
        with self._errors(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            # Its own message may show what was to be written, which is nobody's business.
            reason = str(error.orig).strip().split("\n")[0]
            raise StoreError(f"the store `{self.name}`: {_without_password(reason, self)}") from None
        except SQLAlchemyError as error:
            raise StoreError(f"the store `{self.name}`: {type(error).__name__}") from None


def open_store(told: str | None, *, create: bool = False) -> Store:
    """Opens the store that a URL or the path of a file names; without one, that of `TAMIS_DB`, or the file
    `user/transcripts.db`. `create`: makes it if it is not there, and brings an older one up to date.

    Raises `StoreError`, of which no message tells a password, and `UsageError` for what is no URL."""
    url = _url(told or os.environ.get(VARIABLE) or DEFAULT)
    if url.get_backend_name() == "sqlite":
        _prepare_file(url, create=create)
    try:
        engine = sa.create_engine(url)
    except ModuleNotFoundError as error:
        hint = "install it with `pip install 'tamis[postgresql]'`"
        raise StoreError(f"there is no `{error.name}` to reach PostgreSQL with", hint=hint) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    store = Store(engine)
    try:
        _migrate(store, create=create)
    except BaseException:
        engine.dispose()
        raise
    return store


def only_one(connection: Connection, name: str) -> None:
    """Waits until nobody else who writes is at this, and keeps others from it to the end of the transaction.
    In SQLite there is one that writes anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7418311, hashtext(:name))"), {"name": name})


def read_fact(connection: Connection, name: str) -> str | None:
    """What is noted about the store as a whole; None: nothing."""
    value: str | None = connection.execute(sa.select(facts.c.value).where(facts.c.name == name)).scalar()
    return value


def write_fact(connection: Connection, name: str, value: str) -> None:
    """Notes something about the store as a whole, in the place of what was noted before."""
    note = "INSERT INTO facts VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    connection.execute(sa.text(note), {"name": name, "value": value})


def _without_password(text: str, store: Store) -> str:
    password = store.engine.url.password
    return text.replace(str(password), "***") if password else text


def _url(told: str) -> URL:
    if "://" not in told:
        return URL.create("sqlite", database=told)
    try:
        url = make_url(told)
    except (ArgumentError, ValueError):
        raise UsageError("the URL of the store cannot be read") from None
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() in ("sqlite", "postgresql"):
        return url
    hint = "`sqlite:///FILE` or `postgresql://…`, or the path of a file"
    raise UsageError(f"a store cannot be in `{url.get_backend_name()}`", hint=hint)


def _prepare_file(url: URL, *, create: bool) -> None:
    if url.database in (None, "", ":memory:"):
        raise UsageError("a store needs a file to be in", hint="`sqlite:///FILE`")
    path = Path(str(url.database))
    if not path.exists():
        if not create:
            raise StoreError(f"there is no store `{path}`", hint="`tamis ingest` makes one")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Its owner's alone before anything is in it; SQLite gives its other files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # `begin` is ours: the module would begin late, and read before it locks.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_WAIT * 1000}")
    # Records are long: pages that hold more than one are written faster. It holds for a new file only.
    cursor.execute("PRAGMA page_size = 16384")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute("PRAGMA cache_size = -32768")
    cursor.close()


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Of two who do this to a new file at once, SQLite tells one that it is locked, without waiting."""
    until = time.monotonic() + _WAIT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    writes = options.get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version_of(store: Store) -> str | None:
    """Which migration the tables are of; None: there are none, or they are of something else."""
    with store.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        query = sa.text("SELECT version_num FROM alembic_version")
        found: str | None = connection.execute(query).scalar()
        return found


def _migrate(store: Store, *, create: bool) -> None:
    if _version_of(store) == NEWEST:
        return
    # It takes a quarter of a second to load, and only a new or an old store needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with store.writing() as connection:
        only_one(connection, "migration")
        now = MigrationContext.configure(connection).get_current_revision()
        if now == NEWEST:
            return
        known: set[Any] = {revision.revision for revision in script.walk_revisions()}
        if now is not None and now not in known:
            raise StoreError(f"the store `{store.name}` is of a newer version of Tamis", hint="upgrade Tamis")
        if now is None and not create:
            raise StoreError(f"`{store.name}` is no store of transcripts", hint="`tamis ingest` makes one")
        if now is None and sa.inspect(connection).get_table_names():
            raise StoreError(f"`{store.name}` is another database: there are other tables in it")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
