"""A reply that a caller wants kept is sent again for the same request, for nothing."""

import asyncio
from decimal import Decimal
from typing import Any, cast

import httpx2
import pytest

from or_mcp.simulator import Simulator
from tests.simulator.calls import Caller, ask, chat
from tests.simulator.test_sim_contract import problems

KEEP = {"X-OpenRouter-Cache": "true"}
BODIES: dict[str, dict[str, Any]] = {
    "/responses": ask(),
    "/chat/completions": chat(),
    "/messages": chat(max_tokens=300),
    "/embeddings": {"model": "openai/text-embedding-3-small", "input": "a tide table"},
}


def told(reply: httpx2.Response) -> dict[str, str]:
    """What the headers say of the cache."""
    return {
        name.removeprefix("x-openrouter-cache-"): value
        for name, value in reply.headers.items()
        if name.startswith("x-openrouter-cache")
    }


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in cast("dict[str, Any]", value).values() for number in numbers(each)]
    return [value] if isinstance(value, (int, float)) else []


async def spent(caller: Caller) -> Decimal:
    return Decimal(str((await caller.data("/key"))["usage"]))


@pytest.mark.parametrize("path", BODIES)
async def test_the_same_request_is_answered_the_same_and_costs_nothing(caller: Caller, path: str):
    first = await caller.post(path, BODIES[path], **KEEP)
    paid = await spent(caller)
    again = await caller.post(path, BODIES[path], **KEEP)
    assert told(first) == {"status": "MISS", "ttl": "300"}
    source = first.headers["x-generation-id"]
    assert told(again) == {"status": "HIT", "ttl": "300", "age": "0", "source-id": source}
    assert 0 == sum(map(int, numbers(again.json()["usage"]))) < sum(numbers(first.json()["usage"]))
    assert (await spent(caller), paid > 0) == (paid, True)
    assert problems(path, again.json()) == []
    identity = again.headers["x-generation-id"]
    assert (again.json()["id"], identity != source) == (identity, True)
    record = await caller.data("/generation", id=identity)
    assert (record["response_cache_source_id"], record["total_cost"]) == (source, 0)
    same = first.json() | {"usage": None, "id": None}
    if path in ("/chat/completions", "/embeddings"):
        assert again.json() | {"usage": None, "id": None} == same


async def test_a_stream_is_kept_too_and_apart_from_the_document(caller: Caller):
    body = chat(stream=True)
    first, again = [await caller.post("/chat/completions", body, **KEEP) for _ in range(2)]
    assert (told(first)["status"], told(again)["status"]) == ("MISS", "HIT")
    assert again.text.endswith("data: [DONE]\n\n")
    assert '"cost":0,' in again.text
    assert told(await caller.post("/chat/completions", chat(stream=False), **KEEP))["status"] == "MISS"


async def test_nothing_is_kept_unasked_for_others_or_in_another_order(caller: Caller):
    assert told(await caller.post("/chat/completions", chat())) == {}
    for headers in (KEEP, {**KEEP, "authorization": "Bearer sk-or-v1-other"}):
        assert told(await caller.post("/chat/completions", chat(), **headers))["status"] == "MISS"
    turned = dict(reversed(chat().items()))
    assert told(await caller.post("/chat/completions", turned, **KEEP))["status"] == "MISS"
    assert told(await caller.post("/chat/completions", chat())) == {}


async def test_what_is_kept_lasts_as_long_as_was_asked_for_and_can_be_cleared(caller: Caller):
    shortly = {**KEEP, "X-OpenRouter-Cache-TTL": "1"}
    assert told(await caller.post("/responses", ask(), **shortly)) == {"status": "MISS", "ttl": "1"}
    async with asyncio.timeout(30):
        while told(await caller.post("/responses", ask(), **shortly))["status"] == "HIT":
            await asyncio.sleep(0.1)
    await caller.post("/responses", ask(), **KEEP)
    cleared = await caller.post("/responses", ask(), **KEEP, **{"X-OpenRouter-Cache-Clear": "true"})
    assert told(cleared)["status"] == "MISS"


@pytest.mark.parametrize("rule", [{"status": 503}, {"error_in_200": True}, {"error_at_event": 3}])
async def test_only_whole_answers_are_kept(simulator: Simulator, caller: Caller, rule: dict[str, Any]):
    simulator.script(rule | {"times": 1})
    body = chat(stream=True)
    await caller.post("/chat/completions", body, **KEEP)
    assert told(await caller.post("/chat/completions", body, **KEEP))["status"] == "MISS"
