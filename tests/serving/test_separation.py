"""A caller who knows every id and URI of another caller gets nothing: everything that is offered is walked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from or_mcp.simulator import Simulator
from tests.conftest import text_of
from tests.serving.programs import environment, serving_http
from tests.serving.test_http_doors import caller
from tests.tasks.host import Host, over_http, refusal

WORD = "quagga-in-the-attic"
BEARERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "passthrough": ("sk-or-ann", "sk-or-bob", {}),
    "token": ("anns-token", "bobs-token", {"OR_MCP_HTTP_TOKENS": "anns-token,bobs-token,carls-token"}),
}
FILLING: dict[str, Any] = {
    "model": "openai/gpt-5-mini",
    "prompt": "Hello?",
    "query": "fruit",
    "documents": ["apple", "pear"],
    "kind": "image",
    "questions": {"fruit": {"type": "yes_no", "instructions": "Is it a fruit?"}},
}
MODELS = {
    "embed": "openai/text-embedding-3-small",
    "rerank": "cohere/rerank-v3.5",
    "decide": "typesafe/jev-1",
    "make": "",
}


@dataclass(frozen=True)
class Known:
    """What Bob knows of Ann."""

    runs: list[str]
    generations: list[str]
    running: str
    files: list[str]
    uris: list[str]

    def one_of_each(self) -> list[str]:
        """One of each kind of name for something of Ann's."""
        return [self.runs[0], self.running, self.generations[0], self.files[0], self.uris[0]]


@dataclass(frozen=True)
class Team:
    """One server, Ann who has done something there, and Bob."""

    root: str
    ann: str
    bob: str
    known: Known


@pytest.fixture(scope="module", params=["token", pytest.param("passthrough", marks=pytest.mark.slow)])
def team(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Generator[Team]:
    """Two callers of one server, whose data directory lies where attachments may be read from."""
    ann, bob, settings = BEARERS[request.param]
    place = tmp_path_factory.mktemp("team")
    allowed = {"OR_MCP_HTTP_AUTH": request.param, "OR_MCP_ALLOWED_DIRS": str(place)}
    simulator = Simulator(faults=[{"path": "/responses", "contains": "stall", "stall_at_event": 10}])
    with (
        simulator.serve_in_thread() as base_url,
        serving_http(environment(base_url, place / "data", **allowed, **settings)) as root,
    ):
        known = anyio.run(spend, root, ann, place / "data")
        yield Team(root, ann, bob, known)
        anyio.run(tidy, root, ann, known)


async def tidy(root: str, bearer: str, known: Known) -> None:
    async with over_http(root, bearer) as host:
        await host.cancel(known.running)


async def spend(root: str, bearer: str, data: Path) -> Known:
    """Ann uses every tool that costs money, and leaves something running."""
    async with caller(root, bearer) as client:
        return await spend_as(client, data)


async def spend_as(client: Client, data: Path) -> Known:
    question = f"What about the {WORD}?"
    fused = await client.call_tool("fuse", {"prompt": question, "web": False, "detail": "full"})
    asked = await client.call_tool("ask", {"model": FILLING["model"], "prompt": question})
    texts = {"model": MODELS["embed"], "output": "file", "input": [WORD, "another"]}
    embedded = await client.call_tool("embed", texts)
    documents = {"model": MODELS["rerank"], "query": WORD, "documents": [WORD, "other"]}
    ranked = await client.call_tool("rerank", documents)
    decided = await client.call_tool("decide", {"questions": FILLING["questions"], "rows": [WORD, "other"]})
    stalled = {"prompt": f"{WORD}, stall", "web": False, "wait_seconds": 0}
    running = (await client.call_tool("fuse", stalled)).structured_content
    told: list[dict[str, Any]] = [result.structured_content for result in (fused, asked, embedded, ranked, decided)]
    runs = [each["run_id"] for each in told]
    files = sorted(map(str, (data / "embeddings").iterdir()))
    assert [Path(file).suffix for file in files] == [".jsonl", ".npy"]
    files += map(str, (data / "rows").iterdir())
    templates = (await client.list_resource_templates()).resource_templates
    uris = [
        filled
        for template, run_id in product(templates, runs)
        if (filled := template.uri_template.replace("{run_id}", run_id).replace("{index}", "0")).find("{") < 0
    ]
    generations = [each["generation_id"] for each in told if each.get("generation_id")]
    files += [str(data / name) for name in ("runs.sqlite3", "runs.sqlite3-wal", "embeddings.sqlite3", "state.key")]
    return Known(runs, generations, running["run_id"], files, uris)


def tries(tool: Any, secrets: list[str]) -> Iterator[dict[str, Any]]:
    """Every secret in every argument that takes words, and for tools that are free with every choice of the others."""
    properties: dict[str, dict[str, Any]] = tool.input_schema["properties"]
    filling = FILLING | {"model": MODELS.get(tool.name, FILLING["model"])}
    needed = {name: filling[name] for name in tool.input_schema.get("required", [])}
    if tool.name in ("ask", "fuse"):
        needed = {"prompt": "Hello?"} | needed
    free = tool.annotations.read_only_hint
    choices = [{name: value} for name, row in properties.items() if free for value in row.get("enum", [])]
    for name, row in properties.items():
        words = row.get("type") == "string" and "enum" not in row
        lists = row.get("type") == "array" and row["items"].get("type") == "string"
        if words or lists:
            for secret, choice in product(secrets, [{}, *choices]):
                yield needed | choice | {name: [secret] if lists else secret}


async def every(works: list[Callable[[], Awaitable[None]]]) -> None:
    limiter = anyio.CapacityLimiter(12)

    async def one(work: Callable[[], Awaitable[None]]) -> None:
        async with limiter:
            await work()

    async with anyio.create_task_group() as group:
        for work in works:
            group.start_soon(one, work)


@pytest.mark.slow
async def test_no_tool_gives_anything_of_another_caller(team: Team):
    async with caller(team.root, team.bob) as bob:
        await walk_tools(bob, team.known)


async def walk_tools(bob: Client, known: Known) -> None:
    tools = (await bob.list_tools()).tools
    assert {tool.name for tool in tools} >= {"fuse", "ask", "embed", "rerank", "account", "run"}
    answered: list[tuple[str, dict[str, Any], str]] = []

    def trying(name: str, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            result = await bob.call_tool(name, arguments)
            told = text_of(result) + json.dumps(result.structured_content)
            if WORD in told:
                answered.append((name, arguments, told[:300]))
            if {"run_id", "continue_run", "generation_id"} & set(arguments) and not result.is_error:
                allowed = name == "account" and arguments.get("view", "summary") != "generation"
                if not allowed:
                    answered.append((name, arguments, told[:300]))

        return work

    works = [trying(tool.name, given) for tool in tools for given in tries(tool, known.one_of_each())]
    assert len(works) > 200, len(works)
    with anyio.fail_after(120):
        await every(works)
    assert not answered, answered[:3]
    told = text_of(await bob.call_tool("run", {"run_id": known.runs[0]}))
    assert told.startswith("not_found:")
    assert told.replace(known.runs[0], "X") == text_of(await bob.call_tool("run", {"run_id": "run_none"})).replace(
        "run_none", "X"
    )


@pytest.mark.parametrize("tool", ["ask", "embed"])
async def test_the_servers_own_files_are_no_attachments(team: Team, tool: str):
    async with caller(team.root, team.bob) as bob:
        for file in team.known.files:
            given = {"attachments": [file]} if tool == "ask" else {"input_file": file}
            result = await bob.call_tool(
                tool, given | {"prompt": "Read it."} if tool == "ask" else given | {"model": MODELS["embed"]}
            )
            assert "is not inside a directory that may be read" in text_of(result)


async def test_no_resource_prompt_completion_or_task_gives_anything_of_another_caller(team: Team):
    async with over_http(team.root, team.bob) as bob, over_http(team.root, team.ann) as ann:
        await walk_the_rest(bob, ann, team.known)


async def walk_the_rest(host: Host, ann: Host, known: Known) -> None:
    bob = host.client
    assert len(known.uris) == 3 * len(known.runs)
    for uri in known.uris:
        with pytest.raises(MCPError, match="not_found"):
            await bob.read_resource(uri)
    for resource in (await bob.list_resources()).resources:
        assert WORD not in str(await bob.read_resource(resource.uri))
    for prompt in (await bob.list_prompts()).prompts:
        for argument in prompt.arguments or []:
            values = await completed(bob, PromptReference(name=prompt.name), argument.name, known)
            assert not values & {*known.runs, known.running}
    for template in (await bob.list_resource_templates()).resource_templates:
        reference = ResourceTemplateReference(uri=template.uri_template)
        for part in template.uri_template.split("{")[1:]:
            values = await completed(bob, reference, part.partition("}")[0], known)
            assert not values & {*known.runs, known.running}
    for run_id in [*known.runs, known.running]:
        for asked in (host.get(run_id), host.answer(run_id), host.cancel(run_id)):
            assert (await refusal(asked))[1] == "Task not found"
    rows = (await bob.call_tool("run", {})).structured_content["runs"]
    assert not {row["run_id"] for row in rows} & set(known.runs)
    listed = (await ann.client.call_tool("run", {})).structured_content["runs"]
    assert {row["run_id"]: row["status"] for row in listed}[known.running] == "running"


async def completed(client: Client, reference: Any, argument: str, known: Known) -> set[str]:
    found: set[str] = set()
    for context in ({}, {"run_id": known.runs[0]}):
        try:
            result = await client.complete(reference, {"name": argument, "value": ""}, context)
        except MCPError:
            continue
        found |= set(result.completion.values)
    return found


async def test_what_one_caller_has_spent_is_not_told_to_another(team: Team):
    newcomer = f"{team.bob}-too" if team.bob.startswith("sk-or-") else "carls-token"
    async with caller(team.root, newcomer) as carl, caller(team.root, team.ann) as ann:
        told = (await carl.call_tool("account", {})).structured_content
        activity = await carl.call_tool("account", {"view": "activity"})
        own = (await ann.call_tool("account", {})).structured_content
        generation = {"view": "generation", "generation_id": team.known.generations[0]}
        found = await ann.call_tool("account", generation)
    assert told["today"]["total_usd"] == told["last_30_days"]["total_usd"] == 0
    assert not told["key"].get("used_today_usd")
    assert activity.structured_content["last_30_days"]["total_usd"] == 0
    assert own["today"]["total_usd"] > 0
    assert found.structured_content["generation"]["cost_usd"] > 0


@pytest.mark.slow
async def test_a_budget_bounds_what_one_key_pays_over_all_its_callers(tmp_path: Path):
    simulator = Simulator()
    settings = {"OR_MCP_HTTP_AUTH": "token", "OR_MCP_HTTP_TOKENS": "anns-token,bobs-token"}
    budget = {"OR_MCP_DAILY_BUDGET_USD": "0.003"}
    ask = {"model": FILLING["model"], "max_output_tokens": 1000}
    told = ""
    with (
        simulator.serve_in_thread() as base_url,
        serving_http(environment(base_url, tmp_path, **settings, **budget)) as root,
    ):
        async with caller(root, "anns-token") as ann, caller(root, "bobs-token") as bob:
            for number in range(50):
                told = text_of(await (ann, bob)[number % 2].call_tool("ask", ask | {"prompt": f"Question {number}?"}))
                if told.startswith("over_budget:"):
                    break
            accounts = [(await client.call_tool("account", {})).structured_content for client in (ann, bob)]
    assert told.startswith("over_budget:")
    assert "left of today's budget" in told
    spent = [account["today"]["total_usd"] for account in accounts]
    assert all(spent)
    assert [account["budget_left_usd"] for account in accounts] == [pytest.approx(0.003 - sum(spent), abs=1e-6)] * 2
    assert all("for several callers" in account["notes"][0] for account in accounts)
