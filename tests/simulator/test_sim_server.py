"""The simulator as a server: callers that leave, the control paths, threads, shutdown."""

import time
import urllib.request
from collections.abc import Callable

import anyio
import httpx2
import pytest

from or_mcp.simulator import Simulator
from tests.simulator.calls import KEY, Caller, ask, chat, fuse


async def until(condition: Callable[[], object], seconds: float = 30) -> float:
    """Wait until a condition holds; how long that took."""
    started = time.monotonic()
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.002)
    return time.monotonic() - started


async def leave_after(caller: Caller, events: int) -> str:
    """Open a fusion stream, leave it after some events; its generation id."""
    async with caller.http.stream("POST", "/responses", json=fuse() | {"stream": True}) as reply:
        seen = 0
        async for line in reply.aiter_lines():
            seen += line.startswith("data: ")
            if seen == events:
                break
        return reply.headers["x-generation-id"]


@pytest.mark.parametrize("rule", [{"event_delay_ms": 5}, {"stall_at_event": 12}, {"duration_s": 30}])
async def test_a_caller_who_leaves_is_noticed_at_once(
    simulator: Simulator, caller: Caller, rule: dict[str, float]
) -> None:
    simulator.script(rule)
    generation_id = await leave_after(caller, 3)
    await until(lambda: simulator.aborted)
    (aborted,) = simulator.aborted
    assert (aborted.path, aborted.generation_id) == ("/responses", generation_id)
    assert aborted.events_sent >= 3
    assert simulator.open_streams == 0


async def test_a_cancelled_run_is_charged_for_what_was_done(simulator: Simulator, caller: Caller) -> None:
    whole = await caller.stream("/responses", fuse())
    full, before = whole.last["usage"]["cost"], (await caller.data("/key"))["usage"]
    simulator.script({"match": {"path": "/responses"}, "event_delay_ms": 2})
    generation_id = await leave_after(caller, whole.types.index("response.fusion_call.panel.completed") + 2)
    await until(lambda: simulator.aborted)
    record = await caller.data("/generation", id=generation_id)
    assert record["cancelled"] is True
    assert 0 < record["total_cost"] < full
    assert (await caller.data("/key"))["usage"] == pytest.approx(before + record["total_cost"])


async def test_leaving_a_reply_in_one_piece_still_costs_all_of_it(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"match": {"path": "/chat/completions"}, "latency_ms": 5000})
    with pytest.raises(httpx2.ReadTimeout):
        await caller.http.post("/chat/completions", json=chat(), timeout=httpx2.Timeout(30, read=0.5))
    await until(lambda: simulator.aborted)
    assert (await caller.data("/key"))["usage"] > 0


async def test_open_streams_are_counted_while_they_last(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"match": {"path": "/responses"}, "stall_at_event": 1})
    async with caller.http.stream("POST", "/responses", json=ask(stream=True)) as reply:
        assert reply.status_code == 200
        assert simulator.open_streams == 1
        assert (await caller.control("GET", "/_sim/stats"))["open_streams"] == 1
    await until(lambda: simulator.open_streams == 0)


async def test_requests_are_noted_in_process_and_over_http(simulator: Simulator, caller: Caller) -> None:
    await caller.post("/responses", ask(), **{"X-OpenRouter-Title": "tests"})
    await caller.get("/models", q="claude")
    first, second = simulator.requests
    assert (first.method, first.path, first.body["model"]) == ("POST", "/responses", "openai/gpt-5.6-luna")
    assert first.headers["x-openrouter-title"] == "tests"
    assert (second.method, second.path, second.query) == ("GET", "/models", "q=claude")
    assert [post.path for post in simulator.posts()] == ["/responses"]
    assert simulator.posts("/rerank") == []
    noted = await caller.control("GET", "/_sim/requests")
    assert [entry["path"] for entry in noted] == ["/responses", "/models"]
    assert (await caller.control("GET", "/_sim/stats"))["totals"] == {"/responses": 1, "/models": 1}


async def test_rules_and_accounts_can_be_set_over_http(simulator: Simulator, caller: Caller) -> None:
    assert await caller.control("POST", "/_sim/faults", [{"match": {"path": "/responses"}, "status": 503}]) == {
        "rules": 1
    }
    assert (await caller.post("/responses", ask())).status_code == 503
    complaint = await caller.control("POST", "/_sim/faults", [{"statsu": 503}])
    assert complaint["error"].startswith("rule 0: statsu: unknown field")
    assert await caller.control("POST", "/_sim/reset", {"credit": 5, "limit": 2}) == {"reset": True}
    assert (await caller.post("/responses", ask())).status_code == 200
    assert (await caller.data("/key"))["limit"] == 2
    assert len(simulator.requests) == 2
    assert "error" in await caller.control("POST", "/_sim/reset", {"money": 5})


async def test_an_unknown_path_is_not_found(caller: Caller) -> None:
    assert (await caller.get("/nothing")).status_code == 404


async def test_it_stops_at_once_with_streams_still_open() -> None:
    simulator = Simulator(faults=[{"stall_at_event": 1}])
    async with httpx2.AsyncClient() as http:
        async with simulator.running() as base_url:
            body = ask(stream=True)
            async with http.stream("POST", f"{base_url}/responses", json=body, headers={"authorization": KEY}) as reply:
                assert reply.status_code == 401
            request = http.build_request(
                "POST", f"{base_url}/responses", json=body, headers={"authorization": f"Bearer {KEY}"}
            )
            reply = await http.send(request, stream=True)
            started = time.monotonic()
        assert time.monotonic() - started < 0.5
        await reply.aclose()


def test_it_serves_from_a_thread_too() -> None:
    simulator = Simulator()
    with simulator.serve_in_thread() as base_url, urllib.request.urlopen(f"{base_url}/models/count") as reply:
        assert reply.status == 200
    assert len(simulator.requests) == 1
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{base_url}/models/count")


def test_a_taken_port_is_an_error_in_the_caller() -> None:
    with Simulator().serve_in_thread() as base_url:
        port = int(base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), Simulator().serve_in_thread(port=port):
            pytest.fail("the port was free")


async def test_many_callers_are_served_at_once(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"duration_s": 1})
    started = time.monotonic()
    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(caller.stream, "/responses", fuse())
    # One after the other would take 40 s.
    assert time.monotonic() - started < 20
    assert len(simulator.posts("/responses")) == 40
