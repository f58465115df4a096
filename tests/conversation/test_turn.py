"""One turn becomes one checked request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from or_mcp.catalogue.web import WebUse
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.turn import Caps, ToolOutput, Turn, request_for, say
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.routing import MaxPrice, Provider
from tests.oracle import request_problems

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
OTHER = {"id": "c2", "type": "function", "function": {"name": "find", "arguments": "{}"}}
WAITING = Thread(
    "s", ({"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [CALL, OTHER]})
)
TOOL = {"name": "look", "description": "d", "parameters": {"type": "object"}}


UNBOUNDED = Caps()


def body(
    turn: Turn,
    prompt: str = "",
    thread: Thread | None = None,
    provider: Provider | None = None,
    caps: Caps = UNBOUNDED,
    attached: tuple[Message, ...] = (),
) -> dict[str, Any]:
    request = request_for(say(thread or Thread.new(), turn, prompt, attached), turn, caps, provider).body()
    assert not request_problems("/chat/completions", request)
    return request


def test_a_thread_that_was_kept_is_the_same_again():
    assert Thread.load(WAITING.kept()) == WAITING


def test_every_new_thread_is_another_session():
    assert Thread.new().session_id != Thread.new().session_id


def test_new_instructions_replace_the_old_ones_and_stand_first():
    before = say(Thread.new(), Turn("m", instructions="old"), "one")
    after = say(before, Turn("m", instructions="new"), "two")
    assert [(message["role"], message["content"]) for message in after.messages] == [
        ("system", "new"),
        ("user", "one"),
        ("user", "two"),
    ]
    assert say(after, Turn("m"), "three").messages[0]["content"] == "new"


def test_tool_outputs_answer_every_call_and_words_may_follow():
    outputs = (ToolOutput("c2", "two"), ToolOutput("c1", "one"))
    request = body(Turn("m", tool_outputs=outputs), "and now?", WAITING)
    assert request["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "user", "content": "and now?"},
    ]


@pytest.mark.parametrize(
    ("thread", "outputs", "words"),
    [
        (WAITING, ["c1"], "lacks an output for c2 (find)"),
        (WAITING, [], "lacks an output for c1 (look), c2 (find)"),
        (WAITING, ["c1", "c2", "c9"], "answers c9, but the model called c1, c2"),
        (Thread("s", ({"role": "assistant", "content": "a"},)), ["c1"], "no tool call is waiting"),
        (Thread("s"), ["c1"], "no tool call is waiting"),
        (WAITING, ["c1", "c2", "c2"], "answers c2 twice"),
    ],
)
def test_tool_outputs_that_do_not_fit_are_refused(thread: Thread, outputs: list[str], words: str):
    with pytest.raises(InvalidRequest) as caught:
        say(thread, Turn("m", tool_outputs=tuple(ToolOutput(each, "x") for each in outputs)), "q")
    assert words in caught.value.message


def test_nothing_said_at_all_is_refused():
    with pytest.raises(InvalidRequest, match="prompt is missing"):
        say(Thread.new(), Turn("m"))


def test_attachments_stand_after_the_words_and_may_stand_alone():
    part = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}
    assert body(Turn("m"), "what?", attached=(part,))["messages"][0]["content"] == [
        {"type": "text", "text": "what?"},
        part,
    ]
    assert body(Turn("m"), attached=(part,))["messages"][0]["content"] == [part]


@pytest.mark.parametrize("tool", [TOOL, {"type": "function", **TOOL}, {"type": "function", "function": TOOL}])
def test_functions_are_taken_flat_or_in_their_envelope(tool: dict[str, Any]):
    request = body(Turn("m", tools=(tool,)), "q")
    assert request["tools"] == [{"type": "function", "function": TOOL}]
    assert request["provider"] == {"require_parameters": True}


@pytest.mark.parametrize("tool", [{}, {"name": ""}, {"name": 7}, {"function": "look"}, {"function": {}}])
def test_a_function_without_a_name_is_refused(tool: dict[str, Any]):
    with pytest.raises(InvalidRequest, match=r"tools\[0\] has no name"):
        body(Turn("m", tools=(tool,)), "q")


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("look", {"type": "function", "function": {"name": "look"}}),
    ],
)
def test_the_tool_choice_is_a_word_or_a_function(choice: str, sent: Any):
    assert body(Turn("m", tools=(TOOL,), tool_choice=choice), "q")["tool_choice"] == sent


def test_a_tool_choice_that_cannot_be_is_refused():
    with pytest.raises(InvalidRequest, match="it takes auto, none, required or one of the tools: look"):
        body(Turn("m", tools=(TOOL,), tool_choice="lok"), "q")
    with pytest.raises(InvalidRequest, match="but tools is empty"):
        body(Turn("m", tool_choice="required"), "q")


def test_what_the_operator_demands_stays_when_parameters_are_required():
    request = body(Turn("m", json_schema={"type": "object"}), "q", provider=Provider(zdr=True))
    assert request["provider"] == {"zdr": True, "require_parameters": True}
    assert request["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_limits_go_upstream_as_stop_conditions_tools_and_prices():
    stop = {"type": "max_cost", "max_cost_in_dollars": 0.5}
    assert body(Turn("m"), "q", caps=Caps(stop_usd=Decimal("0.5")))["stop_server_tools_when"] == [stop]
    assert "stop_server_tools_when" not in body(Turn("m"), "q")
    searching = body(Turn("m"), "q", caps=Caps(web=WebUse(2), max_price=MaxPrice(prompt=Decimal("0.1"))))
    assert searching["stop_server_tools_when"] == [{"type": "step_count_is", "step_count": 2}]
    assert searching["tools"][0]["parameters"]["max_uses"] == 2
    assert searching["provider"] == {"max_price": {"prompt": "0.1"}}


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ((TOOL, TOOL), "'look' twice"),
        (({"name": "has spaces"},), "A-Z, a-z, 0-9, _ and -"),
        (({"name": "n" * 65},), "1 to 64"),
        (({"name": "look", "parameters": "none"},), "tools[0].parameters takes a JSON Schema"),
        (({"type": "openrouter:web_search"},), "for the web, set web"),
    ],
)
def test_functions_that_upstream_would_refuse_are_refused_here(tools: tuple[dict[str, Any], ...], words: str):
    with pytest.raises(InvalidRequest) as caught:
        body(Turn("m", tools=tools), "q")
    assert words in caught.value.message


@pytest.mark.parametrize("spelling", ["parameters", "inputSchema", "input_schema"])
def test_parameters_may_be_spelled_as_mcp_does(spelling: str):
    request = body(Turn("m", tools=({"name": "look", spelling: {"type": "object"}},)), "q")
    assert request["tools"][0]["function"] == {"name": "look", "parameters": {"type": "object"}}


def test_functions_stay_until_others_are_given():
    before = say(Thread.new(), Turn("m", tools=(TOOL,)), "one")
    assert [each["function"] for each in body(Turn("m"), "two", before)["tools"]] == [TOOL]
    after = body(Turn("m", tools=({"name": "find"},), tool_choice="find"), "two", before)
    assert [each["function"]["name"] for each in after["tools"]] == ["find"]


def test_forbidding_tools_where_there_are_none_says_nothing():
    assert "tool_choice" not in body(Turn("m", tool_choice="none"), "q")


def test_a_question_that_nobody_answered_may_be_put_again_without_words():
    thread = say(Thread.new(), Turn("m"), "one")
    assert body(Turn("other"), "", thread)["messages"] == [{"role": "user", "content": "one"}]


THOUGHTS = [
    {"type": "reasoning.text", "text": "t", "signature": "s"},
    {"type": "reasoning.server_tool_call", "tool_name": "openrouter:fusion", "arguments": "{}", "result": "{}"},
]
THOUGHTFUL = Thread(
    "s",
    (
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a", "model": "anthropic/one", "reasoning_details": THOUGHTS},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "model": "x/y", "tool_calls": [CALL], "reasoning_details": THOUGHTS},
        {"role": "tool", "tool_call_id": "c1", "content": "out"},
    ),
)


def thoughts(thread: Thread, maker: str, *, routed: bool = False) -> list[Any]:
    sent = thread.for_models(lambda model: model.startswith(f"{maker}/"), routed=routed)
    return [message.get("reasoning_details") for message in sent if message["role"] == "assistant"]


def test_reasoning_goes_back_only_to_whom_it_came_from_and_what_upstream_ran_to_everybody():
    assert thoughts(THOUGHTFUL, "anthropic") == [THOUGHTS, THOUGHTS[1:]]
    assert thoughts(THOUGHTFUL, "nobody") == [THOUGHTS[1:], THOUGHTS[1:]]
    only_thought = Thread("s", ({"role": "assistant", "content": "a", "reasoning_details": THOUGHTS[:1]},))
    assert thoughts(only_thought, "nobody") == [None]


def test_where_upstream_chooses_the_model_the_thoughts_behind_open_tool_calls_go_along():
    assert thoughts(THOUGHTFUL, "nobody", routed=True) == [THOUGHTS[1:], THOUGHTS]
