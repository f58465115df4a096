"""An expensive call asks first, where the host can ask."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_types import ElicitResult

from tests.conftest import Connect, Upstream, text_of

QUESTION = {"prompt": "Monolith or microservices?", "analysis_models": ["openai/gpt-5.6-sol"], "web": False}
DEAR = {"OR_MCP_MAX_COST_PER_CALL_USD": "1.5"}


class User:
    """Somebody who is asked."""

    def __init__(self, action: str, content: dict[str, Any] | None = None) -> None:
        self.asked: list[str] = []
        self._answer = ElicitResult(action=action, content=content)  # pyright: ignore[reportArgumentType]

    async def answer(self, context: Any, params: Any) -> ElicitResult:
        del context
        self.asked.append(params.message)
        return self._answer


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_user_who_agrees_is_shown_the_range_and_it_is_spent(connect: Connect, upstream: Upstream, mode: str):
    user = User("accept", {"go": True})
    async with connect(mode, {"elicitation_callback": user.answer}, **DEAR) as client:
        result = await client.call_tool("fuse", QUESTION)
    assert result.structured_content["outcome"] == "fused"
    estimate = result.structured_content["cost_estimate_usd"]
    assert user.asked == [
        f"fuse with openai/gpt-5.6-sol may cost ${estimate['low']:.4f} to ${estimate['high']:.4f}. Spend it?"
    ]
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("user", [User("decline"), User("cancel"), User("accept", {"go": False})])
async def test_a_user_who_does_not_agree_pays_nothing(connect: Connect, upstream: Upstream, mode: str, user: User):
    async with connect(mode, {"elicitation_callback": user.answer}, **DEAR) as client:
        told = text_of(await client.call_tool("fuse", QUESTION))
    assert told.startswith("cancelled: The user was asked")
    assert "Spent: nothing" in told
    assert not upstream.posts()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cheap_call_does_not_ask(connect: Connect, mode: str):
    user = User("decline")
    async with connect(mode, {"elicitation_callback": user.answer}) as client:
        result = await client.call_tool("fuse", QUESTION)
    assert result.structured_content["outcome"] == "fused"
    assert not user.asked


async def test_where_nobody_can_be_asked_the_ceilings_alone_decide(connect: Connect):
    async with connect(**DEAR) as client:
        result = await client.call_tool("fuse", QUESTION)
    assert result.structured_content["outcome"] == "fused"


async def test_the_default_panel_does_not_ask_under_the_default_ceiling(connect: Connect):
    user = User("decline")
    async with connect(client={"elicitation_callback": user.answer}) as client:
        result = await client.call_tool("fuse", {"prompt": "Monolith or microservices?"})
    assert result.structured_content["outcome"] == "fused"
    assert not user.asked


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_joining_a_run_costs_nothing_and_does_not_ask_again(connect: Connect, upstream: Upstream, mode: str):
    upstream.script({"path": "/responses", "duration_s": 0.5})
    user = User("accept", {"go": True})
    async with connect(mode, {"elicitation_callback": user.answer}, **DEAR) as client:
        begun = await client.call_tool("fuse", QUESTION | {"wait_seconds": 0})
        joined = await client.call_tool("fuse", QUESTION | {"max_cost_usd": 0.001})
    assert (begun.structured_content["replayed"], joined.structured_content["replayed"]) == (False, True)
    assert joined.structured_content["outcome"] == "fused"
    assert len(user.asked) == len(upstream.posts()) == 1
