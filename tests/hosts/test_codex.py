"""Codex finds the server, and its model is shown everything it needs, also when a run takes longer than Codex waits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from or_mcp.host.instructions import INSTRUCTIONS
from tests.hosts.complete import TOOLS, as_json, check_fusion, check_models, check_refusal
from tests.hosts.conftest import LONG, SLOW, TOKEN, NewWorld
from tests.hosts.model_api import ModelApi, Step, ToolUse, serving
from tests.hosts.openai_api import ResponsesApi
from tests.hosts.world import MANIFESTS, World

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]

CONFIG = MANIFESTS / "codex" / "config.toml"
SERVER = "mcp_servers.openrouter"
GROUP = "mcp__openrouter"
MODELS, FUSION, LONG_FUSION, REFUSAL = range(4)


def test_the_configuration_as_shipped_is_read(world: World):
    world.write(".codex/config.toml", CONFIG.read_text(encoding="utf-8"))
    listed = world.run("codex", "mcp", "list", "--json")
    (server,) = json.loads(listed.stdout)
    assert (server["name"], server["enabled"], server["disabled_reason"]) == ("openrouter", True, None)
    assert (server["transport"]["command"], server["transport"]["args"]) == ("uvx", ["or-mcp"])


@pytest.fixture(scope="module", params=["stdio", "http"])
def session(request: pytest.FixtureRequest, new_world: NewWorld, guarded_url: str) -> ModelApi:
    """A session with the configuration as shipped, or with a server over HTTP that wants a token."""
    world = new_world()
    if request.param == "stdio":
        world.write(".codex/config.toml", CONFIG.read_text(encoding="utf-8"))
    else:
        token = ("--bearer-token-env-var", "TEAM_TOKEN")
        world.run("codex", "mcp", "add", "openrouter", "--url", guarded_url, *token)
    script = [
        use("list_models", query="opus"),
        use("fuse", prompt=f"Tabs or spaces, over {request.param}?", web=False),
        use("fuse", prompt=f"{LONG}tabs or spaces, over {request.param}?", web=False),
        use("list_models", limitt=3),
    ]
    return converse(world, script)


def use(tool: str, **arguments: object) -> ToolUse:
    return ToolUse(tool, arguments, GROUP)


def converse(world: World, script: Sequence[Step]) -> ModelApi:
    """A session without a person: what costs money is approved beforehand, and the server is waited for."""
    with serving(ResponsesApi(), script) as api:
        more = {"SCRIPTED_KEY": "x", "TEAM_TOKEN": TOKEN}
        done = world.run("codex", "exec", "--skip-git-repo-check", *overrides(api), "Go.", more=more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(api.outputs()) == len(script), done.stderr
    return api


def overrides(api: ModelApi) -> list[str]:
    access = f'{{name="scripted", base_url="{api.url}/v1", wire_api="responses", env_key="SCRIPTED_KEY"}}'
    settings = {
        "model": '"scripted"',
        "model_provider": '"scripted"',
        "model_providers.scripted": access,
        "check_for_update_on_startup": "false",
        "analytics.enabled": "false",
        f"{SERVER}.default_tools_approval_mode": '"approve"',
        f"{SERVER}.required": "true",
    }
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]


def group(api: ModelApi) -> dict[str, Any]:
    return next(tool for tool in api.turns[0]["tools"] if tool.get("name") == GROUP)


def test_every_tool_is_offered_under_the_servers_instructions(session: ModelApi):
    offered = group(session)
    assert offered["description"] == INSTRUCTIONS
    assert sorted(tool["name"] for tool in offered["tools"]) == sorted(TOOLS)


def test_the_model_is_shown_models_it_can_name(session: ModelApi):
    check_models(session.outputs()[MODELS])


def test_the_model_is_shown_the_whole_fusion(session: ModelApi):
    assert check_fusion(session.outputs()[FUSION]).startswith("run_")


def test_a_long_answer_stays_below_where_the_host_cuts_and_names_its_rest(session: ModelApi):
    fusion = as_json(session.outputs()[LONG_FUSION])
    assert fusion is not None, "the host cut it"
    assert f"the rest: run(run_id='{check_fusion(fusion)}', part='result')" in fusion["answer"]


def test_the_model_is_shown_why_a_call_was_refused(session: ModelApi):
    check_refusal(session.outputs()[REFUSAL])


def test_a_run_longer_than_the_host_waits_is_brought_back(new_world: NewWorld):
    world = new_world(OR_MCP_WAIT_SECONDS="4")
    world.write(".codex/config.toml", CONFIG.read_text(encoding="utf-8"))

    def bring_back(shown: Sequence[str]) -> ToolUse:
        begun = as_json(shown[-1])
        assert begun is not None
        return use("run", run_id=begun["run_id"], wait_seconds=30)

    api = converse(world, [use("fuse", prompt=f"{SLOW}tabs or spaces?", web=False), bring_back])
    begun, ended = api.outputs()
    told = as_json(begun)
    assert told is not None
    assert told["status"] == "running"
    assert any("run" in note for note in told["notes"])
    assert check_fusion(ended) == told["run_id"]
