"""What a conversation carries from turn to turn, and what is refused in it."""

from base64 import b64encode
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


PAGES = b64encode(b"%PDF-1.7 /Type /Pages /Type /Page x /Type/Page y /Type /Page z").decode()
BOOK: dict[str, Any] = {
    "type": "file",
    "file": {"filename": "book.pdf", "file_data": f"data:application/pdf;base64,{PAGES}"},
}
WORDS_ONLY = "deepseek/deepseek-v3.2"


def parsed(engine: str) -> list[dict[str, Any]]:
    return [{"id": "file-parser", "pdf": {"engine": engine}}]


async def test_a_document_is_read_for_a_model_that_takes_none_and_a_parser_may_cost_by_the_page(caller: Caller):
    question = {"role": "user", "content": [{"type": "text", "text": QUESTION}, BOOK]}
    plain = await caller.result("/chat/completions", chat(model=WORDS_ONLY, messages=[question]))
    (note,) = plain["choices"][0]["message"]["annotations"]
    assert note["file"]["name"] == "book.pdf"
    for engine, dollars in (("cloudflare-ai", 0), ("pdf-text", 0), ("mistral-ocr", 0.006)):
        body = chat(model=WORDS_ONLY, messages=[question], plugins=parsed(engine))
        reply = await caller.result("/chat/completions", body)
        assert reply["usage"]["cost"] == pytest.approx(plain["usage"]["cost"] + dollars)
    again = [question, reply["choices"][0]["message"], ASKED]
    body = chat(model=WORDS_ONLY, messages=again, plugins=parsed("mistral-ocr"))
    assert "server_tool_cost" not in (await caller.result("/chat/completions", body))["usage"]["cost_details"]


async def test_a_document_is_read_on_responses_too(caller: Caller):
    part = {"type": "input_file", "filename": "book.pdf", "file_data": BOOK["file"]["file_data"]}
    items = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}, part]}]
    body = {"model": WORDS_ONLY, "input": items, "plugins": parsed("mistral-ocr")}
    assert (await caller.result("/responses", body))["usage"]["cost_details"]["server_tool_cost"] == 0.006


@pytest.mark.parametrize("engine", ["native", "crystal-ball"])
async def test_a_document_is_refused_a_parser_that_cannot_read_it(caller: Caller, engine: str):
    body = chat(model=WORDS_ONLY, messages=[{"role": "user", "content": [BOOK]}], plugins=parsed(engine))
    reply = await caller.post("/chat/completions", body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 400)
    read = chat(
        model="anthropic/claude-opus-5", messages=[{"role": "user", "content": [BOOK]}], plugins=parsed("native")
    )
    assert "server_tool_cost" not in (await caller.result("/chat/completions", read))["usage"]["cost_details"]


R_CALL: dict[str, Any] = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}"}
R_OUTPUT: dict[str, Any] = {"type": "function_call_output", "call_id": "c1", "output": "out"}
M_CALL: dict[str, Any] = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {}}],
}
M_OUTPUT: dict[str, Any] = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "out"}]}


@pytest.mark.parametrize(
    ("items", "status"),
    [
        ([ASKED, R_CALL, R_OUTPUT], 200),
        ([ASKED, R_CALL], 400),
        ([ASKED, R_OUTPUT], 400),
        ([ASKED, R_CALL, R_OUTPUT, R_OUTPUT], 400),
        ([ASKED, R_CALL, R_OUTPUT | {"call_id": "c2"}], 400),
    ],
)
async def test_every_call_has_its_output_on_responses(caller: Caller, items: list[Any], status: int) -> None:
    body = {"model": "openai/gpt-5-mini", "input": items}
    assert (await caller.post("/responses", body)).status_code == status


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([ASKED, M_CALL, M_OUTPUT], 200),
        ([ASKED, M_CALL], 400),
        ([ASKED, M_CALL, ASKED], 400),
        ([ASKED, M_OUTPUT], 400),
    ],
)
async def test_every_call_has_its_output_on_messages(caller: Caller, messages: list[Any], status: int) -> None:
    body = {"model": "anthropic/claude-haiku-4.5", "max_tokens": 100, "messages": messages}
    assert (await caller.post("/messages", body)).status_code == status


async def test_claude_wants_the_thinking_that_a_turn_of_tools_began_with(caller: Caller) -> None:
    body = {"model": "anthropic/claude-haiku-4.5", "max_tokens": 2000, "thinking": {"type": "enabled"}}
    told = (await caller.result("/messages", body | {"messages": [ASKED]}))["content"][0]
    assert told["type"] == "thinking"
    kept = {"role": "assistant", "content": [told, *M_CALL["content"]]}
    forged = {"role": "assistant", "content": [told | {"signature": "x"}, *M_CALL["content"]]}
    for message, status in ((kept, 200), (M_CALL, 400), (forged, 400)):
        reply = await caller.post("/messages", body | {"messages": [ASKED, message, M_OUTPUT]})
        assert reply.status_code == status
    later = [ASKED, M_CALL, M_OUTPUT, {"role": "assistant", "content": "Done."}, ASKED]
    assert (await caller.post("/messages", body | {"messages": later})).status_code == 200


SEALS = {"openai": "encrypted_content", "anthropic": "signature", "google": "encrypted_content"}


@pytest.mark.parametrize("maker", MAKERS)
async def test_responses_seal_reasoning_the_way_its_maker_does(caller: Caller, maker: str) -> None:
    body = {"model": MAKERS[maker], "input": QUESTION, "reasoning": {"effort": "low"}}
    item, message = (await caller.result("/responses", body))["output"]
    assert item["format"].startswith({"x": "xai"}.get(maker, maker))
    assert message.get("phase") == ("final_answer" if maker == "openai" else None)

    async def status(model: str, reasoning: dict[str, Any]) -> int:
        items = [{"role": "user", "content": QUESTION}, reasoning, message, {"role": "user", "content": QUESTION}]
        return (await caller.post("/responses", {"model": model, "input": items})).status_code

    assert await status(MAKERS[maker], item) == 200
    assert await status(MAKERS[maker], item | {SEALS[maker]: "eyJ4IjoxfQ=="}) == 400
    for other in MAKERS.keys() - {maker}:
        assert await status(MAKERS[other], item) == 400


@pytest.mark.parametrize(
    ("model", "event"),
    [
        ("deepseek/deepseek-r1-0528", "response.reasoning_text.delta"),
        ("anthropic/claude-opus-5", "response.reasoning_text.delta"),
        ("openai/gpt-5.6-sol", "response.reasoning_summary_text.delta"),
    ],
)
async def test_open_reasoning_is_streamed_as_text_and_sealed_reasoning_as_a_summary(
    caller: Caller, model: str, event: str
) -> None:
    body = {"model": model, "input": QUESTION, "reasoning": {"effort": "high"}}
    kinds = {kind for kind in (await caller.stream("/responses", body)).types if "reasoning" in kind}
    assert event in kinds
    assert len({kind.split("_")[1].split(".")[0] for kind in kinds}) == 1


async def test_gemini_signs_parallel_calls_under_their_own_ids_in_one_place(caller: Caller) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("get_weather", "get_time")]
    body = chat("get_weather and get_time, please", MAKERS["google"], tools=tools, reasoning={"effort": "low"})
    message = (await caller.result("/chat/completions", body))["choices"][0]["message"]
    signed = [each for each in message["reasoning_details"] if each["type"] == "reasoning.encrypted"]
    assert [each["id"] for each in signed] == [call["id"] for call in message["tool_calls"]]
    assert len({each["index"] for each in signed}) == 1
    assert len({each["data"] for each in signed}) == 2


@pytest.mark.parametrize(("provider", "status"), [("google-ai-studio", 200), ("google-vertex", 400)])
async def test_what_gemini_signed_is_opened_by_the_provider_that_served_it_alone(
    caller: Caller, provider: str, status: int
) -> None:
    tools = [{"type": "function", "function": {"name": "get_time"}}]
    body = chat("get_time, please", MAKERS["google"], tools=tools, reasoning={"effort": "low"})
    first = await caller.result("/chat/completions", body | {"provider": {"only": ["google-ai-studio"]}})
    message = first["choices"][0]["message"]
    output = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "noon"}
    again = chat(model=MAKERS["google"], messages=[ASKED, message, output], provider={"order": [provider]})
    reply = await caller.post("/chat/completions", again)
    assert reply.status_code == status
    assert ("Corrupted thought signature" in reply.text) == (status == 400)
