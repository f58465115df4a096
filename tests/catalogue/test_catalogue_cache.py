"""The catalogue against a simulated upstream on a real socket."""

from __future__ import annotations

import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from or_mcp.catalogue.cache import FRESH_SECONDS, RETRY_SECONDS, TOO_OLD_SECONDS, Catalogue
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, ModelUnavailable
from or_mcp.openrouter.http import Http
from or_mcp.openrouter.identity import Identity
from or_mcp.simulator import Simulator

# A failure that is not retried, so that tests need not wait.
BROKEN = {"path": "/models", "status": 418}
NEVER = {"path": "/models", "latency_ms": 60_000}
OPUS = "anthropic/claude-opus-5"
EMBEDDING = {"id": "a/embed", "architecture": {"input_modalities": ["text"], "output_modalities": ["embeddings"]}}


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class World:
    """A simulated upstream, a clock, and as many catalogues as wanted."""

    simulator: Simulator
    clock: Clock
    upstream: OpenRouter
    directory: Path
    origin: str

    def catalogue(self, *, disk: bool = False) -> Catalogue:
        directory = self.directory if disk else None
        return Catalogue(self.upstream, directory, origin=self.origin, clock=self.clock)

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.simulator.requests)

    def lists(self, *models: dict[str, Any]) -> None:
        self.simulator.script({"path": "/models", "body": {"data": list(models)}})

    @property
    def files(self) -> list[Path]:
        return list(self.directory.glob("*")) if self.directory.exists() else []


@asynccontextmanager
async def upstream(directory: Path) -> AsyncGenerator[World]:
    simulator = Simulator()
    async with simulator.running() as base_url:
        http = Http(base_url, Identity(title="or-mcp", version="0", url="https://example.org"))
        try:
            yield World(simulator, Clock(), OpenRouter(http, "sk-or-test"), directory / "data", base_url)
        finally:
            await http.close()


async def arrives(catalogue: Catalogue, slug: str) -> bool:
    with anyio.move_on_after(5):
        while (await catalogue.models()).find(slug) is None:
            await anyio.lowlevel.checkpoint()
        return True
    return False


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(120):
        while not condition():
            await anyio.sleep(0.005)


async def test_a_fresh_list_is_not_fetched_again(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        first = await catalogue.models()
        world.clock.pass_seconds(FRESH_SECONDS - 1)
        again = await catalogue.models()
        assert first.find(OPUS) is not None
        assert again.models == first.models
        assert again.age_seconds == FRESH_SECONDS - 1
        assert world.asked("/models") == 1


async def test_every_modality_is_asked_for(tmp_path: Path):
    async with upstream(tmp_path) as world:
        snapshot = await world.catalogue().models()
        assert world.simulator.requests[0].query == "output_modalities=all"
        assert {"embeddings", "rerank", "image"} <= _outputs(snapshot)
        assert world.asked("/embeddings/models") == 0


def _outputs(snapshot: Snapshot) -> set[str]:
    return {
        output for model in snapshot.models if model.architecture for output in model.architecture.output_modalities
    }


async def test_embedding_models_are_added_when_the_list_has_none(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.lists({"id": "a/text"})
        snapshot = await world.catalogue().models()
        assert snapshot.find("a/text") is not None
        assert "embeddings" in _outputs(snapshot)


async def test_the_list_is_served_even_when_the_embedding_models_cannot_be_had(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.simulator.script(
            {"path": "/models", "body": {"data": [{"id": "a/text"}]}}, {"path": "/embeddings/models", "status": 418}
        )
        assert [model.id for model in (await world.catalogue().models()).models] == ["a/text"]


async def test_an_empty_list_does_not_replace_a_good_one(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        await catalogue.models()
        world.lists()
        world.clock.pass_seconds(FRESH_SECONDS)
        snapshot = await catalogue.models()
        assert snapshot.find(OPUS) is not None
        assert snapshot.problem is not None


@pytest.mark.parametrize("background", [True, False])
async def test_sixty_four_cold_calls_make_one_fetch(tmp_path: Path, background: bool):
    async with upstream(tmp_path) as world, anyio.create_task_group() as group:
        catalogue = world.catalogue(disk=True)
        results: list[Snapshot] = []

        async def ask() -> None:
            results.append(await catalogue.models())

        async def all_at_once() -> None:
            async with anyio.create_task_group() as callers:
                for _ in range(64):
                    callers.start_soon(ask)

        if background:
            async with catalogue.running(group):
                await all_at_once()
        else:
            await all_at_once()
        assert len(results) == 64
        assert world.asked("/models") == 1


async def test_an_old_list_is_served_at_once_while_one_fetch_runs(tmp_path: Path):
    async with upstream(tmp_path) as world, anyio.create_task_group() as group:
        catalogue = world.catalogue()
        async with catalogue.running(group):
            await catalogue.models()
            world.simulator.script(NEVER)
            world.clock.pass_seconds(FRESH_SECONDS)
            with anyio.fail_after(120):
                served = [await catalogue.models() for _ in range(5)]
            await until(lambda: world.asked("/models") == 2)
            assert {snapshot.age_seconds for snapshot in served} == {FRESH_SECONDS}
            assert world.asked("/models") == 2
            group.cancel_scope.cancel()


async def test_the_background_fetch_brings_the_new_list(tmp_path: Path):
    async with upstream(tmp_path) as world, anyio.create_task_group() as group:
        catalogue = world.catalogue()
        async with catalogue.running(group):
            await catalogue.models()
            world.lists({"id": "new/model"}, EMBEDDING)
            world.clock.pass_seconds(FRESH_SECONDS)
            assert (await catalogue.models()).find("new/model") is None
            assert await arrives(catalogue, "new/model")


async def test_without_a_task_group_an_old_list_is_renewed_in_place(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        await catalogue.models()
        world.lists({"id": "new/model"}, EMBEDDING)
        world.clock.pass_seconds(FRESH_SECONDS)
        assert (await catalogue.models()).find("new/model") is not None


async def test_a_list_older_than_a_day_is_waited_for(tmp_path: Path):
    async with upstream(tmp_path) as world, anyio.create_task_group() as group:
        await world.catalogue(disk=True).models()
        world.lists({"id": "new/model"}, EMBEDDING)
        world.clock.pass_seconds(TOO_OLD_SECONDS)
        catalogue = world.catalogue(disk=True)
        async with catalogue.running(group):
            assert (await catalogue.models()).find("new/model") is not None


async def test_offline_the_last_list_is_served_with_its_age_and_the_failure(tmp_path: Path):
    async with upstream(tmp_path) as world:
        await world.catalogue(disk=True).models()
        world.simulator.script(BROKEN)
        world.clock.pass_seconds(3 * TOO_OLD_SECONDS)
        snapshot = await world.catalogue(disk=True).models()
        assert snapshot.find(OPUS) is not None
        assert snapshot.age_seconds == 3 * TOO_OLD_SECONDS
        assert snapshot.problem is not None
        assert snapshot.problem.status == 418


async def test_a_failed_fetch_is_not_repeated_at_once_while_an_old_list_serves(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        await catalogue.models()
        world.simulator.script(BROKEN)
        world.clock.pass_seconds(FRESH_SECONDS)
        for _ in range(5):
            assert (await catalogue.models()).problem is not None
        assert world.asked("/models") == 2
        world.simulator.script()
        world.clock.pass_seconds(RETRY_SECONDS)
        assert (await catalogue.models()).problem is None
        assert world.asked("/models") == 3


async def test_with_nothing_at_all_the_failure_is_raised(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.simulator.script(BROKEN)
        with pytest.raises(Failure) as raised:
            await world.catalogue(disk=True).models()
        assert raised.value.status == 418


async def test_a_cold_catalogue_recovers_by_itself(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        world.simulator.script(BROKEN)
        with pytest.raises(Failure):
            await catalogue.models()
        world.simulator.script()
        world.clock.pass_seconds(5)
        assert (await catalogue.models()).find(OPUS) is not None


@pytest.mark.parametrize("background", [True, False])
async def test_a_cancelled_waiter_does_not_take_the_others_answer(tmp_path: Path, background: bool):
    async with upstream(tmp_path) as world, anyio.create_task_group() as group:
        world.simulator.script({"path": "/models", "latency_ms": 60_000, "times": 1})
        if background:
            world.simulator.script({"path": "/models", "latency_ms": 150})
        catalogue = world.catalogue()
        answers: list[Snapshot] = []

        async def ask(scope: anyio.CancelScope) -> None:
            with scope:
                answers.append(await catalogue.models())

        impatient, patient = anyio.CancelScope(), anyio.CancelScope()

        async def both() -> None:
            async with anyio.create_task_group() as callers:
                callers.start_soon(ask, impatient)
                await until(lambda: world.asked("/models") == 1)
                callers.start_soon(ask, patient)
                await anyio.wait_all_tasks_blocked()
                impatient.cancel()

        if background:
            async with catalogue.running(group):
                await both()
        else:
            await both()
        assert len(answers) == 1
        assert world.asked("/models") == (1 if background else 2)


async def test_the_disk_copy_spares_the_next_process_a_fetch_and_is_private(tmp_path: Path):
    async with upstream(tmp_path) as world:
        first = await world.catalogue(disk=True).models()
        second = await world.catalogue(disk=True).models()
        assert second.models == first.models
        assert world.asked("/models") == 1
        assert [stat.S_IMODE(file.stat().st_mode) for file in world.files] == [0o600]
        assert stat.S_IMODE(world.directory.stat().st_mode) == 0o700


async def test_two_addresses_never_share_a_disk_copy(tmp_path: Path):
    async with upstream(tmp_path) as world:
        await world.catalogue(disk=True).models()
        other = Catalogue(world.upstream, world.directory, origin="https://elsewhere.example/v1", clock=world.clock)
        await other.models()
        assert world.asked("/models") == 2
        assert len(world.files) == 2


async def test_without_an_address_nothing_is_kept_on_disk(tmp_path: Path):
    async with upstream(tmp_path) as world:
        await Catalogue(world.upstream, world.directory, clock=world.clock).models()
        assert world.files == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"fetched_at": "2026-01-01T00:00:00Z", "models": []}']
)
async def test_a_damaged_disk_copy_is_as_good_as_none(tmp_path: Path, content: bytes):
    async with upstream(tmp_path) as world:
        await world.catalogue(disk=True).models()
        world.files[0].write_bytes(content)
        assert (await world.catalogue(disk=True).models()).find(OPUS) is not None
        assert world.asked("/models") == 2


async def test_a_directory_that_cannot_be_used_is_no_reason_to_fail(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.directory.write_text("a file where a directory should be")
        assert (await world.catalogue(disk=True).models()).find(OPUS) is not None


async def test_a_copy_from_the_future_is_waited_for(tmp_path: Path):
    async with upstream(tmp_path) as world:
        await world.catalogue(disk=True).models()
        world.clock.pass_seconds(-7 * TOO_OLD_SECONDS)
        await world.catalogue(disk=True).models()
        assert world.asked("/models") == 2


async def test_endpoints_zdr_and_providers_are_remembered_for_a_while(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        for _ in range(3):
            assert (await catalogue.endpoints(OPUS)).endpoints
            assert await catalogue.zdr_endpoints()
            assert await catalogue.providers()
        paths = (f"/models/{OPUS}/endpoints", "/endpoints/zdr", "/providers")
        assert [world.asked(path) for path in paths] == [1, 1, 1]
        world.clock.pass_seconds(60)
        await catalogue.endpoints(OPUS)
        await catalogue.providers()
        assert [world.asked(path) for path in paths] == [2, 1, 1]


async def test_endpoints_asked_for_at_once_are_fetched_once(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        async with anyio.create_task_group() as callers:
            for _ in range(16):
                callers.start_soon(catalogue.providers)
        assert world.asked("/providers") == 1


async def test_endpoints_of_an_unknown_model_name_the_closest(tmp_path: Path):
    async with upstream(tmp_path) as world:
        with pytest.raises(ModelUnavailable) as raised:
            await world.catalogue().endpoints("anthropic/claude-opus-55")
        assert raised.value.availability is not None
        assert OPUS in (raised.value.availability.fallback_models or ())


async def test_a_listed_model_is_found_without_asking_again(tmp_path: Path):
    async with upstream(tmp_path) as world:
        model = await world.catalogue().check(f"{OPUS}:nitro")
        assert model is not None
        assert model.id == OPUS
        assert len(world.simulator.requests) == 1


async def test_a_model_upstream_knows_but_does_not_list_exists(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.lists({"id": "a/text"}, EMBEDDING)
        model = await world.catalogue().check(OPUS)
        assert model is not None
        assert model.id == OPUS


async def test_a_clear_404_is_a_model_that_does_not_exist(tmp_path: Path):
    async with upstream(tmp_path) as world:
        with pytest.raises(ModelUnavailable) as raised:
            await world.catalogue().check("anthropic/claude-opus-55")
        assert raised.value.availability is not None
        names = raised.value.availability.fallback_models or ()
        assert len(names) == 3
        assert OPUS in names[:1]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 418},
        {"status": 403, "message": "no"},
        {"status": 404, "body": "<html>Not found</html>", "content_type": "text/html"},
        {"body": "{", "content_type": "application/json"},
    ],
)
async def test_any_other_trouble_leaves_the_decision_to_upstream(tmp_path: Path, fault: dict[str, Any]):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        await catalogue.models()
        world.simulator.script({"path": "/model/anthropic/claude-opus-55", **fault})
        assert await catalogue.check("anthropic/claude-opus-55") is None


async def test_with_no_list_at_all_nothing_is_rejected(tmp_path: Path):
    async with upstream(tmp_path) as world:
        world.simulator.script({"path": "*", "status": 418})
        assert await world.catalogue().check("no/such-model") is None


@pytest.mark.parametrize("slug", ["@preset/mine", f"{OPUS}@preset/mine", "no/such-model@preset/mine"])
async def test_names_with_a_preset_are_never_rejected(tmp_path: Path, slug: str):
    async with upstream(tmp_path) as world:
        await world.catalogue().check(slug)
        assert [request.path for request in world.simulator.requests] == ["/models"]


async def test_an_unknown_name_has_an_older_list_fetched_again_first(tmp_path: Path):
    async with upstream(tmp_path) as world:
        catalogue = world.catalogue()
        await catalogue.models()
        world.lists({"id": "brand/new"}, EMBEDDING)
        world.clock.pass_seconds(61)
        model = await catalogue.check("brand/new")
        assert model is not None
        assert world.asked("/model/brand/new") == 0


@pytest.mark.parametrize("slug", ["gpt5", "../../key", "a/b/c", "openai/gpt 5", "anthropic/..", ""])
async def test_what_cannot_be_a_name_never_reaches_upstream(tmp_path: Path, slug: str):
    async with upstream(tmp_path) as world:
        with pytest.raises(ModelUnavailable):
            await world.catalogue().check(slug)
        assert [request.path for request in world.simulator.requests] == ["/models"]
