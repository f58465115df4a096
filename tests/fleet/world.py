"""Hosts as processes of their own, each with a disk and a way to the database of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from tests.fleet.proxy import Proxy
from tests.postgres import Postgres
from tests.serving.programs import ROOT, environment, fetched, free_port


class Host:
    """One machine: it can be killed, halted, cut off, and started again on its disk."""

    def __init__(self, base_url: str, disk: Path, url: str, way: Proxy, **settings: str) -> None:
        self.way = way
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._env = environment(base_url, disk, OR_MCP_DATABASE_URL=url, **settings)
        self._log: IO[bytes] = disk.with_suffix(".log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, python: tuple[str, ...] = ("-m", "or_mcp")) -> None:
        """Have it run; it may take a while to answer."""
        command = [sys.executable, *python, "serve", "--http", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, env=self._env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def until_ready(self) -> None:
        """Wait until it takes work."""
        # Many start at once, and each takes seconds of computing.
        end = time.monotonic() + 150
        while fetched(f"http://127.0.0.1:{self.port}/readyz")[0] != 200:
            assert time.monotonic() < end
            if not self.is_running:
                self.start()
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """It is not needed any more."""
        self.send(signal.SIGCONT)
        self.kill()
        self._log.close()


@contextmanager
def fleet(
    base_url: str, place: Path, postgres: Postgres, database: str, count: int, **settings: str
) -> Generator[list[Host]]:
    """Hosts that were started."""
    with ExitStack() as stack:
        hosts: list[Host] = []
        for number in range(count):
            way = stack.enter_context(Proxy(postgres.port).running())
            host = Host(base_url, place / f"host{number}", postgres.url(database, way.port), way, **settings)
            stack.callback(host.close)
            host.start()
            hosts.append(host)
        yield hosts
