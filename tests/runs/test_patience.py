"""A host that gives up gets its answer all the same."""

from __future__ import annotations

import anyio
import pytest
from mcp_types import Implementation

from or_mcp.hosts.host import Patience
from or_mcp.hosts.table import CLIENTS
from or_mcp.runs.waiting import patience, tolerated_wait
from tests.conftest import Connect, Upstream

FUSE = {"prompt": "Monolith or microservices?", "web": False}


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_host_that_gives_up_at_50_s_gets_the_answer_with_one_run_call(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 70})
    nobody = {"client_info": Implementation(name="some-host", version="1")}
    async with connect(client=nobody) as client:
        with anyio.fail_after(120):
            begun = (await client.call_tool("fuse", FUSE)).structured_content
        assert begun["status"] == "running"
        with anyio.fail_after(120):
            told = await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 45})
    assert told.structured_content["outcome"] == "fused"
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize(
    ("name", "known"),
    [(name, client.patience) for client in CLIENTS for name in client.calls_itself if client.patience],
)
def test_every_known_client_is_answered_before_its_patience_ends(name: str, known: Patience):
    assert 0 < tolerated_wait(name.title()) < known.seconds
    assert tolerated_wait(f"{name}/1.2") == known.seconds - 2


def test_an_unknown_host_is_answered_just_before_50_s():
    assert tolerated_wait("some-host") == tolerated_wait("") == 48


@pytest.mark.parametrize(
    ("host", "chosen", "asked", "waits"),
    [
        ("claude", None, None, 228),
        ("claude", 1, None, 1),
        ("claude", 1, 30, 30),
        ("claude", None, 0, 0),
        ("claude", None, 3600, 228),
        ("codex", 800, 3600, 800),
        ("some-host", None, 3600, 48),
    ],
)
def test_a_call_waits_as_it_asks_but_never_past_its_hosts_patience(
    host: str, chosen: float | None, asked: float | None, waits: float
):
    assert patience(host, chosen, asked) == waits


async def test_a_run_call_that_asks_to_wait_is_not_held_to_the_wait_of_calls_that_do_not_ask(
    connect: Connect, upstream: Upstream
):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with connect(OR_MCP_WAIT_SECONDS="0.2") as client:
        begun = (await client.call_tool("fuse", FUSE)).structured_content
        told = await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 20})
    assert (begun["status"], told.structured_content["status"]) == ("running", "completed")
