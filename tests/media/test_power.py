"""What was made is on the disk itself before its run says that it has it: the order of system calls."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Upstream
from tests.runs.program import started

TRACED = "trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64"
MADE = {
    "image": {"kind": "image", "model": "openai/gpt-image-2"},
    "video": {"kind": "video", "model": "google/veo-3.1", "seconds": 4, "wait_seconds": 120},
}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("kind", MADE)
async def test_a_file_and_its_name_are_on_the_disk_itself_before_its_run_says_that_it_has_it(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path, kind: str
):
    trace = tmp_path / "trace"
    # A page of the store is as long.
    under = ("strace", "-f", "-y", "-s", "4096", "-e", TRACED, "-o", str(trace))
    async with started(environment, *under) as server:
        made: Any = await server.client.call_tool("make", MADE[kind] | {"prompt": "A harbour"})
    name = Path(made.structured_content["files"][0]["path"]).name
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    steps = [
        r"fsync\(\d+<[^>]*/files/\.unfinished-[^>]*>",
        rf"rename.*/files/\.unfinished-.*/files/{name}",
        r"fsync\(\d+<[^>]*/files>",
        rf"pwrite64\(\d+<[^>]*wal>.*{name}",
        r"f(data)?sync\(\d+<[^>]*wal>",
    ]
    at = [next((at for at, line in enumerate(lines) if re.search(step, line)), -1) for step in steps[:4]]
    assert at == sorted(at)
    assert at[0] >= 0
    assert any(re.search(steps[4], line) for line in lines[at[3] :])
