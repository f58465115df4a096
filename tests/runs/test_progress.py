"""How a run goes is told to whoever waits for it, wherever it is carried."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.conftest import Connect, Upstream

pytestmark = pytest.mark.usefixtures("database_url")

PANEL = ["openai/gpt-5-mini", "openai/gpt-5-nano", "z-ai/glm-5.2"]
FUSE = {"prompt": "Monolith or microservices?", "analysis_models": PANEL, "web": False}
SECONDS = 2.5
# Within one process the SDK carries the newer era's progress past the protocol; over a wire both are tested elsewhere.
LEGACY = "legacy"


@dataclass
class Ear:
    """What one host hears while it waits."""

    beats: list[tuple[float, float, float | None, str]] = field(
        default_factory=list[tuple[float, float, float | None, str]]
    )
    late: int = 0
    result: Any = None

    async def hear(self, progress: float, total: float | None, message: str | None) -> None:
        self.beats.append((anyio.current_time(), progress, total, message or ""))
        self.late += self.result is not None

    async def listen(self, client: Client, tool: str, arguments: dict[str, Any]) -> None:
        self.result = await client.call_tool(tool, arguments, progress_callback=self.hear)
        await client.list_tools()

    @property
    def messages(self) -> list[str]:
        return [message for *_, message in self.beats]

    def check(self) -> None:
        """The rules that hold for everyone."""
        steps = [done for _, done, _, _ in self.beats]
        assert steps == sorted(set(steps)), steps
        assert all(total is not None and total >= done for _, done, total, _ in self.beats)
        assert all(0 < len(message) <= 200 for message in self.messages)
        times = [at for at, *_ in self.beats]
        # Hundreds of deltas may arrive meanwhile.
        assert len(times) <= 3 + (times[-1] - times[0]) / 0.25
        assert not self.late


async def test_everyone_who_waits_hears_how_it_goes(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": SECONDS, "panel_chars": 3000})
    caller, joiner, reader, elsewhere = ears = Ear(), Ear(), Ear(), Ear()
    run_id = ""
    async with connect(LEGACY) as here, connect(LEGACY) as there, anyio.create_task_group() as group:
        group.start_soon(caller.listen, here, "fuse", FUSE)
        run_id = await running(here)
        group.start_soon(joiner.listen, here, "fuse", FUSE)
        group.start_soon(reader.listen, here, "run", {"run_id": run_id, "wait_seconds": 20})
        group.start_soon(elsewhere.listen, there, "run", {"run_id": run_id, "wait_seconds": 20})
    for ear in ears:
        ear.check()
        assert ear.result.structured_content["run_id"] == run_id
        assert ear.result.structured_content["outcome"] == "fused"
        assert any("/3 answered" in message for message in ear.messages), ear.messages
    assert any("gpt-5-mini writing" in message and "chars" in message for message in caller.messages)
    assert len(upstream.posts()) == 1


@asynccontextmanager
async def carried(client: Client) -> AsyncGenerator[str]:
    """A fusion that somebody waits for until the block is left, and which then is cancelled; its run id."""
    async with anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "fuse", FUSE)
        yield await running(client)
        group.cancel_scope.cancel()


async def running(client: Client) -> str:
    """The run that is under way, once there is one."""
    for _ in range(500):
        for run in (await client.call_tool("run", {})).structured_content["runs"]:
            return run["run_id"]
        await anyio.sleep(0.01)
    raise AssertionError("no run began")


@pytest.mark.slow
@pytest.mark.parametrize("silence", [{"stall_at_event": 9}, {"never_ends": True, "stall_at_event": 9}])
async def test_a_silent_upstream_does_not_silence_us(connect: Connect, upstream: Upstream, silence: dict[str, Any]):
    upstream.script({"path": "/responses", **silence})
    ears = Ear(), Ear()
    async with connect(LEGACY) as here, connect(LEGACY) as there, carried(here) as run_id:
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            for ear, client in zip(ears, (here, there), strict=True):
                group.start_soon(ear.listen, client, "run", {"run_id": run_id, "wait_seconds": 11})
    for ear in ears:
        ear.check()
        times = [began, *(at for at, *_ in ear.beats), began + 11]
        assert max(later - earlier for earlier, later in pairwise(times)) < 5
        assert ear.messages[0] != ear.messages[-1]
        assert ear.result.structured_content["status"] == "running"


async def test_text_that_is_followed_by_silence_is_on_disk_in_a_moment(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "stall_at_event": 14, "panel_chars": 5000})
    async with connect() as here, connect() as there, carried(here) as run_id:
        with anyio.fail_after(60):
            while "[simulated]" not in await panel(here, run_id):
                await anyio.sleep(0.02)
            while await panel(here, run_id) != await panel(there, run_id):
                await anyio.sleep(0.05)


async def panel(client: Client, run_id: str) -> str:
    return (await client.call_tool("run", {"run_id": run_id, "part": "panel"})).structured_content["text"]
