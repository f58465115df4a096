"""What a host may read of the catalogue, and how arguments are completed."""

from __future__ import annotations

import json

import mcp_types
import pytest
from mcp import Client, MCPError

from or_mcp.simulator.catalogue import CATALOGUE
from tests.conftest import Connect, Upstream

MODEL_TEMPLATE = "openrouter://models/{author}/{slug}"


async def read(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, mcp_types.TextResourceContents)
    return content.text


async def complete(
    client: Client, ref: str, argument: str, typed: str, context: dict[str, str] | None = None
) -> mcp_types.Completion:
    of = mcp_types.ResourceTemplateReference(uri=ref) if "://" in ref else mcp_types.PromptReference(name=ref)
    return (await client.complete(of, {"name": argument, "value": typed}, context)).completion


async def test_the_catalogue_is_one_line_a_model(connect: Connect):
    async with connect() as client:
        lines = (await read(client, "openrouter://models")).splitlines()
    assert lines[0].startswith("id | context | USD per M")
    assert len(lines) == 1 + len(CATALOGUE.models)
    assert any("~openai/gpt-latest" in line and "-> openai/gpt-5.6-sol" in line for line in lines)
    assert any(line.startswith("openrouter/auto | ") and "depends/depends" in line for line in lines)


@pytest.mark.parametrize(
    "name", ["openai/gpt-5-mini", "~openai/gpt-latest", "openai/gpt-oss-120b:free", "openai/gpt-oss-120b%3Afree"]
)
async def test_one_model_is_read_by_any_of_its_names(connect: Connect, name: str):
    async with connect() as client:
        told = json.loads(await read(client, f"openrouter://models/{name}"))
    assert told["id"] == name.replace("%3A", ":")
    assert "E-" not in told["pricing"]["prompt"]


async def test_providers_come_with_their_policies(connect: Connect):
    async with connect() as client:
        rows = json.loads(await read(client, "openrouter://providers"))
    (azure,) = [row for row in rows if row["slug"] == "azure"]
    assert azure["privacy_policy_url"].startswith("https://")
    assert azure["status_page_url"].startswith("https://")
    assert azure["datacenters"]


async def test_an_unknown_model_is_a_protocol_error_with_the_closest(connect: Connect):
    async with connect() as client:
        with pytest.raises(MCPError, match=r"There is no model openai/gpt5-mini.*openai/gpt-5-mini") as told:
            await read(client, "openrouter://models/openai/gpt5-mini")
        with pytest.raises(MCPError, match=r"there are openrouter://models, "):
            await read(client, "openrouter://modles")
    assert told.value.error.code == mcp_types.INVALID_PARAMS


async def test_a_model_the_operator_does_not_allow_is_not_shown(connect: Connect):
    async with connect(OR_MCP_MODELS="anthropic/*") as client:
        lines = (await read(client, "openrouter://models")).splitlines()[1:]
        with pytest.raises(MCPError, match="OR_MCP_MODELS"):
            await read(client, "openrouter://models/openai/gpt-5-mini")
        models = await complete(client, "second_opinion", "model", "gpt")
        authors = await complete(client, MODEL_TEMPLATE, "author", "")
    assert lines
    assert all(line.startswith(("anthropic/", "~anthropic/")) for line in lines)
    assert (models.values, models.total) == ([], 0)
    assert authors.values == ["anthropic", "~anthropic"]


@pytest.mark.parametrize(
    ("argument", "typed", "context", "first"),
    [
        ("author", "anth", {}, ["anthropic", "~anthropic"]),
        ("author", "antropic", {}, ["anthropic", "~anthropic"]),
        ("slug", "opus", {"author": "anthropic"}, ["claude-opus-5", "claude-opus-4.8", "claude-opus-5-fast"]),
        ("slug", "gpt-5-m", {}, ["gpt-5-mini"]),
        ("slug", "gpt5 mini", {"author": "openai"}, ["gpt-5-mini"]),
        ("slug", "opus", {"author": "nobody"}, []),
        ("run_id", "x", {}, []),
        ("index", "", {}, []),
        ("nonsense", "x", {}, []),
    ],
)
async def test_arguments_of_templates_are_completed_the_likeliest_first(
    connect: Connect, argument: str, typed: str, context: dict[str, str], first: list[str]
):
    async with connect() as client:
        found = await complete(client, MODEL_TEMPLATE, argument, typed, context)
    assert found.values[: len(first) or None] == first
    assert found.has_more is False


async def test_a_prompts_model_is_completed_as_list_models_ranks(connect: Connect):
    async with connect() as client:
        listed = (await client.call_tool("list_models", {"query": "cheap vision", "limit": 100})).structured_content
        found = await complete(client, "second_opinion", "model", "cheap vision")
        presets = await complete(client, "fuse", "preset", "general-b")
    assert found.values == [row["id"] for row in listed["models"]]
    assert presets.values == ["general-budget"]


async def test_at_most_a_hundred_values_come_and_the_others_are_counted(connect: Connect, upstream: Upstream):
    row = CATALOGUE.models[0].row
    many = [row | {"id": f"maker/model-{number}", "canonical_slug": f"maker/model-{number}-1"} for number in range(130)]
    upstream.script({"path": "/models", "status": 200, "body": {"data": many}})
    async with connect() as client:
        found = await complete(client, "second_opinion", "model", "maker")
    assert (len(found.values), found.total, found.has_more) == (100, 130, True)


async def test_runs_and_panelists_are_completed_from_the_store(connect: Connect):
    async with connect() as client:
        run_id = (await client.call_tool("fuse", {"prompt": "Which?"})).structured_content["run_id"]
        runs = await complete(client, "openrouter://runs/{run_id}", "run_id", "run_")
        panel = await complete(client, "openrouter://runs/{run_id}/panel/{index}", "index", "", {"run_id": run_id})
    assert runs.values == [run_id]
    assert panel.values == ["0", "1", "2"]
