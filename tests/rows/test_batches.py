"""Rows as one job of upstream's: half the price, sent once, fetched by whichever process is there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from openrouter.components import BatchSubmitBody

from or_mcp.openrouter.errors import UpstreamFailed
from tests.cli.test_terminal import terminal
from tests.conftest import Connect, Upstream, text_of
from tests.rows.test_ask_rows import ASK, ROWS
from tests.runs.program import Killable, started

PATH = "/batches"
CHAT = "/chat/completions"
BATCH = {**ASK, "rows": ROWS, "max_output_tokens": 200, "batch": True}


async def ask(client: Client, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool("ask", {**BATCH, **arguments})
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def test_rows_are_sent_as_one_job_and_cost_half(connect: Connect, upstream: Upstream):
    async with connect() as client:
        alone = await ask(client, batch=False)
        answer = await ask(client)
        again = (await client.call_tool("run", {"run_id": answer["run_id"]})).structured_content
    (post,) = upstream.posts(PATH)
    BatchSubmitBody.model_validate(post.body)
    assert list(post.body)[-1] == "requests"
    assert (post.body["endpoint"], post.body["model"]) == ("/v1/chat/completions", ASK["model"])
    assert len(upstream.posts(CHAT)) == len(ROWS)
    assert answer["rows"] == {"total": 20, "answered": 20, "failed": 0}
    assert [row["row"] for row in answer["results"]] == list(range(20))
    assert answer["cost_usd"] == pytest.approx(alone["cost_usd"] / 2)
    assert answer["cost_estimate_usd"]["most"] == pytest.approx(alone["cost_estimate_usd"]["most"])
    assert any(note.startswith("A batch: usually half price") for note in answer["notes"])
    assert again["results"] == answer["results"]
    assert Path(answer["file"]["path"]).read_text(encoding="utf-8").count("\n") == 20


async def test_all_of_it_is_set_aside_and_nothing_sent_where_it_does_not_fit(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("ask", {**BATCH, "max_output_tokens": 16_000, "max_cost_usd": 0.05})
        lowered = await ask(client, max_output_tokens=None, max_cost_usd=0.05)
    assert text_of(result).startswith("over_budget: ")
    # What the caller did not limit is limited, so that all of it fits.
    assert lowered["cost_estimate_usd"]["most"] <= 0.05
    (post,) = upstream.posts(PATH)
    assert 500 <= post.body["requests"][0]["body"]["max_completion_tokens"] < 16_000


async def test_rows_that_fail_are_told_and_alone_asked_again(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": CHAT, "contains": "person-004"}, "status": 400, "message": "no"})
    async with connect() as client:
        answer = await ask(client)
        assert answer["rows"] == {"total": 20, "answered": 19, "failed": 1}
        assert answer["failed"][0]["row"] == 4
        upstream.script()
        whole = await ask(client)
    assert whole["rows"] == {"total": 20, "answered": 20, "failed": 0}
    assert [len(post.body["requests"]) for post in upstream.posts(PATH)] == [20, 1]


@pytest.mark.parametrize(
    ("rule", "told"),
    [({"job_failure": "Lost"}, 'The batch failed. OpenRouter says: "Lost"'), ({"job_expires": True}, "expired before")],
)
async def test_a_batch_that_ends_with_nothing_says_why(
    connect: Connect, upstream: Upstream, rule: dict[str, Any], told: str
):
    upstream.script({"path": PATH, **rule})
    async with connect() as client:
        result = await client.call_tool("ask", BATCH)
    assert result.is_error
    assert told in text_of(result)


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        ({"rows": []}, {}, "batch is for rows"),
        ({"fallback_models": ["openai/gpt-5-mini"]}, {}, "fallback_models cannot go along"),
        ({"service_tier": "flex"}, {}, "service_tier cannot go along"),
        ({"model": "openrouter/auto"}, {}, "batch takes a model whose price is known"),
        ({}, {"OR_MCP_ZDR": "on"}, "OR_MCP_ZDR"),
        ({}, {"OR_MCP_DATA_COLLECTION": "deny"}, "OR_MCP_DATA_COLLECTION"),
        ({}, {"OR_MCP_MAX_PRICE": "1,8"}, "OR_MCP_MAX_PRICE"),
        ({}, {"OR_MCP_PROVIDERS_IGNORE": "azure"}, "OR_MCP_PROVIDERS_IGNORE"),
    ],
)
async def test_what_a_batch_cannot_be_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], settings: dict[str, str], told: str
):
    async with connect(**settings) as client:
        result = await client.call_tool("ask", {**BATCH, **arguments})
    assert told in text_of(result)
    assert not upstream.posts(PATH)


async def test_providers_that_the_operator_names_are_named_to_a_batch(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_PROVIDERS_ONLY="openai") as client:
        await ask(client)
    (post,) = upstream.posts(PATH)
    assert post.body["provider"] == {"only": ["openai"]}


async def test_agents_are_not_told_of_it(connect: Connect):
    async with connect() as client:
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "ask"]
    assert "batch" not in tool.input_schema["properties"]


def job_in(directory: Path, run_id: str = "") -> str | None:
    """The job of a run, or of the only one, as it is on disk."""
    with sqlite3.connect(directory / "data" / "runs.sqlite3") as store:
        found = store.execute("SELECT job FROM runs WHERE ? IN ('', run_id)", (run_id,)).fetchone()
    return found[0] if found else None


def results_are_there(told: dict[str, Any], upstream: Upstream) -> None:
    assert told["status"] == "completed"
    assert [row["row"] for row in told["results"]] == list(range(20))
    assert len(upstream.posts(PATH)) == 1


async def fetched(server: Killable, run_id: str) -> dict[str, Any]:
    with anyio.fail_after(120):
        while True:
            told = (await server.client.call_tool("run", {"run_id": run_id, "wait_seconds": 5})).structured_content
            assert told is not None
            if told["status"] != "running":
                return told
            await anyio.sleep(0.1)


async def until(true: Callable[[], Any]) -> None:
    with anyio.fail_after(60):
        while not true():
            await anyio.sleep(0.01)


@pytest.mark.parametrize("polls", [2, 4])
async def test_killed_while_upstream_works_the_next_process_fetches_it(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path, polls: int
):
    upstream.script({"path": PATH, "job_polls": polls})
    async with started(environment) as server:
        told = (await server.client.call_tool("ask", {**BATCH, "wait_seconds": 0})).structured_content
        assert told is not None
        await until(lambda: "batch_" in (job_in(tmp_path) or ""))
        await server.kill()
    async with started(environment) as server:
        results_are_there(await fetched(server, told["run_id"]), upstream)


async def test_killed_before_it_heard_the_id_the_next_process_finds_the_batch_and_pays_nothing_twice(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    upstream.script({"path": PATH, "latency_ms": 60_000, "job_polls": 3})
    async with started(environment) as server:
        told = (await server.client.call_tool("ask", {**BATCH, "wait_seconds": 0})).structured_content
        assert told is not None
        await until(lambda: upstream.posts(PATH))
        await server.kill()
    assert json.loads(job_in(tmp_path) or "{}") == {"id": ""}
    upstream.script()
    async with started(environment) as server:
        results_are_there(await fetched(server, told["run_id"]), upstream)


async def test_a_batch_that_never_arrived_is_not_paid_for_and_sent_with_the_next_call(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": PATH, "latency_ms": 60_000})
    async with started(environment) as server:
        told = (await server.client.call_tool("ask", {**BATCH, "wait_seconds": 0})).structured_content
        assert told is not None
        await until(lambda: upstream.posts(PATH))
        await server.kill()
    upstream.script()
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer sk-or-test"}) as http:
        for job in (await http.get(f"{upstream.base_url}{PATH}")).json()["data"]:
            await http.delete(f"{upstream.base_url}{PATH}/{job['id']}")
    async with started(environment) as server:
        lost = await fetched(server, told["run_id"])
        assert (lost["status"], lost["cost_usd"]) == ("failed", 0)
        assert "had not reached OpenRouter" in lost["error"]
        whole = await ask(server.client, wait_seconds=120)
    assert [row["row"] for row in whole["results"]] == list(range(20))
    assert [len(post.body["requests"]) for post in upstream.posts(PATH)] == [20, 20]


async def test_killed_when_its_results_were_just_written_the_next_process_asks_nobody_and_counts_what_they_cost(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    whole, killed = await killed_before_its_end(upstream, environment, tmp_path)
    seen = len(upstream.requests)
    async with started(environment | {"OR_MCP_DAILY_BUDGET_USD": "1"}) as server:
        told = await fetched(server, killed["run_id"])
        left = (await server.client.call_tool("account", {})).structured_content
    assert (told["status"], told["cost_usd"]) == ("completed", whole["cost_usd"])
    assert told["results"] == whole["results"]
    assert left is not None
    assert left["budget_left_usd"] == pytest.approx(1 - 2 * whole["cost_usd"])
    assert not [each.path for each in upstream.requests[seen:] if each.path.startswith(PATH)]


async def killed_before_its_end(
    upstream: Upstream, environment: dict[str, str], directory: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A whole run, and one killed between two commits: it has the results of the first, and not yet an end."""
    async with started(environment) as server:
        whole = await ask(server.client)
        upstream.script({"path": PATH, "job_polls": 50})
        killed = await ask(server.client, wait_seconds=0)
        await until(lambda: "batch_" in (job_in(directory, killed["run_id"]) or ""))
        await server.kill()
    of, to = whole["run_id"], killed["run_id"]
    with sqlite3.connect(directory / "data" / "runs.sqlite3") as store:
        rows = store.execute("SELECT state, body, cost_usd, ?, n FROM run_rows WHERE run_id = ?", (to, of)).fetchall()
        store.executemany("UPDATE run_rows SET state = ?, body = ?, cost_usd = ? WHERE run_id = ? AND n = ?", rows)
    return whole, killed


async def test_what_a_row_may_have_cost_is_no_more_known_to_the_next_process(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    whole, killed = await killed_before_its_end(upstream, environment, tmp_path)
    doubt = UpstreamFailed("The batch expired before it was answered", may_be_billed=True).facts()
    with sqlite3.connect(tmp_path / "data" / "runs.sqlite3") as store:
        store.execute(
            "UPDATE run_rows SET state = 'failed', body = ? WHERE run_id = ? AND n = 4", (doubt, killed["run_id"])
        )
    async with started(environment | {"OR_MCP_DAILY_BUDGET_USD": "1"}) as server:
        told = await fetched(server, killed["run_id"])
        account = (await server.client.call_tool("account", {})).structured_content
    assert (told["status"], told["cost_usd"], told["failed"][0]["row"]) == ("completed", None, 4)
    assert account is not None
    assert account["budget_left_usd"] == pytest.approx(1 - 2 * whole["cost_usd"])


async def test_a_connection_that_breaks_while_it_is_sent_costs_nothing_twice(connect: Connect, upstream: Upstream):
    upstream.script({"match": {"path": PATH, "times": 1}, "reset": True})
    async with connect() as client:
        answer = await ask(client)
    assert answer["rows"]["answered"] == 20
    assert len(upstream.posts(PATH)) == 1


async def test_a_batch_that_is_refused_is_no_job_and_costs_nothing(connect: Connect, upstream: Upstream):
    upstream.script({"path": PATH, "status": 400, "message": "no"})
    async with connect() as client:
        refused = await client.call_tool("ask", BATCH)
        assert "Spent: nothing" in text_of(refused)
        upstream.script()
        answer = await ask(client)
    assert answer["rows"]["answered"] == 20


async def test_a_batch_that_may_not_be_asked_about_any_more_is_told_as_perhaps_billed_and_not_sent_again_unasked(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    upstream.script({"path": PATH, "job_polls": 50})
    async with connect() as client:
        begun = await ask(client, wait_seconds=0)
        await until(lambda: "batch_" in (job_in(tmp_path) or ""))
        job = json.loads(job_in(tmp_path) or "{}")["id"]
        upstream.script({"path": f"{PATH}/{job}", "status": 401})
        failed = await client.call_tool("run", {"run_id": begun["run_id"], "wait_seconds": 60})
        again = await ask(client)
        posts = len(upstream.posts(PATH))
        answer = await ask(client)
    assert "not_authorized: " in text_of(failed)
    assert text_of(failed).startswith("Failed · cost unknown")
    assert again["rows"] == {"total": 20, "answered": 0, "failed": 20}
    assert "may have been billed" in str(again["failed"])
    assert posts == 1
    assert answer["rows"]["answered"] == 20


async def test_results_that_are_withheld_for_want_of_credit_are_waited_for(connect: Connect, upstream: Upstream):
    upstream.script({"path": f"{PATH}/*", "job_unpaid": True})
    async with connect() as client:
        begun = await ask(client, wait_seconds=0)
        await until(lambda: len([each for each in upstream.requests if each.path.startswith(f"{PATH}/")]) >= 3)
        waiting = (await client.call_tool("run", {"run_id": begun["run_id"]})).structured_content
        upstream.script()
        answer = await ask(client)
    assert waiting["status"] == "running"
    assert answer["rows"] == {"total": 20, "answered": 20, "failed": 0}
    assert len(upstream.posts(PATH)) == 1


async def test_an_end_of_the_server_leaves_the_batch_to_the_next_at_once(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    upstream.script({"path": PATH, "job_polls": 5})
    async with started(environment) as server:
        told = (await server.client.call_tool("ask", {**BATCH, "wait_seconds": 0})).structured_content
        assert told is not None
        await until(lambda: "batch_" in (job_in(tmp_path) or ""))
        assert await server.terminate() == 0
    async with started(environment) as server:
        results_are_there(await fetched(server, told["run_id"]), upstream)


async def test_a_terminal_sends_a_batch_and_writes_all_answers(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    upstream.script({"path": PATH, "job_polls": 3})
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    asked = ["ask", ASK["model"], ASK["prompt"], "--rows", str(rows), "--out", str(out), "--batch"]
    done = await terminal(environment, *asked)
    assert done.returncode == 0, done.stderr.decode()
    assert "] 20 of 20 answered" in done.stderr.decode()
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == list(range(20))
    assert len(upstream.posts(PATH)) == 1


async def test_a_batch_without_rows_is_wrong_usage(environment: dict[str, str]):
    assert (await terminal(environment, "ask", ASK["model"], "Hello?", "--batch")).returncode == 2
