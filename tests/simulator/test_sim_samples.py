"""What OpenRouter's documents show runs as it is shown, but for base URL and key."""

import json
from typing import Any

import httpx2
import pytest
from openrouter import OpenRouter

from or_mcp.simulator import Simulator
from or_mcp.simulator.api.routes import ROUTES
from tests.asked import ASKED, check, fits
from tests.oracle import DOCUMENT, request_problems
from tests.simulator.calls import KEY, Caller, Stream

PATHS = {(method, path) for method, path, _ in ROUTES}
ASK: Any = {"model": "minimax/minimax-m2", "messages": [{"role": "user", "content": "What is a tide table?"}]}


def examples() -> list[tuple[str, dict[str, Any]]]:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    found: list[tuple[str, dict[str, Any]]] = []
    for path, operations in document["paths"].items():
        content = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if ("POST", path) in PATHS and content:
            reference = content["schema"].get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"].get(reference, content["schema"])
            given = [content.get("example"), schema.get("example")]
            given += [each.get("value") for each in content.get("examples", {}).values()]
            found += [(path, body) for body in given if isinstance(body, dict)]
    return found


@pytest.mark.parametrize(("path", "body"), examples(), ids=lambda value: value if isinstance(value, str) else "")
async def test_an_example_of_the_openapi_document_is_answered(caller: Caller, path: str, body: dict[str, Any]):
    # The document cuts its sound short.
    cut_short = path == "/audio/transcriptions"
    reply = await caller.post(path, body)
    assert (reply.status_code in (200, 202)) is not cut_short, (body, reply.text)


def test_there_are_examples():
    assert {path for path, _ in examples()} >= {"/responses", "/chat/completions", "/messages", "/images", "/videos"}


@pytest.mark.parametrize("name", ASKED)
async def test_what_the_documents_show_is_answered_as_they_show_it(caller: Caller, name: str):
    asked = ASKED[name]
    if asked["path"] in ("/responses", "/embeddings") and asked["status"] == 200:
        assert request_problems(asked["path"], asked["body"]) == []
    key = asked.get("key", KEY)
    headers = {"authorization": f"Bearer {key}" if key else ""}
    if name == "activity":
        await caller.result("/chat/completions", ASK)
    reply = await caller.http.request(asked["method"], asked["path"], json=asked["body"], headers=headers)
    check(name, reply.status_code, told(reply))


def told(reply: httpx2.Response) -> Any:
    """The body, or the events of a stream."""
    if "event-stream" not in reply.headers["content-type"]:
        return reply.json()
    stream = Stream(reply.status_code, reply.headers)
    stream.read(reply.text)
    assert stream.done
    return stream.events


def test_a_reply_of_another_shape_is_noticed():
    assert fits({"a": ["<text>", {"b": 1}]}, {"a": [0, "x", 7, {"b": 1, "c": 2}], "z": None})
    wrongs: list[Any] = [{"a": [{"b": 1}, "x"]}, {"a": ["x"]}, {"a": "x"}, {}, []]
    for wrong in wrongs:
        assert not fits({"a": ["<text>", {"b": 1}]}, wrong)
    assert not fits("<text>", "")


async def test_the_official_package_for_python_sends_streams_and_waits_as_its_page_shows(simulator: Simulator):
    async with simulator.running() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        send: Any = client.chat.send_async
        reply = await send(**ASK)
        assert reply.choices[0].message.content.startswith("[simulated]")
        said = [event.choices[0].delta.content or "" async for event in await send(**ASK, stream=True) if event.choices]
        assert "".join(said) == reply.choices[0].message.content


def test_the_official_package_for_python_works_without_an_event_loop(simulator: Simulator):
    with simulator.serve_in_thread() as base_url, OpenRouter(server_url=base_url, api_key=KEY) as client:
        send: Any = client.chat.send
        reply = send(**ASK)
        said = [event.choices[0].delta.content or "" for event in send(**ASK, stream=True) if event.choices]
        assert "".join(said) == reply.choices[0].message.content
