"""The official conformance scenarios for tasks, on the real program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.serving.programs import PATIENCE, ROOT, environment, fetched, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKAGES = ("node@22", "@modelcontextprotocol/conformance@0.2.0-alpha.12")
SCENARIOS = {
    "tasks-lifecycle": 9,
    "tasks-capability-negotiation": 5,
    "tasks-wire-fields": 4,
    "tasks-request-state-removal": 3,
    "tasks-mrtr-input": 4,
    "tasks-request-headers": 5,
    "tasks-dispatch-and-envelope": 9,
    "tasks-required-task-error": 3,
    "tasks-mrtr-composition": 2,
}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the official harness, which needs a newer node than many machines have."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: the official conformance harness is an npm package")
    home = tmp_path_factory.mktemp("conformance")
    done = subprocess.run(
        [npm, "install", "--prefix", home, *PACKAGES], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    modules = home / "node_modules"
    harness = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return [str(modules / ".bin" / "node"), str(harness)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The program with the scenarios' tools, over HTTP; where its MCP is."""
    port = free_port()
    env = environment("http://127.0.0.1:9/api/v1", tmp_path_factory.mktemp("data"))
    module = Path(__file__).with_name("conformance_server.py")
    process = subprocess.Popen([sys.executable, str(module), str(port)], env=env, cwd=ROOT)
    try:
        until = time.monotonic() + PATIENCE
        while fetched(f"http://127.0.0.1:{port}/healthz")[0] != 200:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield f"http://localhost:{port}/mcp"
    finally:
        process.terminate()
        process.wait(15)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_official_scenario_passes(harness: list[str], server: str, scenario: str):
    done = subprocess.run(
        [*harness, "server", "--url", server, "--scenario", scenario],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    passed = re.search(r"Passed: (\d+)/(\d+), 0 failed, 0 warnings", done.stdout)
    assert done.returncode == 0, done.stdout
    assert passed is not None, done.stdout
    assert passed[1] == passed[2] == str(SCENARIOS[scenario]), done.stdout
