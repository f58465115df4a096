"""A PostgreSQL of the tests' own, in a directory that goes with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.serving.programs import free_port

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# What is lost when the machine loses power is not what is tested; a killed server loses nothing by it.
_SETTINGS = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "log_min_messages": "fatal",
}
needs_postgres = pytest.mark.skipif(not _BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql")


class Postgres:
    """A server that can be started, stopped and killed."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self._directory = directory
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._settings = _SETTINGS | {"port": str(self.port)} | settings
        # PostgreSQL refuses to run as root.
        self._under = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self._under:
            shutil.chown(directory, "postgres")
        made = ["-D", str(directory / "data"), "--auth=trust", "--no-sync", "--username=or", "--encoding=UTF8"]
        self._run("initdb", *made, "--no-locale")

    def start(self) -> None:
        """Have it answer."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [*self._under, str(_BINARIES[0] / "postgres"), "-D", str(self._directory / "data"), *settings]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            try:
                return self.execute("SELECT 1")[0][0]
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        """`kill -9`: what its children do is their own affair, they end when they notice."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            # A new one waits until the last child of the old has let go of its memory.
            self._process = None

    def stop(self) -> None:
        """End it at once, and in order."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    @property
    def log(self) -> str:
        """What it has told."""
        return (self._directory / "log").read_text(errors="replace")

    def fresh(self) -> str:
        """A new database, by its URL."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str, port: int | None = None) -> str:
        """A database by its URL, directly or by a port that leads there."""
        return f"postgresql://or:secret-of-the-database@127.0.0.1:{port or self.port}/{name}"

    def execute(self, sql: str, database: str = "postgres") -> list[Any]:
        """Do something as its administrator."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=3) as connection:
            rows = connection.execute(sql.encode())
            return rows.fetchall() if rows.description else []

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._under, str(_BINARIES[0] / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def server(**settings: str) -> Generator[Postgres]:
    """A server that runs."""
    directory = Path(tempfile.mkdtemp(prefix="or-mcp-postgres-"))
    postgres = Postgres(directory, **settings)
    try:
        postgres.start()
        yield postgres
    finally:
        with suppress(subprocess.TimeoutExpired):
            postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)
