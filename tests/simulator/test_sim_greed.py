"""Greedy models take all that they are allowed, and are billed for it although they say little."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.simulator.calls import Caller, ask, chat, fuse

PRICES = {"prompt": "0.000001", "completion": "0.00001", "input_cache_write": "0.00000125", "web_search": "0.02"}
PROMPT, WRITE, SAID = Decimal("0.000001"), Decimal("0.00000125"), Decimal("0.00001")
SEARCH, FETCH = Decimal("0.02"), Decimal("0.001")
# What a step's results add to every later prompt, and what it takes to ask for them.
STEP, CALL = 4_000, 150


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "context_length": 200_000, "top_provider": {"max_completion_tokens": 32_000}} | more


MODELS: list[dict[str, Any]] = [
    row("acme/one", pricing=PRICES),
    row("anthropic/one", pricing=PRICES),
    row("acme/small", pricing=PRICES, context_length=10_000),
    row("acme/thinker", pricing=PRICES | {"internal_reasoning": "0.00005"}, reasoning={"mandatory": True}),
    row(
        "acme/painter",
        pricing=PRICES | {"image_output": "0.00003"},
        architecture={"output_modalities": ["text", "image"]},
    ),
    row("acme/plain", pricing={"prompt": "0.000001", "completion": "0.00001", "input_cache_write": "0.0000001"}),
    row("cohere/units", pricing={"prompt": "0", "completion": "0"}, x_simulated={"unit_price": "0.001"})
    | {"architecture": {"output_modalities": ["rerank"]}},
]


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(models=MODELS, faults=[{"greedy": True}], credit="1000")


@pytest.fixture
async def caller(simulator: Simulator) -> AsyncGenerator[Caller]:
    async with simulator.running() as base_url, Caller.connected(base_url) as connected:
        yield connected


async def usage_of(caller: Caller, model: str = "acme/one", **more: Any) -> dict[str, Any]:
    return (await caller.result("/chat/completions", chat(model=model, **more)))["usage"]


def cost_of(usage: dict[str, Any]) -> Decimal:
    return Decimal(str(usage["cost"]))


@pytest.mark.parametrize(("model", "limit", "longest"), [("acme/one", 500, 500), ("acme/one", None, 32_000)])
async def test_the_longest_answer_is_billed_and_little_is_said(
    caller: Caller, model: str, limit: int | None, longest: int
):
    reply = await caller.result("/chat/completions", chat(model=model, max_completion_tokens=limit))
    assert reply["usage"]["completion_tokens"] == longest
    assert len(reply["choices"][0]["message"]["content"]) < 2_000
    assert reply["choices"][0]["finish_reason"] == "length"
    whole = reply["usage"]["prompt_tokens"] * WRITE + longest * SAID
    assert cost_of(reply["usage"]) == whole
    assert reply["usage"]["prompt_tokens_details"]["cache_write_tokens"] == reply["usage"]["prompt_tokens"]


async def test_an_answer_never_outgrows_the_context(caller: Caller):
    usage = await usage_of(caller, "acme/small")
    assert usage["prompt_tokens"] + usage["completion_tokens"] == 10_000


async def test_a_cache_that_is_cheaper_than_the_prompt_is_left_alone(caller: Caller):
    usage = await usage_of(caller, "acme/plain", max_tokens=10)
    assert cost_of(usage) == usage["prompt_tokens"] * PROMPT + 10 * SAID


async def test_the_dearest_kind_of_output_is_taken(caller: Caller):
    thought = await usage_of(caller, "acme/thinker", max_tokens=100)
    assert thought["completion_tokens_details"]["reasoning_tokens"] == 100
    assert cost_of(thought) == thought["prompt_tokens"] * WRITE + 100 * Decimal("0.00005")
    painted = await usage_of(caller, "acme/painter", max_tokens=100)
    assert cost_of(painted) == painted["prompt_tokens"] * WRITE + 100 * Decimal("0.00003")
    worded = await usage_of(caller, "acme/painter", max_tokens=100, modalities=["text"])
    assert cost_of(worded) == worded["prompt_tokens"] * WRITE + 100 * SAID


def searched(question: int, steps: int, answer: int, more: int = 0) -> Decimal:
    """The cost of so many searches in so many steps, before an answer."""
    total = (steps + more) * SEARCH + (answer + (steps + more) * CALL) * SAID
    for turn in range(steps + 1):
        total += (question + (turn + (more if turn else 0)) * STEP) * WRITE
    return total


@pytest.mark.parametrize(
    ("model", "parameters", "limits", "steps", "more"),
    [
        ("anthropic/one", {}, {}, 30, 0),
        ("anthropic/one", {"max_uses": 3}, {}, 3, 0),
        ("anthropic/one", {}, {"stop_server_tools_when": [{"type": "step_count_is", "step_count": 2}]}, 2, 0),
        # Three searches may be asked for at once in the only step.
        ("anthropic/one", {"max_uses": 3}, {"max_tool_calls": 1}, 1, 2),
        # Exa and its like count the uses for every model; a provider's own search only where it is Anthropic's.
        ("acme/one", {"max_uses": 3}, {"max_tool_calls": 4}, 4, 0),
        ("acme/one", {"max_uses": 3, "engine": "exa"}, {"max_tool_calls": 4}, 3, 0),
    ],
)
async def test_every_search_that_is_allowed_is_made(
    caller: Caller, model: str, parameters: dict[str, Any], limits: dict[str, Any], steps: int, more: int
):
    plain = await usage_of(caller, model, max_tokens=100)
    tool = {"type": "openrouter:web_search", "parameters": parameters}
    usage = await usage_of(caller, model, max_tokens=100, tools=[tool], **limits)
    assert usage["server_tool_use_details"]["web_search_requests"] == steps + more
    expected = searched(plain["prompt_tokens"], steps, 100, more)
    if "engine" in parameters:
        expected -= steps * (SEARCH - Decimal("0.007"))
    assert cost_of(usage) == expected


async def test_a_loop_stops_when_its_cost_or_its_tokens_exceed_what_was_set(caller: Caller):
    tools = [{"type": "openrouter:web_search"}]
    stop = {"type": "max_cost", "max_cost_in_dollars": 0.05}
    usage = await usage_of(caller, max_tokens=10, tools=tools, stop_server_tools_when=[stop])
    # Two steps cost less than five cents, the third passes them.
    assert usage["server_tool_use_details"]["web_search_requests"] == 3
    stop = {"type": "max_tokens_used", "max_tokens": 4_500}
    usage = await usage_of(caller, max_tokens=10, tools=tools, stop_server_tools_when=[stop])
    assert usage["server_tool_use_details"]["web_search_requests"] == 3


async def test_pages_are_fetched_where_searching_has_a_limit(caller: Caller):
    tools = [{"type": "openrouter:web_search", "parameters": {"max_uses": 1}}, {"type": "openrouter:web_fetch"}]
    usage = await usage_of(caller, "anthropic/one", max_tokens=10, tools=tools, max_tool_calls=3)
    details = usage["server_tool_use_details"]
    assert (details["web_search_requests"], details["tool_calls_executed"]) == (1, 3)
    assert Decimal(str(usage["cost_details"]["server_tool_cost"])) == SEARCH + 2 * FETCH


async def test_panel_and_analyst_take_every_step_and_write_all_they_may(caller: Caller):
    limits = {"max_completion_tokens": 3_000, "max_tool_calls": 2, "model": "acme/one"}
    panel = ["acme/one", "anthropic/one"]
    body = fuse(panel, "?", parameters=limits, model="acme/one", max_output_tokens=700)
    usage = (await caller.result("/responses", body))["usage"]
    question = (await usage_of(caller, question="?", max_tokens=1))["prompt_tokens"]
    panelists = 2 * searched(question, 2, 3_000)
    analyst = searched(question + 2 * 3_000, 2, 3_000)
    writer = question * WRITE + 200 * SAID + (question + 200 + 3 * 3_000) * WRITE + 700 * SAID
    assert cost_of(usage) == panelists + analyst + writer


async def test_the_tokens_of_a_text_can_be_counted_as_pessimistically_as_wanted(simulator: Simulator, caller: Caller):
    counted: dict[tuple[str, float | None], int] = {}
    for text in ("abcdefgh", "漢字漢字"):
        for ratio in (None, 1, 0.5):
            simulator.script({"tokens_per_char": ratio})
            counted[text, ratio] = (await usage_of(caller, question=text))["prompt_tokens"] - 4
    assert counted == {
        ("abcdefgh", None): 2,
        ("abcdefgh", 1): 8,
        ("abcdefgh", 0.5): 4,
        ("漢字漢字", None): 1,
        ("漢字漢字", 1): 12,
        ("漢字漢字", 0.5): 6,
    }


async def test_what_a_step_adds_can_be_set(simulator: Simulator, caller: Caller):
    tools = [{"type": "openrouter:web_search"}]
    simulator.script({"greedy": True, "step_tokens": 10})
    plain = await usage_of(caller, max_tokens=10)
    usage = await usage_of(caller, max_tokens=10, tools=tools, max_tool_calls=1)
    assert usage["prompt_tokens"] == 2 * plain["prompt_tokens"] + 10


async def test_each_chunk_of_a_document_repeats_the_query(simulator: Simulator, caller: Caller):
    body = {"model": "cohere/units", "query": "q" * 800, "documents": ["d" * 2_800] * 40}
    greedy = (await caller.result("/rerank", body))["usage"]
    simulator.script()
    usual = (await caller.result("/rerank", body))["usage"]
    # 700 tokens and a query of 200: two chunks of 500, or three with 300 left for the document in each.
    assert (usual["search_units"], greedy["search_units"]) == (1, 2)


async def test_the_dearest_endpoint_serves_within_what_the_request_leaves_open(simulator: Simulator):
    prices = {"prompt": "0.000001", "completion": "0.000002"}
    hosts = {"hosts": ["deepinfra", "novita", "together", "fireworks"]}
    simulator = Simulator(models=[{"id": "acme/open", "pricing": prices, "x_simulated": hosts}])
    async with simulator.running() as base_url, Caller.connected(base_url) as caller:
        offers = (await caller.data("/models/acme/open/endpoints"))["endpoints"]
        dearest = max(offers, key=lambda offer: Decimal(offer["pricing"]["prompt"]))
        usual = await caller.result("/chat/completions", chat(model="acme/open"))
        simulator.script({"dearest": True})
        reply = await caller.result("/chat/completions", chat(model="acme/open"))
        limited = chat(model="acme/open", provider={"max_price": {"prompt": "1"}})
        assert usual["provider"] == offers[0]["provider_name"] != dearest["provider_name"] == reply["provider"]
        assert (await caller.result("/chat/completions", limited))["provider"] == offers[0]["provider_name"]


async def test_a_stream_and_the_other_apis_are_billed_alike(caller: Caller):
    whole = cost_of(await usage_of(caller, max_tokens=50))
    stream = await caller.stream("/chat/completions", chat(model="acme/one", max_tokens=50))
    assert cost_of(stream.events[-1]["usage"]) == whole
    assert cost_of((await caller.result("/messages", chat(model="acme/one", max_tokens=50)))["usage"]) == whole
    response = await caller.result("/responses", ask(model="acme/one", max_output_tokens=50))
    assert (cost_of(response["usage"]), response["status"]) == (whole, "incomplete")
