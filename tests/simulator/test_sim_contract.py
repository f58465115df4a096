"""What the simulator says is what OpenRouter would say: by its OpenAPI document and by its own Python package."""

from typing import Any

import pytest
from openrouter import components, operations
from pydantic import BaseModel, TypeAdapter, ValidationError

from or_mcp.simulator import Simulator
from tests.oracle import reply_problems, request_problems, validate
from tests.simulator.calls import MANAGEMENT_KEY, SAMPLES, Caller, ask, chat, fuse

SCHEMAS = {
    "/responses": ("OpenResponsesResult", components.OpenResponsesResult),
    "/chat/completions": ("ChatResult", components.ChatResult),
    "/messages": ("MessagesResult", None),
    "/embeddings": ("/embeddings", operations.CreateEmbeddingsResponseBody),
    "/rerank": ("/rerank", operations.CreateRerankResponseBody),
}
EVENTS = {
    "/responses": ("StreamEvents", TypeAdapter[Any](components.StreamEvents)),
    "/chat/completions": ("ChatStreamChunk", TypeAdapter[Any](components.ChatStreamChunk)),
    "/messages": ("MessagesStreamEvents", None),
}
WORDS = [name for name, sample in SAMPLES.items() if sample["path"] in EVENTS]


def sdk_problems(model: type[BaseModel] | TypeAdapter[Any] | None, payload: Any) -> list[str]:
    """What the official package cannot read."""
    if model is None:
        return []
    try:
        model.validate_python(payload) if isinstance(model, TypeAdapter) else model.model_validate(payload)
    except ValidationError as error:
        return [f"{problem['loc']}: {problem['msg']}" for problem in error.errors()[:5]]
    return []


def problems(path: str, payload: Any) -> list[str]:
    """What either oracle holds against a reply."""
    schema, model = SCHEMAS[path]
    return validate(schema, payload) + sdk_problems(model, payload)


def event_problems(path: str, event: Any) -> list[str]:
    """What either oracle holds against an event."""
    schema, model = EVENTS[path]
    return [f"{event.get('type')}: {problem}" for problem in validate(schema, event) + sdk_problems(model, event)]


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_recorded_request_is_answered_with_a_valid_reply(caller: Caller, name: str) -> None:
    sample = SAMPLES[name]
    body = sample["body"] | ({"stream": False} if sample["path"] in EVENTS else {})
    assert request_problems(sample["path"], body) == []
    assert problems(sample["path"], await caller.result(sample["path"], body)) == []


@pytest.mark.parametrize("name", WORDS)
async def test_every_recorded_request_is_answered_with_valid_events(caller: Caller, name: str) -> None:
    path = SAMPLES[name]["path"]
    stream = await caller.stream(path, SAMPLES[name]["body"])
    assert [problem for event in stream.events for problem in event_problems(path, event)] == []
    assert stream.done == (path != "/messages")


RICH = {
    "reasoning": {"reasoning": {"effort": "high"}},
    "search": {"tools": [{"type": "openrouter:web_search"}]},
    "truncated": {"reasoning": {"effort": "low"}},
}
SPOKEN_FAULTS: dict[str, dict[str, Any]] = {
    "refusal": {"refusal": True},
    "empty": {"empty_completion": True},
    "truncated": {"truncated": True},
}


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/messages"])
@pytest.mark.parametrize("extra", RICH)
async def test_reasoning_and_search_are_spelled_right(caller: Caller, path: str, extra: str) -> None:
    await check_both_ways(caller, path, RICH[extra])


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/messages"])
@pytest.mark.parametrize("fault", SPOKEN_FAULTS)
async def test_scripted_answers_are_spelled_right(simulator: Simulator, caller: Caller, path: str, fault: str) -> None:
    simulator.script(SPOKEN_FAULTS[fault])
    await check_both_ways(caller, path, {})


@pytest.mark.parametrize("path", ["/responses", "/chat/completions", "/messages"])
async def test_function_calls_are_spelled_right(caller: Caller, path: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool: dict[str, Any] = {"name": "get_weather", "description": "d"}
    tool |= {"input_schema": schema} if path == "/messages" else {"parameters": schema}
    if path == "/chat/completions":
        tool = {"type": "function", "function": tool}
    elif path == "/responses":
        tool |= {"type": "function"}
    choice = {"type": "any"} if path == "/messages" else "required"
    await check_both_ways(caller, path, {"tools": [tool], "tool_choice": choice})


async def check_both_ways(caller: Caller, path: str, extra: dict[str, Any]) -> None:
    body = (ask() if path == "/responses" else chat(max_tokens=2000)) | extra
    assert request_problems(path, body) == []
    assert problems(path, await caller.result(path, body)) == []
    stream = await caller.stream(path, body)
    assert [problem for event in stream.events for problem in event_problems(path, event)] == []


async def test_failed_and_unfinished_runs_are_spelled_right(simulator: Simulator, caller: Caller) -> None:
    for rule in ({"failed_at_event": 6}, {"error_at_event": 6, "status": 429}, {"preamble": True}):
        simulator.script(rule)
        stream = await caller.stream("/responses", fuse())
        assert [problem for event in stream.events for problem in event_problems("/responses", event)] == []


async def test_every_catalogue_row_is_valid(caller: Caller) -> None:
    listing = (await caller.get("/models", output_modalities="all")).json()
    assert validate("ModelsListResponse", listing) == []
    assert sdk_problems(components.ModelsListResponse, listing) == []
    assert len(listing["data"]) >= 60
    for row in listing["data"]:
        one = (await caller.get(f"/model/{row['id']}")).json()
        assert one["data"] == row


async def test_every_model_has_valid_endpoints(caller: Caller) -> None:
    for row in await caller.data("/models", output_modalities="all"):
        reply = (await caller.get(f"/models/{row['id']}/endpoints")).json()
        assert validate("/models/{author}/{slug}/endpoints", reply) == []
        offers = reply["data"]["endpoints"]
        assert len(offers) == 0 if row["id"].startswith("openrouter/") else len(offers) >= 1
        for offer in offers:
            assert sdk_problems(components.PublicEndpoint, offer) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the package's own, for fields upstream still sends
async def test_the_other_gets_are_valid(caller: Caller) -> None:
    reply = await caller.result("/chat/completions", chat())
    calls = {
        "/models/count": components.ModelsCountResponse,
        "/embeddings/models": components.ModelsListResponse,
        "/providers": operations.ListProvidersResponse,
        "/key": operations.GetCurrentKeyResponse,
        "/endpoints/zdr": operations.ListEndpointsZdrResponse,
    }
    for path, model in calls.items():
        payload = (await caller.get(path)).json()
        assert validate(path, payload) + sdk_problems(model, payload) == []
    generation = (await caller.get("/generation", id=reply["id"])).json()
    assert validate("/generation", generation) + sdk_problems(components.GenerationResponse, generation) == []
    for path, model in {"/credits": operations.GetCreditsResponse, "/activity": components.ActivityResponse}.items():
        payload = (await caller.get(path, MANAGEMENT_KEY)).json()
        assert validate(path, payload) + sdk_problems(model, payload) == []


BODIES: dict[str, dict[str, Any]] = {
    "/responses": ask(),
    "/chat/completions": chat(),
    "/messages": chat(max_tokens=9),
    "/embeddings": {"model": "openai/text-embedding-3-small", "input": "a"},
    "/rerank": {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["b"]},
    "/images": {"model": "openai/gpt-image-2", "prompt": "a"},
    "/videos": {"model": "google/veo-3.1", "prompt": "a"},
    "/audio/speech": {"model": "openai/gpt-4o-mini-tts-2025-12-15", "input": "a", "voice": "nova"},
    "/audio/transcriptions": {"model": "openai/whisper-1", "input_audio": {"data": "AAAA", "format": "mp3"}},
}
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)


@pytest.mark.parametrize("path", BODIES)
async def test_refusals_are_spelled_right(simulator: Simulator, caller: Caller, path: str) -> None:
    read: dict[int, list[str] | None] = {}
    for status in STATUSES:
        simulator.script({"status": status})
        reply = await caller.post(path, BODIES[path])
        read[reply.status_code] = reply_problems("POST", path, status, reply.json())
    simulator.script()
    for wrong in ({"model": "no/such-model"}, {"model": 7}):
        reply = await caller.post(path, BODIES[path] | wrong)
        found = reply_problems("POST", path, reply.status_code, reply.json())
        assert (reply.status_code in (400, 404), found or []) == (True, [])
    # None where the document does not know the status.
    assert [problem for found in read.values() for problem in found or []] == []
    assert sum(found is not None for found in read.values()) > 5


async def test_metadata_is_added_when_asked_for(caller: Caller) -> None:
    for path, body in (("/responses", ask()), ("/chat/completions", chat()), ("/messages", chat(max_tokens=99))):
        reply = (await caller.post(path, body, **{"X-OpenRouter-Metadata": "Enabled"})).json()
        assert problems(path, reply) == []
        assert reply["openrouter_metadata"]["endpoints"]["total"] >= 2
    wanted = {"X-OpenRouter-Experimental-Metadata": "enabled"}
    for model, strategy in (
        ("~openai/gpt-latest", "alias"),
        ("openrouter/auto", "auto"),
        ("openrouter/fusion", "fusion"),
    ):
        reply = (await caller.post("/responses", ask(model=model), **wanted)).json()
        assert reply["openrouter_metadata"]["strategy"] == strategy
    fallback = chat(models=["no/such-model", "z-ai/glm-5.2"], stream=True) | {"model": None}
    text = (await caller.post("/chat/completions", fallback, **wanted)).text
    assert '"strategy":"fallback"' in text.splitlines()[-4]


def test_the_oracle_notices_what_is_wrong() -> None:
    assert validate("StreamEvents", {"type": "response.nonsense"}) == ["unknown type 'response.nonsense'"]
    assert validate("StreamEvents", {"type": "response.fusion_call.panel.delta", "model": "a/b", "sequence_number": 1})
    assert validate("OutputFusionServerToolItem", {"type": "openrouter:fusion", "status": "completed", "responses": 1})
    assert validate("/credits", {"data": {"total_credits": "100"}})
    assert request_problems("/responses", {"model": "a/b", "input": 7})
    assert request_problems("/embeddings", {"model": "a/b"})
