"""Both eras of the protocol over both transports, through the SDK's client, against the real program."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TextIO

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import Implementation

from or_mcp.offered import TOOL_NAMES
from or_mcp.simulator import Simulator
from tests.conftest import text_of
from tests.serving.programs import LEGACY, MODERN, ROOT, environment, serving_http

WAYS = [(transport, mode) for transport in ("stdio", "http") for mode in ("legacy", "auto")]
SECONDS = 7
CANCELLED = "cancel me"


@dataclass
class World:
    """A simulated upstream, and the program serving over HTTP."""

    simulator: Simulator
    root: str
    env: dict[str, str]
    errors: TextIO

    @asynccontextmanager
    async def client(self, transport: str, mode: str, name: str = "some-host") -> AsyncGenerator[Client]:
        """A client; over stdio with a process of its own, which is whole."""
        info = Implementation(name=name, version="1")
        if transport == "http":
            async with Client(f"{self.root}/mcp", mode=mode, client_info=info) as client:
                yield client
            return
        server = StdioServerParameters(command=sys.executable, args=["-m", "or_mcp"], env=self.env, cwd=ROOT)
        async with Client(stdio_client(server, self.errors), mode=mode, client_info=info) as client:
            # Its tools can be listed before it has been imported.
            await client.call_tool("run", {})
            yield client


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """Everything that the tests here share."""
    data = tmp_path_factory.mktemp("data")
    simulator = Simulator(
        faults=[
            {"path": "/responses", "contains": CANCELLED, "stall_at_event": 14},
            {"path": "/responses", "duration_s": SECONDS},
        ]
    )
    with simulator.serve_in_thread() as base_url, (data / "errors").open("w") as errors:
        env = environment(base_url, data)
        with serving_http(env) as root:
            yield World(simulator, root, env, errors)


@dataclass
class Told:
    """What one host heard while it waited."""

    era: str = ""
    tools: list[str] = field(default_factory=list[str])
    beats: list[tuple[float, float, float | None, str]] = field(
        default_factory=list[tuple[float, float, float | None, str]]
    )
    began: float = 0.0
    ended: float = 0.0
    result: Any = None


async def fuse(world: World, transport: str, mode: str, told: Told) -> None:
    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.beats.append((monotonic(), progress, total, message or ""))

    async with world.client(transport, mode) as client:
        told.era = str(client.protocol_version)
        told.tools = [tool.name for tool in (await client.list_tools()).tools]
        told.began = monotonic()
        question = {"prompt": f"Monolith over {transport} in {mode}?", "web": False}
        told.result = await client.call_tool("fuse", question, progress_callback=hear)
        told.ended = monotonic()
        # Whatever comes late comes before this answer.
        await client.list_tools()


async def test_every_host_hears_how_its_run_goes_and_gets_the_same_answer(world: World):
    heard = {way: Told() for way in WAYS}
    async with anyio.create_task_group() as group:
        for (transport, mode), told in heard.items():
            group.start_soon(fuse, world, transport, mode, told)
    for (transport, mode), told in heard.items():
        where = f"{transport} {mode}: {told.beats}"
        assert told.era == (LEGACY if mode == "legacy" else MODERN)
        assert told.tools == list(TOOL_NAMES)
        assert told.result.structured_content["outcome"] == "fused"
        assert told.result.content[0].text
        steps = [done for _, done, _, _ in told.beats]
        assert steps == sorted(set(steps)), where
        assert all(message and len(message) <= 200 for *_, message in told.beats), where
        assert all(total is not None and total >= done for _, done, total, _ in told.beats), where
        times = [at for at, *_ in told.beats]
        assert all(
            later - earlier <= 5.2 for earlier, later in zip([told.began, *times], [*times, told.ended], strict=True)
        ), where
        assert len(told.beats) >= 3, where
        assert max(times) <= told.ended, where
        assert any("answered" in message for *_, message in told.beats), where


@pytest.mark.parametrize(("transport", "mode"), WAYS)
async def test_cancelling_closes_upstream_within_a_second(world: World, transport: str, mode: str):
    before = len(world.simulator.aborted)
    async with world.client(transport, mode) as client:
        with anyio.fail_after(120):
            async with anyio.create_task_group() as group:
                question = {"prompt": f"{CANCELLED} over {transport} in {mode}?", "web": False}
                group.start_soon(client.call_tool, "fuse", question)
                while not world.simulator.open_streams:
                    await anyio.sleep(0.02)
                group.cancel_scope.cancel()
        with anyio.fail_after(120):
            while world.simulator.open_streams or len(world.simulator.aborted) == before:
                await anyio.sleep(0.01)
        with anyio.fail_after(120):
            while True:
                (row, *_) = (await client.call_tool("run", {})).structured_content["runs"]
                if row["status"] != "running":
                    break
    assert row["status"] == "cancelled"
    assert row["prompt"].startswith(CANCELLED)


@pytest.mark.parametrize(("transport", "mode"), [way for way in WAYS if way != ("http", "auto")])
async def test_a_client_whose_time_is_up_ends_nothing_and_is_told_of_its_run(world: World, transport: str, mode: str):
    before = len(world.simulator.posts())
    async with world.client(transport, mode, "impatient") as client:
        question = {"prompt": f"Is time up over {transport} in {mode}?", "web": False}
        with pytest.raises(MCPError, match="timed out"):
            await client.call_tool("fuse", question, read_timeout_seconds=1)
        with anyio.fail_after(120):
            while not (told := text_of(await client.call_tool("list_models", {}))).startswith("Your fuse"):
                await anyio.sleep(0.01)
            while (again := (await client.call_tool("fuse", question)).structured_content)["status"] == "running":
                assert again["replayed"]
    assert again["run_id"] in told
    assert (again["outcome"], again["replayed"]) == ("fused", True)
    assert len(world.simulator.posts()) == before + 1


async def test_a_host_that_leaves_and_comes_back_finds_its_run(world: World):
    async with world.client("stdio", "auto") as client:
        begun = await client.call_tool("fuse", {"prompt": "Still there?", "web": False, "wait_seconds": 0})
        run_id = begun.structured_content["run_id"]
    async with world.client("http", "auto") as client:
        found = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 15})
    assert found.structured_content["run_id"] == run_id
    assert found.structured_content["status"] in ("completed", "interrupted")
