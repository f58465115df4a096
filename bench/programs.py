"""The programs that are measured, and how they are started and ended."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_SECONDS = 10
# A user's machine has neither of the Python ones; settings and proxies of whoever runs the bench must not count.
_UNWANTED = re.compile(r"PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED|OR_MCP_.*|OPENROUTER_.*|.*_PROXY", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Program:
    """A server, by the module that starts it, or by a script."""

    name: str
    module: str
    # Modules that it is to find missing, as where nobody installed them.
    missing: tuple[str, ...] = ()
    script: Path | None = None

    def command(self, *arguments: str) -> list[str]:
        """How it is started."""
        if self.script:
            return [sys.executable, str(self.script), *arguments]
        if not self.missing:
            return [sys.executable, "-m", self.module, *arguments]
        without = f"import sys, runpy; sys.modules.update(dict.fromkeys({self.missing!r}))"
        run = f"runpy.run_module({self.module!r}, run_name='__main__', alter_sys=True)"
        return [sys.executable, "-c", f"{without}; {run}", *arguments]


PRODUCT = Program("product", "or_mcp")
FLOOR = Program("floor", "bench.floor")
BOTH = (PRODUCT, FLOOR)


def console_script(directory: Path) -> Path:
    """The product as pip installs it: what this script imports, every start pays for."""
    script = directory / "or-mcp"
    script.write_text(
        "import re\nimport sys\nfrom or_mcp.__main__ import main\nif __name__ == '__main__':\n"
        "    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(main())\n"
    )
    return script


def environment(base_url: str = "", data: Path | None = None, resident: str = "off") -> dict[str, str]:
    """What a user's machine would have, and where upstream is."""
    kept = {name: value for name, value in os.environ.items() if not _UNWANTED.fullmatch(name)}
    ours = {
        "OPENROUTER_BASE_URL": base_url,
        "OPENROUTER_API_KEY": "sk-or-v1-bench",
        "OR_MCP_DATA_DIR": str(data),
        "OR_MCP_RESIDENT": resident,
        "PYTHONPATH": str(ROOT),
    }
    return kept | ours if base_url else kept


@contextmanager
def started(
    command: Sequence[str], env: Mapping[str, str], *, talks: bool = True
) -> Generator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A running process and what it writes to stderr; it has ended when the block is left."""
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=errors, env=env, cwd=ROOT) as process,
    ):
        try:
            yield process, errors
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Close its stdin and ask it to end; insist after a while."""
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def complaint(errors: IO[bytes]) -> str:
    """The end of what a process wrote to stderr."""
    errors.seek(0)
    return errors.read().decode(errors="replace")[-2000:]


@contextmanager
def upstream() -> Generator[int]:
    """The upstream stub's port."""
    with started([sys.executable, "-m", "bench.upstream"], environment()) as (process, errors):
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"The upstream stub did not start: {complaint(errors)}")
        yield int(line)


@contextmanager
def simulator(*options: str) -> Generator[str]:
    """The base URL of a simulated OpenRouter, which bills."""
    command = [sys.executable, "-m", "or_mcp", "simulate", "--port", "0", *options]
    with started(command, environment()) as (process, errors):
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"The simulator did not start: {complaint(errors)}")
        yield line.decode().split()[-1]


def address(port: int, latency_ms: int = 0) -> str:
    """The stub's base URL for a latency."""
    return f"http://127.0.0.1:{port}/l{latency_ms}/api/v1"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def resident_mb(pid: int) -> float:
    """The memory a process holds now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
        return int(found[1]) / 1024 if found else 0.0
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(told.stdout) / 1024


def busy_seconds(pid: int) -> float:
    """The CPU time that a process and its children have used, all their threads together."""
    stat, children = Path(f"/proc/{pid}/stat"), Path(f"/proc/{pid}/task/{pid}/children")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return own + sum(busy_seconds(int(child)) for child in children.read_text().split())
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True)
    parts = told.stdout.strip().replace("-", ":").split(":")
    return sum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
