"""What `run` reads back, and who has received a run by that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Connect, Upstream

FUSE = {"prompt": "Monolith or microservices?", "web": False}
FROM_THE_VIEW: Any = {"or-mcp/view": True}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_what_the_page_has_shown_was_not_received_by_the_model(connect: Connect, upstream: Upstream, mode: str):
    async with connect(mode) as client:
        run_id = (await client.call_tool("fuse", FUSE | {"wait_seconds": 0})).structured_content["run_id"]
        for arguments in ({"wait_seconds": 20}, {}, {"part": "result"}):
            shown = await client.call_tool("run", {"run_id": run_id, **arguments}, meta=FROM_THE_VIEW)
            assert shown.structured_content["status"] == "completed"
        again = await client.call_tool("fuse", FUSE)
    assert (again.structured_content["replayed"], again.structured_content["run_id"]) == (True, run_id)
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("arguments", [{}, {"part": "result"}])
async def test_what_a_model_has_read_with_run_was_received(
    connect: Connect, upstream: Upstream, arguments: dict[str, str]
):
    async with connect() as client:
        run_id = (await client.call_tool("fuse", FUSE | {"wait_seconds": 0})).structured_content["run_id"]
        await client.call_tool("run", {"run_id": run_id, "wait_seconds": 20}, meta=FROM_THE_VIEW)
        await client.call_tool("run", {"run_id": run_id, **arguments})
        again = await client.call_tool("fuse", FUSE)
    assert again.structured_content["replayed"] is False
    assert len(upstream.posts()) == 2
