"""`rerank`: documents ordered by relevance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems

MODEL = "cohere/rerank-v3.5"
DOCUMENTS = ["the blue car", "a red apple pie", "a green apple", "an old house"]


async def call(client: Any, **arguments: Any) -> Any:
    given = {"model": MODEL, "query": "green apple", "documents": DOCUMENTS, **arguments}
    return await client.call_tool("rerank", given)


async def test_the_most_relevant_documents_come_first(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await call(client, top_n=2)
    answer = result.structured_content
    assert [row["index"] for row in answer["results"]] == [2, 1]
    assert answer["results"][0]["text"] == "a green apple"
    assert answer["results"][0]["relevance_score"] > answer["results"][1]["relevance_score"]
    assert answer["cost_usd"] == pytest.approx(0.001)
    assert answer["cost_estimate_usd"] == {"low": 0.001, "high": 0.001, "most": 0.001}
    assert answer["usage"]["search_units"] == 1
    assert "a green apple" in text_of(result)
    assert text_of(result).splitlines()[-1].startswith("Cost: $0.0010")
    (post,) = upstream.posts("/rerank")
    assert not request_problems("/rerank", post.body)


async def test_more_than_there_are_is_all(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await call(client, top_n=50)
    assert len(result.structured_content["results"]) == 4
    assert upstream.posts("/rerank")[0].body["top_n"] == 4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"documents": []}, "documents"),
        ({"documents": ["one", ""]}, "documents[1] is empty"),
        ({"query": " "}, "query is blank"),
        ({"top_n": 0}, "top_n"),
        ({"model": "openai/text-embedding-3-small"}, "not rerank"),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], named: str
):
    async with connect() as client:
        result = await call(client, **arguments)
    assert result.is_error
    assert named in text_of(result)
    assert not upstream.posts("/rerank")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"index": 4, "relevance_score": 0.5}],
        [{"index": -1, "relevance_score": 0.5}],
        [{"index": 1, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.4}],
        [{"index": 1}],
    ],
)
async def test_an_order_of_other_documents_is_a_failure_with_its_cost(
    connect: Connect, upstream: Upstream, rows: list[dict[str, Any]]
):
    body = {"id": "gen-x", "model": MODEL, "results": rows, "usage": {"cost": 0.25}}
    upstream.script({"match": {"path": "/rerank"}, "body": body})
    async with connect() as client:
        result = await call(client)
    assert result.is_error
    assert text_of(result).startswith("upstream_failed")
    assert "Spent: $0.2500" in text_of(result)


async def test_an_order_out_of_order_is_put_in_order(connect: Connect, upstream: Upstream):
    rows = [{"index": n, "relevance_score": score} for n, score in enumerate([0.1, 0.3, 0.2])]
    body = {"model": MODEL, "results": rows, "usage": {"cost": 0.25}}
    upstream.script({"match": {"path": "/rerank"}, "body": body})
    async with connect() as client:
        result = await call(client, top_n=2)
    assert [row["index"] for row in result.structured_content["results"]] == [1, 2]


async def test_a_thousand_long_documents_fit_an_answer_and_run_has_the_rest(connect: Connect):
    documents = [f'{n} "apple" ' + "words " * 100 for n in range(1000)]
    async with connect() as client:
        result = await call(client, documents=documents)
        answer = result.structured_content
        part = await client.call_tool("run", {"run_id": answer["run_id"], "part": "result"})
    assert len(text_of(result)) < 48_000
    assert len(json.dumps(answer, ensure_ascii=False)) < 48_000
    assert len(answer["results"]) == 100
    rest = f"100 of 1000 documents are shown; all: run(run_id={answer['run_id']!r}, part='result')."
    assert answer["notes"][0] == rest
    assert part.structured_content["total_chars"] > 200_000


async def test_documents_beyond_what_the_model_reads_are_named(connect: Connect):
    async with connect() as client:
        result = await call(client, documents=["an apple", "apple " * 5000])
    (note,) = [note for note in result.structured_content["notes"] if "reads at most" in note]
    assert "of documents[1] only a part may count" in note
