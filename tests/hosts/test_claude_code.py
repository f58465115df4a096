"""Claude Code finds the server, and its model is shown everything it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from or_mcp.host.instructions import INSTRUCTIONS
from tests.hosts.anthropic_api import MessagesApi
from tests.hosts.complete import TOOLS, as_json, check_fusion, check_models, check_refusal
from tests.hosts.conftest import LONG, TOKEN, NewWorld
from tests.hosts.model_api import ModelApi, Step, ToolUse, serving
from tests.hosts.world import MANIFESTS, World
from tests.serving.programs import ROOT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]

PLUGIN = str(MANIFESTS / "claude-code")
PLUGIN_PREFIX = "mcp__plugin_or-mcp_openrouter__"
# The first turn waits for the server: a script asks sooner than a person would.
WAITS = {"MCP_CONNECTION_NONBLOCKING": "0", "MCP_CONNECT_TIMEOUT_MS": "60000"}
SEES = "openai/gpt-5-mini"
SKILLS = ["fusion", "choose-a-model", "second-opinion", "spend-little"]
SEARCH, MODELS, FUSION, LONG_FUSION, REFUSAL = range(5)


@dataclass(frozen=True)
class Session:
    """A session that ended: what its model was shown, and the tools' names there."""

    api: ModelApi
    prefix: str
    said: str

    def shown(self, number: int) -> str:
        return self.api.outputs()[number]


@pytest.fixture(scope="module", params=["stdio", "http"])
def session(request: pytest.FixtureRequest, new_world: NewWorld) -> Session:
    """A session with the plugin as shipped, or with a server over HTTP."""
    world = new_world()
    prefix = PLUGIN_PREFIX if request.param == "stdio" else "mcp__openrouter__"
    config = {"mcpServers": {"openrouter": {"type": "http", "url": world.url}}}
    over_http = ["--mcp-config", json.dumps(config), "--strict-mcp-config"]
    options = ["--plugin-dir", PLUGIN] if request.param == "stdio" else over_http
    script: list[Step] = [
        ToolUse("ToolSearch", {"query": f"select:{prefix}list_models"}),
        ToolUse(f"{prefix}list_models", {"query": "opus"}),
        ToolUse(f"{prefix}fuse", {"prompt": f"Tabs or spaces, over {prefix}?", "web": False}),
        ToolUse(f"{prefix}fuse", {"prompt": f"{LONG}tabs, over {prefix}?", "web": False, "detail": "full"}),
        ToolUse(f"{prefix}list_models", {"limitt": 3}),
    ]
    return converse(world, prefix, script, "Go.", [*options, "--allowedTools", f"{prefix}*"])


def converse(world: World, prefix: str, script: Sequence[Step], said: str, options: Sequence[str]) -> Session:
    with serving(MessagesApi(), script) as api:
        access = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "scripted"}
        done = world.run("claude", "-p", said, *options, more=access | WAITS)
    assert done.returncode == 0, done.stdout + done.stderr
    return Session(api, prefix, done.stdout.strip())


def test_the_session_ends_with_the_models_last_word(session: Session):
    assert session.said == "done"
    assert len(session.api.outputs()) == REFUSAL + 1


def test_the_instructions_are_shown_from_the_start(session: Session):
    assert json.dumps(INSTRUCTIONS)[1:-1] in json.dumps(session.api.turns[0])


def test_every_tool_is_known_from_the_start_and_fuse_can_be_called_at_once(session: Session):
    first = session.api.turns[0]
    assert f"{session.prefix}fuse" in [tool["name"] for tool in first["tools"]]
    assert all(f"{session.prefix}{tool}" in json.dumps(first) for tool in TOOLS)
    assert max(len(f"{session.prefix}{tool}") for tool in TOOLS) <= 64


def test_a_searched_tool_comes_with_its_description(session: Session):
    assert f"{session.prefix}list_models" in [tool["name"] for tool in session.api.turns[SEARCH + 1]["tools"]]


def test_the_model_is_shown_models_it_can_name(session: Session):
    check_models(session.shown(MODELS))


def test_the_model_is_shown_the_whole_fusion(session: Session):
    assert check_fusion(session.shown(FUSION)).startswith("run_")


def test_a_long_answer_is_not_cut(session: Session):
    fusion = as_json(session.shown(LONG_FUSION))
    assert fusion is not None
    assert len(fusion["answer"]) > 17_000
    check_fusion(fusion)


def test_the_model_is_shown_why_a_call_was_refused(session: Session):
    check_refusal(session.shown(REFUSAL))


def test_the_plugin_as_shipped_is_valid_and_connects(world: World):
    checked = world.run("claude", "plugin", "validate", PLUGIN)
    assert checked.returncode == 0, checked.stdout
    listed = world.run("claude", "--plugin-dir", PLUGIN, "mcp", "list")
    assert "plugin:or-mcp:openrouter: uvx or-mcp - ✔ Connected" in listed.stdout, listed.stdout


def test_the_plugin_installs_from_our_marketplace_and_connects(world: World):
    installed = world.run("claude", "plugin", "install", "or-mcp", "--marketplace", str(ROOT))
    assert installed.returncode == 0, installed.stdout + installed.stderr
    listed = world.run("claude", "mcp", "list")
    assert "plugin:or-mcp:openrouter: uvx or-mcp - ✔ Connected" in listed.stdout, listed.stdout


def test_the_line_of_the_readme_connects(world: World):
    line = "claude mcp add -s user openrouter -- uvx or-mcp"
    assert f"`{line}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    world.run(*line.split())
    listed = world.run("claude", "mcp", "list")
    assert "openrouter: uvx or-mcp - ✔ Connected" in listed.stdout, listed.stdout


def test_the_plugin_connects_without_a_key_too(world: World):
    listed = world.run("claude", "--plugin-dir", PLUGIN, "mcp", "list", more={"OPENROUTER_API_KEY": ""})
    assert "✔ Connected" in listed.stdout, listed.stdout


def test_the_plugins_command_asks_for_a_fusion_and_may_have_it(world: World):
    script = [ToolUse(f"{PLUGIN_PREFIX}fuse", {"prompt": "Tabs or spaces, as a command?", "web": False})]
    session = converse(world, PLUGIN_PREFIX, script, "/or-mcp:fuse Tabs or spaces?", ["--plugin-dir", PLUGIN])
    assert "Tabs or spaces?" in json.dumps(session.api.turns[0]["messages"])
    check_fusion(session.shown(0))


def test_the_skills_are_listed_and_one_is_used(world: World):
    script = [
        ToolUse("Skill", {"skill": "or-mcp:second-opinion"}),
        ToolUse(f"{PLUGIN_PREFIX}ask", {"model": "openai/gpt-5-mini", "prompt": "Is the earth flat?"}),
    ]
    options = ["--plugin-dir", PLUGIN, "--allowedTools", f"Skill,{PLUGIN_PREFIX}*"]
    session = converse(world, PLUGIN_PREFIX, script, "Is the earth flat? Be sure.", options)
    first = json.dumps(session.api.turns[0])
    assert [name for name in SKILLS if f"or-mcp:{name}" not in first] == []
    # What the skill says reaches the model once it is used, and not before.
    words = "whoever has read an answer repeats it"
    assert [words in json.dumps(turn) for turn in session.api.turns[:2]] == [False, True]
    assert "[simulated] " in session.shown(1)


def test_a_person_calls_a_skill_by_its_name(world: World):
    session = converse(world, PLUGIN_PREFIX, [], "/or-mcp:spend-little", ["--plugin-dir", PLUGIN])
    assert "The cost line says which part" in json.dumps(session.api.turns[0])


def test_a_guarded_server_over_http_connects_with_its_token_alone(world: World, guarded_url: str):
    def listed(token: str) -> str:
        add = ("claude", "mcp", "add", "--scope", "user", "--transport", "http")
        added = world.run(*add, f"as-{token}", guarded_url, "--header", f"Authorization: Bearer {token}")
        assert added.returncode == 0, added.stderr
        return world.run("claude", "mcp", "list").stdout

    assert f"as-{TOKEN}: {guarded_url} (HTTP) - ✔ Connected" in listed(TOKEN)
    assert "Server rejected the configured Authorization header (HTTP 401)" in listed("wrong")


def test_a_picture_is_made_and_a_second_session_asks_about_it_by_its_path(world: World):
    def used(tool: str, arguments: dict[str, Any], said: str) -> str:
        search = ToolUse("ToolSearch", {"query": f"select:{PLUGIN_PREFIX}{tool}"})
        script = [search, ToolUse(f"{PLUGIN_PREFIX}{tool}", arguments)]
        options = ["--plugin-dir", PLUGIN, "--allowedTools", f"{PLUGIN_PREFIX}*"]
        return converse(world, PLUGIN_PREFIX, script, said, options).shown(1)

    made = used("make", {"kind": "image", "prompt": "A harbour at dawn"}, "Draw a harbour.")
    (path,) = {Path(each) for each in re.findall(r"/[^\s\"]+\.png", made)}
    assert path.read_bytes().startswith(b"\x89PNG")
    assert len(made) <= 2_000
    answered = used(
        "ask", {"model": SEES, "prompt": "What is in it?", "attachments": [str(path)]}, f"What is in {path}?"
    )
    told = as_json(answered)
    assert told is not None
    # Five words alone have fewer tokens than any picture.
    assert told["text"].startswith("[simulated]")
    assert told["usage"]["input_tokens"] > 100, told["usage"]
