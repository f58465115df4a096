"""A host's time-out is not a wish: its run goes on, is joined, and is told of. A person's stop still ends the run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from or_mcp.runs import runner as runner_module
from or_mcp.runs.learned import FILE, Learned
from or_mcp.runs.waiting import is_near_a_limit, tolerated_wait
from tests.conftest import Connect, Upstream
from tests.runs.raw_host import Host, RawHost, host

__all__ = ["host"]

FUSE: dict[str, Any] = {"prompt": "Monolith or microservices?", "web": False}
PYTHON, TYPESCRIPT = "timed out after 8s", "McpError: MCP error -32001: Request timed out"
# Whoever is learnt to wait so long is not answered before it gives up, however busy the machine is.
LATE = "timed out after 600s"
TIME_OUTS = (
    PYTHON,
    TYPESCRIPT,
    "SdkError: Request timed out",
    "McpError: MCP error -32001: Maximum total timeout exceeded",
    "TimeoutError: The operation was aborted due to timeout",
)
WISHES = (None, "", "caller cancelled", "AbortError: This operation was aborted", "User pressed Escape")


async def abandon(raw: RawHost, upstream: Upstream, reason: str | None, **arguments: Any) -> None:
    """Ask something, and give it up as soon as it is being answered."""
    before = len(upstream.posts())
    request_id = await raw.begin("fuse", **(FUSE | arguments))
    with anyio.fail_after(120):
        while len(upstream.posts()) == before or not upstream.open_streams:
            await anyio.sleep(0.01)
    await raw.give_up(request_id, reason)


async def until_closed(upstream: Upstream) -> None:
    with anyio.fail_after(120):
        while upstream.open_streams:
            await anyio.sleep(0.01)


async def rows(raw: RawHost) -> list[dict[str, Any]]:
    return (await raw.call("run"))["structuredContent"]["runs"]


async def until_left(raw: RawHost, runs: int) -> None:
    """Until so many runs go on with nobody waiting."""
    held = raw.program.parts
    assert held is not None
    with anyio.fail_after(120):
        while held.runner.unwatched.of(raw.program.owner.id).runs != runs:
            await anyio.sleep(0.01)


@pytest.mark.parametrize("reason", TIME_OUTS)
async def test_a_run_goes_on_when_the_host_says_that_its_time_was_up(host: Host, upstream: Upstream, reason: str):
    upstream.script({"path": "/responses", "duration_s": 2})
    async with host() as raw:
        await abandon(raw, upstream, reason)
        again = (await raw.call("fuse", **FUSE))["structuredContent"]
    assert (again["status"], again["replayed"], len(upstream.posts())) == ("completed", True, 1)
    assert not upstream.aborted


@pytest.mark.parametrize("reason", WISHES)
async def test_any_other_cancel_ends_the_run(host: Host, upstream: Upstream, reason: str | None):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host() as raw:
        await abandon(raw, upstream, reason)
        await until_closed(upstream)
        assert [row["status"] for row in await rows(raw)] == ["cancelled"]


async def test_a_real_client_whose_time_is_up_asks_again_and_gets_the_answer(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 6})
    async with connect("legacy") as client:
        await client.call_tool("list_models", {})
        with pytest.raises(Exception, match="timed out"):
            await client.call_tool("fuse", FUSE, read_timeout_seconds=3)
        again = (await client.call_tool("fuse", FUSE)).structured_content
    assert (again["status"], again["replayed"], len(upstream.posts())) == ("completed", True, 1)


async def test_whoever_joins_a_run_that_was_left_may_stop_it(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host() as raw:
        await abandon(raw, upstream, PYTHON)
        await until_left(raw, 1)
        request_id = await raw.begin("fuse", **FUSE)
        await until_left(raw, 0)
        await raw.give_up(request_id, None)
        await until_closed(upstream)
        assert [row["status"] for row in await rows(raw)] == ["cancelled"]


async def test_giving_up_a_run_call_leaves_a_run_that_was_left_as_it_is(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host() as raw:
        await abandon(raw, upstream, PYTHON)
        await until_left(raw, 1)
        (row,) = await rows(raw)
        request_id = await raw.begin("run", run_id=row["run_id"], wait_seconds=30)
        await until_left(raw, 0)
        await raw.give_up(request_id, None)
        await until_left(raw, 1)
        assert [row["status"] for row in await rows(raw)] == ["running"]


async def test_the_next_answer_of_the_session_says_first_and_once_what_it_left_running(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 3, "times": 1})
    async with host() as raw:
        await abandon(raw, upstream, TYPESCRIPT)
        await until_left(raw, 1)
        async with host(program=raw.program) as other:
            elsewhere = (await other.call("list_models"))["content"][0]["text"]
        first = await raw.call("fuse", **(FUSE | {"prompt": "Tabs or spaces?"}))
        second = await raw.call("list_models")
        (_, left) = await rows(raw)
    head = f"Your fuse that this host stopped waiting for is still running: call run with run_id {left['run_id']!r}"
    text = first["content"][0]["text"]
    assert text.startswith(f"{head}\n\n")
    assert first["structuredContent"]["notes"][0] == head
    assert "stopped waiting" not in second["content"][0]["text"] + elsewhere


async def test_what_has_finished_meanwhile_is_told_as_finished(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 0.5})
    async with host() as raw:
        await abandon(raw, upstream, TYPESCRIPT)
        await until_left(raw, 1)
        await until_left(raw, 0)
        told = (await raw.call("list_models"))["content"][0]["text"]
    assert told.startswith("Your fuse that this host stopped waiting for has finished: call run with run_id 'run_")


async def test_the_answer_of_the_run_itself_needs_no_such_words(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "duration_s": 1})
    async with host() as raw:
        await abandon(raw, upstream, PYTHON)
        await until_left(raw, 1)
        again = await raw.call("fuse", **FUSE)
        later = await raw.call("list_models")
    assert "stopped waiting" not in again["content"][0]["text"] + later["content"][0]["text"]


async def test_eight_runs_may_go_on_with_nobody_waiting_and_the_ninth_ends(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host(OR_MCP_MAX_COST_PER_CALL_USD="0") as raw:
        for number in range(9):
            await abandon(raw, upstream, LATE, prompt=f"Question {number}?")
            await until_left(raw, min(number + 1, 8))
        with anyio.fail_after(120):
            while not upstream.aborted:
                await anyio.sleep(0.01)
        account = await raw.call("account")
        statuses = [row["status"] for row in await rows(raw)]
    assert statuses == ["cancelled"] + ["running"] * 8
    (told,) = [note for note in account["structuredContent"]["notes"] if "nobody waiting" in note]
    assert "nobody waiting: 8," in told
    assert "at most 8 runs;" in told
    assert told in account["content"][0]["text"]


async def test_what_goes_on_with_nobody_waiting_costs_together_no_more_than_one_call_may(
    host: Host, upstream: Upstream
):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host(OR_MCP_MAX_COST_PER_CALL_USD="4") as raw:
        for number in range(2):
            await abandon(raw, upstream, LATE, prompt=f"Question {number}?")
            await until_left(raw, 1)
        with anyio.fail_after(120):
            while not upstream.aborted:
                await anyio.sleep(0.01)
        told = (await raw.call("account"))["content"][0]["text"]
        assert [row["status"] for row in await rows(raw)] == ["cancelled", "running"]
    assert "(at most 8 runs and $4.0000 together;" in told


async def test_a_program_that_gave_up_is_answered_a_second_earlier_the_next_time(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host(version="1.2") as raw:
        await abandon(raw, upstream, "timed out after 5s")
        await until_left(raw, 1)
    async with host(version="1.2") as raw:
        began = time.monotonic()
        told = (await raw.call("fuse", **(FUSE | {"prompt": "Tabs or spaces?"})))["structuredContent"]
        assert time.monotonic() - began > 3.9
    assert told["status"] == "running"


async def test_what_is_learned_of_a_name_that_many_programs_share_is_the_sessions_alone(host: Host, upstream: Upstream):
    upstream.script({"path": "/responses", "never_ends": True})
    async with host("mcp", "0.1.0") as raw:
        await abandon(raw, upstream, "timed out after 5s")
        await until_left(raw, 1)
        told = (await raw.call("fuse", **(FUSE | {"prompt": "Tabs or spaces?"})))["structuredContent"]
        assert told["status"] == "running"
        assert raw.program.parts is not None
        assert raw.program.parts.runner.learned.limit(raw.program.owner.id, "mcp", "0.1.0") is None


async def test_what_is_learned_is_of_one_caller_one_program_and_one_version_for_a_week(tmp_path: Path):
    await Learned(tmp_path).learn("me", "agno", "1", 10)
    await Learned(tmp_path).learn("me", "agno", "1", 20)
    await Learned(tmp_path).learn("you", "agno", "1", 8)
    learned = Learned(tmp_path)
    assert learned.limit("me", "agno", "1") == 10
    assert learned.limit("you", "agno", "1") == 8
    assert learned.limit("me", "agno", "2") is learned.limit("me", "other", "1") is None
    kept = json.loads((tmp_path / FILE).read_text())
    week_ago = {name: [seconds, at - 8 * 86_400] for name, (seconds, at) in kept.items()}
    (tmp_path / FILE).write_text(json.dumps(week_ago))
    assert Learned(tmp_path).limit("me", "agno", "1") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"me agno 1": 7}', '{"me agno 1": ["x", 1]}', "null"])
async def test_a_file_that_cannot_be_read_teaches_nothing_and_is_written_anew(tmp_path: Path, content: str):
    (tmp_path / FILE).write_text(content)
    learned = Learned(tmp_path)
    assert learned.limit("me", "agno", "1") is None
    await learned.learn("me", "agno", "1", 10)
    assert Learned(tmp_path).limit("me", "agno", "1") == 10


async def test_a_directory_that_cannot_be_written_keeps_it_in_memory(tmp_path: Path):
    (tmp_path / "file").write_text("")
    learned = Learned(tmp_path / "file" / "no directory")
    await learned.learn("me", "agno", "1", 10)
    assert learned.limit("me", "agno", "1") == 10


@pytest.mark.parametrize(("learned", "waits"), [(8, 7), (5, 4), (2, 4), (30.5, 29.5)])
def test_a_program_is_answered_a_second_before_its_limit_and_never_before_four(learned: float, waits: float):
    assert tolerated_wait("some-host", learned) == waits


@pytest.mark.parametrize(
    ("client", "age", "learned", "near"),
    [
        ("mcp", 30, None, True),
        ("mcp", 27.1, None, True),
        ("mcp", 33.1, None, False),
        ("mcp", 20, None, False),
        ("mcp-remote", 30, None, False),
        ("claude", 230, None, True),
        ("claude", 20, None, False),
        ("some-host", 60, None, False),
        ("some-host", 60, 62, True),
        ("some-host", 60, 70, False),
    ],
)
def test_a_cancel_without_words_near_a_limit_that_is_known_is_taken_for_it(
    client: str, age: float, learned: float | None, near: bool
):
    assert is_near_a_limit(client, age, learned) is near


@pytest.mark.parametrize(("reason", "goes_on"), [("caller cancelled", True), (None, True), ("the user stopped", False)])
async def test_a_program_that_gives_no_reason_at_its_limit_leaves_its_run(
    host: Host, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, reason: str | None, goes_on: bool
):
    def thirty(waiter: object) -> float:
        return 30.0

    monkeypatch.setattr(runner_module, "age_of", thirty)
    upstream.script({"path": "/responses", "duration_s": 2})
    async with host("mcp", "0.1.0") as raw:
        await abandon(raw, upstream, reason)
        await until_closed(upstream)
        with anyio.fail_after(120):
            while (await rows(raw))[0]["status"] == "running":
                await anyio.sleep(0.01)
        assert [row["status"] for row in await rows(raw)] == ["completed" if goes_on else "cancelled"]
