"""Every recorded shape of an answer has the right outcome, however its bytes are split."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import Connect, Upstream, text_of

SAMPLES = Path(__file__).parents[1] / "data/samples"
STREAM, JSON = "text/event-stream", "application/json"
FUSIONS = {
    "fusion_stream_one_panelist_failed.sse": ("partial_panel", 0.28114),
    "fusion_stream_analyst_failed.sse": ("no_analysis", 0.1042),
    "fusion_stream_all_panels_failed.sse": ("not_fused", 0.0162),
    "fusion_result_one_panelist_failed.json": ("partial_panel", 0.28114),
    "fusion_result_not_convened.json": ("not_fused", 0.00041),
}
ANSWERS = {
    "chat_stream.sse": "The capital is Paris.",
    "chat_result.json": "The capital of France is Paris.",
    "fusion_chat_stream.sse": "Use a modular monolith.",
    "fusion_chat_result.json": "Use a modular monolith.",
    "fusion_chat_result_hard_failure.json": "I could not consult the panel.",
}
FAILURES = {
    "chat_stream_midstream_error.sse": "upstream_failed",
    "chat_200_error_body.json": "upstream_failed",
    "chat_empty_completion.json": "upstream_failed",
}
SPLITS = ["whole", "bytes", "random"]


def serve(upstream: Upstream, path: str, sample: str, split: str) -> None:
    body = (SAMPLES / sample).read_text(encoding="utf-8")
    size = {"whole": None, "bytes": 1, "random": random.Random(sample).randint(2, 700)}[split]
    rule = {"path": path, "status": 200, "body": body, "content_type": STREAM if sample.endswith("sse") else JSON}
    upstream.script(rule | ({"chunk_size": size} if size else {}))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("sample", FUSIONS)
async def test_a_fusion_sample_has_its_outcome(connect: Connect, upstream: Upstream, sample: str, split: str):
    outcome, cost = FUSIONS[sample]
    async with connect() as client:
        serve(upstream, "/responses", sample, split)
        result = await client.call_tool("fuse", {"prompt": "Monolith or microservices for a five-person team?"})
    told = result.structured_content
    assert (told["outcome"], told["cost_usd"]) == (outcome, cost)
    assert told["answer"]
    assert text_of(result).splitlines()[-1].startswith(f"Cost: ${cost:.4f}")
    assert len(upstream.posts()) == 1
    if outcome == "not_fused":
        assert told["notes"][0].startswith("Not fused")
        assert text_of(result).startswith("Not fused")


@pytest.mark.parametrize("split", SPLITS)
async def test_a_run_that_failed_in_the_middle_is_an_error_and_keeps_what_arrived(
    connect: Connect, upstream: Upstream, split: str
):
    async with connect() as client:
        serve(upstream, "/responses", "fusion_stream_response_failed.sse", split)
        result = await client.call_tool("fuse", {"prompt": "Monolith or microservices?"})
        kept = await client.call_tool("run", {"run_id": text_of(result).partition("Run: ")[2].split()[0]})
    assert result.is_error
    assert text_of(result).startswith("no_credit:")
    assert kept.structured_content["status"] == "failed"
    assert kept.structured_content["failure_reason"] == "insufficient_credits"
    assert kept.structured_content["failed_models"][0]["status_code"] == 402


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("sample", ANSWERS)
async def test_an_answer_sample_says_what_it_says(connect: Connect, upstream: Upstream, sample: str, split: str):
    async with connect() as client:
        serve(upstream, "/chat/completions", sample, split)
        result = await client.call_tool("ask", {"prompt": "Capital of France?", "model": "openai/gpt-5-mini"})
    assert result.structured_content["text"] == ANSWERS[sample]
    assert result.structured_content["cost_usd"] is not None


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("sample", FAILURES)
async def test_a_failure_sample_is_never_a_success(connect: Connect, upstream: Upstream, sample: str, split: str):
    async with connect() as client:
        serve(upstream, "/chat/completions", sample, split)
        result = await client.call_tool("ask", {"prompt": "Capital of France?", "model": "openai/gpt-5-mini"})
    assert result.is_error
    assert text_of(result).startswith(FAILURES[sample] + ":")
    assert len(upstream.posts()) == 1


async def test_the_error_samples_are_told_with_what_upstream_adds(connect: Connect, upstream: Upstream):
    async with connect() as client:
        for sample, status in (
            ("error_404_privacy_restricted", 404),
            ("error_402", 402),
            ("error_403_moderation", 403),
        ):
            body = (SAMPLES / f"{sample}.json").read_text(encoding="utf-8")
            upstream.script({"path": "/chat/completions", "status": status, "body": body, "content_type": JSON})
            told = text_of(await client.call_tool("ask", {"prompt": sample, "model": "openai/gpt-5-mini"}))
            assert "Spent: nothing" in told
            assert "user_synth" not in told
            if status == 404:
                assert "excluded_by: data_policy:zdr" in told
                assert "fallback_models: openai/gpt-5.6-mini" in told
