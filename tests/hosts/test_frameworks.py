"""Agent frameworks, each by its own way to MCP, find the tools, call them, and are told everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import pytest

from tests.hosts.complete import TOOLS, check_fusion, check_models, check_refusal
from tests.hosts.conftest import NewWorld
from tests.hosts.tours import CLIENTS, Tour, calls, read
from tests.hosts.world import World

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
MODELS, FUSION, REFUSAL = range(3)
# By the environment that each is installed in.
FRAMEWORKS = {
    "langchain": "frameworks",
    "llama_index": "frameworks",
    "google_adk": "frameworks",
    "autogen": "frameworks",
    "haystack": "frameworks",
    "agno": "python",
    "with_ai_sdk.mjs": "",
    "with_mastra.mjs": "",
}

TakeTour = Callable[[str, str], Tour]
every_framework = pytest.mark.parametrize("name", FRAMEWORKS)
over_both = pytest.mark.parametrize("transport", ["stdio", "http"])


@pytest.fixture(scope="module")
def tour(new_world: NewWorld) -> TakeTour:
    """A tour is taken once, and looked at by every test."""

    @cache
    def taken(name: str, transport: str) -> Tour:
        world = new_world()
        wanted = {"command": ["uvx", "or-mcp"], "url": world.url if transport == "http" else "", "calls": calls()}
        return read(_take(world, name, json.dumps(wanted)))

    return taken


def _take(world: World, name: str, wanted: str) -> object:
    if name.endswith(".mjs"):
        # Read from stdin, its imports are looked up in the working directory.
        program = (CLIENTS / name).read_text(encoding="utf-8")
        return world.run("node", "--input-type=module", "-", wanted, stdin=program, folder=world.hosts.folder)
    python = world.hosts.folder / FRAMEWORKS[name] / "bin" / "python"
    return world.run(str(python), str(CLIENTS / "with_frameworks.py"), name, wanted)


@over_both
@every_framework
def test_every_tool_is_offered(tour: TakeTour, name: str, transport: str):
    assert sorted(tool["name"] for tool in tour(name, transport).tools) == sorted(TOOLS)


@over_both
@every_framework
def test_models_a_whole_fusion_and_a_refusal_with_its_next_step_are_handed_on(
    tour: TakeTour, name: str, transport: str
):
    answers = tour(name, transport).answers
    check_models(answers[MODELS]["shown"])
    assert check_fusion(answers[FUSION]["shown"]).startswith("run_")
    check_refusal(answers[REFUSAL]["shown"])
