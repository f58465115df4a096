"""Fusion runs: when a panel is convened, what its stream looks like whatever happens, and what it costs."""

import random
from decimal import Decimal
from typing import Any

import pytest

from or_mcp.simulator import Simulator
from tests.oracle import validate
from tests.simulator.calls import QUESTION, SAMPLES, Caller, Stream, answer_of, ask, chat, fuse, fusion_items

POOL = [
    "~anthropic/claude-opus-latest", "~openai/gpt-sol-latest", "~google/gemini-pro-latest", "moonshotai/kimi-k3",
    "z-ai/glm-5.2", "deepseek/deepseek-v3.2", "x-ai/grok-4.5", "qwen/qwen3-max", "openai/gpt-oss-120b:free",
]  # fmt: skip
FAILURES: list[dict[str, Any]] = [
    {"error": "Provider returned error: rate limited upstream", "status_code": 429},
    {"error": "Insufficient credits", "status_code": 402},
    {"error": "Upstream provider error", "status_code": 502},
    {"error": "Stream completed without producing any text"},
]
PARTS = ["consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots"]


def scenario(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A panel of 1 to 8 with failures anywhere, and the rule that makes them fail."""
    dice = random.Random(number)
    panel = dice.choices(POOL, k=1 + number % 8)
    failing = dice.sample(range(len(panel)), dice.randint(0, len(panel)))
    rule: dict[str, Any] = {"panel_failures": {str(index): dice.choice(FAILURES) for index in failing}}
    rule |= {"panel_chars": dice.choice([12, 40, 300]), "answer_chars": 90}
    if dice.random() < 0.2:
        rule["analyst_failure"] = dice.choice(["judge_not_valid_json", "judge_upstream_error"])
    tools: dict[str, Any] = {"tools": []} if dice.random() < 0.3 else {}
    return fuse(panel, f"Question {number}: {QUESTION}", parameters=tools), rule


def check_grammar(stream: Stream, panel: list[str]) -> None:
    """The order of events of openrouter.md 2.8."""
    types, events = stream.types, stream.events
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    prefix = "response.fusion_call."
    fusion = [event for event in events if event["type"].startswith(prefix)]
    kinds = [event["type"].removeprefix(prefix) for event in fusion]
    assert types[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        f"{prefix}in_progress",
    ]
    size = len(panel)
    assert kinds[1 : size + 1] == ["panel.added"] * size
    assert [event["model"] for event in fusion[1 : size + 1]] == panel
    ended = [index for index, kind in enumerate(kinds) if kind in ("panel.completed", "panel.failed")]
    assert len(ended) == size
    analysis = [index for index, kind in enumerate(kinds) if kind.startswith("analysis.")]
    assert all(index > ended[-1] for index in analysis)
    assert kinds[-1] == "completed"
    assert kinds.count("completed") == 1
    assert types.index("response.output_item.done") == types.index(f"{prefix}completed") + 1


def check_deltas(stream: Stream, panel: list[str]) -> None:
    """Deltas of a panelist add up to what it said, and none comes after it ended."""
    said = {model: "" for model in panel if panel.count(model) == 1}
    over: set[str] = set()
    for event in stream.events:
        model = event.get("model")
        if model not in said:
            continue
        assert model not in over
        if event["type"] == "response.fusion_call.panel.delta":
            said[model] += event["delta"]
        if event["type"] == "response.fusion_call.panel.completed":
            assert said[model] == event["content"]
        if event["type"] in ("response.fusion_call.panel.completed", "response.fusion_call.panel.failed"):
            over.add(model)


def check_record(stream: Stream, panel: list[str], rule: dict[str, Any], *, web: bool) -> None:
    """The item agrees with the events and with the script."""
    (item,) = fusion_items(stream.last)
    failed = item.get("failed_models", [])
    replies = item.get("responses", [])
    expected = [panel[int(index)] for index in sorted(rule["panel_failures"], key=int)]
    assert [entry["model"] for entry in failed] == expected
    assert len(replies) + len(failed) == len(panel)
    assert all(len(reply["content"]) == rule["panel_chars"] for reply in replies)
    assert (item["status"] == "completed") == bool(replies)
    assert bool(item.get("sources")) == (web and bool(replies))
    if not replies:
        assert item["failure_reason"] == reason_for(failed)
        assert "analysis" not in item
    elif "analyst_failure" in rule:
        assert item["failure_reason"] == rule["analyst_failure"]
        assert "analysis" not in item
    else:
        assert sorted(item["analysis"]) == sorted(PARTS)
    assert stream.last["output"][-1]["type"] == "message"


def reason_for(failed: list[dict[str, Any]]) -> str:
    codes = [entry.get("status_code") for entry in failed]
    return "insufficient_credits" if 402 in codes else "rate_limited" if 429 in codes else "all_panels_failed"


async def test_streams_of_every_size_and_with_failures_anywhere_keep_the_grammar(
    simulator: Simulator, caller: Caller
) -> None:
    for number in range(320):
        body, rule = scenario(number)
        parameters = body["tools"][0]["parameters"]
        panel, web = parameters["analysis_models"], "tools" not in parameters
        simulator.script(rule)
        stream = await caller.stream("/responses", body)
        assert stream.done
        check_grammar(stream, panel)
        check_deltas(stream, panel)
        check_record(stream, panel, rule, web=web)
        if number % 8 == number // 8 % 8:
            assert [problem for event in stream.events for problem in validate("StreamEvents", event)] == []


async def test_every_line_that_stands_for_a_models_words_is_marked(caller: Caller) -> None:
    stream = await caller.stream("/responses", fuse(POOL[:3]))
    (item,) = fusion_items(stream.last)
    texts = [answer_of(stream.last), *(reply["content"] for reply in item["responses"])]
    analysis = item["analysis"]
    texts += analysis["consensus"] + analysis["blind_spots"]
    texts += [entry["insight"] for entry in analysis["unique_insights"]]
    texts += [entry["point"] for entry in analysis["partial_coverage"]]
    texts += [stance["stance"] for entry in analysis["contradictions"] for stance in entry["stances"]]
    assert all(line.startswith("[simulated] ") for text in texts for line in text.split("\n"))


async def test_the_same_seed_says_the_same_and_another_seed_something_else() -> None:
    said: list[str] = []
    for seed in (1, 1, 2):
        simulator = Simulator(seed=seed)
        async with simulator.running() as base_url, Caller.connected(base_url) as caller:
            stream = await caller.stream("/responses", fuse(POOL[:2]))
            said.append(repr([event.get("delta") for event in stream.events]))
    assert said[0] == said[1] != said[2]


CHOICES: list[tuple[Any, bool]] = [
    ("required", True),
    ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "openrouter:fusion"}]}, True),
    ({"type": "openrouter:fusion"}, True),
    ("auto", False),
    (None, False),
    ("none", False),
]


@pytest.mark.parametrize(("choice", "convened"), CHOICES)
async def test_the_tool_convenes_only_when_it_is_forced(caller: Caller, choice: Any, convened: bool) -> None:
    body = fuse(POOL[:2], tool_choice=choice)
    response = await caller.result("/responses", body)
    assert bool(fusion_items(response)) == convened
    assert (response["usage"]["server_tool_use_details"] is not None) == convened


async def test_the_words_use_fusion_convene_an_unforced_tool(caller: Caller) -> None:
    for extra in ({"instructions": "Use Fusion. Be brief."}, {"input": "Use fusion: which database?"}):
        assert fusion_items(await caller.result("/responses", fuse(POOL[:1], tool_choice="auto") | extra))


async def test_the_slug_convenes_by_itself(caller: Caller) -> None:
    assert fusion_items(await caller.result("/responses", ask(model="openrouter/fusion")))
    off = ask(model="openrouter/fusion", plugins=[{"id": "fusion", "enabled": False}])
    assert not fusion_items(await caller.result("/responses", off))
    assert not fusion_items(await caller.result("/responses", ask(model="openrouter/fusion", tool_choice="none")))


PRESETS = {
    None: ("anthropic/claude-opus-5", "~anthropic/claude-opus-latest"),
    "general-high": ("anthropic/claude-opus-5", "~anthropic/claude-opus-latest"),
    "general-budget": ("moonshotai/kimi-k3", "moonshotai/kimi-k3"),
    "general-fast": ("google/gemini-3-flash-preview", "~google/gemini-flash-latest"),
}


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_preset_decides_panel_writer_and_analyst(caller: Caller, preset: str | None) -> None:
    plugins = [{"id": "fusion", "preset": preset}] if preset else []
    stream = await caller.stream("/responses", ask(model="openrouter/fusion", plugins=plugins))
    writer, first = PRESETS[preset]
    (analysis,) = [event for event in stream.events if event["type"].endswith("analysis.in_progress")]
    assert stream.last["model"] == writer
    assert analysis["analyst_model"] == analysis["judge_model"] == first
    assert fusion_items(stream.last)[0]["responses"][0]["model"] == first


async def test_fusion_flash_is_the_fast_preset_and_explicit_settings_win(caller: Caller) -> None:
    stream = await caller.stream("/responses", ask(model="openrouter/fusion-flash"))
    assert stream.last["model"] == "google/gemini-3-flash-preview"
    plugins = [{"id": "fusion", "model": "openai/gpt-5.6-luna", "analysis_models": ["z-ai/glm-5.2"]}]
    stream = await caller.stream("/responses", ask(model="openrouter/fusion-flash", plugins=plugins))
    assert stream.last["model"] == "openai/gpt-5.6-luna"
    assert [reply["model"] for reply in fusion_items(stream.last)[0]["responses"]] == ["z-ai/glm-5.2"]


async def test_the_tools_analyst_is_the_outer_model_as_sent(caller: Caller) -> None:
    stream = await caller.stream("/responses", fuse(POOL[3:5]))
    (analysis,) = [event for event in stream.events if event["type"].endswith("analysis.in_progress")]
    assert analysis["analyst_model"] == "~anthropic/claude-opus-latest"
    assert stream.last["model"] == "anthropic/claude-opus-5"


UNCAPPED: list[tuple[dict[str, Any], bool]] = [
    ({"max_tool_calls": None}, True),
    ({"max_tool_calls": 2}, True),
    ({"max_tool_calls": 1}, False),
    ({"stop_server_tools_when": [{"type": "has_tool_call", "tool_name": "openrouter:fusion"}]}, False),
    ({"stop_server_tools_when": [{"type": "finish_reason_is", "reason": "tool_calls"}]}, False),
    ({"stop_server_tools_when": [{"type": "max_tokens_used", "max_tokens": 10}]}, False),
    ({"stop_server_tools_when": [{"type": "step_count_is", "step_count": 1}]}, False),
    ({"stop_server_tools_when": [{"type": "max_cost", "max_cost_in_dollars": 0.000001}]}, False),
    ({"stop_server_tools_when": [{"type": "max_cost", "max_cost_in_dollars": 50}]}, True),
    ({"max_tool_calls": None, "tool_choice": "auto", "instructions": "Use Fusion."}, False),
]


@pytest.mark.parametrize(("extra", "second_call"), UNCAPPED)
async def test_a_forced_model_calls_again_unless_it_is_capped(
    caller: Caller, extra: dict[str, Any], second_call: bool
) -> None:
    first, *more = fusion_items(await caller.result("/responses", fuse(POOL[:2]) | extra))
    assert first["status"] == "completed"
    reasons = [(item["status"], item["failure_reason"]) for item in more]
    assert reasons == ([("incomplete", "fusion_invocation_capped")] if second_call else [])


async def test_chat_carries_the_record_as_json_in_a_reasoning_detail(caller: Caller) -> None:
    body = SAMPLES["chat_tool"]["body"]
    message = (await caller.result("/chat/completions", body))["choices"][0]["message"]
    (detail,) = message["reasoning_details"]
    assert (detail["type"], detail["tool_name"]) == ("reasoning.server_tool_call", "openrouter:fusion")
    assert '"status":"ok"' in detail["result"]
    assert '"models":["~anthropic/claude-opus-latest"' in detail["result"]
    stream = await caller.stream("/chat/completions", body)
    assert stream.events[0]["choices"][0]["delta"]["reasoning_details"][0]["tool_name"] == "openrouter:fusion"
    assert set(stream.comments) == {": OPENROUTER PROCESSING"}


async def test_an_unknown_panelist_fails_alone_and_a_starved_one_too(caller: Caller) -> None:
    response = await caller.result("/responses", fuse(["no/such-model", "z-ai/glm-5.2"]))
    (item,) = fusion_items(response)
    assert item["failed_models"] == [
        {"model": "no/such-model", "error": "no/such-model is not a valid model ID", "status_code": 400}
    ]
    starved = fuse(["x-ai/grok-4.5"], parameters={"max_completion_tokens": 1000})
    (item,) = fusion_items(await caller.result("/responses", starved))
    assert item["failed_models"][0]["error"] == "Stream completed without producing any text"


BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"analysis_models": ["z-ai/glm-5.2"] * 9}, "analysis_models"),
    ({"analysis_models": []}, "analysis_models"),
    ({"analysis_models": ["openrouter/fusion"]}, "cannot be used inside"),
    ({"model": "openrouter/fusion-flash"}, "cannot be used inside"),
    ({"max_tool_calls": 17}, "max_tool_calls"),
    ({"max_tool_calls": 0}, "max_tool_calls"),
    ({"temperature": 2.5}, "temperature"),
    ({"reasoning": {"effort": "frantic"}}, "effort"),
    ({"tools": [{"type": "openrouter:web_search"}] * 9}, "tools"),
]


@pytest.mark.parametrize(("settings", "named"), BAD_SETTINGS)
async def test_bad_settings_are_refused_before_anything_is_spent(
    caller: Caller, settings: dict[str, Any], named: str
) -> None:
    reply = await caller.post("/responses", fuse(parameters=settings))
    assert reply.status_code == 400
    assert named in reply.json()["error"]["message"]
    assert (await caller.data("/key"))["usage"] == 0


async def test_the_plugin_needs_the_slug_or_the_tool(caller: Caller) -> None:
    reply = await caller.post("/chat/completions", chat(plugins=[{"id": "fusion", "preset": "general-fast"}]))
    assert reply.status_code == 400


async def test_the_cost_is_the_whole_run_and_the_tokens_the_outer_models(caller: Caller) -> None:
    body = fuse(POOL[:3], parameters={"tools": []})
    with_panel = (await caller.result("/responses", body))["usage"]
    details = with_panel["cost_details"]
    assert Decimal(str(with_panel["cost"])) > 2 * Decimal(str(details["upstream_inference_cost"]))
    prompt, completion = Decimal("0.000005"), Decimal("0.000025")
    assert details["upstream_inference_input_cost"] == float(with_panel["input_tokens"] * prompt)
    assert details["upstream_inference_output_cost"] == float(with_panel["output_tokens"] * completion)
    with_web = (await caller.result("/responses", fuse(POOL[:3])))["usage"]
    assert with_web["cost"] > with_panel["cost"]
