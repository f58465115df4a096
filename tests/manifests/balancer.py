"""nginx with the configuration as shipped: only addresses and places are those of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.manifests.files import MANIFESTS
from tests.serving.programs import PATIENCE, free_port

NGINX = shutil.which("nginx")
REPLICA = "server or-mcp:8765 resolve"


def configured(folder: Path, port: int, replicas: Sequence[str]) -> str:
    """The configuration with this port and these replicas; each place is where it was, so a changed file shows."""
    text = (MANIFESTS / "docker" / "nginx.conf").read_text(encoding="utf-8").replace(" /tmp/", f" {folder}/")
    rule = text.split(REPLICA, 1)[1].split("\n", 1)[0]
    for shipped, ours in {
        f"{REPLICA}{rule}": "\n".join(f"server {address}{rule}" for address in replicas),
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "error_log /dev/stderr": f"error_log {folder}/errors",
        "access_log /dev/stdout": f"access_log {folder}/access",
    }.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    return text


@contextmanager
def balanced(folder: Path, replicas: Sequence[str]) -> Generator[str]:
    """nginx before these replicas; yields its root URL."""
    assert NGINX is not None
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(configured(folder, port, replicas), encoding="utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(file), "-e", str(folder / "start")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert checked.returncode == 0, checked.stderr
    # In its image nginx has one user; started by root its workers would be another, who may not write here.
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    process = subprocess.Popen([*command, "-g", f"daemon off; {user}"])
    try:
        _until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        assert process.poll() is None, "nginx ended"
        assert time.monotonic() < until, "nginx does not listen"
        time.sleep(0.02)


@contextmanager
def replica(answer: Callable[[socket.socket], None]) -> Generator[tuple[str, list[bytes]]]:
    """A server that takes one request a connection and then does as told; yields its address, and what it was sent."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def take(connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request or request.partition(b"\r\n\r\n")[2] != BODY:
                data = connection.recv(65536)
                if not data:
                    return
                request += data
            received.append(request)
            answer(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=take, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        listener.close()


BODY = b'{"paid": true}'
