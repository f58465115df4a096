"""The probe of the real OpenRouter, tried on the simulator; and what it has recorded, held against the simulator."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from or_mcp.simulator import Simulator
from tests.live.probe import RECORDED, Answer, ask, compared, listed, probe
from tests.live.questions import CEILING, QUESTIONS, Question
from tests.live.shapes import blanked, differences

KEY = "sk-or-v1-0123456789abcdef"
NAMED = {question.name: question for question in QUESTIONS}


def test_all_questions_together_cost_less_than_the_ceiling_and_are_listed_with_their_prices():
    assert sum((question.price for question in QUESTIONS), Decimal(0)) < CEILING == 1
    assert len(NAMED) == len(QUESTIONS)
    for question in QUESTIONS:
        assert f"${question.most}" in listed(QUESTIONS)


async def test_no_question_costs_more_than_it_says_even_of_greedy_models():
    simulator = Simulator(faults=[{"greedy": True}])
    headers = {"authorization": f"Bearer {KEY}"}
    async with simulator.running() as base_url, httpx2.AsyncClient(base_url=base_url, headers=headers) as http:
        for question in QUESTIONS:
            assert (await ask(http, question)).cost <= question.price, question.name


async def test_the_simulator_never_differs_from_itself_and_nothing_secret_is_recorded(tmp_path: Path):
    simulator = Simulator()
    async with simulator.running() as base_url:
        told = await probe(base_url, KEY, QUESTIONS, tmp_path)
    assert {name: found for name, found in told.items() if found} == {}
    assert {path.stem for path in tmp_path.iterdir()} == set(NAMED)
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "0123456789abcdef" not in text
        kept = json.loads(text)
        assert kept == blanked(kept) | {"request": kept["request"]}


async def test_sound_is_recorded_by_its_length_and_a_job_as_it_went_on(tmp_path: Path):
    simulator = Simulator(faults=[{"match": {"path": "/batches"}, "job_polls": 1}])
    async with simulator.running() as base_url:
        await probe(base_url, KEY, [NAMED["speech"], NAMED["batch"]], tmp_path)
    sound, job = [json.loads((tmp_path / f"{name}.json").read_text())["body"] for name in ("speech", "batch")]
    assert sound["content_type"].startswith("audio/")
    assert sound["bytes"] > 100
    assert (job["sent"]["status"], job["seen"]["status"]) == ("validating", "completed")


async def test_what_differs_is_told_by_field(tmp_path: Path):
    body = {"id": "gen-1", "object": "response", "usage": {"cost": "much", "brand_new": 1}}
    simulator = Simulator(
        faults=[{"match": {"path": "/responses"}, "body": body}, {"match": {"path": "/key"}, "status": 404}]
    )
    async with simulator.running() as base_url:
        told = await probe(base_url, KEY, [NAMED["responses-id"], NAMED["key"]], tmp_path)
    assert "usage.brand_new: only upstream" in told["responses-id"]
    assert "usage.cost: upstream str, the simulator number" in told["responses-id"]
    assert "output[].type: only the simulator" in told["responses-id"]
    assert "status: upstream 404, the simulator 200" in told["key"]


async def test_the_probe_stops_before_the_ceiling(tmp_path: Path):
    dear = [Question(f"q{n}", "?", "0.6", "/chat/completions", NAMED["flex"].body) for n in range(2)]
    simulator = Simulator(faults=[{"body": {"usage": {"cost": 0.5}}}])
    async with simulator.running() as base_url:
        told = await probe(base_url, KEY, dear, tmp_path)
    assert told["q1"] == ["not asked: $0.5 are spent, and it may cost $0.6"]
    assert len(simulator.requests) == 1


async def test_what_is_accepted_and_not_billed_yet_counts_as_spent(tmp_path: Path):
    simulator = Simulator()
    dear = Question("later", "?", "0.6", "/batches", NAMED["batch"].body)
    async with simulator.running() as base_url:
        told = await probe(base_url, KEY, [dear, Question("q", "?", "0.6", "/key", method="GET")], tmp_path)
    assert told["q"] == ["not asked: $0.6 are spent, and it may cost $0.6"]


def test_ids_keys_and_sealed_texts_are_blanked():
    told = {
        "id": "gen-1760000000-AbCdEfGh",
        "label": "sk-or-v1-abc...xyz",
        "note": f"key {KEY}",
        "signature": "c2VhbA==",
    }
    assert blanked([told]) == [
        {"id": "gen-blanked", "label": "blanked", "note": "key sk-or-blanked", "signature": "blanked"}
    ]
    assert differences({"a": 1, "b": None}, {"a": "1", "b": 2}) == ["a: upstream number, the simulator str"]


def recordings() -> list[Path]:
    return sorted(RECORDED.glob("*.json"))


@pytest.mark.skipif(not recordings(), reason="make live has recorded nothing yet")
async def test_the_simulator_answers_what_upstream_answered():
    differing: dict[str, Any] = {}
    headers = {"authorization": f"Bearer {KEY}"}
    async with Simulator().running() as base_url, httpx2.AsyncClient(base_url=base_url, headers=headers) as http:
        for path in recordings():
            kept = json.loads(path.read_text(encoding="utf-8"))
            request = kept["request"]
            question = Question(path.stem, kept["why"], "0", request["path"], request["body"], request["method"])
            real = Answer(kept["status"], kept["body"], kept["events"])
            if found := compared(question, real, await ask(http, question)):
                differing[path.stem] = found
    assert differing == {}
