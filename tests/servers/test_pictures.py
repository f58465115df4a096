"""Pictures that tools come back with: shown to models that see, kept, and there when a conversation goes on."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator.run.media import png
from tests.conftest import Connect, Upstream
from tests.oracle import request_problems
from tests.servers.world import CHAT, World, answers, asked, calls, sent

BLIND = "deepseek/deepseek-v3.2"
PICTURE = base64.b64encode(png("seen", width=8, height=8)).decode()
SHOWN = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}


def showing(world: World, *data: str, mime: str = "image/png") -> str:
    blocks = ["Here it is.", *({"type": "image", "data": each, "mimeType": mime} for each in data)]
    return world.serve("files", {"show": {"does": "say", "blocks": blocks}}, allow=["*"])


def seen(body: dict[str, Any]) -> list[Any]:
    """The pictures that a model was sent."""
    said: list[Any] = [message["content"] for message in body["messages"]]
    parts: list[Any] = [part for content in said if isinstance(content, list) for part in content]  # pyright: ignore[reportUnknownVariableType]
    return [part for part in parts if part["type"] == "image_url"]


def script(upstream: Upstream) -> None:
    upstream.script(calls(("files__show", {}), ("files__show", {})), answers("I see."))


async def test_they_follow_the_outputs_and_are_there_when_the_conversation_goes_on(
    connect: Connect, upstream: Upstream, world: World
):
    script(upstream)
    async with connect(OR_MCP_SERVERS=showing(world, PICTURE)) as client:
        first = await asked(client)
        second = await asked(client, continue_run=first["run_id"], prompt="What was in it?")
        await asked(client, continue_run=second["run_id"], prompt="And before?")
    bodies = sent(upstream)
    assert [seen(body) for body in bodies] == [[], [SHOWN] * 2, [SHOWN] * 2, [SHOWN] * 2]
    assert [message["role"] for message in bodies[2]["messages"][-6:]] == [
        "assistant", "tool", "tool", "user", "assistant", "user"
    ]  # fmt: skip
    assert not [problem for body in bodies for problem in request_problems(CHAT, body)]


async def test_a_model_that_sees_none_goes_on_without_them_and_one_that_does_with_them(
    connect: Connect, upstream: Upstream, world: World
):
    script(upstream)
    async with connect(OR_MCP_SERVERS=showing(world, PICTURE)) as client:
        first = await asked(client, model=BLIND)
        blind = await asked(client, model=BLIND, continue_run=first["run_id"], prompt="What was in it?")
        await asked(client, continue_run=blind["run_id"], prompt="And what do you see?")
    assert [seen(body) for body in sent(upstream)] == [[], [], [], [SHOWN] * 2]
    assert f"{BLIND} sees no pictures: those of this conversation were left out." in blind["notes"]


async def test_what_is_gone_is_told(connect: Connect, upstream: Upstream, world: World, tmp_path: Path):
    script(upstream)
    async with connect(OR_MCP_SERVERS=showing(world, PICTURE)) as client:
        first = await asked(client)
        (kept,) = tmp_path.rglob("files/*.png")
        kept.unlink()
        second = await asked(client, continue_run=first["run_id"], prompt="What was in it?")
    assert seen(sent(upstream)[2]) == []
    assert "Left out, since not on this machine (any more): 2 of the pictures." in second["notes"]


@pytest.mark.parametrize(
    "data", [base64.b64encode(b"<svg></svg>").decode(), base64.b64encode(b"no picture").decode(), "%%%", ""]
)
async def test_what_only_claims_to_be_a_picture_is_shown_to_nobody(
    connect: Connect, upstream: Upstream, world: World, data: str
):
    script(upstream)
    async with connect(OR_MCP_SERVERS=showing(world, data)) as client:
        answer = await asked(client)
    assert (answer["text"], seen(sent(upstream)[1])) == ("I see.", [])


async def test_what_a_picture_is_called_is_read_from_itself(connect: Connect, upstream: Upstream, world: World):
    script(upstream)
    async with connect(OR_MCP_SERVERS=showing(world, PICTURE, mime="image/webp, " + "x" * 300)) as client:
        await asked(client)
    assert seen(sent(upstream)[1]) == [SHOWN] * 2


async def test_one_run_keeps_only_so_many(connect: Connect, upstream: Upstream, world: World, tmp_path: Path):
    show: tuple[str, Any] = ("files__show", {})
    upstream.script(*[calls(*[show] * 32) for _ in range(3)], answers("I see."))
    pictures = [base64.b64encode(png(f"{n}", width=8, height=8)).decode() for n in range(9)]
    async with connect(OR_MCP_SERVERS=showing(world, *pictures)) as client:
        await asked(client)
    assert len(seen(sent(upstream)[-1])) == 64
