"""The examples of OpenRouter's own documents run as they are."""

import json
from typing import Any

import pytest

from or_mcp.simulator.api.routes import ROUTES
from tests.oracle import DOCUMENT
from tests.simulator.calls import Caller

# Models of the documents that this catalogue lacks, by one of the same kind.
STAND_INS = {
    "anthropic/claude-sonnet-4": "anthropic/claude-sonnet-4.5",
    "anthropic/claude-4.6-sonnet-20260217": "anthropic/claude-sonnet-4.5",
    "openai/gpt-4": "openai/gpt-4o-mini",
    "openai/gpt-4o": "openai/gpt-4o-mini",
    "bytedance-seed/seedream-4.5": "openai/gpt-image-2",
    "openai/whisper-large-v3": "openai/whisper-1",
    "mistralai/voxtral-mini-tts-2603": "openai/gpt-4o-mini-tts-2025-12-15",
}
PATHS = {(method, path) for method, path, _ in ROUTES}


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
async def test_an_example_of_the_documents_is_answered(caller: Caller, path: str, body: dict[str, Any]) -> None:
    if "model" in body:
        body = body | {"model": STAND_INS.get(body["model"], body["model"])}
    if path == "/audio/speech":
        body = body | {"voice": "alloy"}
    if path == "/audio/transcriptions":
        # The document cuts its sound short.
        body = body | {"input_audio": body["input_audio"] | {"data": "UklGRiQA"}}
    reply = await caller.post(path, body)
    assert reply.status_code in (200, 202), (body, reply.text)


def test_there_are_examples() -> None:
    assert {path for path, _ in examples()} >= {"/responses", "/chat/completions", "/messages", "/images", "/videos"}
