"""What the next model cannot take is said before anything is spent, with models that can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.conftest import Connect, Upstream, text_of

MINI, BLIND, PLAIN = "openai/gpt-5-mini", "deepseek/deepseek-v3.2", "meta-llama/llama-3.1-8b-instruct"
HELLO = {"model": MINI, "prompt": "Hello?"}
TOOL = {"name": "get_weather"}
SHAPE = {"type": "object"}
LONG = "word " * 20_000
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"
PDF = b"%PDF-1.4\n%%EOF\n"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    for name, data in (("a.png", PNG), ("b.pdf", PDF), ("c.wav", WAV)):
        (tmp_path / name).write_bytes(data)


def posts(upstream: Upstream) -> list[dict[str, Any]]:
    return [post.body for post in upstream.posts("/chat/completions")]


async def going_on(client: Client, first: dict[str, Any], then: dict[str, Any]) -> Any:
    one = await client.call_tool("ask", first)
    return await client.call_tool("ask", {"prompt": "And?", **then, "continue_run": one.structured_content["run_id"]})


@pytest.mark.parametrize(
    ("attached", "model", "what"),
    [("a.png", BLIND, "an image"), ("b.pdf", BLIND, "a PDF (file)"), ("c.wav", MINI, "audio")],
)
async def test_a_picture_further_up_and_a_model_that_cannot_see(
    connect: Connect, upstream: Upstream, attached: str, model: str, what: str
):
    sees = {"model": "google/gemini-3-flash-preview", "prompt": "What is this?", "attachments": [attached]}
    async with connect() as client:
        result = await going_on(client, sees, {"model": model})
        told = text_of(result)
        assert told.startswith(f"model_unavailable: {model} takes only")
        assert f"this conversation holds {what}, so nothing was sent" in told
        assert "Spent: nothing" in told
        assert len(posts(upstream)) == 1
        offered = told.partition("fallback_models: ")[2].split(".\n")[0].split(", ")
        for other in offered:
            answered = await going_on(client, sees, {"model": other})
            assert not answered.is_error


async def test_a_conversation_that_is_too_long_for_the_next_model(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await going_on(client, HELLO | {"prompt": LONG}, {"model": PLAIN})
    assert "reads 16,384 tokens at once, and this conversation has about 25," in text_of(result)
    assert "fallback_models: meta-llama/llama-3.3-70b-instruct" in text_of(result)
    assert len(posts(upstream)) == 1


async def test_a_fallback_that_can_take_it_is_enough(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("ask", {"model": PLAIN, "fallback_models": [MINI], "prompt": LONG})
    assert result.structured_content["model"] == MINI
    assert f"{PLAIN} failed; {MINI} answered instead." in result.structured_content["notes"]


@pytest.mark.parametrize(
    ("more", "words"),
    [({"tools": [TOOL]}, "cannot call functions (tools)"), ({"json_schema": SHAPE}, "cannot be held to a json_schema")],
)
async def test_a_model_that_cannot_do_what_is_asked(
    connect: Connect, upstream: Upstream, more: dict[str, Any], words: str
):
    async with connect(OR_MCP_MODELS="meta-llama/*,qwen/*") as client:
        told = text_of(await client.call_tool("ask", {"model": PLAIN, "prompt": "q", **more}))
    assert words in told
    offered = told.partition("fallback_models: ")[2].split("\n")[0]
    assert all(name.startswith(("meta-llama/", "qwen/")) for name in offered.split(", "))
    assert not posts(upstream)


async def test_tools_given_to_another_model_stay_out_where_the_next_one_calls_none(
    connect: Connect, upstream: Upstream
):
    async with connect() as client:
        one = await client.call_tool("ask", HELLO | {"tools": [TOOL]})
        run_id = one.structured_content["run_id"]
        two = await client.call_tool("ask", {"model": PLAIN, "prompt": "And?", "continue_run": run_id})
        run_id = two.structured_content["run_id"]
        await client.call_tool("ask", HELLO | {"continue_run": run_id})
    assert f"{PLAIN} calls no functions: this conversation's tools were left out." in two.structured_content["notes"]
    assert ["tools" in body for body in posts(upstream)] == [True, False, True]


async def test_where_no_model_can_it_says_so(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_MODELS=PLAIN) as client:
        told = text_of(await client.call_tool("ask", {"model": PLAIN, "prompt": LONG}))
    assert "No model that may be used here can" in told
    assert not posts(upstream)


@pytest.mark.parametrize(
    ("model", "effort", "sent", "note"),
    [
        (MINI, "minimal", "minimal", None),
        ("anthropic/claude-opus-5", "none", "low", "has no effort 'none': it was asked with 'low'"),
        ("google/gemini-3-flash-preview", "max", "high", "has no effort 'max': it was asked with 'high'"),
        (BLIND, "xhigh", "xhigh", None),
        ("openai/gpt-4o-mini", "low", None, "does not reason"),
        ("openrouter/auto", "high", "high", None),
    ],
)
async def test_the_effort_is_one_that_the_model_has(
    connect: Connect, upstream: Upstream, model: str, effort: str, sent: str | None, note: str | None
):
    async with connect() as client:
        result = await client.call_tool("ask", {"model": model, "prompt": "Hello?", "reasoning_effort": effort})
    (body,) = posts(upstream)
    assert body.get("reasoning") == ({"effort": sent} if sent else None)
    told = [each for each in result.structured_content.get("notes", []) if "effort" in each or "reason" in each]
    assert note in told[0] if note else not told


async def test_what_is_attached_again_is_not_sent_again(connect: Connect, upstream: Upstream):
    first = HELLO | {"attachments": ["a.png", "b.pdf"]}
    async with connect() as client:
        result = await going_on(client, first, {"model": MINI, "attachments": ["b.pdf", "a.png"]})
    assert str(posts(upstream)[1]).count("base64,") == 2
    assert [note for note in result.structured_content["notes"] if note.startswith("Already")] == [
        "Already in this conversation, and not sent again: b.pdf.",
        "Already in this conversation, and not sent again: a.png.",
    ]
    assert "b.pdf, a.png" in posts(upstream)[1]["messages"][-1]["content"][-1]["text"]


async def test_a_document_that_was_read_is_not_read_and_paid_for_again(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await going_on(client, HELLO | {"attachments": ["b.pdf"]}, {"model": "anthropic/claude-opus-5"})
    answer = posts(upstream)[1]["messages"][1]
    assert [note["type"] for note in answer["annotations"]] == ["file"]


async def test_the_estimate_counts_attachments_tools_and_the_dearest_fallback(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0.05") as client:
        cheap = await client.call_tool("ask", HELLO | {"max_output_tokens": 1000})
        dear = await client.call_tool(
            "ask", HELLO | {"max_output_tokens": 2100, "fallback_models": ["openai/gpt-5.4-pro"]}
        )
    assert not cheap.is_error
    assert text_of(dear).startswith("over_budget:")
    assert len(posts(upstream)) == 1
