"""What the operator allows, on every way a request can take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mcp import MCPError

from tests.conftest import Connect, Upstream, text_of

ASK = {"prompt": "Which?"}
FUSE = {"prompt": "Which?", "web": False}
EMBED = {"input": ["one", "two"], "dimensions": 8}
RERANK = {"query": "one", "documents": ["one", "two"]}
PAID = {
    "fuse": FUSE,
    "ask": ASK | {"model": "openai/gpt-5-mini"},
    "embed": EMBED | {"model": "openai/text-embedding-3-small"},
    "rerank": RERANK | {"model": "cohere/rerank-v3.5"},
}
OPUS, SOL = "~anthropic/claude-opus-latest", "~openai/gpt-sol-latest"
MINI, HAIKU = "openai/gpt-5-mini", "anthropic/claude-haiku-4.5"


def models_sent(upstream: Upstream) -> set[str]:
    """Every model that any paid request names, wherever in it."""
    return {name for request in upstream.requests if request.method == "POST" for name in _named(request.body)}


def _named(body: Any) -> Iterator[str]:
    yield body["model"]
    yield from body.get("models") or ()
    parts: list[dict[str, Any]] = [*(body.get("plugins") or ())]
    parts += [tool.get("parameters") or {} for tool in body.get("tools") or ()]
    for part in parts:
        yield from part.get("analysis_models") or ()
        if part.get("model"):
            yield part["model"]


@pytest.mark.parametrize(
    ("globs", "tool", "arguments", "sent"),
    [
        ("*", "fuse", FUSE, {"openrouter/fusion"}),
        ("*", "ask", ASK, {"openrouter/auto"}),
        ("openai/*", "ask", ASK | {"model": MINI}, {MINI}),
        ("openai/*", "ask", ASK | {"model": f"{MINI}:nitro"}, {f"{MINI}:nitro"}),
        ("openai/*", "ask", ASK | {"model": SOL}, {SOL}),
        ("anthropic/*,openrouter/auto", "ask", ASK, {"openrouter/auto"}),
        ("openai/*,anthropic/*", "ask", ASK | {"model": MINI, "fallback_models": [HAIKU]}, {MINI, HAIKU}),
        # Upstream's choices are made here, from what is allowed.
        ("anthropic/*,openai/*", "fuse", FUSE, {OPUS, SOL}),
        ("anthropic/*", "fuse", FUSE, {OPUS}),
        ("openai/*", "fuse", FUSE | {"analysis_models": [MINI]}, {MINI}),
        ("openai/*", "fuse", FUSE | {"analysis_models": [MINI], "preset": "general-fast"}, {"openrouter/fusion", MINI}),
        ("openrouter/*", "fuse", FUSE, {"openrouter/fusion"}),
        ("openai/*", "embed", PAID["embed"], {"openai/text-embedding-3-small"}),
        ("cohere/*", "rerank", PAID["rerank"], {"cohere/rerank-v3.5"}),
    ],
)
async def test_what_is_allowed_goes_upstream_as_it_is(
    connect: Connect, upstream: Upstream, globs: str, tool: str, arguments: dict[str, Any], sent: set[str]
):
    async with connect(OR_MCP_MODELS=globs) as client:
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert models_sent(upstream) == sent


@pytest.mark.parametrize(
    ("globs", "tool", "arguments"),
    [
        ("anthropic/*", "ask", ASK),
        ("a*,o*,*/*", "ask", ASK),
        ("anthropic/*", "ask", ASK | {"model": MINI}),
        ("anthropic/*", "ask", ASK | {"model": SOL}),
        ("anthropic/*", "ask", ASK | {"model": "anthropic/claude-opus-5@preset/mine"}),
        ("anthropic/*", "ask", ASK | {"model": "@preset/mine"}),
        ("anthropic/*", "ask", ASK | {"model": "openrouter/fusion"}),
        ("anthropic/*", "ask", ASK | {"model": HAIKU, "fallback_models": [MINI]}),
        ("anthropic/claude-opus-4.8", "ask", ASK | {"model": OPUS}),
        ("mistralai/*", "fuse", FUSE),
        ("anthropic/*", "fuse", FUSE | {"preset": "general-high"}),
        ("anthropic/*", "fuse", FUSE | {"analysis_models": [HAIKU, MINI]}),
        ("anthropic/*", "fuse", FUSE | {"analysis_models": [HAIKU], "analyst_model": MINI}),
        ("anthropic/*", "fuse", FUSE | {"analysis_models": [HAIKU], "writer_model": MINI}),
        ("anthropic/*", "fuse", FUSE | {"analysis_models": [HAIKU], "writer_model": "openrouter/auto"}),
        ("anthropic/*", "embed", PAID["embed"]),
        ("anthropic/*", "rerank", PAID["rerank"]),
    ],
)
async def test_what_is_not_allowed_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, globs: str, tool: str, arguments: dict[str, Any]
):
    async with connect(OR_MCP_MODELS=globs) as client:
        result = await client.call_tool(tool, arguments)
    told = text_of(result)
    assert told.startswith("model_unavailable: ")
    assert "OR_MCP_MODELS" in told
    assert "Spent: nothing" in told
    assert not models_sent(upstream)


async def test_a_conversation_cannot_be_carried_to_a_model_that_is_not_allowed(connect: Connect, upstream: Upstream):
    async with connect() as client:
        first = (await client.call_tool("ask", ASK | {"model": MINI})).structured_content
    async with connect(OR_MCP_MODELS="anthropic/*") as client:
        refused = await client.call_tool("ask", ASK | {"continue_run": first["run_id"]})
        allowed = await client.call_tool("ask", ASK | {"continue_run": first["run_id"], "model": HAIKU})
    assert "OR_MCP_MODELS" in text_of(refused)
    assert not allowed.is_error
    assert models_sent(upstream) == {MINI, HAIKU}


async def test_a_panel_this_server_chose_is_told(connect: Connect):
    async with connect(OR_MCP_MODELS="anthropic/*,openai/*") as client:
        told = (await client.call_tool("fuse", FUSE)).structured_content
    assert [row["model"] for row in told["panel"]] == [OPUS, SOL]
    assert f"OR_MCP_MODELS lets OpenRouter choose no model, so this server did: panel {OPUS}, {SOL}" in str(
        told["notes"]
    )


PROVIDERS = {
    "OR_MCP_ZDR": ("on", {"zdr": True}),
    "OR_MCP_DATA_COLLECTION": ("deny", {"data_collection": "deny"}),
    "OR_MCP_PROVIDERS_ONLY": ("azure,amazon-bedrock", {"only": ["azure", "amazon-bedrock"]}),
    "OR_MCP_PROVIDERS_IGNORE": ("xai", {"ignore": ["xai"]}),
}


@pytest.mark.parametrize("tool", PAID)
async def test_an_operators_demands_go_with_every_paid_request(connect: Connect, upstream: Upstream, tool: str):
    settings = {name: value for name, (value, _) in PROVIDERS.items()}
    demanded: dict[str, Any] = {}
    for _, sent in PROVIDERS.values():
        demanded |= sent
    async with connect(**settings) as client:
        result = await client.call_tool(tool, PAID[tool])
        account = (await client.call_tool("account", {})).structured_content
    assert not result.is_error, text_of(result)
    posts = [request.body for request in upstream.requests if request.method == "POST"]
    assert posts
    assert all(body["provider"] == demanded for body in posts)
    assert account["policy"].items() >= settings.items()


@pytest.mark.parametrize("tool", PAID)
async def test_no_argument_loosens_a_demand(connect: Connect, upstream: Upstream, tool: str):
    async with connect(OR_MCP_ZDR="on") as client:
        result = await client.call_tool(tool, PAID[tool] | {"provider": {"zdr": False}})
    assert "There is no argument 'provider'" in text_of(result)
    assert not models_sent(upstream)


@pytest.mark.parametrize(
    ("setting", "value", "model"),
    [
        ("OR_MCP_ZDR", "on", "perplexity/sonar-pro"),
        ("OR_MCP_DATA_COLLECTION", "deny", "nvidia/nemotron-3-nano-30b-a3b:free"),
        ("OR_MCP_PROVIDERS_ONLY", "azure", "perplexity/sonar-pro"),
        ("OR_MCP_PROVIDERS_IGNORE", "Perplexity", "perplexity/sonar-pro"),
    ],
)
async def test_a_404_that_comes_of_a_demand_names_the_setting(connect: Connect, setting: str, value: str, model: str):
    async with connect(**{setting: value}) as client:
        result = await client.call_tool("ask", ASK | {"model": model})
        endpoints = (await client.call_tool("endpoints", {"model": model})).structured_content
        run = (await client.call_tool("run", {})).structured_content["runs"][0]
        later = await client.call_tool("run", {"run_id": run["run_id"]})
    told = f"This server demands {setting}={value} of every request; only its operator can change that"
    assert told in text_of(result)
    assert told in text_of(later)
    assert "Spent: nothing" in text_of(result)
    assert run["cost_usd"] == 0
    assert any("This server's rules leave" in note for note in endpoints["notes"])


async def test_a_404_of_another_reason_blames_no_setting(connect: Connect, upstream: Upstream):
    gone = {"code": "free_variant_ended", "retryable": False, "excluded_by": ["max_price"]}
    upstream.script({"path": "/chat/completions", "status": 404, "availability": gone})
    async with connect(OR_MCP_ZDR="on") as client:
        result = await client.call_tool("ask", ASK | {"model": MINI})
    assert result.is_error
    assert "This server demands" not in text_of(result)


@pytest.mark.parametrize("arguments", [{"model": "openai/gpt-5.2"}, {"model": "openai/gpt-99"}])
async def test_only_allowed_models_are_suggested(connect: Connect, arguments: dict[str, str]):
    settings = {"OR_MCP_MODELS": "openai/*", "OR_MCP_ZDR": "on", "OR_MCP_PROVIDERS_IGNORE": "Azure"}
    async with connect(**settings) as client:
        result = await client.call_tool("ask", ASK | arguments)
    assert result.is_error
    suggested = text_of(result).partition("fallback_models: ")[2].splitlines()[:1]
    assert all(name.startswith(("openai/", "~openai/")) for line in suggested for name in line.rstrip(".").split(", "))
    assert "anthropic" not in text_of(result)


async def test_the_catalogue_shows_only_what_is_allowed(connect: Connect):
    async with connect(OR_MCP_MODELS="openai/*") as client:
        found = (await client.call_tool("list_models", {"limit": 100})).structured_content
        none = await client.call_tool("list_models", {"query": "gemini"})
        other = (await client.call_tool("endpoints", {"model": HAIKU})).structured_content
    assert all(row["id"].startswith(("openai/", "~openai/")) for row in found["models"])
    assert "Without the operator's rule OR_MCP_MODELS=openai/*, 7 would match." in text_of(none)
    assert "gemini" not in str(none.structured_content["closest"])
    assert f"This server may not use {HAIKU}: OR_MCP_MODELS is openai/*." in other["notes"]


async def test_a_tool_that_is_not_offered_cannot_be_called(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_TOOLS="ask,account") as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        refused = await client.call_tool("embed", PAID["embed"])
        account = (await client.call_tool("account", {})).structured_content
    assert listed == ["ask", "account"]
    assert text_of(refused).startswith("invalid_request: There is no tool 'embed'")
    assert account["policy"]["OR_MCP_TOOLS"] == "ask,account"
    assert not models_sent(upstream)


@pytest.mark.parametrize(
    ("words", "tools"),
    [
        ("core", "fuse ask list_models run"),
        ("text", "fuse ask embed rerank list_models endpoints account run"),
        ("all", "fuse ask embed rerank make decide list_models endpoints account run"),
        ("", "fuse ask embed rerank make decide list_models endpoints account run"),
        ("make, core", "fuse ask make list_models run"),
    ],
)
async def test_a_word_stands_for_several_tools(connect: Connect, words: str, tools: str):
    async with connect(OR_MCP_TOOLS=words) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == tools.split()


async def test_what_is_not_offered_is_not_spoken_of(connect: Connect):
    async with connect(OR_MCP_TOOLS="ask,account") as client:
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        told = client.instructions or ""
        with pytest.raises(MCPError, match="There is no prompt 'fuse'; there are second_opinion"):
            await client.get_prompt("fuse", {"question": "Which?"})
    assert prompts == ["second_opinion"]
    assert "- ask: " in told
    assert "- account: " in told
    assert "- fuse: " not in told
    assert "- embed" not in told
