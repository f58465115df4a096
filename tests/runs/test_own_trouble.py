"""One run's trouble is its own: it ends no other run, and not the process."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from or_mcp.conversation.work import Asking
from or_mcp.runs.live import Kept
from tests.conftest import Connect, Upstream, text_of
from tests.runs.program import started
from tests.serving import programs
from tests.serving.programs import environment as environment_of

ASK = {"model": "openai/gpt-5-mini", "prompt": "Monolith or microservices?"}


def a_stream(text: str, cost: str) -> dict[str, Any]:
    """What an upstream might send; `text` and `cost` stand in its JSON as they are given."""
    chunk = '{"id": "gen-1", "model": "openai/gpt-5-mini", "choices": [{"index": 0, "delta": {"content": %s}%s}]%s}'
    first = chunk % (text, "", "")
    last = chunk % ('""', ', "finish_reason": "stop"', f', "usage": {{"prompt_tokens": 1, "cost": {cost}}}')
    body = f"data: {first}\n\ndata: {last}\n\ndata: [DONE]\n\n"
    return {"path": "/chat/completions", "contains": "odd", "body": body, "content_type": "text/event-stream"}


async def beside_an_innocent_run(client: Any, upstream: Upstream) -> Any:
    """The answer to an odd question, asked while an ordinary one is being answered, which has to complete."""
    innocent = await client.call_tool("ask", ASK | {"wait_seconds": 0})
    odd = await client.call_tool("ask", ASK | {"prompt": "odd"})
    run_id = innocent.structured_content["run_id"]
    done = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
    assert done.structured_content["status"] == "completed"
    return odd


@pytest.mark.parametrize("cost", ["1e7", "1e308", "9300000", "100000", "-5", "1e400"])
async def test_a_cost_that_no_call_can_have_is_not_known_and_the_text_is_kept(
    connect: Connect, upstream: Upstream, cost: str
):
    upstream.script(a_stream('"precious"', cost), {"path": "/chat/completions", "duration_s": 1})
    async with connect(OR_MCP_DAILY_BUDGET_USD="10") as client:
        odd = await beside_an_innocent_run(client, upstream)
        account = (await client.call_tool("account", {})).structured_content
    told = odd.structured_content
    assert (told["status"], told["text"], told["cost_usd"]) == ("completed", "precious", None)
    assert 9 < account["budget_left_usd"] < 10


async def test_half_a_surrogate_in_an_answer_loses_nothing_that_came_with_it(connect: Connect, upstream: Upstream):
    upstream.script(a_stream(r'"precious \ud800"', "0.01"), {"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        await beside_an_innocent_run(client, upstream)
        rows = (await client.call_tool("run", {})).structured_content["runs"]
        odd = await client.call_tool("run", {"run_id": rows[0]["run_id"]})
    assert rows[0]["status"] == "completed"
    assert odd.structured_content["text"].startswith("precious ")


async def test_a_run_that_cannot_be_ended_as_it_should_is_ended_alone_with_what_had_been_kept(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    kept = Asking.kept

    def sometimes(asking: Asking) -> Kept:
        held = kept(asking)
        if "odd" in json.dumps(asking._request.messages) and "[simulated]" in held.result:  # pyright: ignore[reportPrivateUsage]
            raise OverflowError("nobody thought of this")
        return held

    monkeypatch.setattr(Asking, "kept", sometimes)
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        odd = await beside_an_innocent_run(client, upstream)
        rows = (await client.call_tool("run", {})).structured_content["runs"]
        again = await client.call_tool("ask", ASK | {"prompt": "ordinary"})
    assert text_of(odd).startswith("internal: or-mcp itself failed")
    assert "Spent: unknown" in text_of(odd)
    assert sorted(row["status"] for row in rows) == ["completed", "failed"]
    assert not again.is_error


async def test_whoever_counts_what_is_spent_ends_nothing_by_failing(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> None:
        raise OverflowError("nobody thought of this")

    monkeypatch.setattr("or_mcp.runs.costs.Costs.known", broken)
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        odd = await beside_an_innocent_run(client, upstream)
        again = await client.call_tool("ask", ASK | {"prompt": "ordinary"})
    assert not odd.is_error
    assert not again.is_error


@pytest.mark.usefixtures("forgets_at_once")
@pytest.mark.parametrize("loop", ["_watch", "_recover", "_forget"])
async def test_what_is_done_again_and_again_goes_on_after_it_has_failed(
    connect: Connect, environment: dict[str, str], upstream: Upstream, monkeypatch: pytest.MonkeyPatch, loop: str
):
    failed = 0

    async def broken(_: Any) -> None:
        nonlocal failed
        failed += 1
        raise OverflowError("nobody thought of this")

    monkeypatch.setattr(f"or_mcp.runs.runner.Runner.{loop}", broken)
    async with connect() as client:
        assert not (await client.call_tool("ask", ASK)).is_error
        if loop == "_watch":
            with anyio.fail_after(120):
                while failed < 3:
                    await anyio.sleep(0.05)
        assert failed


async def test_a_host_that_no_longer_listens_to_progress_is_answered_all_the_same(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    async def broken(*_: Any) -> None:
        raise OSError("gone")

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message

    monkeypatch.setattr("mcp.server.session.ServerSession.report_progress", broken)
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        result = await client.call_tool("ask", ASK, progress_callback=heard)
    assert not result.is_error


async def test_a_hang_up_lets_runs_in_flight_finish_as_other_signals_do(
    upstream: Upstream, environment: dict[str, str]
):
    upstream.script({"path": "/chat/completions", "duration_s": 2})
    async with started(environment) as server:
        begun: Any = await server.client.call_tool("ask", ASK | {"wait_seconds": 0})
        with anyio.fail_after(120):
            while not upstream.open_streams:
                await anyio.sleep(0.01)
        assert await server.end(signal.SIGHUP) == 0
    async with started(environment) as server:
        told: Any = await server.client.call_tool("run", {"run_id": begun.structured_content["run_id"]})
    assert told.structured_content["status"] == "completed"


BROKEN = """
import os, sys, anyio, or_mcp.cli, or_mcp.server
async def broken(*_):
    while not os.path.exists(trigger):
        await anyio.sleep(0.02)
    raise RuntimeError("the core is broken")
or_mcp.server.apart = broken
trigger, *sys.argv[1:] = sys.argv[1:]
sys.exit(or_mcp.cli.main())
"""
BROKEN_IN_UVICORN = BROKEN.replace("or_mcp.cli.main()", "uvicorn.main()").replace("import os", "import uvicorn, os")


async def test_a_program_whose_core_fails_says_so_and_ends(upstream: Upstream, tmp_path: Path):
    env, trigger = environment_of(upstream.base_url, tmp_path), tmp_path / "now"
    with programs.started(env=env, python=("-c", BROKEN, str(trigger))) as talk:
        talk.greet()
        trigger.touch()
        assert talk.ends_within(30) == 1
        assert "or-mcp: it failed and has ended" in talk.told()


@pytest.mark.parametrize("served", ["by itself", "by uvicorn"])
async def test_a_server_whose_core_fails_says_so_and_ends(upstream: Upstream, tmp_path: Path, served: str):
    env, trigger, port = environment_of(upstream.base_url, tmp_path), tmp_path / "now", programs.free_port()
    root = f"http://127.0.0.1:{port}"
    if served == "by itself":
        given, code = ("serve", "--http", "--port", str(port)), BROKEN
    else:
        given, code = ("or_mcp.http_app:app", "--port", str(port)), BROKEN_IN_UVICORN
    with programs.started(*given, env=env, python=("-c", code, str(trigger)), ignore_stdin=True) as talk:
        await anyio.to_thread.run_sync(programs.until_healthy, root, talk)
        trigger.touch()
        assert await anyio.to_thread.run_sync(talk.ends_within, 30) != 0
        assert "the core is broken" in talk.told()
