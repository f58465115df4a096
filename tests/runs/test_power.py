"""What is on the disk itself before upstream hears of it: the order of system calls, since a kill proves nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Upstream
from tests.runs.program import started

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}
TRACED = "trace=fsync,fdatasync,sendto,write,writev,sendmsg,pwrite64"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
async def test_a_run_is_on_the_disk_itself_before_it_is_sent_and_its_end_before_it_is_answered(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    trace = tmp_path / "trace"
    under = ("strace", "-f", "-y", "-s", "2000", "-e", TRACED, "-o", str(trace))
    async with started(environment, *under) as server:
        await server.client.call_tool("account", {})
        result: Any = await server.client.call_tool("ask", ASK)
    assert not result.is_error
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    sent = _first(lines, r'"POST /api/v1/chat/completions')
    answered = _first(lines, rf"write\(\d+<pipe:.*{result.structured_content['run_id']}", after=sent)
    written, synced = _last(lines[:sent], "pwrite64"), _last(lines[:sent], "f(data)?sync")
    assert 0 < written < synced
    assert _last(lines[sent:answered], "f(data)?sync") > 0


def _first(lines: list[str], what: str, after: int = 0) -> int:
    found = next((at for at, line in enumerate(lines) if at >= after and re.search(what, line)), None)
    assert found is not None, what
    return found


def _last(lines: list[str], call: str) -> int:
    """Where the log of the store was last written, or synchronised; -1 if never."""
    what = rf"{call}\(\d+<[^>]*runs\.sqlite3-wal>"
    return max((at for at, line in enumerate(lines) if re.search(what, line)), default=-1)
