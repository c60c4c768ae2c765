"""Both kinds of stores: a file, and a PostgreSQL that is really started."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tamis.policy.rules import assembled
from tamis.transcripts.redaction import Redactor

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
_SERVER = shutil.which("postgres") or (str(_BINARIES[-1] / "postgres") if _BINARIES else "")


class Server:
    """A server of its own, in a folder of its own, reached by a socket in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.binaries = Path(_SERVER).parent
        self.databases = 0
        folder.chmod(0o755)
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres")
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.command(
            "initdb",
            "-D",
            f"{folder}/data",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "-U",
            "tamis",
        )
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        self.command("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")

    def command(self, name: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*as_user, str(self.binaries / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def url(self, database: str) -> str:
        return f"postgresql://tamis@/{database}?host={self.folder}"

    def new_database(self) -> str:
        self.databases += 1
        name = f"t{self.databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def stop(self) -> None:
        self.command("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if not _SERVER:
        pytest.skip("there is no PostgreSQL")
    # Not in the folder of the test: the path of a socket must be short, and the server's user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="tamis-pg-"))
    server = Server(folder)
    try:
        with psycopg.connect(server.url("postgres")) as connection:
            row = connection.execute("SELECT version(), current_setting('lc_collate')").fetchone()
            print("PostgreSQL:", row)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new store that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: Server = request.getfixturevalue("server")
    return server.new_database()


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor(assembled(None, builtin=True))
