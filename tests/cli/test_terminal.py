"""The same runs from a terminal, on the same store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.conftest import Connect, Upstream


async def terminal(environment: dict[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[bytes]:
    return await anyio.run_process(
        [sys.executable, "-m", "or_mcp", *arguments], env=environment, input=stdin.encode(), check=False
    )


async def test_a_fusion_is_shown_live_and_its_result_is_readable(upstream: Upstream, environment: dict[str, str]):
    failing = {"error": "Provider overloaded", "status_code": 503}
    upstream.script({"path": "/responses", "panel_failures": {"0": failing}, "duration_s": 1})
    done = await terminal(environment, "fuse", "Monolith or microservices?", "--no-web")
    live, result = done.stderr.decode(), done.stdout.decode()
    assert done.returncode == 0
    assert "✗ ~anthropic/claude-opus-latest failed · 503 Provider overloaded" in live
    assert "answered" in live
    assert result.startswith("Partial panel: 2/3 panelists answered.")
    assert "Blind spots:" in result
    assert result.splitlines()[-1].startswith("Cost: $")
    assert "\x1b" not in live + result


async def test_what_a_terminal_paid_for_is_seen_by_a_host_and_the_other_way_round(
    upstream: Upstream, environment: dict[str, str], connect: Connect
):
    asked = await terminal(environment, "ask", "openai/gpt-5-mini", "-", "--json", stdin="Hello?")
    told = json.loads(asked.stdout)
    async with connect() as client:
        found = await client.call_tool("run", {"run_id": told["run_id"]})
        mine = await client.call_tool("ask", {"model": "openai/gpt-5-mini", "prompt": "And now?"})
    assert found.structured_content["text"] == told["text"]
    listed = json.loads((await terminal(environment, "runs", "--json")).stdout)
    assert [row["run_id"] for row in listed] == [mine.structured_content["run_id"], told["run_id"]]
    shown = (await terminal(environment, "runs", told["run_id"])).stdout.decode()
    assert told["text"] in shown
    assert len(upstream.posts()) == 2


async def test_a_question_alone_is_asked_of_the_default_model(upstream: Upstream, environment: dict[str, str]):
    given = environment | {"OR_MCP_DEFAULT_MODEL": "openai/gpt-5-nano"}
    done = await terminal(given, "ask", "Why is the sky blue?")
    assert done.returncode == 0
    assert upstream.posts()[0].body["model"] == "openai/gpt-5-nano"


async def test_a_conversation_goes_on_from_a_run(upstream: Upstream, environment: dict[str, str]):
    first = json.loads((await terminal(environment, "ask", "openai/gpt-5-mini", "Hello?", "--json")).stdout)
    await terminal(environment, "ask", "openai/gpt-5-nano", "Why?", "--continue", first["run_id"])
    assert [message["role"] for message in upstream.posts()[1].body["messages"]] == ["user", "assistant", "user"]


async def test_a_report_is_written_where_it_is_asked_for(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    await terminal(environment, "fuse", "Monolith or microservices?", "--json")
    (row,) = json.loads((await terminal(environment, "runs", "--json")).stdout)
    done = await terminal(environment, "runs", "report", row["run_id"], "--html", str(tmp_path / "report.html"))
    shown = await terminal(environment, "runs", "show", row["run_id"])
    assert done.stdout.decode().strip() == str(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Monolith or microservices?</title>" in page
    assert "Disagreements:" in shown.stdout.decode()
    assert row["run_id"] in page


async def test_ctrl_c_cancels_says_so_and_keeps_what_arrived(
    upstream: Upstream, environment: dict[str, str], connect: Connect
):
    upstream.script({"path": "/responses", "stall_at_event": 20})
    process = await anyio.open_process(
        [sys.executable, "-m", "or_mcp", "fuse", "Monolith or microservices?"], env=environment
    )
    said = b""
    async with process:
        with anyio.fail_after(120):
            assert process.stderr
            assert process.stdout
            while b"run_" not in said:
                said += await process.stderr.receive()
            process.send_signal(signal.SIGINT)
            async for more in process.stderr:
                said += more
            result = b"".join([part async for part in process.stdout]).decode()
            code = await process.wait()
    assert code == 130
    assert "Stopping. What has arrived is kept." in said.decode()
    assert upstream.open_streams == 0
    async with connect() as client:
        (row,) = (await client.call_tool("run", {})).structured_content["runs"]
    assert row["status"] == "cancelled"
    assert result.startswith("Stopped. What had arrived is kept; what was already generated may be billed.")
    assert f"or-mcp runs show {row['run_id']}" in result
    assert "✗" not in said.decode() + result
    assert "$0.0000" not in said.decode() + result


async def test_ctrl_c_before_the_run_begins_sends_nothing(upstream: Upstream, environment: dict[str, str]):
    upstream.script({"path": "/models", "latency_ms": 60_000})
    process = await anyio.open_process([sys.executable, "-m", "or_mcp", "fuse", "Why?"], env=environment)
    async with process:
        with anyio.fail_after(120):
            while not any(request.path == "/models" for request in upstream.requests):
                await anyio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.stderr
            said = b"".join([part async for part in process.stderr]).decode()
            code = await process.wait()
    assert code == 130
    assert "Stopped before the run began" in said
    assert not upstream.posts()


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_without_a_traceback():
    command, pipe = [sys.executable, "-m", "or_mcp", "demo"], subprocess.PIPE
    with subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        while "thinking" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=150)
    assert process.returncode == 130
    assert "[simulated] Stopping." in said
    assert "Traceback" not in errors


def test_a_second_ctrl_c_ends_the_program_at_once():
    program = (
        "import asyncio\nfrom or_mcp.cli.interrupts import on_interrupt\n"
        "async def main():\n"
        "    with on_interrupt(lambda: print('stopping', flush=True)):\n"
        "        print('ready', flush=True)\n"
        "        while True:\n"
        "            try: await asyncio.sleep(60)\n"
        "            except asyncio.CancelledError: pass\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for said in ("ready", "stopping"):
            assert process.stdout.readline().strip() == said
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


async def unread(environment: dict[str, str], *arguments: str, closed: str) -> subprocess.CompletedProcess[bytes]:
    """The program, with one of its streams read by nobody."""
    reader, writer = os.pipe()
    os.close(reader)
    done = await anyio.run_process(
        [sys.executable, "-m", "or_mcp", *arguments],
        env=environment,
        check=False,
        stdout=writer if closed == "stdout" else subprocess.PIPE,
        stderr=writer if closed == "stderr" else subprocess.PIPE,
    )
    os.close(writer)
    return done


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
async def test_nobody_reading_harms_no_run(
    upstream: Upstream, environment: dict[str, str], connect: Connect, closed: str
):
    done = await unread(environment, "fuse", "Monolith or microservices?", closed=closed)
    async with connect() as client:
        (row,) = (await client.call_tool("run", {})).structured_content["runs"]
    assert row["outcome"] == "fused"
    shown = await unread(environment, "runs", row["run_id"], closed="stdout")
    assert (done.returncode, shown.returncode) == (0, 0)
    assert not any(words in (done.stderr or b"") + shown.stderr for words in (b"Traceback", b"Exception"))


async def test_what_models_write_cannot_command_the_terminal_and_json_still_holds_all_of_it(
    upstream: Upstream, environment: dict[str, str]
):
    hostile = "\x1b]0;title\x07\x1b[2J \x9b31m \u202eexe.gpj\x00 end"
    failing = {"0": {"error": f"a{hostile}"}}
    upstream.script({"path": "/responses", "answer": hostile, "panel_failures": failing})
    done = await terminal(environment, "fuse", "Why?", "--json")
    told = json.loads(done.stdout)
    assert told["answer"].strip() == hostile
    shown = await terminal(environment, "runs", told["run_id"])
    for output in (done.stdout, done.stderr, shown.stdout):
        assert not set(output.decode()) & set("\x1b\x07\x9b\u202e\x00")
    assert "exe.gpj" in shown.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", "no/such-model", "Hello?"], 1, "model_unavailable: There is no model no/such-model"),
        (["fuse", "Hello?", "--max-cost", "0.00001"], 1, "over_budget:"),
        (["runs", "run_nothing"], 1, "There is no run 'run_nothing'"),
        (["runs", "--cancel"], 2, "need a RUN_ID"),
        (["runs", "stop"], 2, "need a RUN_ID"),
        (["runs", "show", "run_nothing"], 1, "There is no run 'run_nothing'"),
        (["runs", "show", "run_1", "run_2"], 2, "'run_2' is too much"),
        (["fuse", " "], 2, "the question is empty"),
        (["fuse"], 2, "the following arguments are required: question"),
        (["simulate", "--port", "99999"], 2, "takes 0 to 65535"),
        (["simulate", "--faults", "/no/such/file"], 2, "--faults /no/such/file"),
        (["simulate", "--models", "/no/such/file"], 2, "--models /no/such/file"),
        (["nonsense"], 2, "invalid choice: 'nonsense'"),
    ],
)
async def test_what_cannot_work_is_told_in_a_line_with_the_right_exit_code(
    environment: dict[str, str], upstream: Upstream, arguments: list[str], code: int, words: str
):
    done = await terminal(environment, *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert done.stdout == b""
    assert not upstream.posts()
