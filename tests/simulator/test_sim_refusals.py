"""Requests upstream refuses are refused here, in the same words and envelopes."""

from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.simulator.calls import MANAGEMENT_KEY, Caller, ask, chat

EMBEDDING = "openai/text-embedding-3-small"
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


async def refused(caller: Caller, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    reply = await caller.post(path, body)
    assert reply.status_code >= 400, reply.text
    assert "x-generation-id" not in reply.headers
    return reply.status_code, reply.json()["error"]


@pytest.mark.parametrize("key", [None, "${OPENROUTER_API_KEY}"])
async def test_without_a_usable_key_only_the_open_pages_answer(simulator: Simulator, key: str | None) -> None:
    async with simulator.running() as base_url, Caller.connected(base_url, key) as caller:
        for path in ("/models", "/models/count", "/providers", "/endpoints/zdr", "/embeddings/models"):
            assert (await caller.get(path)).status_code == 200
        for path in ("/key", "/credits", "/activity", "/generation"):
            assert (await caller.get(path)).status_code == 401
        for path in ("/responses", "/chat/completions", "/messages", "/embeddings", "/rerank"):
            reply = await caller.post(path, {})
            assert reply.status_code == 401
            assert "message" in reply.json()["error"]


async def test_each_kind_of_key_has_its_own_pages(caller: Caller) -> None:
    assert (await caller.get("/credits")).status_code == 403
    assert (await caller.get("/activity")).status_code == 403
    assert (await caller.get("/credits", MANAGEMENT_KEY)).status_code == 200
    assert (await caller.get("/activity", MANAGEMENT_KEY, date="2020-01-01")).status_code == 400
    assert (await caller.get("/activity", MANAGEMENT_KEY, date="yesterday")).status_code == 400
    reply = await caller.post("/chat/completions", chat(), authorization=f"Bearer {MANAGEMENT_KEY}")
    assert reply.status_code == 403


BAD_BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("/responses", {"input": "x"}, "model"),
    ("/responses", {"model": "openai/gpt-5.2"}, "input"),
    ("/responses", ask(input=7), "input"),
    ("/responses", ask(stream="yes"), "stream"),
    ("/responses", ask(temperature=2.1), "temperature"),
    ("/responses", ask(temperature=True), "temperature"),
    ("/responses", ask(max_output_tokens=0), "max_output_tokens"),
    ("/responses", ask(tools="all"), "tools"),
    ("/responses", ask(tools=[{"type": "function"}]), "tools"),
    ("/responses", ask(tool_choice="required"), "tool_choice"),
    ("/responses", ask(store=True), "store"),
    ("/responses", ask(previous_response_id="gen-1"), "previous_response_id"),
    ("/responses", ask(reasoning={"effort": "frantic"}), "effort"),
    ("/responses", ask(metadata={str(index): "x" for index in range(17)}), "metadata"),
    ("/responses", ask(session_id="s" * 257), "session_id"),
    ("/chat/completions", {"model": "openai/gpt-5.2"}, "messages"),
    ("/chat/completions", chat(messages=[]), "messages"),
    ("/chat/completions", chat(top_p=1.5), "top_p"),
    ("/chat/completions", chat(reasoning_effort="frantic"), "reasoning_effort"),
    ("/chat/completions", chat(models="openai/gpt-5.2"), "models"),
    ("/messages", chat(), "max_tokens"),
    ("/embeddings", {"input": "x"}, "model"),
    ("/embeddings", {"model": EMBEDDING}, "input"),
    ("/embeddings", {"model": EMBEDDING, "input": [""]}, "input"),
    ("/embeddings", {"model": EMBEDDING, "input": {"text": "x"}}, "input"),
    ("/embeddings", {"model": EMBEDDING, "input": "x", "dimensions": 1537}, "dimensions"),
    ("/embeddings", {"model": EMBEDDING, "input": "x", "encoding_format": "int8"}, "encoding_format"),
    ("/rerank", {"model": "cohere/rerank-v3.5", "documents": ["x"]}, "query"),
    ("/rerank", {"model": "cohere/rerank-v3.5", "query": "x"}, "documents"),
    ("/rerank", {"model": "cohere/rerank-v3.5", "query": "x", "documents": ["x"], "top_n": 0}, "top_n"),
]


@pytest.mark.parametrize(("path", "body", "named"), BAD_BODIES)
async def test_a_bad_field_is_named(caller: Caller, path: str, body: dict[str, Any], named: str) -> None:
    status, error = await refused(caller, path, body)
    assert status == 400
    assert named in error["message"]


async def test_a_body_that_is_not_json_is_refused(caller: Caller) -> None:
    reply = await caller.http.post("/responses", content=b"{")
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "Invalid JSON in request body")


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/messages", "/embeddings", "/rerank"])
async def test_an_unknown_model_is_answered_with_the_closest(caller: Caller, path: str) -> None:
    body = {"model": "openai/gpt5.6-lunar", "input": "x", "messages": [{"role": "user", "content": "x"}]}
    body |= {"max_tokens": 5, "query": "x", "documents": ["x"]}
    status, error = await refused(caller, path, body)
    assert status == 404
    availability = error["availability"]
    assert (availability["code"], availability["retryable"]) == ("model_not_found", False)
    assert availability["requested_models"] == ["openai/gpt5.6-lunar"]
    assert availability["fallback_models"][0] == "openai/gpt-5.6-luna"


async def test_a_page_of_an_unknown_model_is_not_found(caller: Caller) -> None:
    for path in ("/model/openai/gpt-6", "/models/openai/gpt-6/endpoints"):
        reply = await caller.get(path)
        assert reply.status_code == 404
        assert len(reply.json()["error"]["availability"]["fallback_models"]) == 3


async def test_a_model_at_the_wrong_endpoint_is_sent_to_the_right_one(caller: Caller) -> None:
    status, error = await refused(caller, "/embeddings", {"model": "openai/gpt-5.2", "input": "x"})
    assert (status, error["availability"]["code"]) == (400, "wrong_endpoint")
    assert "/api/v1/chat/completions" in error["availability"]["constraint"]["detail"]
    status, error = await refused(caller, "/chat/completions", chat(model=EMBEDDING))
    assert "/api/v1/embeddings" in error["availability"]["constraint"]["detail"]


CONSTRAINTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"zdr": True}, "privacy_restricted", "data_policy:zdr", "provider.zdr"),
    ({"data_collection": "deny"}, "privacy_restricted", "data_policy:training", "provider.data_collection"),
    ({"only": ["anthropic"]}, "constraint_filtered", "allowed_providers", "provider.only"),
    ({"ignore": ["chutes", "OpenInference"]}, "constraint_filtered", "ignored_providers", "provider.ignore"),
    ({"quantizations": ["fp32"]}, "constraint_filtered", "quantization", "provider.quantizations"),
    ({"order": ["groq"], "allow_fallbacks": False}, "constraint_filtered", "allowed_providers", "provider.only"),
]


@pytest.mark.parametrize(("provider", "code", "excluded_by", "field"), CONSTRAINTS)
async def test_preferences_that_leave_no_endpoint_say_which_one_did_it(
    caller: Caller, provider: dict[str, Any], code: str, excluded_by: str, field: str
) -> None:
    body = chat(model="google/gemma-3-27b-it:free", provider=provider)
    status, error = await refused(caller, "/chat/completions", body)
    availability = error["availability"]
    assert (status, availability["code"]) == (404, code)
    assert availability["excluded_by"] == [excluded_by]
    assert availability["constraint"]["field"] == field
    assert availability["docs_url"].startswith("https://")


async def test_preferences_that_leave_some_endpoint_are_honoured(caller: Caller) -> None:
    for provider, served_by in (
        ({"zdr": True}, "Amazon Bedrock"),
        ({"only": ["google-vertex"]}, "Google"),
        ({"order": ["amazon-bedrock"]}, "Amazon Bedrock"),
        ({"sort": "price"}, "Anthropic"),
        ({"sort": {"by": "latency"}, "ignore": ["anthropic", "google-vertex"]}, "Amazon Bedrock"),
        ({"sort": "throughput", "only": ["Google"]}, "Google"),
        ({"ignore": ["Anthropic", "amazon-bedrock"]}, "Google"),
        ({"max_price": {"prompt": "5", "completion": 25}}, "Anthropic"),
    ):
        reply = await caller.result("/chat/completions", chat(model="anthropic/claude-opus-5", provider=provider))
        assert reply["provider"] == served_by
    cheap = chat(model="anthropic/claude-opus-5", provider={"max_price": {"prompt": 1}})
    status, error = await refused(caller, "/chat/completions", cheap)
    assert (status, error["availability"]["excluded_by"]) == (404, ["max_price"])


async def test_fallbacks_are_tried_in_order(caller: Caller) -> None:
    models = ["no/such-model", EMBEDDING, "z-ai/glm-5.2", "openai/gpt-5.2"]
    reply = await caller.result("/chat/completions", chat(models=models) | {"model": None})
    assert reply["model"] == "z-ai/glm-5.2"
    status, error = await refused(caller, "/chat/completions", chat(models=models[:2]) | {"model": None})
    assert (status, error["availability"]["requested_models"]) == (404, ["no/such-model"])


async def test_a_prompt_that_is_too_long_is_refused_or_on_responses_incomplete(caller: Caller) -> None:
    long, model = "word " * 30_000, "meta-llama/llama-3.1-8b-instruct"
    status, error = await refused(caller, "/chat/completions", chat(long, model=model))
    assert (status, error["metadata"]["error_type"]) == (400, "context_length_exceeded")
    assert "maximum context length is 16384 tokens" in error["message"]
    response = await caller.result("/responses", ask(long, model=model))
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert response["usage"]["cost"] == 0


async def test_parts_a_model_cannot_take_are_refused(caller: Caller) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}
    body = {"messages": [message], "model": "openai/gpt-5.2"}
    assert (await caller.post("/chat/completions", body)).status_code == 200
    status, error = await refused(caller, "/chat/completions", body | {"model": "deepseek/deepseek-v3.2"})
    assert (status, error["message"]) == (400, "No endpoints found that support image input")
    bad = {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}
    status, error = await refused(caller, "/chat/completions", body | {"messages": [message | {"content": [bad]}]})
    assert error["metadata"]["error_type"] == "invalid_image"


async def test_too_many_embedding_inputs_are_too_large(caller: Caller) -> None:
    status, _ = await refused(caller, "/embeddings", {"model": EMBEDDING, "input": ["x"] * 2049})
    assert status == 413
