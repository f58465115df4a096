"""Every path of the API, read from the simulator over a real socket."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from or_mcp.openrouter import paths as paths_module
from or_mcp.openrouter.errors import DeadlinePassed, Failure, NotAuthorized, NotFound, StreamBroken
from or_mcp.openrouter.wire.chat import ChatRequest
from or_mcp.openrouter.wire.embeddings import EmbeddingsRequest, RerankRequest
from or_mcp.openrouter.wire.responses import ResponsesRequest
from tests.conftest import Upstream
from tests.openrouter.world import client_of

ASK = ChatRequest(model="openai/gpt-5-mini", messages=({"role": "user", "content": "Hello?"},))
MANAGER = "sk-or-mgmt-boss"


async def said(upstream: Upstream, request: ChatRequest = ASK) -> str:
    """What the model says, through a stream."""
    async with client_of(upstream.base_url) as client, client.chat(request) as stream:
        chunks = [chunk async for chunk in stream]
    pieces = [choice.delta or choice.message for chunk in chunks for choice in chunk.choices]
    return "".join(piece.content for piece in pieces if piece is not None and isinstance(piece.content, str))


async def failing(upstream: Upstream) -> Failure:
    with pytest.raises(Failure) as caught:
        await said(upstream)
    return caught.value


async def test_the_catalogue_is_every_model_of_every_modality(upstream: Upstream):
    async with client_of(upstream.base_url, None) as client:
        models = await client.models()
        embedding = await client.embedding_models()
    ids = {model.id for model in models}
    assert {"openai/gpt-5-mini", "cohere/rerank-4-pro", "openai/whisper-1"} <= ids
    assert {model.id for model in embedding} < ids
    assert not [request for request in upstream.requests if request.key_fingerprint]


async def test_one_model_is_found_by_alias_and_variant(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        alias = await client.model("~openai/gpt-latest")
        variant = await client.model("deepseek/deepseek-r1-0528:free")
        with pytest.raises(NotFound, match="/model/nobody/nothing"):
            await client.model("nobody/nothing")
    assert alias.alias_target is not None
    assert alias.alias_target.slug == "openai/gpt-5.6-sol"
    assert variant.id == "deepseek/deepseek-r1-0528:free"


async def test_a_slug_cannot_leave_its_path(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        with pytest.raises(Failure):
            await client.model("a/b?x=1#y")
    assert upstream.requests[-1].query == ""


async def test_endpoints_and_providers_are_read(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        served = await client.endpoints("openai/gpt-5-mini")
        zdr = await client.zdr_endpoints()
        providers = await client.providers()
        with pytest.raises(NotFound):
            await client.endpoints("nobody/nothing")
    names = {provider.name for provider in providers}
    assert served.id == "openai/gpt-5-mini"
    assert {endpoint.provider_name for endpoint in served.endpoints} <= names
    assert {endpoint.provider_name for endpoint in zdr} < names
    assert all(endpoint.latency_last_30m is not None for endpoint in served.endpoints)


async def test_money_is_told_to_those_who_may_see_it(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        await said(upstream)
        key = await client.key_status()
        for management_only in (client.credits, client.activity):
            with pytest.raises(NotAuthorized):
                await management_only()
        manager = client.with_key(MANAGER)
        credit = await manager.credits()
        rows = await manager.activity()
        assert await manager.activity(rows[0].date) == rows
        assert (await manager.key_status()).is_management_key
    assert key.usage == credit.total_usage == rows[0].usage
    assert not key.is_management_key


async def test_a_generation_is_found_by_either_form_of_its_id(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        async with client.chat(ASK) as stream:
            assert [chunk async for chunk in stream]
        identity = stream.generation_id
        assert identity is not None
        found = await client.generation(identity)
        assert await client.generation(f"resp_{identity}") == found
        with pytest.raises(NotFound):
            await client.generation("gen-unknown")
    assert found.id == identity
    assert found.total_cost is not None


async def test_embeddings_and_rerank_are_read(upstream: Upstream):
    async with client_of(upstream.base_url) as client:
        embedded = await client.embeddings(EmbeddingsRequest(model="openai/text-embedding-3-small", input=("a", "b")))
        ranked = await client.rerank(RerankRequest(model="cohere/rerank-4-pro", query="q", documents=("a", "b")))
    assert len(embedded.data) == 2
    assert {row.index for row in ranked.results} == {0, 1}


async def test_responses_are_events_up_to_the_last(upstream: Upstream):
    request = ResponsesRequest(model="openai/gpt-5-mini", input="Hello?")
    async with client_of(upstream.base_url) as client, client.responses(request) as stream:
        types = [event.type async for event in stream]
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"
    assert (stream.generation_id or "").startswith("gen-")


async def test_every_request_says_who_sends_it_and_carries_the_key_in_its_header_only(upstream: Upstream):
    await said(upstream)
    request = upstream.requests[-1]
    assert request.headers["x-openrouter-title"] == "or-mcp-test"
    assert request.headers["http-referer"] == "https://example.com/or-mcp"
    assert request.headers["user-agent"].startswith("or-mcp-test/1.0 Python/")
    assert request.headers["content-type"] == "application/json"
    assert request.key_fingerprint
    assert "sk-or-test" not in json.dumps([request.body, request.query, request.headers])


def page(first: int, last: int, following: str | None) -> dict[str, Any]:
    return {"data": [{"id": f"a/m{number}"} for number in range(first, last)], "links": {"next": following}}


async def test_pages_are_followed_to_the_end(upstream: Upstream):
    upstream.script(
        {"path": "/models", "times": 1, "body": page(0, 3, "/api/v1/models?offset=3")},
        {"path": "/models", "times": 1, "body": page(2, 5, "/api/v1/models?offset=5")},
        {"path": "/models", "times": 1, "body": page(5, 6, None)},
    )
    async with client_of(upstream.base_url) as client:
        models = await client.models()
    assert [model.id for model in models] == [f"a/m{number}" for number in range(6)]
    assert [request.query for request in upstream.requests] == [
        "output_modalities=all",
        "output_modalities=all&offset=3&limit=1000",
        "output_modalities=all&offset=5&limit=1000",
    ]


async def test_pages_that_go_in_circles_end(upstream: Upstream):
    upstream.script({"path": "/models", "body": page(0, 2, "/api/v1/models?offset=0")})
    async with client_of(upstream.base_url) as client:
        assert len(await client.models()) == 2
    assert len(upstream.requests) == 2


async def test_pages_without_end_are_given_up(upstream: Upstream):
    endless = [{"path": "/models", "times": 1, "body": page(number, number + 1, "more")} for number in range(60)]
    upstream.script(*endless)
    async with client_of(upstream.base_url) as client:
        assert len(await client.models()) == 50


@pytest.mark.parametrize("whitespace", ["", "\n\n \n", " " * 5000])
async def test_white_space_before_json_is_skipped(upstream: Upstream, whitespace: str):
    whole = json.dumps({"id": "gen-1", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
    upstream.script({"body": whitespace + whole, "content_type": "application/json"})
    assert await said(upstream) == "hi"


async def test_a_whole_response_is_one_event(upstream: Upstream):
    upstream.script({"body": {"id": "resp_gen-1", "status": "incomplete", "output": []}})
    request = ResponsesRequest(model="openai/gpt-5-mini", input="Hello?")
    async with client_of(upstream.base_url) as client, client.responses(request) as stream:
        (event,) = [event async for event in stream]
    assert event.type == "response.incomplete"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
@pytest.mark.parametrize("opening", ["", ": comment\n\n", "\n", "event: message\n"])
async def test_events_under_a_wrong_content_type_are_read_as_events(
    upstream: Upstream, content_type: str, opening: str
):
    events = 'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\ndata: never\n\n'
    upstream.script({"body": opening + events, "content_type": content_type})
    assert await said(upstream) == "hi"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": 429, "message": "slow"}}, "rate_limited"),
        ({"error": {"code": "402", "message": "pay"}, "user_id": "u"}, "no_credit"),
        ({"choices": []}, "upstream_failed"),
        ({"choices": [], "error": {"code": 502, "message": "x"}}, "upstream_failed"),
        ("<!DOCTYPE html><p>Sorry</p>", "upstream_failed"),
        ('{"choices": [', "upstream_failed"),
        ("[]", "upstream_failed"),
    ],
)
async def test_a_200_that_is_no_answer_is_a_failure_that_may_be_billed(upstream: Upstream, body: Any, kind: str):
    upstream.script({"path": "/chat/completions", "status": 200, "body": body, "content_type": "application/json"})
    failure = await failing(upstream)
    assert failure.kind == kind
    assert failure.may_be_billed
    assert len(upstream.posts()) == 1


@pytest.mark.parametrize("body", [{"error": {"code": 429, "message": "slow"}}, {"data": "none"}, {}])
async def test_a_response_that_is_none_is_a_failure_too(upstream: Upstream, body: Any):
    upstream.script({"path": "/responses", "status": 200, "body": body})
    request = ResponsesRequest(model="openai/gpt-5-mini", input="Hello?")
    async with client_of(upstream.base_url) as client:
        with pytest.raises(Failure) as caught:
            async with client.responses(request) as stream:
                assert not [event async for event in stream]
    assert caught.value.may_be_billed


async def test_an_error_inside_a_200_of_a_free_call_is_that_error_and_costs_nothing(upstream: Upstream):
    upstream.script({"path": "/key", "status": 200, "body": {"error": {"code": 401, "message": "no"}}})
    async with client_of(upstream.base_url) as client:
        with pytest.raises(NotAuthorized) as caught:
            await client.key_status()
    assert not caught.value.may_be_billed


@pytest.mark.parametrize("half", ['"\\ud83d"', '"\\ude00 x"'])
async def test_half_a_character_in_an_event_does_not_break_the_stream(upstream: Upstream, half: str):
    events = f'data: {{"choices":[{{"delta":{{"content":{half}}}}}]}}\n\n'
    events += 'data: {"choices":[{"delta":{"content":" end"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    upstream.script({"body": events, "content_type": "text/event-stream"})
    assert (await said(upstream)).endswith(" end")


@pytest.mark.parametrize("data", ["words", '{"choices": [', "[1, 2]", "{" * 5000])
async def test_an_event_that_is_none_breaks_the_stream(upstream: Upstream, data: str):
    upstream.script({"body": f"data: {data}\n\n", "content_type": "text/event-stream"})
    failure = await failing(upstream)
    assert isinstance(failure, StreamBroken)
    assert failure.may_be_billed


async def test_reading_that_takes_too_long_is_given_up(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paths_module, "READ_SECONDS", 2)
    upstream.script({"path": "/key", "latency_ms": 60_000})
    async with client_of(upstream.base_url) as client:
        with pytest.raises(DeadlinePassed, match="did not answer /key"):
            await client.key_status()
    with anyio.fail_after(120):
        while not upstream.aborted:
            await anyio.sleep(0.01)
