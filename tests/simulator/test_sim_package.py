"""The official package for Python reads every reply, and every event of every stream, of every path there is."""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest
from openrouter import OpenRouter, errors, operations
from pydantic import BaseModel

from or_mcp.simulator import Simulator
from or_mcp.simulator.api.routes import ELSEWHERE, ROUTES
from or_mcp.simulator.run.media import wav
from tests.oracle import reply_problems
from tests.simulator.calls import KEY, MANAGEMENT_KEY, ask, chat, fuse

Route = tuple[str, str]
Call = Callable[[Any], Awaitable[Any]]
PAINTER = "google/gemini-3.1-flash-image"
TTS = "openai/gpt-4o-mini-tts-2025-12-15"
SOUND = wav("a harbour")
TOOL: dict[str, Any] = {"type": "function", "name": "get_tide", "parameters": {"type": "object", "properties": {}}}
QUESTIONS = {
    "a": {"type": "choice", "instructions": "Which?", "criteria": {"x": "X", "y": "Y"}},
    "b": {"type": "noul", "instructions": "Is it?"},
    "c": {"type": "score", "instructions": "How much?", "criteria": ["little", "much"]},
}
DECISIONS: dict[str, Any] = {"model": "typesafe/jev-1", "state": "It rains.", "questions": QUESTIONS}
BATCH: dict[str, Any] = {"endpoint": "/v1/chat/completions", "model": "openai/gpt-5-mini"}
BATCH["requests"] = [{"custom_id": "one", "body": {"messages": chat()["messages"]}}]
FILM: dict[str, Any] = {"model": "google/veo-3.1", "prompt": "A harbour"}
USER = operations.ListModelsUserSecurity(bearer=KEY)


async def _generation(client: Any) -> str:
    return (await client.chat.send_async(**chat())).id


async def _uploaded(client: Any) -> str:
    return (await client.files.upload_async(file={"file_name": "a.txt", "content": b"one"})).id


async def _batch(client: Any, done: bool = False) -> str:
    identity = (await client.batch.create_batches_async(**BATCH)).id
    for _ in range(2 if done else 0):
        await client.batch.get_batches_async(id=identity)
    return identity


async def _film(client: Any) -> str:
    identity = (await client.video_generation.generate_async(**FILM)).id
    for _ in range(2):
        await client.video_generation.get_generation_async(job_id=identity)
    return identity


async def _bytes(reply: Awaitable[Any]) -> bytes:
    content = await (await reply).aread()
    assert content
    return content


async def show_file(client: Any) -> Any:
    return await client.files.retrieve_async(file_id=await _uploaded(client))


async def delete_file(client: Any) -> Any:
    return await client.files.delete_async(file_id=await _uploaded(client))


async def download_file(client: Any) -> Any:
    return await _bytes(client.files.download_async(file_id=await _uploaded(client)))


async def show_batch(client: Any) -> Any:
    return await client.batch.get_batches_async(id=await _batch(client, done=True))


async def delete_batch(client: Any) -> Any:
    return await client.batch.delete_async(id=await _batch(client))


async def show_film(client: Any) -> Any:
    return await client.video_generation.get_generation_async(job_id=await _film(client))


async def download_film(client: Any) -> Any:
    return await _bytes(client.video_generation.get_video_content_async(job_id=await _film(client)))


async def show_generation(client: Any) -> Any:
    return await client.generations.get_generation_async(id=await _generation(client))


async def show_content(client: Any) -> Any:
    return await client.generations.list_generation_content_async(id=await _generation(client))


def transcribe(client: Any) -> Awaitable[Any]:
    sound = {"data": base64.b64encode(SOUND).decode(), "format": "wav"}
    return client.stt.create_transcription_async(model="openai/whisper-1", input_audio=sound)


WALK: dict[Route, Call] = {
    ("POST", "/responses"): lambda c: c.responses.send_async(**ask()),
    ("POST", "/chat/completions"): lambda c: c.chat.send_async(**chat()),
    ("POST", "/embeddings"): lambda c: c.embeddings.generate_async(
        model="openai/text-embedding-3-small", input=[1.0, 2.0]
    ),
    ("POST", "/rerank"): lambda c: c.rerank.rerank_async(model="cohere/rerank-v3.5", query="a", documents=["a", "b"]),
    ("POST", "/images"): lambda c: c.images.generate_async(model="openai/gpt-image-2", prompt="A harbour", n=2),
    ("POST", "/audio/speech"): lambda c: _bytes(c.tts.create_speech_async(model=TTS, input="Hello", voice="nova")),
    ("POST", "/audio/transcriptions"): transcribe,
    ("POST", "/videos"): lambda c: c.video_generation.generate_async(**FILM),
    ("GET", "/videos/models"): lambda c: c.video_generation.list_videos_models_async(),
    ("GET", "/videos/{job}"): show_film,
    ("GET", "/videos/{job}/content"): download_film,
    ("POST", "/batches"): lambda c: c.batch.create_batches_async(**BATCH),
    ("GET", "/batches"): lambda c: c.batch.list_async(),
    ("GET", "/batches/{batch}"): show_batch,
    ("DELETE", "/batches/{batch}"): delete_batch,
    ("POST", "/files"): lambda c: c.files.upload_async(file={"file_name": "a.txt", "content": b"one"}),
    ("GET", "/files"): lambda c: c.files.list_async(),
    ("GET", "/files/{file}"): show_file,
    ("DELETE", "/files/{file}"): delete_file,
    ("GET", "/files/{file}/content"): download_file,
    ("POST", "/systemone"): lambda c: c.system_one.create_async(**DECISIONS),
    ("GET", "/models"): lambda c: c.models.list_async(output_modalities="all"),
    ("GET", "/benchmarks"): lambda c: c.benchmarks.get_benchmarks_async(),
    ("GET", "/models/count"): lambda c: c.models.count_async(),
    ("GET", "/models/user"): lambda c: c.models.list_for_user_async(security=USER),
    ("GET", "/embeddings/models"): lambda c: c.embeddings.list_models_async(),
    ("GET", "/images/models"): lambda c: c.images.list_models_async(),
    ("GET", "/images/models/{author}/{slug:path}/endpoints"): lambda c: c.images.list_model_endpoints_async(
        author="openai", slug="gpt-image-2"
    ),
    ("GET", "/model/{author}/{slug:path}"): lambda c: c.models.get_async(author="openai", slug="gpt-5-mini"),
    ("GET", "/models/{author}/{slug:path}/endpoints"): lambda c: c.endpoints.list_async(
        author="openai", slug="gpt-5-mini"
    ),
    ("GET", "/endpoints/zdr"): lambda c: c.endpoints.list_zdr_endpoints_async(),
    ("GET", "/providers"): lambda c: c.providers.list_async(),
    ("GET", "/tools"): lambda c: c.tools.list_tools_async(security=operations.ListToolsSecurity(bearer=KEY)),
    ("GET", "/tools/{name}"): lambda c: c.tools.get_tool_async(
        security=operations.GetToolSecurity(bearer=KEY), name="web_search"
    ),
    ("GET", "/key"): lambda c: c.api_keys.get_current_key_metadata_async(),
    ("GET", "/credits"): lambda c: c.credits.get_credits_async(http_headers=MANAGER),
    ("GET", "/activity"): lambda c: c.analytics.get_user_activity_async(http_headers=MANAGER),
    ("GET", "/generation"): show_generation,
    ("GET", "/generation/content"): show_content,
}
MANAGER = {"Authorization": f"Bearer {MANAGEMENT_KEY}"}
# The package has no call for these: Anthropic's API, the sign-in of a person, and what upstream no longer documents.
WITHOUT_CALL = {("POST", "/messages"), ("POST", "/auth/keys"), ("GET", "/parameters/{author}/{slug:path}")}


def test_every_path_is_walked():
    assert WALK.keys() | WITHOUT_CALL == {(method, path) for method, path, _ in ROUTES}
    assert not WALK.keys() & WITHOUT_CALL
    assert {path for _, _, path in ELSEWHERE} <= {path for _, path in WALK}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the package's own, for fields upstream still sends
@pytest.mark.parametrize(("method", "path"), WALK)
async def test_the_package_and_the_document_read_the_reply_of_a_path(simulator: Simulator, method: str, path: str):
    replies: list[httpx.Response] = []

    async def note(reply: httpx.Response) -> None:
        await reply.aread()
        replies.append(reply)

    async with simulator.running() as base_url, httpx.AsyncClient(event_hooks={"response": [note]}) as http:
        client: Any = OpenRouter(server_url=base_url, api_key=KEY, async_client=http)
        await client.chat.send_async(**chat())
        assert strangers(await WALK[method, path](client)) == []
    asked = replies[-1].request
    assert (asked.method, asked.url.path.count("/") - 2) == (method, path.replace("{slug:path}", "x").count("/"))
    found = reply_problems(method, path, replies[-1].status_code, told(replies[-1]))
    assert found == ([] if knows(method, path) else None)


REFUSALS = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 524, 529)


@pytest.mark.parametrize(("method", "path"), WALK)
async def test_the_package_reads_every_refusal_of_a_path(simulator: Simulator, method: str, path: str):
    async with simulator.running() as base_url, httpx.AsyncClient() as http:
        client: Any = OpenRouter(server_url=base_url, api_key=KEY, async_client=http, retry_config=None)
        # Of a batch 402 says more than that: it comes with all but the results.
        for status in set(REFUSALS) - ({402} if path == "/batches/{batch}" else set[int]()):
            simulator.script({"match": {"path": re.sub(r"{.*?}", "*", path)}, "status": status, "message": "No."})
            with pytest.raises(errors.OpenRouterError) as refused:
                await WALK[method, path](client)
            assert not isinstance(refused.value, errors.ResponseValidationError), refused.value
            assert (refused.value.status_code, "No." in str(refused.value)) == (status, True)


async def test_the_package_reads_decisions_at_their_address_beside_the_api(simulator: Simulator):
    async with simulator.running() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        decide: Any = client.alpha.decisions.create_async
        read = await decide(**DECISIONS, server_url=base_url.removesuffix("/api/v1"))
    assert strangers(read) == []
    assert read.answers.keys() == QUESTIONS.keys()


# What came after the document, and what is no JSON.
YOUNGER = ("/batches", "/files", "/systemone", "/tools")
FILES = {("POST", "/audio/speech"), ("GET", "/videos/{job}/content")}


def knows(method: str, path: str) -> bool:
    return not path.startswith(YOUNGER) and (method, path) not in FILES


def told(reply: httpx.Response) -> Any:
    return reply.json() if reply.headers["content-type"].startswith("application/json") else None


def strangers(read: Any) -> list[str]:
    """What the package keeps of a reply without knowing it."""
    if isinstance(read, BaseModel):
        own = [type(read).__name__] if type(read).__name__.startswith("Unknown") else []
        return own + strangers(read.__dict__)
    if isinstance(read, dict):
        return strangers(list(cast("dict[str, Any]", read).values()))
    parts = cast("list[Any]", read if isinstance(read, list) else [])
    return [each for part in parts for each in strangers(part)]


STREAMS: dict[str, dict[str, Any]] = {
    "words": {},
    "thoughts": {"reasoning": {"effort": "high"}},
    "thoughts sealed": {"model": "openai/gpt-5.6-sol", "reasoning": {"effort": "high"}},
    "thoughts told": {"model": "deepseek/deepseek-r1-0528", "reasoning": {"effort": "high"}},
    "a search": {"tools": [{"type": "openrouter:web_search"}]},
    "a fetch": {"tools": [{"type": "openrouter:web_fetch"}]},
    "the time": {"tools": [{"type": "openrouter:datetime"}]},
    "files": {"tools": [{"type": "openrouter:files"}]},
    "a picture by a tool": {"tools": [{"type": "openrouter:image_generation"}]},
    "a picture": {"model": PAINTER},
}
TROUBLE: dict[str, dict[str, Any]] = {
    "none": {},
    "refusal": {"refusal": True},
    "empty": {"empty_completion": True},
    "cut short": {"truncated": True},
}


async def read_stream(events: Any) -> list[Any]:
    return [event async for event in events]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("what", STREAMS)
async def test_the_package_reads_every_event_of_words(simulator: Simulator, what: str, trouble: str):
    simulator.script(TROUBLE[trouble])
    question = "What does https://example.org/tides say?"
    async with simulator.running() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        send: Any = client.responses.send_async
        events = await read_stream(await send(**ask(question) | STREAMS[what], stream=True))
        send = client.chat.send_async
        chunks = await read_stream(await send(**chat(question) | STREAMS[what], stream=True))
    assert strangers(events) + strangers(chunks) == []
    assert events[-1].type in ("response.completed", "response.incomplete")
    assert chunks[-1].usage is not None


FUSED: dict[str, dict[str, Any]] = {
    "whole": {},
    "degraded": {"panel_failures": {"0": {"error": "Rate limited", "status_code": 429}}},
    "no analysis": {"analyst_failure": "judge_not_valid_json"},
    "preamble": {"preamble": True},
    "failed": {"failed_at_event": 6},
    "broken": {"error_at_event": 6, "status": 429},
}


@pytest.mark.parametrize("rule", FUSED)
async def test_the_package_reads_every_event_of_a_panel(simulator: Simulator, rule: str):
    simulator.script(FUSED[rule])
    async with simulator.running() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        send: Any = client.responses.send_async
        events = await read_stream(await send(**fuse() | {"max_tool_calls": 3}, stream=True))
    assert strangers(events) == []
    ends = {"failed": "response.failed", "broken": "error"}
    assert events[-1].type == ends.get(rule, "response.completed")


async def test_the_package_reads_calls_of_functions_spoken_answers_and_drawn_pictures(simulator: Simulator):
    async with simulator.running() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        send: Any = client.responses.send_async
        called = await read_stream(await send(**ask(tools=[TOOL], tool_choice="required"), stream=True))
        spoken: Any = client.chat.send_async
        sound: dict[str, Any] = {"modalities": ["text", "audio"]}
        said = await read_stream(await spoken(**chat(model="openai/gpt-audio", **sound), stream=True))
        draw: Any = client.images.generate_async
        drawn = await read_stream(await draw(model="openai/gpt-image-2", prompt="A harbour", stream=True))
    assert strangers(called) + strangers(said) + strangers(drawn) == []
    assert [event.type for event in called].count("response.function_call_arguments.done") == 1
    assert any(chunk.choices and chunk.choices[0].delta.audio for chunk in said)
    assert len(drawn) == 2
