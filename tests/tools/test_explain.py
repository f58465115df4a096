"""A failure says what happened, what it cost, and one step that helps."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.calls.explain import explanation
from or_mcp.openrouter.errors import ConnectionFailed, Failure, StreamBroken
from or_mcp.runs.record import RunRecord, RunRequest
from tests.conftest import Connect, Upstream, text_of

ASK = {"model": "openai/gpt-5-mini", "prompt": "Hello?"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 429, "retry_after": 1000}, "Next: wait 1000 s, then call again."),
        (
            {"status": 404, "availability": {"code": "no_endpoints", "fallback_models": ["openai/gpt-5-nano"]}},
            "Next: call again with 'openai/gpt-5-nano'",
        ),
        (
            {"status": 404, "availability": {"code": "x", "constraint": {"field": "provider.only", "detail": "d"}}},
            "constraint: provider.only d.",
        ),
        (
            {"status": 404, "availability": {"code": "x", "excluded_by": ["max_price", "geo"]}},
            "excluded_by: max_price, geo",
        ),
        ({"status": 401}, "or-mcp doctor"),
        ({"status": 402}, "https://openrouter.ai/settings/credits"),
        ({"status": 400, "message": "A rude word. " * 100}, 'OpenRouter says: "A rude word.'),
    ],
)
async def test_what_upstream_adds_is_passed_on(connect: Connect, upstream: Upstream, fault: dict[str, Any], words: str):
    upstream.script({"path": "/chat/completions", **fault})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", ASK))
    assert words in told
    assert "Spent: nothing" in told
    assert "Run: " not in told
    assert len(told) < 1000
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize(
    ("name", "words"), [("fus", "did you mean 'fuse'?\nSpent"), ("xyzzy", "there are fuse, ask, embed")]
)
async def test_an_unknown_tool_is_answered_with_the_known_ones(connect: Connect, name: str, words: str):
    async with connect() as client:
        told = text_of(await client.call_tool(name, {}))
    assert told.startswith(f"invalid_request: There is no tool {name!r}")
    assert words in told


@pytest.mark.parametrize(
    ("failure", "cost", "generation", "spent"),
    [
        (StreamBroken("x", may_be_billed=True), "0.0123", "gen-1", "$0.0123"),
        (StreamBroken("x", may_be_billed=True), "0", "gen-1", "nothing"),
        (StreamBroken("x", may_be_billed=True), None, "gen-1", "unknown (generation gen-1)"),
        (StreamBroken("x", may_be_billed=True, generation_id="gen-2"), None, "gen-1", "unknown (generation gen-2)"),
        (StreamBroken("x", may_be_billed=True), None, None, "unknown"),
        (ConnectionFailed("x"), None, "gen-1", "unknown (generation gen-1)"),
        (ConnectionFailed("x"), None, None, "nothing"),
    ],
)
def test_what_was_spent_is_never_called_nothing_unless_it_is(
    failure: Failure, cost: str | None, generation: str | None, spent: str
):
    request = RunRequest("ask", "me", "me", "", "{}", (), "?")
    record = RunRecord(
        *("run_1", request, datetime.now(UTC), "owner"),
        cost_usd=None if cost is None else Decimal(cost),
        generation_id=generation,
    )
    assert f"Spent: {spent}" in explanation(failure, record).split("\n")


def test_without_a_record_what_may_be_billed_is_unknown():
    assert "Spent: unknown" in explanation(StreamBroken("x", may_be_billed=True)).split("\n")
    assert "Spent: nothing" in explanation(ConnectionFailed("x")).split("\n")
