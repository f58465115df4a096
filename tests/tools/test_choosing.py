"""A model is checked before anything is spent on it: that it can do the job, and that it is still there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from or_mcp.catalogue import fitness
from tests.conftest import Connect, Upstream, text_of

TODAY = date(2026, 6, 15)
WRITER = "a/writer"
MINI = "openai/gpt-5-mini"


def row(slug: str, **fields: Any) -> dict[str, Any]:
    """A model of the catalogue."""
    known = {"architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}, "context_length": 100_000}
    return {"id": slug, "name": slug, "pricing": {"prompt": "0.000001", "completion": "0.000002"}, **known, **fields}


def listed(upstream: Upstream, *rows: dict[str, Any]) -> None:
    """Let the catalogue hold these."""
    upstream.script({"path": "/models", "status": 200, "body": {"data": list(rows)}})


def days(after: int) -> str:
    return (TODAY + timedelta(days=after)).isoformat()


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "_today", lambda: TODAY)


@pytest.mark.parametrize(
    "named",
    [
        {"writer_model": WRITER},
        {"writer_model": WRITER, "analysis_models": ["a/able"], "analyst_model": "a/able"},
        # Under a preset the analyst writes too.
        {"preset": "general-fast", "analyst_model": WRITER},
    ],
)
async def test_a_writer_that_cannot_be_made_to_convene_a_panel_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, named: dict[str, Any]
):
    able = row("a/able", supported_parameters=["tools", "tool_choice"])
    listed(upstream, row(WRITER, supported_parameters=["tools", "temperature"]), able)
    async with connect() as client:
        result = await client.call_tool("fuse", {"prompt": "Why?", **named})
    assert result.is_error
    kind, spent, *_ = text_of(result).split("\n")
    assert kind.startswith(f"model_unavailable: {WRITER} cannot be made to convene a panel (it takes no tool_choice)")
    assert spent == "Spent: nothing"
    assert not upstream.posts()


@pytest.mark.parametrize("parameters", [["tool_choice"], [], None])
async def test_a_writer_that_can_be_forced_or_of_which_nothing_is_known_is_taken(
    connect: Connect, upstream: Upstream, parameters: list[str] | None
):
    listed(upstream, row(WRITER, supported_parameters=parameters))
    async with connect() as client:
        result = await client.call_tool("fuse", {"prompt": "Why?", "writer_model": WRITER})
    assert [post.body["model"] for post in upstream.posts()] == [WRITER], result.content


async def test_in_place_of_upstream_only_a_writer_that_can_be_forced_is_chosen(connect: Connect, upstream: Upstream):
    other = row("a/other", supported_parameters=["temperature"])
    listed(upstream, other, row("a/able", supported_parameters=["tool_choice"]))
    async with connect(OR_MCP_MODELS="a/*") as client:
        await client.call_tool("fuse", {"prompt": "Why?", "analysis_models": ["a/other", "a/able"]})
        refused = await client.call_tool("fuse", {"prompt": "Why?", "analysis_models": ["a/other"]})
    assert [post.body["model"] for post in upstream.posts()] == ["a/able"]
    assert text_of(refused).startswith("model_unavailable: a/other cannot be made to convene a panel")


def making(slug: str, *outputs: str) -> dict[str, Any]:
    return row(slug, architecture={"input_modalities": ["text"], "output_modalities": list(outputs)})


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (("image",), "makes image, not text"),
        (("audio", "image"), "makes audio, image, not text"),
    ],
)
async def test_a_model_that_says_nothing_is_refused(
    connect: Connect, upstream: Upstream, outputs: tuple[str, ...], words: str
):
    listed(upstream, making(MINI, *outputs), making("a/words", "text"))
    async with connect() as client:
        for named in ({"model": MINI}, {"model": "a/words", "fallback_models": [MINI]}):
            result = await client.call_tool("ask", {"prompt": "Draw!", **named})
            assert text_of(result).startswith(f"model_unavailable: {MINI} {words}")
    assert not upstream.posts()


@pytest.mark.parametrize("slug", ["openrouter/auto", "@preset/mine"])
async def test_a_name_behind_which_upstream_chooses_the_model_is_left_to_it(
    connect: Connect, upstream: Upstream, slug: str
):
    listed(upstream, making("openrouter/auto", "text", "image"))
    async with connect() as client:
        await client.call_tool("ask", {"prompt": "Why?", "model": slug})
    assert [post.body["model"] for post in upstream.posts()] == [slug]


@pytest.mark.parametrize("tool", ["ask", "fuse"])
async def test_a_model_that_was_retired_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, today: None, tool: str
):
    listed(upstream, row("a/old", expiration_date=days(-1)), row("a/older"))
    named = {"ask": {"model": "a/old"}, "fuse": {"analysis_models": ["a/older", "a/old"]}}
    async with connect() as client:
        result = await client.call_tool(tool, {"prompt": "Why?", **named[tool]})
    assert text_of(result).startswith(f"model_unavailable: a/old was retired on {days(-1)}")
    assert "a/older" in text_of(result)
    assert not upstream.posts()


@pytest.mark.parametrize(
    ("ends", "told"),
    [(0, True), (1, True), (14, True), (15, False), (400, False)],
)
async def test_a_model_about_to_be_retired_is_asked_and_the_answer_says_when_it_goes(
    connect: Connect, upstream: Upstream, today: None, ends: int, told: bool
):
    listed(upstream, row(MINI, expiration_date=days(ends)))
    async with connect() as client:
        result = await client.call_tool("ask", {"prompt": "Why?", "model": MINI})
    note = f"{MINI} retires on {days(ends)}."
    assert (f"Note: {note}" in text_of(result)) is told
    assert (note in result.structured_content.get("notes", [])) is told


async def test_a_panelist_about_to_be_retired_is_told_of_in_a_fusion(connect: Connect, upstream: Upstream, today: None):
    panel = ["openai/gpt-5.6-sol", MINI, "anthropic/claude-opus-5"]
    listed(upstream, row(panel[0]), row(MINI, expiration_date=days(3)), row(panel[2], expiration_date="soon"))
    async with connect() as client:
        result = await client.call_tool("fuse", {"prompt": "Why?", "analysis_models": panel, "web": False})
    notes = [note for note in result.structured_content["notes"] if "retires" in note]
    assert notes == [f"{MINI} retires on {days(3)}."]


@pytest.mark.parametrize("tool", ["ask", "fuse"])
async def test_without_a_catalogue_the_choice_is_upstreams(connect: Connect, upstream: Upstream, tool: str):
    upstream.script({"path": "/models", "status": 404})
    named = {"ask": {"model": MINI}, "fuse": {"analysis_models": [MINI], "writer_model": MINI}}
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0") as client:
        result = await client.call_tool(tool, {"prompt": "Why?", **named[tool]})
    assert not result.is_error, text_of(result)
    assert [post.body["model"] for post in upstream.posts()] == [MINI]


async def test_the_day_that_counts_is_today(connect: Connect, upstream: Upstream):
    day = datetime.now(UTC).date()
    gone, going = (day - timedelta(days=2)).isoformat(), (day + timedelta(days=2)).isoformat()
    listed(upstream, row("a/gone", expiration_date=gone), row(MINI, expiration_date=going))
    async with connect() as client:
        refused = text_of(await client.call_tool("ask", {"prompt": "Why?", "model": "a/gone"}))
        answered = text_of(await client.call_tool("ask", {"prompt": "Why?", "model": MINI}))
    assert f"a/gone was retired on {gone}" in refused
    assert f"{MINI} retires on {going}." in answered
