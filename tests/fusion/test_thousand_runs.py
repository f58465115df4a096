"""A thousand runs through the simulator: the official package reads every event, and the program agrees with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from or_mcp.fusion.result import FusionResult, read_result
from or_mcp.fusion.state import FusionState
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.sse import EventReader
from or_mcp.openrouter.wire.responses import ResponseEvent
from or_mcp.simulator import Simulator
from tests.fusion import official
from tests.fusion.generated import Drawn, draw

RUNS, BATCHES = 1000, 10
MALFORMED = b'"[simul\n'


@pytest.fixture
async def http() -> AsyncGenerator[tuple[Simulator, httpx2.AsyncClient]]:
    """A simulator that never runs out of credit, and a connection to it."""
    simulator = Simulator(credit="100000")
    async with simulator.running() as base_url:
        headers = {"authorization": "Bearer sk-or-test"}
        async with httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=120) as client:
            yield simulator, client


async def chunks_of(http: tuple[Simulator, httpx2.AsyncClient], drawn: Drawn) -> tuple[list[bytes], bool]:
    """The bytes of a run as they came, and whether they came to their end."""
    simulator, client = http
    simulator.script(drawn.fault)
    chunks: list[bytes] = []
    try:
        async with client.stream("POST", "/responses", json=drawn.body) as reply:
            assert reply.status_code == 200, await reply.aread()
            async for chunk in reply.aiter_raw():
                chunks.append(chunk)  # noqa: PERF401
    except httpx2.TransportError:
        return chunks, False
    return chunks, True


def ours(chunks: Sequence[bytes], planned: tuple[str, ...]) -> tuple[FusionResult, bool, str | None]:
    """What the program makes of the bytes: the result, whether it ended, and upstream's words if it was refused."""
    reader, state = EventReader(), FusionState(planned)
    try:
        for data in (data for chunk in chunks for data in reader.feed(chunk)):
            if data == "[DONE]":
                break
            state.apply(ResponseEvent.model_validate_json(data))
    except Failure as failure:
        return read_result(state), state.ended, failure.quote
    except ValueError:
        pass
    return read_result(state), state.ended, None


def rows(result: FusionResult) -> Counter[official.Row]:
    return Counter((each.model, each.status, each.text, each.error, each.status_code) for each in result.panel)


def disagreements(told: official.Reading, result: FusionResult, drawn: Drawn) -> list[str]:
    """Where the two readings differ."""
    response = told.response or {}
    usage: dict[str, Any] = response.get("usage") or {}
    record: dict[str, Any] = told.record or {}
    panel = told.rows
    if told.panel or not told.ended:
        asked = Counter(drawn.choices.analysis_models)
        asked.subtract(row[0] for row in told.panel)
        panel += Counter({(model, "pending", "", None, None): count for model, count in (+asked).items()})
    if told.ended:
        panel = Counter({_over(row): count for row, count in panel.items()})
    pairs: dict[str, tuple[Any, Any]] = {
        "panel": (panel, rows(result)),
        "answer": (told.answer, result.answer),
        "outcome": (told.outcome, result.outcome),
        "analysis": (told.analysis is not None, result.analysis is not None),
        "analyst": (told.analyst, result.analyst_model),
        "sources": (dict(reversed(told.sources)), {each.url: each.title for each in result.sources}),
        "failure_reason": (record.get("failure_reason"), result.failure_reason),
        "error": (record.get("error"), result.error),
        "model": (response.get("model"), result.model),
        "cost": (Decimal(str(usage["cost"])) if usage else None, result.cost_usd),
        "usage": (
            (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) if usage else None,
            result.usage and (result.usage.input_tokens, result.usage.output_tokens, result.usage.total_tokens),
        ),
    }
    if told.analysis is not None and result.analysis is not None:
        read = result.analysis
        pairs |= {
            "consensus": (told.analysis["consensus"], list(read.consensus)),
            "blind_spots": (told.analysis["blind_spots"], list(read.blind_spots)),
            "insights": (
                [(each["model"], each["insight"]) for each in told.analysis["unique_insights"]],
                [(each.model, each.insight) for each in read.unique_insights],
            ),
            "topics": (
                [each["topic"] for each in told.analysis["contradictions"]],
                [each.topic for each in read.contradictions],
            ),
        }
    return [f"{name}: official {theirs!r}, ours {mine!r}" for name, (theirs, mine) in pairs.items() if theirs != mine]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("batch", range(BATCHES))
async def test_the_official_package_and_the_program_agree_on_a_thousand_runs(
    http: tuple[Simulator, httpx2.AsyncClient], batch: int
):
    seen: Counter[str] = Counter()
    for seed in range(batch, RUNS, BATCHES):
        drawn = draw(seed)
        chunks, whole = await chunks_of(http, drawn)
        stream = b"".join(chunks)
        if not whole:
            stream = stream[: stream.rfind(b"\n\n") + 2]
        events = official.read_events(stream)
        told = official.read(events)
        result, ended, refusal = ours([stream] if seed % 2 else chunks, drawn.choices.analysis_models)
        where = f"run {seed}: {drawn.fault}"
        readable = stream.partition(MALFORMED)[0].rpartition(b"\n\n")[0]
        assert len(events) == readable.count(b"data: {"), where
        assert (ended, refusal) == (told.ended, told.refusal or _refused(told)), where
        assert not (found := disagreements(told, result, drawn)), f"{where}\n" + "\n".join(found)
        seen[result.outcome or ("refused" if refusal else "broken")] += 1
    assert len(seen) == 6, seen


def _over(row: official.Row) -> official.Row:
    """Nobody is pending when it is over."""
    model, status, text, _, _ = row
    if status != "pending":
        return row
    return model, "failed", text, f"cut off after {len(text)} characters" if text else "no reply was recorded", None


def _refused(told: official.Reading) -> str | None:
    error = (told.response or {}).get("error")
    return error["message"] if error else None
