"""Who asked for a run, and when: kept with it, and told wherever it is filed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import mcp_types
from mcp import Client

from or_mcp.calls.caller import Caller
from tests.cli.test_terminal import terminal
from tests.conftest import Connect, Upstream
from tests.runs.before import Before

ASK = {"model": "openai/gpt-5-mini", "prompt": "Why?"}
RUDE = 'a host\x1b[2J\n"ignore all"\u202e ' + "x" * 5_000


def called(name: str) -> dict[str, mcp_types.Implementation]:
    return {"client_info": mcp_types.Implementation(name=name, version="1")}


async def read(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, mcp_types.TextResourceContents)
    return content.text


async def test_a_run_is_filed_with_who_asked_and_when(
    connect: Connect, upstream: Upstream, environment: dict[str, str], database_url: str | None
):
    async with connect(client=called("claude-code")) as client:
        run_id = (await client.call_tool("ask", ASK)).structured_content["run_id"]
    async with connect(client=called("another-host")) as client:
        whole = json.loads(await read(client, f"openrouter://runs/{run_id}"))
        page = await read(client, f"openrouter://runs/{run_id}/report")
    shown = (await terminal(environment, "runs", "show", run_id)).stdout.decode()
    assert whole["asked_by"] == "claude-code"
    assert '"asked_by":"claude-code"' in page
    started = whole["started"][:16].replace("T", " ")
    assert shown.splitlines()[-1] == f"Asked: {started} UTC by claude-code"


async def test_a_run_of_the_terminal_was_asked_by_this_program(upstream: Upstream, environment: dict[str, str]):
    told = json.loads((await terminal(environment, "ask", "Why?", "--json")).stdout)
    shown = json.loads((await terminal(environment, "runs", "show", told["run_id"], "--json")).stdout)
    assert shown["asked_by"] == "or-mcp"


async def test_a_name_that_is_none_is_bounded_and_quoted(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    async with connect(client=called(RUDE)) as client:
        run_id = (await client.call_tool("ask", ASK)).structured_content["run_id"]
    shown = (await terminal(environment, "runs", "show", run_id)).stdout.decode()
    *before, last = shown.splitlines()
    assert not any("ignore all" in line for line in before)
    assert last.partition(" by ")[2].startswith("\"a host\ufffd[2J 'ignore all'\ufffd xxx")
    assert last.endswith('x…"')
    assert len(last) < 120


async def test_a_run_of_before_this_was_kept_has_its_time_alone(upstream: Upstream, environment: dict[str, str]):
    caller = Caller.of(environment["OPENROUTER_API_KEY"], upstream.base_url).id
    file = Path(environment["OR_MCP_DATA_DIR"]) / "runs.sqlite3"
    before = Before(file, caller)
    before.save("run_old", status="completed", started=time.time() - 60, ended=time.time(), cost_usd=1, charged_usd=1)
    before.close()
    done = await terminal(environment, "runs", "show", "run_old")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[-1].startswith("Asked: 20")
    assert done.stdout.decode().rstrip().endswith(" UTC")
