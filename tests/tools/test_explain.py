"""A failure says what happened, what it cost, and one step that helps."""

from __future__ import annotations

from typing import Any

import pytest

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
