"""What `embed` sends, keeps and answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import anyio
import numpy as np
import pytest

from or_mcp.simulator.api.vectors import vector_of
from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems
from tests.vectors.embedding import MODEL, embed, sent, words

FRUIT = ["a red apple", "the blue car", "a green apple", "an old blue car"]


async def test_a_query_ranks_the_texts_best_first(connect: Connect, upstream: Upstream):
    async with connect() as client:
        answer = await embed(client, input=FRUIT, query="green apple", top_k=2, dimensions=256)
    assert answer["output"] == "ranking"
    assert [row["index"] for row in answer["ranking"]] == [2, 0]
    assert answer["ranking"][0]["text"] == "a green apple"
    assert answer["ranking"][0]["score"] > answer["ranking"][1]["score"]
    assert answer["cost_usd"] > 0
    (post,) = upstream.posts("/embeddings")
    assert not request_problems("/embeddings", post.body)
    assert post.body["encoding_format"] == "base64"


async def test_without_a_query_the_closest_pairs_and_near_duplicates_come(connect: Connect):
    async with connect() as client:
        answer = await embed(client, input=[*FRUIT, FRUIT[0]], dimensions=256)
    found = answer["similarity"]
    assert (found["pairs"][0]["index"], found["pairs"][0]["other"]) == (0, 4)
    assert found["near_duplicates"] == [{"indexes": [0, 4], "text": "a red apple"}]
    assert [row["index"] for row in found["neighbours"]] == [0, 1, 2, 3, 4]
    assert found["neighbours"][3]["nearest"] == 1


async def test_vectors_are_those_of_upstream_in_input_order(connect: Connect):
    texts = words(250)[::-1]
    async with connect() as client:
        answer = await embed(client, input=texts, output="vectors")
    assert len(answer["vectors"]) == 250
    for text, vector in zip(texts, answer["vectors"], strict=True):
        assert vector == pytest.approx(vector_of(text, 16), abs=1e-6)


async def test_a_file_holds_every_row_in_input_order(connect: Connect, tmp_path: Path):
    texts = [*words(250), "word-00003"]
    async with connect() as client:
        result = await client.call_tool("embed", {"model": MODEL, "dimensions": 16, "input": texts, "output": "file"})
    assert result.structured_content is not None
    file = result.structured_content["file"]
    matrix = np.load(file["npy"])
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    assert matrix.shape == (251, 16)
    assert matrix[250].tolist() == matrix[3].tolist() == pytest.approx(vector_of("word-00003", 16), abs=1e-6)
    lines = [json.loads(line) for line in Path(file["jsonl"]).read_text(encoding="utf-8").splitlines()]
    assert lines == [{"index": n, "text": text} for n, text in enumerate(texts)]
    assert Path(file["npy"]).parent == tmp_path / "data" / "embeddings"
    assert file["npy"] in text_of(result)
    links: list[Any] = list(result.content[1:])
    assert [unquote(urlparse(str(link.uri)).path) for link in links] == [file["npy"], file["jsonl"]]
    assert not list(Path(file["npy"]).parent.glob(".unfinished*"))


async def test_the_same_text_is_sent_once_and_paid_once_ever(connect: Connect, upstream: Upstream):
    async with connect() as client:
        first = await embed(client, input=["one", "two", "one"])
        again = await embed(client, input=["two", "one", "three"])
        cached = await embed(client, input=["three", "two"], output="vectors")
    async with connect() as client:
        restarted = await embed(client, input=["one", "three"])
    assert sent(upstream) == [["one", "two"], ["three"]]
    assert first["cost_usd"] > 0
    assert again["notes"] == ["2 of 3 texts had been embedded before and cost nothing."]
    assert cached["cost_usd"] == restarted["cost_usd"] == 0
    assert len({first["run_id"], again["run_id"], cached["run_id"], restarted["run_id"]}) == 4


async def test_other_dimensions_and_other_keys_are_other_vectors(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await embed(client, input=["one", "two"])
        await embed(client, input=["one", "two"], dimensions=8)
        await embed(client, input=["one", "two"], input_type="search_document")
    async with connect(OPENROUTER_API_KEY="sk-or-somebody-else") as client:
        await embed(client, input=["one", "two"])
    assert sent(upstream) == [["one", "two"]] * 4


async def test_documents_get_a_query_of_the_matching_type(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await embed(client, input=["one", "two"], query="one", input_type="search_document")
    types = {post.body["input_type"]: post.body["input"] for post in upstream.posts("/embeddings")}
    assert types == {"search_document": ["one", "two"], "search_query": ["one"]}


async def test_texts_come_from_a_file_too(connect: Connect, upstream: Upstream, tmp_path: Path):
    (tmp_path / "texts.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n', encoding="utf-8")
    async with connect() as client:
        answer = await embed(client, input_file=str(tmp_path / "texts.jsonl"))
    assert answer["texts"] == 2
    assert sent(upstream) == [["one", "two"]]


async def test_an_operators_rules_go_with_every_batch(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_DATA_COLLECTION="deny") as client:
        await embed(client, input=words(150))
    assert [post.body["provider"] for post in upstream.posts("/embeddings")] == [{"data_collection": "deny"}] * 2


async def test_progress_counts_texts(connect: Connect, upstream: Upstream):
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    upstream.script({"match": {"path": "/embeddings"}, "latency_ms": 100})
    async with connect(mode="legacy") as client:
        arguments = {"model": MODEL, "dimensions": 16, "input": words(2000)}
        await client.call_tool("embed", arguments, progress_callback=hear)
    assert told
    assert all(re.fullmatch(r"[\d,]+/2,000 embedded(, comparing them)?", message) for message in told)


async def test_a_tiny_cost_is_written_as_people_write_it(connect: Connect):
    async with connect() as client:
        result = await client.call_tool(
            "embed", {"model": MODEL, "input": ["one"], "output": "vectors", "dimensions": 4}
        )
    assert "\nCost: $0.00000002 · " in text_of(result)


async def test_run_brings_the_answer_back(connect: Connect):
    async with connect() as client:
        answer = await embed(client, input=FRUIT, query="apple")
        again = await client.call_tool("run", {"run_id": answer["run_id"]})
        part = await client.call_tool("run", {"run_id": answer["run_id"], "part": "result"})
    assert again.structured_content is not None
    assert again.structured_content["ranking"] == answer["ranking"]
    assert again.structured_content["tool"] == "embed"
    assert "green apple" in text_of(part)


@pytest.mark.parametrize("output", ["ranking", "similarity", "vectors"])
async def test_no_answer_is_larger_than_a_host_takes(connect: Connect, output: str):
    awkward = [f'{n:03} "\\\t\x01' + "\x02" * 400 for n in range(150)]
    arguments: dict[str, Any] = {"output": output, "top_k": 100, "input": awkward, "dimensions": 128}
    async with connect() as client:
        query = {"query": "hello"} if output == "ranking" else {}
        result = await client.call_tool("embed", {"model": MODEL, **arguments, **query})
    assert not result.is_error
    assert len(text_of(result)) < 48_000
    assert len(json.dumps(result.structured_content, ensure_ascii=False)) < 60_000
    assert result.structured_content is not None
    if output == "vectors":
        assert 0 < len(result.structured_content["vectors"]) < 150
        assert "run(run_id=" in "".join(result.structured_content["notes"])


async def test_five_thousand_texts_come_in_order_through_refusals_and_a_failed_batch(
    connect: Connect, upstream: Upstream
):
    texts = [f"{n:05} ".ljust(200, "x") for n in range(5000)]
    busy = {"match": {"path": "/embeddings", "times": 2}, "status": 429, "retry_after": 0}
    failing = {"match": {"path": "/embeddings", "contains": "04200 x", "times": 3}, "status": 503, "retry_after": 0}
    upstream.script(busy, failing)
    async with connect() as client:
        answer = await embed(client, input=texts, output="file", dimensions=32)
        first = len(sent(upstream))
        again = await embed(client, input=texts, output="file", dimensions=32)
        ranked = await embed(client, input=texts, query=texts[4321], dimensions=32, top_k=1)
    matrix = np.load(answer["file"]["npy"])
    assert np.allclose(matrix[::271], [vector_of(text, 32) for text in texts[::271]], atol=1e-6)
    assert first == len(sent(upstream)) == 50 + 2 + 3
    assert len({text for batch in sent(upstream) for text in batch}) == 5000
    assert again["cost_usd"] == 0
    assert np.array_equal(np.load(again["file"]["npy"]), matrix)
    assert ranked["ranking"][0]["index"] == 4321


async def test_files_are_forgotten_with_their_runs(connect: Connect, tmp_path: Path):
    async with connect() as client:
        kept = (await embed(client, input=FRUIT, output="file"))["file"]
        old = (await embed(client, input=FRUIT[:2], output="file"))["file"]
    stranger = tmp_path / "data" / "embeddings" / "mine.npy"
    stranger.write_bytes(b"")
    for path in (old["npy"], old["jsonl"], stranger):
        os.utime(path, (1, 1))
    async with connect() as client:
        await client.list_tools()
        with anyio.fail_after(120):
            while Path(old["npy"]).exists() or Path(old["jsonl"]).exists():
                await anyio.sleep(0.01)
    assert Path(kept["npy"]).exists()
    assert Path(kept["jsonl"]).exists()
    assert stranger.exists()


def test_a_server_starts_without_numpy():
    script = "import sys, or_mcp.server; sys.exit('numpy' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0
