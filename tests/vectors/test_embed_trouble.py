"""What `embed` refuses, and what becomes of it when upstream or the disk fail."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from or_mcp.vectors.cache import FILE, VectorCache
from or_mcp.vectors.embedder import Embedder
from or_mcp.vectors.texts import Recipe, Text
from tests.conftest import Connect, Upstream
from tests.openrouter.world import client_of
from tests.vectors.embedding import MODEL, embed, refusal, sent, words

AT = {"path": "/embeddings"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "input is missing"),
        ({"input": ["one", "", "three", "  "]}, "input[1], input[3] are empty"),
        ({"input": ["one", "\ud800"]}, "input holds half of a surrogate pair"),
        ({"input": ["one"]}, "at least two"),
        ({"input": ["one"], "output": "ranking"}, "needs query"),
        ({"input": ["one"], "output": "file", "query": "x"}, "query goes with output ranking"),
        ({"input": ["one"], "input_file": "x"}, "both given"),
        ({"input": ["one"] * 20_001}, "at most 20,000 texts"),
        ({"input": ["one", "two"], "top_k": 101}, "top_k"),
        ({"input": ["one", "two"], "model": "openai/gpt-5-mini"}, "makes text, not embeddings"),
        ({"input": ["one", "two"], "model": "openai/text-embedding-3-smal"}, "openai/text-embedding-3-small"),
        (
            {"input": ["short", "far too long " * 4000, "long " * 9000]},
            "at most 8,192 tokens a text, and input[1], input[2] have up to about 13,000; split them",
        ),
        ({"input": words(2000), "output": "vectors"}, "2,000 texts of 16 dimensions have 32,000; use output file"),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], named: str
):
    async with connect() as client:
        text = await refusal(client, **arguments)
    assert named in text
    assert "Spent: nothing" in text
    assert not sent(upstream)


async def test_with_unknown_dimensions_too_many_numbers_cost_one_text(connect: Connect, upstream: Upstream):
    async with connect() as client:
        text = await refusal(client, input=words(100), output="vectors", dimensions=None)
        again = await refusal(client, input=words(100), output="vectors", dimensions=None)
    assert "100 texts of 1,536 dimensions have 153,600; use output file" in text
    assert "Spent: nothing" in again
    assert sent(upstream) == [["word-00000"]]


async def test_a_failed_batch_is_tried_again_alone(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT | {"contains": "word-00150", "times": 3}, "status": 503, "retry_after": 0})
    async with connect() as client:
        answer = await embed(client, input=words(300))
    batches = sent(upstream)
    assert [batch[0] for batch in batches].count("word-00100") == 4
    assert len(batches) == 3 + 3
    assert len(answer["similarity"]["neighbours"]) == 100
    assert answer["cost_usd"] == pytest.approx(300 * 3 * 2e-8, rel=0.9)


@pytest.mark.parametrize(
    "fault", [{"malformed_json": True}, {"reset": True}, {"status": 500}, {"status": 504}, {"error_in_200": True}]
)
async def test_what_may_have_been_billed_is_not_sent_again(connect: Connect, upstream: Upstream, fault: dict[str, Any]):
    upstream.script({"match": AT | {"contains": "word-00150", "times": 1}} | fault)
    async with connect() as client:
        text = await refusal(client, input=words(300))
        assert "Run: run_" in text
        assert len(sent(upstream)) == 3
        answer = await embed(client, input=words(300))
    assert len(sent(upstream)) == 4
    assert answer["notes"][0] == "200 of 300 texts had been embedded before and cost nothing."


async def test_a_cost_that_is_not_known_is_not_guessed(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT | {"contains": "word-00150", "times": 1}, "malformed_json": True})
    async with connect() as client:
        assert "Spent: unknown" in await refusal(client, input=words(300))


async def test_a_refused_batch_beside_one_that_may_be_billed_is_not_called_free(connect: Connect, upstream: Upstream):
    upstream.script(
        {"match": AT | {"contains": "word-00050", "times": 1}, "reset": True, "latency_ms": 50},
        {"match": AT | {"contains": "word-00150", "times": 2}, "status": 400},
    )
    async with connect() as client:
        await embed(client, input=["learn the", "encoding"])
        text = await refusal(client, input=words(200))
        account = (await client.call_tool("account", {})).structured_content
    assert "Spent: unknown" in text
    assert account is not None
    assert account["today"]["runs_of_unknown_cost"] == 1


async def test_many_failing_batches_end_the_run_soon(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT, "status": 503, "retry_after": 0})
    async with connect() as client:
        text = await refusal(client, input=words(5000))
    assert text.startswith("upstream_failed")
    assert "Spent: nothing" in text
    assert len({batch[0] for batch in sent(upstream)}) <= 17


async def test_an_endpoint_without_base64_is_asked_for_numbers(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT | {"contains": "base64"}, "status": 400, "message": "Unsupported parameter"})
    async with connect() as client:
        answer = await embed(client, input=words(900), output="vectors", dimensions=8)
    assert answer["texts"] == 900
    formats = [post.body["encoding_format"] for post in upstream.posts("/embeddings")]
    assert formats.count("float") == 9
    assert formats.count("base64") <= 8


async def test_a_request_that_is_wrong_anyway_is_tried_with_numbers_only_once(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT, "status": 400, "message": "No such input_type"})
    async with connect() as client:
        text = await refusal(client, input=words(900))
    assert 'OpenRouter says: "No such input_type"' in text
    formats = [post.body["encoding_format"] for post in upstream.posts("/embeddings")]
    assert formats.count("float") == 1


async def test_a_batch_that_is_too_large_goes_in_halves(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT | {"times": 2}, "status": 413})
    async with connect() as client:
        answer = await embed(client, input=words(8), output="vectors")
    assert [len(batch) for batch in sent(upstream)] == [8, 4, 2, 2, 4]
    assert len(answer["vectors"]) == 8


@pytest.mark.parametrize("lengths", [[4], [4, 4, 4], [4, 5]])
async def test_vectors_that_do_not_fit_the_texts_are_a_failure(
    connect: Connect, upstream: Upstream, lengths: list[int]
):
    data = [{"index": n, "embedding": [0.5] * length} for n, length in enumerate(lengths)]
    upstream.script({"match": AT, "body": {"id": "gen-emb-x", "data": data, "usage": {"cost": 0.25}}})
    async with connect() as client:
        text = await refusal(client, input=["one", "two"])
    assert text.startswith("upstream_failed: OpenRouter's reply is not usable")
    assert "Spent: $0.2500" in text


async def test_vectors_of_another_length_than_kept_are_made_anew(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await embed(client, input=["one", "two"])
        data = [{"index": 0, "embedding": [0.5] * 4}]
        upstream.script(
            {"match": AT | {"contains": "three"}, "body": {"data": data, "usage": {"cost": 0.1}}},
            {"match": AT, "body": {"data": [*data, {"index": 1, "embedding": [0.25] * 4}], "usage": {"cost": 0.1}}},
        )
        answer = await embed(client, input=["one", "two", "three"], output="vectors")
    assert answer["dimensions"] == 4
    assert answer["cost_usd"] == pytest.approx(0.2)
    assert any("ignored dimensions=16" in note for note in answer["notes"])


async def test_a_broken_cache_is_told_and_does_not_stop_the_call(connect: Connect, upstream: Upstream, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_bytes(b"not a database" * 500)
    async with connect() as client:
        answer = await embed(client, input=["one", "two"])
    assert any("cannot be used" in note for note in answer["notes"])
    assert len(sent(upstream)) == 1


async def test_with_the_store_off_nothing_is_written(connect: Connect, tmp_path: Path):
    async with connect(OR_MCP_STORE="off") as client:
        await embed(client, input=["one", "two"])
        text = await refusal(client, input=["one", "two"], output="file")
    assert "OR_MCP_STORE is off" in text
    assert not (tmp_path / "data" / FILE).exists()
    assert not (tmp_path / "data" / "embeddings").exists()


async def test_a_folder_that_cannot_be_written_costs_no_second_time(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "embeddings").write_text("in the way", encoding="utf-8")
    async with connect() as client:
        text = await refusal(client, input=["one", "two"], output="file")
        answer = await embed(client, input=["one", "two"])
    assert "could not write" in text
    assert answer["cost_usd"] == 0
    assert len(sent(upstream)) == 1


async def test_a_fully_cached_call_fits_any_budget(connect: Connect):
    async with connect() as client:
        await embed(client, input=["one", "two"])
    async with connect(OR_MCP_MAX_COST_PER_CALL_USD="0.000000001") as client:
        assert (await embed(client, input=["one", "two"]))["cost_usd"] == 0
        assert "over_budget" in await refusal(client, input=["one", "two", "three"])


async def test_what_arrived_before_a_run_was_stopped_is_not_paid_twice(connect: Connect, upstream: Upstream):
    upstream.script({"match": AT | {"contains": "word-00150", "times": 1}, "latency_ms": 60_000})
    async with connect(OR_MCP_RUN_DEADLINE_SECONDS="1") as client:
        text = await refusal(client, input=words(300))
        answer = await embed(client, input=words(300))
    assert text.startswith("deadline")
    assert "Spent: unknown" in text
    assert answer["notes"][0] == "200 of 300 texts had been embedded before and cost nothing."
    assert len(sent(upstream)) == 4


class SlowCache(VectorCache):
    """A cache that writes when it is told to."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.may_write = threading.Event()

    def write(self, vectors: Mapping[bytes, bytes]) -> None:
        self.may_write.wait(10)
        super().write(vectors)


async def test_what_has_arrived_is_kept_when_the_call_is_cancelled(upstream: Upstream, tmp_path: Path):
    cache, recipe = SlowCache(tmp_path), Recipe("me", MODEL, 8)
    texts = [Text(word) for word in words(200)]

    async def told(batch: object) -> None:
        del batch

    with anyio.fail_after(120):
        async with client_of(upstream.base_url) as client:
            embedder = Embedder(client, MODEL, recipe, cache)
            async with anyio.create_task_group() as group:
                group.start_soon(embedder.embed, texts, told)
                while embedder.spending.replies < 2:
                    await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
                cache.may_write.set()
    with cache:
        assert len(cache.read([recipe.key(text) for text in texts])) == len(embedder.found) == 200
