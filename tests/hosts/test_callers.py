"""Clients of OpenRouter's API that others wrote get from the simulator what they get from OpenRouter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.asked import ASKED, FILE, check
from tests.hosts.installed import Installed
from tests.hosts.world import KEY, PATIENCE
from tests.serving.programs import environment

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
CALLERS = Path(__file__).parent / "callers"

# What nearly all of them support.
_ALL = "text stream tools structure vision reasoning fusion "
PYTHON = {
    "openrouter": _ALL + "images pictures film speech transcripts embeddings",
    "openai": _ALL + "images pictures speech transcripts embeddings responses",
    "anthropic": "text stream tools structure reasoning search cache images fusion fusion_streamed",
    "litellm": _ALL + "images pictures embeddings",
    "instructor": "text stream tools json json_schema vision reasoning fusion",
    "dspy": _ALL,
    "langchain": _ALL,
    "pydantic_ai": _ALL + "search fusion_on_chat fusion_unstreamed",
    "llm": _ALL,
}
JAVASCRIPT = {
    "openai": _ALL + "answered images speech transcripts embeddings responses helper",
    "anthropic": "text stream tools structure reasoning kept search images fusion fusionStreamed",
    "sdk": _ALL + "images pictures film speech transcripts fusionEvents embeddings models",
    "provider": _ALL + "sources images pictures embeddings",
    "agent": _ALL + "answered",
}
# What fails of them with OpenRouter too, and how.
FAILING = {
    # It knows no kinds of details and items but those it lists.
    "pydantic_ai": {
        "fusion_on_chat": "input_value='reasoning.server_tool_call'",
        "fusion_unstreamed": "'NoneType' object is not iterable",
    },
    # Its helper for streams knows no events but OpenAI's own, and its pictures go to a path OpenRouter does not have.
    "openai": {"helper": "Unhandled response stream event", "pictures": "/images/generations"},
}


def run(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run a caller to its end: what came back, of which nothing may have failed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE * 2)
    assert done.returncode == 0, done.stderr[-2000:]
    came = json.loads(done.stdout.splitlines()[-1])
    assert "failed" not in came, came["failed"]
    return came


def check_all(came: dict[str, Any], name: str, wanted: str) -> None:
    """Everything a client is tried with has come, and what fails of it fails as it does with OpenRouter."""
    assert {each for each in wanted.split() if not came.get(each) and came.get(each) != 0} == set()
    for what, failure in FAILING.get(name, {}).items():
        assert failure in came.get(what, failure), came[what]


def run_python(hosts: Installed, name: str, upstream: str, home: Path, more: str = "") -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    script = str(CALLERS / "python_callers.py")
    return run([str(hosts.caller_python(name)), script, name, upstream, KEY, more], environment)


def run_javascript(hosts: Installed, name: str, upstream: str, home: Path, more: str = "") -> dict[str, Any]:
    # A module finds packages beside itself, so it is put where they are.
    script = hosts.folder / f"caller-{name}.mjs"
    shutil.copyfile(CALLERS / "javascript_callers.mjs", script)
    return run([hosts.program("node"), str(script), name, upstream, KEY, more], {"PATH": hosts.path, "HOME": str(home)})


@pytest.mark.parametrize("name", PYTHON)
def test_a_client_written_in_python_is_served(hosts: Installed, upstream: str, tmp_path: Path, name: str):
    check_all(run_python(hosts, name, upstream, tmp_path), name, PYTHON[name])


@pytest.mark.parametrize("name", JAVASCRIPT)
def test_a_client_written_in_javascript_is_served(hosts: Installed, upstream: str, tmp_path: Path, name: str):
    check_all(run_javascript(hosts, name, upstream, tmp_path), name, JAVASCRIPT[name])


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_what_the_documents_show_is_answered_without_any_package_of_openrouters(
    hosts: Installed, upstream: str, tmp_path: Path, language: str
):
    runs = {"python": (run_python, "requests"), "javascript": (run_javascript, "fetch")}
    runner, name = runs[language]
    came = runner(hosts, name, upstream, tmp_path, str(FILE))
    assert came.keys() == ASKED.keys()
    for asked, (status, reply) in came.items():
        check(asked, status, reply)


def test_a_model_uses_the_tools_of_an_mcp_server(hosts: Installed, upstream: str, tmp_path: Path):
    server = {"command": sys.executable, "args": ["-m", "or_mcp"], "env": environment(upstream, tmp_path)}
    came = run_python(hosts, "mcp", upstream, tmp_path, json.dumps(server))
    assert came["called"] == "list_models"
    assert came["offered"] >= 8
    assert came["answered"]
    assert came["text"].startswith("[simulated]")
