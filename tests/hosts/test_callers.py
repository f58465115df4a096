"""Clients of OpenRouter's API that others wrote get from the simulator what they get from OpenRouter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hosts.installed import Installed
from tests.hosts.world import KEY, PATIENCE

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
CALLERS = Path(__file__).parent / "callers"

PYTHON = {
    "openai": "text stream tools structure embeddings responses reasoning speech fusion",
    "anthropic": "text stream tools reasoning search cache",
    "litellm": "text stream tools structure",
    "instructor": "tools json json_schema",
    "dspy": "text",
    "langchain": "text stream tools structure",
    "pydantic_ai": "text structure reasoning",
    "llm": "text stream",
}
JAVASCRIPT = {
    "sdk": "text stream models",
    "provider": "text stream structure sources images embeddings",
    "agent": "text reasoning",
}


def check(command: list[str], environment: dict[str, str], wanted: str) -> None:
    """Run a caller to its end: everything it supports must have come back, and nothing may have failed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE * 2)
    assert done.returncode == 0, done.stderr[-2000:]
    came = json.loads(done.stdout.splitlines()[-1])
    assert "failed" not in came, came
    assert {name for name in wanted.split() if not came.get(name) and came.get(name) != 0} == set()


@pytest.mark.parametrize("name", PYTHON)
def test_a_client_written_in_python_is_served(hosts: Installed, upstream: str, tmp_path: Path, name: str):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [str(hosts.caller_python(name)), str(CALLERS / "python_callers.py"), name, upstream, KEY]
    check(command, environment, PYTHON[name])


@pytest.mark.parametrize("name", JAVASCRIPT)
def test_a_client_written_in_javascript_is_served(hosts: Installed, upstream: str, tmp_path: Path, name: str):
    # A module finds packages beside itself, so it is put where they are.
    script = hosts.folder / f"caller-{name}.mjs"
    shutil.copyfile(CALLERS / "javascript_callers.mjs", script)
    command = [hosts.program("node"), str(script), name, upstream, KEY]
    check(command, {"PATH": hosts.path, "HOME": str(tmp_path)}, JAVASCRIPT[name])
