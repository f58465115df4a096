"""What a conversation carries from turn to turn, and what is refused in it."""

from typing import Any

import pytest

from tests.simulator.calls import QUESTION, Caller, chat

MAKERS = {
    "anthropic": "anthropic/claude-opus-5",
    "openai": "openai/gpt-5-mini",
    "google": "google/gemini-3-flash-preview",
}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
ASKED = {"role": "user", "content": QUESTION}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
OUTPUT = {"role": "tool", "tool_call_id": "c1", "content": "out"}
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}


async def thought(caller: Caller, model: str) -> dict[str, Any]:
    reply = await caller.result("/chat/completions", chat(model=model, reasoning={"effort": "low"}))
    return reply["choices"][0]["message"]


async def status_of(caller: Caller, model: str, *messages: dict[str, Any]) -> int:
    body = chat(model=model, messages=[ASKED, *messages, ASKED])
    return (await caller.post("/chat/completions", body)).status_code


@pytest.mark.parametrize("maker", MAKERS)
async def test_reasoning_comes_back_unmodified_and_to_its_maker_or_is_refused(caller: Caller, maker: str) -> None:
    message = await thought(caller, MAKERS[maker])
    assert await status_of(caller, MAKERS[maker], message) == 200
    for other in MAKERS.keys() - {maker}:
        assert await status_of(caller, MAKERS[other], message) == 400
    assert await status_of(caller, "z-ai/glm-5.2", message | {"reasoning_details": []}) == 200


@pytest.mark.parametrize(("maker", "field"), [("anthropic", "text"), ("anthropic", "signature"), ("openai", "data")])
async def test_reasoning_that_was_changed_is_refused(caller: Caller, maker: str, field: str) -> None:
    message = await thought(caller, MAKERS[maker])
    changed = [each | ({field: f"x{each[field]}"} if field in each else {}) for each in message["reasoning_details"]]
    assert await status_of(caller, MAKERS[maker], message | {"reasoning_details": changed}) == 400


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([ASKED, CALLED, OUTPUT], 200),
        ([ASKED, CALLED], 400),
        ([ASKED, CALLED, ASKED], 400),
        ([ASKED, CALLED, OUTPUT, OUTPUT], 400),
        ([ASKED, OUTPUT], 400),
        ([ASKED, CALLED, OUTPUT | {"tool_call_id": "c2"}], 400),
    ],
)
async def test_every_tool_call_has_its_output(caller: Caller, messages: list[dict[str, Any]], status: int) -> None:
    assert (await caller.post("/chat/completions", chat(messages=messages))).status_code == status


async def test_a_question_that_names_two_functions_gets_two_calls_at_once(caller: Caller) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("get_weather", "get_time")]
    for parallel, count in ((True, 2), (False, 1)):
        body = chat("get_weather and get_time, please", tools=tools) | {"parallel_tool_calls": parallel}
        message = (await caller.result("/chat/completions", body))["choices"][0]["message"]
        assert len({call["id"] for call in message["tool_calls"]}) == count


async def test_a_document_is_read_once_while_the_conversation_carries_what_was_read(caller: Caller) -> None:
    question = {"role": "user", "content": [{"type": "text", "text": QUESTION}, PDF]}
    body = chat(messages=[question])
    message = (await caller.result("/chat/completions", body))["choices"][0]["message"]
    (note,) = message["annotations"]
    assert (note["type"], note["file"]["name"]) == ("file", "a.pdf")
    streamed = await caller.stream("/chat/completions", body)
    deltas = [choice["delta"] for event in streamed.events for choice in event["choices"]]
    assert [each["annotations"] for each in deltas if "annotations" in each] == [[note]]
    told = await caller.result("/chat/completions", chat(messages=[question, message, ASKED]))
    assert "annotations" not in told["choices"][0]["message"]
