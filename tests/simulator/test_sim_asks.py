"""What one model is asked for is what it gives: tools, JSON, reasoning, sources, length."""

import base64
import json
import struct
from typing import Any

import jsonschema
import pytest

from tests.simulator.calls import QUESTION, Caller, answer_of, ask, chat

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
    },
    "required": ["city", "days"],
}
SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False},
    {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "minItems": 3},
    {"$defs": {"node": {"type": "object", "properties": {"name": {"type": "string", "minLength": 40},
     "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["name"]}}, "$ref": "#/$defs/node"},
    {"allOf": [{"properties": {"a": {"const": 3}}, "required": ["a"]},
               {"properties": {"b": {"type": ["integer", "null"], "multipleOf": 5}}, "required": ["b"]}]},
    {"type": "object", "properties": {"when": {"type": "string", "format": "date-time"},
     "ok": {"type": "boolean"}, "short": {"type": "string", "maxLength": 4}}, "required": ["when", "ok", "short"]},
    {"type": "integer", "minimum": 5, "maximum": 5},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_an_answer_fits_the_schema_it_was_asked_for(caller: Caller, schema: dict[str, Any]) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    reply = await caller.result("/chat/completions", chat(response_format=form))
    jsonschema.validate(json.loads(reply["choices"][0]["message"]["content"]), schema)
    text = {"format": {"type": "json_schema", "name": "answer", "schema": schema}}
    jsonschema.validate(json.loads(answer_of(await caller.result("/responses", ask(text=text)))), schema)
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    said = await caller.result("/messages", chat(max_tokens=900, output_config=wanted))
    jsonschema.validate(json.loads(said["content"][0]["text"]), schema)


async def test_a_plain_json_object_can_be_asked_for(caller: Caller) -> None:
    reply = await caller.result("/chat/completions", chat(response_format={"type": "json_object"}))
    assert isinstance(json.loads(reply["choices"][0]["message"]["content"]), dict)


FUNCTION = {"name": "get_weather", "parameters": WEATHER}
CHAT_TOOLS = [{"type": "function", "function": FUNCTION}]
TOOLS = [{"type": "function", **FUNCTION}]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
async def test_chat_calls_the_function_it_must(caller: Caller, choice: Any) -> None:
    body = chat(tools=CHAT_TOOLS, tool_choice=choice)
    (made,) = (await caller.result("/chat/completions", body))["choices"]
    assert (made["finish_reason"], made["message"]["content"]) == ("tool_calls", None)
    call = made["message"]["tool_calls"][0]
    jsonschema.validate(json.loads(call["function"]["arguments"]), WEATHER)
    stream = await caller.stream("/chat/completions", body)
    fragments = [
        part for event in stream.events for choice in event["choices"] for part in choice["delta"].get("tool_calls", [])
    ]
    assert "".join(part["function"]["arguments"] for part in fragments) == call["function"]["arguments"]
    assert fragments[0]["id"] == call["id"]


async def test_responses_calls_a_function_and_answers_with_its_output(caller: Caller) -> None:
    body = ask(tools=TOOLS, tool_choice={"type": "function", "name": "get_weather"})
    (call,) = (await caller.result("/responses", body))["output"]
    assert (call["type"], call["name"]) == ("function_call", "get_weather")
    jsonschema.validate(json.loads(call["arguments"]), WEATHER)
    history = [
        {"type": "message", "role": "user", "content": QUESTION},
        call,
        {"type": "function_call_output", "call_id": call["call_id"], "output": "22 C"},
    ]
    response = await caller.result("/responses", ask(tools=TOOLS, input=history))
    assert answer_of(response).startswith("[simulated] ")


async def test_an_unforced_function_is_called_only_when_the_question_names_it(caller: Caller) -> None:
    plain = await caller.result("/responses", ask(tools=TOOLS))
    assert [item["type"] for item in plain["output"]] == ["message"]
    named = await caller.result("/responses", ask("Please get_weather for Paris", tools=TOOLS))
    assert [item["type"] for item in named["output"]] == ["function_call"]


async def test_reasoning_is_shown_and_counted(caller: Caller) -> None:
    low, high = [await caller.result("/responses", ask(reasoning={"effort": effort})) for effort in ("low", "high")]
    assert high["output"][0]["type"] == "reasoning"
    assert high["output"][0]["summary"][0]["text"].startswith("[simulated] ")
    spent = [each["usage"]["output_tokens_details"]["reasoning_tokens"] for each in (low, high)]
    assert 0 < spent[0] < spent[1]
    off = await caller.result("/responses", ask(reasoning={"effort": "none"}))
    assert off["usage"]["output_tokens_details"]["reasoning_tokens"] == 0
    always = await caller.result("/responses", ask(model="openai/o4-mini"))
    assert always["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    message = (await caller.result("/chat/completions", chat(reasoning_effort="low")))["choices"][0]["message"]
    assert message["reasoning_details"][0]["summary"] == message["reasoning"]


async def test_a_search_leaves_citations_that_point_into_the_text(caller: Caller) -> None:
    tools = [{"type": "openrouter:web_search"}]
    response = await caller.result("/responses", ask(tools=tools))
    part = response["output"][-1]["content"][0]
    assert part["annotations"]
    for annotation in part["annotations"]:
        assert part["text"][annotation["start_index"] : annotation["end_index"]].startswith("[simulated] ")
        assert annotation["url"].startswith("https://example.org/")
    stream = await caller.stream("/responses", ask(tools=tools))
    added = [event["annotation"] for event in stream.events if event["type"].endswith("annotation.added")]
    assert added == part["annotations"]
    message = (await caller.result("/chat/completions", chat(tools=tools)))["choices"][0]["message"]
    assert message["annotations"][0]["url_citation"]["url"].startswith("https://")


async def test_an_answer_stops_at_its_length(caller: Caller) -> None:
    reply = await caller.result("/chat/completions", chat(max_completion_tokens=12))
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 12
    response = await caller.result("/responses", ask(max_output_tokens=12))
    assert (response["status"], response["output"][-1]["status"]) == ("incomplete", "incomplete")
    message = await caller.result("/messages", chat(max_tokens=12))
    assert message["stop_reason"] == "max_tokens"


async def test_a_stream_says_what_the_document_says(caller: Caller) -> None:
    for path, body in (("/responses", ask()), ("/chat/completions", chat())):
        whole, stream = await caller.result(path, body), await caller.stream(path, body)
        assert stream.headers["x-generation-id"].startswith("gen-")
        if path == "/responses":
            deltas = [event["delta"] for event in stream.events if event["type"] == "response.output_text.delta"]
            assert "".join(deltas) == answer_of(whole) == answer_of(stream.last)
        else:
            deltas = [choice["delta"]["content"] for event in stream.events for choice in event["choices"]]
            assert "".join(deltas) == whole["choices"][0]["message"]["content"]
            assert stream.events[-1]["choices"] == []
            assert stream.events[-1]["usage"] == whole["usage"]


async def test_routers_and_aliases_report_the_model_that_answered(caller: Caller) -> None:
    for asked, answered in (
        ("openrouter/auto", "openai/gpt-5.6-terra"),
        ("~x-ai/grok-latest", "x-ai/grok-4.5"),
        ("openrouter/free", "openai/gpt-oss-120b:free"),
    ):
        assert (await caller.result("/chat/completions", chat(model=asked)))["model"] == answered


async def test_messages_come_in_named_events(caller: Caller) -> None:
    stream = await caller.stream("/messages", chat(max_tokens=500))
    names = [line.removeprefix("event: ") for line in stream.raw.splitlines() if line.startswith("event: ")]
    assert names == stream.types
    assert (names[0], names[-1], stream.done) == ("message_start", "message_stop", False)


async def test_embeddings_are_unit_vectors_that_know_similar_texts(caller: Caller) -> None:
    texts = ["the cat sat on the mat", "a cat on a mat", "interest rates rose again"]
    body: dict[str, Any] = {"model": "openai/text-embedding-3-small", "input": texts, "dimensions": 512}
    data = (await caller.result("/embeddings", body))["data"]
    vectors = [entry["embedding"] for entry in data]
    assert [len(vector) for vector in vectors] == [512] * 3
    assert all(abs(sum(value * value for value in vector) - 1) < 1e-4 for vector in vectors)

    def alike(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert alike(vectors[0], vectors[1]) > alike(vectors[0], vectors[2]) + 0.2
    packed = (await caller.result("/embeddings", body | {"encoding_format": "base64"}))["data"]
    unpacked = struct.unpack("<512f", base64.b64decode(packed[0]["embedding"]))
    assert max(abs(a - b) for a, b in zip(unpacked, vectors[0], strict=True)) < 1e-6


async def test_embedding_inputs_come_in_every_documented_form(caller: Caller) -> None:
    parts = [{"content": [{"type": "text", "text": "cat"}]}, {"content": [{"type": "text", "text": "dog"}]}]
    for given, count in (("one", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2), (parts, 2)):
        body = {"model": "nvidia/llama-nemotron-embed-vl-1b-v2", "input": given}
        assert len((await caller.result("/embeddings", body))["data"]) == count


async def test_rerank_puts_the_best_first_and_keeps_indexes(caller: Caller) -> None:
    documents = ["Berlin is in Germany.", {"text": "Paris is the capital of France."}, "Cheese."]
    body = {"model": "cohere/rerank-v3.5", "query": "capital of France", "documents": documents, "top_n": 2}
    results = (await caller.result("/rerank", body))["results"]
    assert results[0]["index"] == 1
    assert len(results) == 2
    assert 1 >= results[0]["relevance_score"] > results[1]["relevance_score"] > 0
    assert results[0]["document"] == {"text": "Paris is the capital of France."}
