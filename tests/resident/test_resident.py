"""One process serves all sessions of a user that are alike; what is one session's is no other's."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from or_mcp.simulator import Simulator
from or_mcp.starting.place import place_for
from tests.resident.conftest import Residents, called, is_alive, until
from tests.serving.programs import ROOT, ran, started

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="by default on Linux alone"),
    pytest.mark.timeout(150),
]
FUSE = {"prompt": "Monolith or microservices?", "web": False}


def posts(simulator: Simulator) -> int:
    return len(simulator.posts("/responses"))


def test_sessions_share_a_process_which_is_none_of_theirs(residents: Residents):
    with residents.session() as one, residents.session() as two:
        assert called(one, "list_models")["structuredContent"]["models"]
        assert called(two, "list_models")["structuredContent"]["models"]
        status = residents.only
        assert status["sessions"] == 2
        assert status["pid"] not in (one.process.pid, two.process.pid)
        assert os.getsid(status["pid"]) == status["pid"] != os.getsid(0)
        one.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        assert one.ends_within(30) == 0
        assert called(two, "list_models")["structuredContent"]["models"]
        until(lambda: residents.only["sessions"] == 1)


def test_ten_starts_at_once_make_one_resident(residents: Residents):
    def open_one(stack: ExitStack) -> None:
        stack.enter_context(residents.session())

    with ExitStack() as stack, ThreadPoolExecutor(10) as pool:
        list(pool.map(open_one, [stack] * 10))
        assert residents.only["sessions"] == 10


@pytest.mark.parametrize(
    "settings",
    [
        {"OPENROUTER_API_KEY": "sk-or-other"},
        {"OR_MCP_MODELS": "openai/*"},
        {"HTTPS_PROXY": "http://127.0.0.1:9"},
        {"OR_MCP_DAILY_BUDGET_USD": "3"},
    ],
)
def test_other_settings_are_another_resident(residents: Residents, settings: dict[str, str]):
    mine, other = place_for(residents.env), place_for(residents.env | settings)
    assert mine is not None
    assert other is not None
    assert mine.socket != other.socket
    assert mine.directory == other.directory
    assert not any("sk-or" in name for name in (mine.socket, other.socket))


def test_a_sign_in_is_another_resident(residents: Residents):
    before = place_for(residents.env)
    file = Path(residents.env["HOME"]) / ".config" / "or-mcp" / "credentials.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    after = place_for(residents.env)
    assert before is not None
    assert after is not None
    assert before.socket != after.socket


@pytest.mark.parametrize(
    "settings",
    [
        {"OR_MCP_TOOLS": "run"},
        {"OR_MCP_ALLOWED_DIRS": "/tmp"},
        {"OR_MCP_WAIT_SECONDS": "3"},
        {"OR_MCP_LOG_LEVEL": "DEBUG"},
        {"TERM_SESSION": "7"},
    ],
)
def test_what_is_a_sessions_own_does_not_make_another(residents: Residents, settings: dict[str, str]):
    mine, other = place_for(residents.env), place_for(residents.env | settings)
    assert mine is not None
    assert other is not None
    assert mine.socket == other.socket


@pytest.mark.parametrize(
    "settings",
    [{"OR_MCP_RESIDENT": "off"}, {"OR_MCP_STORE": "off"}, {"OR_MCP_RESIDENT": "perhaps"}, {"OR_MCP_RESIDENT": "-1"}],
)
def test_some_sessions_are_to_have_a_process_of_their_own(residents: Residents, settings: dict[str, str]):
    assert place_for(residents.env | settings) is None


def test_sessions_share_a_process_where_nothing_is_said(residents: Residents, simulator: Simulator):
    del residents.env["OR_MCP_RESIDENT"]
    with residents.session() as host:
        told = called(host, "fuse", **FUSE, wait_seconds=0)["structuredContent"]
    with residents.session() as host:
        called(host, "run", run_id=told["run_id"], wait_seconds=60)
        assert called(host, "run", run_id=told["run_id"])["structuredContent"]["status"] == "completed"
        assert residents.only["stays_seconds"] == 300
    assert posts(simulator) == 1


def test_the_first_process_of_a_container_carries_its_own_work(residents: Residents, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert place_for(residents.env) is None


def test_every_session_has_its_own_tools_directories_patience_and_log(residents: Residents, simulator: Simulator):
    simulator.script({"path": "/responses", "duration_s": 4})
    files = Path(residents.env["OR_MCP_DATA_DIR"])
    (files / "here").mkdir(parents=True)
    (files / "here" / "note.txt").write_text("a note")
    with (
        residents.session(OR_MCP_TOOLS="run,ask", OR_MCP_ALLOWED_DIRS=str(files / "here")) as one,
        residents.session(OR_MCP_ALLOWED_DIRS="", OR_MCP_WAIT_SECONDS="0.2", OR_MCP_LOG_LEVEL="DEBUG") as two,
    ):
        assert [tool["name"] for tool in one.ask("tools/list")["result"]["tools"]] == ["ask", "run"]
        assert len(two.ask("tools/list")["result"]["tools"]) >= 8
        note = {"prompt": "What is this?", "attachments": [str(files / "here" / "note.txt")]}
        assert "isError" not in called(one, "ask", **note) or not called(one, "ask", **note)["isError"]
        assert called(two, "ask", **note)["isError"]
        assert called(two, "fuse", **FUSE)["structuredContent"]["status"] == "running"
        assert residents.only["sessions"] == 2
        until(lambda: "DEBUG" in two.told())
        assert "DEBUG" not in one.told()


def test_a_run_goes_on_when_its_host_closes_and_the_next_session_reads_it(residents: Residents, simulator: Simulator):
    simulator.script({"path": "/responses", "duration_s": 4})
    with residents.session() as host:
        run_id = called(host, "fuse", **FUSE, wait_seconds=0)["structuredContent"]["run_id"]
        host.process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
        assert host.ends_within(30) == 0
    with residents.session() as host:
        told = called(host, "run", run_id=run_id, wait_seconds=40)["structuredContent"]
    assert (told["status"], told["outcome"], posts(simulator)) == ("completed", "fused", 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_host_that_is_killed_while_it_waits_finds_its_answer_later(
    residents: Residents, simulator: Simulator, number: signal.Signals
):
    simulator.script({"path": "/responses", "duration_s": 4})
    with residents.session() as host:
        host.send(
            b'{"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": {"name": "fuse", "arguments": '
            b'{"prompt": "Monolith or microservices?", "web": false}}}'
        )
        until(lambda: posts(simulator) == 1)
        host.process.send_signal(number)
        assert host.ends_within(30) == (-9 if number == signal.SIGKILL else 0)
    with residents.session() as host:
        told = called(host, "fuse", **FUSE)["structuredContent"]
    assert (told["status"], told["replayed"], posts(simulator)) == ("completed", True, 1)


def test_a_resident_that_is_killed_ends_its_sessions_with_a_line_and_the_next_start_works(
    residents: Residents, simulator: Simulator
):
    simulator.script({"path": "/responses", "stall_at_event": 14, "times": 1})
    with residents.session() as host:
        run_id = called(host, "fuse", **FUSE, wait_seconds=0)["structuredContent"]["run_id"]
        until(lambda: simulator.open_streams == 1)
        os.kill(residents.only["pid"], signal.SIGKILL)
        assert host.ends_within(30) == 1
        assert host.told() == (
            "or-mcp: the process that served this session has ended; what was paid for is kept, see `run`\n"
        )
    with residents.session() as host:
        told = called(host, "run", run_id=run_id)["structuredContent"]
        assert residents.only["sessions"] == 1
    assert told["status"] == "interrupted"


def test_a_resident_that_nobody_needs_leaves_and_leaves_nothing_behind(residents: Residents):
    residents.env["OR_MCP_RESIDENT"] = "1"
    with residents.session():
        pid = residents.only["pid"]
    until(lambda: not is_alive(pid))
    place = place_for(residents.env)
    assert place is not None
    assert not Path(place.socket).exists()
    assert Path(place.log).read_text() == ""
    with residents.session():
        assert residents.only["pid"] != pid


def test_a_resident_that_never_hears_of_a_session_leaves_too(residents: Residents):
    residents.env["OR_MCP_RESIDENT"] = "1"
    with started(env=residents.env) as host:
        until(lambda: bool(residents.processes()))
        host.process.kill()
    until(lambda: not residents.processes())


def test_a_run_without_a_session_keeps_it(residents: Residents, simulator: Simulator):
    simulator.script({"path": "/responses", "duration_s": 5})
    residents.env["OR_MCP_RESIDENT"] = "0.5"
    with residents.session() as host:
        called(host, "fuse", **FUSE, wait_seconds=0)
        pid = residents.only["pid"]
    until(lambda: not is_alive(pid))
    with residents.session() as host:
        (row,) = called(host, "run")["structuredContent"]["runs"]
    assert row["status"] == "completed"


def test_what_is_in_its_way_costs_no_start(residents: Residents):
    folder = Path(residents.env["OR_MCP_DATA_DIR"]) / "resident"
    folder.parent.mkdir(parents=True)
    folder.write_text("no directory")
    with residents.session() as host:
        assert called(host, "list_models")["structuredContent"]["models"]
        assert not residents.statuses()


def test_a_directory_that_others_may_use_is_not_used(residents: Residents):
    folder = Path(residents.env["OR_MCP_DATA_DIR"]) / "resident"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with residents.session():
        assert not list(folder.glob("*.sock"))


def test_a_socket_that_nobody_listens_on_is_replaced(residents: Residents):
    with residents.session():
        os.kill(residents.only["pid"], signal.SIGKILL)
    with residents.session():
        assert residents.only["sessions"] == 1


def test_a_resident_that_does_not_answer_costs_no_start(residents: Residents):
    with residents.session():
        pid = residents.only["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        with residents.session() as host:
            assert called(host, "list_models")["structuredContent"]["models"]
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_resident_that_cannot_start_costs_no_start(residents: Residents, tmp_path: Path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import os, sys\nif not sys.stdin or not os.isatty(0) and os.getsid(0) == os.getpid(): os._exit(3)\n"
    )
    path = f"{tmp_path}{os.pathsep}{residents.env['PYTHONPATH']}"
    with residents.session(PYTHONPATH=path) as host:
        assert called(host, "list_models")["structuredContent"]["models"]
        assert not residents.statuses()


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_wrong_setting_stops_the_start_with_one_line(residents: Residents, is_warm: bool):
    with ExitStack() as stack:
        if is_warm:
            stack.enter_context(residents.session())
        with started(env=residents.env | {"OR_MCP_TOOLS": "nonsense"}) as talk:
            assert talk.ends_within(40) == 2
            assert talk.told().startswith("or-mcp: OR_MCP_TOOLS holds 'nonsense', but accepts")
            assert talk.told().count("\n") == 1


CONFINED = """
import ctypes, runpy, sys
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
sys.argv = ["or-mcp"]
runpy.run_module("or_mcp", run_name="__main__")
"""
ELSEWHERE = """
import ctypes, runpy, sys
if ctypes.CDLL(None).unshare(0x04000000):
    print("not allowed", file=sys.stderr)
sys.argv = ["or-mcp"]
runpy.run_module("or_mcp", run_name="__main__")
"""
SANDBOXES = {"privileges given up": CONFINED, "another namespace": ELSEWHERE}


@pytest.mark.parametrize("program", SANDBOXES.values(), ids=SANDBOXES)
def test_whoever_is_in_a_sandbox_that_the_resident_is_not_in_serves_itself(residents: Residents, program: str):
    with residents.session(), started(env=residents.env, python=("-c", program)) as confined:
        confined.greet()
        if "not allowed" in confined.told():
            pytest.skip("only root may enter another namespace")
        assert called(confined, "list_models")["structuredContent"]["models"]
        assert residents.only["sessions"] == 1


def test_it_is_shown_and_stopped(residents: Residents):
    with residents.session() as host:
        shown = ran("resident", env=residents.env)
        assert shown.returncode == 0
        assert "sessions 1, runs 0" in shown.stdout
        pid = residents.only["pid"]
        stopped = ran("resident", "stop", env=residents.env)
        assert (stopped.returncode, f"process {pid}" in stopped.stdout) == (0, True)
        assert host.ends_within(30) == 0
    until(lambda: not is_alive(pid))
    assert ran("resident", env=residents.env).stdout == "No resident is running.\n"


def test_a_terminal_command_and_a_session_over_a_file_need_no_resident(residents: Residents):
    ended = ran(env=residents.env | {"OR_MCP_LOG_LEVEL": "ERROR"}, stdin="")
    assert ended.returncode == 0
    assert ran("--version", env=residents.env).returncode == 0


def test_garbage_on_its_socket_ends_nothing(residents: Residents):
    import socket

    with residents.session() as host:
        place = place_for(residents.env)
        assert place is not None
        for garbage in (b"", b"\xff" * 4, b"\0\0\0\0", b"\0\0\0\x07session", b"\0\0\0\x04what", b"\0\1\0\0abc"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(place.socket)
                assert connection.recv(1) == b"R"
                connection.sendall(garbage)
        until(lambda: residents.only["sessions"] == 1)
        assert called(host, "list_models")["structuredContent"]["models"]


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_program_that_is_replaced_or_removed_does_not_break_what_runs(
    residents: Residents, simulator: Simulator, tmp_path: Path, is_shared: bool
):
    shutil.copytree(ROOT / "or_mcp", tmp_path / "copy" / "or_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'copy')!r}); from or_mcp.__main__ import main; main()"
    env = residents.env | {"PYTHONPATH": str(tmp_path / "copy"), "OR_MCP_LOG_LEVEL": "DEBUG"}
    with started(env=env | ({} if is_shared else {"OR_MCP_RESIDENT": "off"}), python=("-c", program)) as host:
        host.greet()
        until(lambda: residents.only["complete"] if is_shared else "All that sessions need is imported" in host.told())
        pid = residents.only["pid"] if is_shared else host.process.pid
        shutil.rmtree(tmp_path / "copy")
        told = called(host, "fuse", **FUSE)["structuredContent"]
        assert told["outcome"] == "fused"
        called(host, "ask", prompt="Hi?")
        called(host, "account")
        called(host, "embed", model="openai/text-embedding-3-small", input=["a", "b"])
        report = host.ask("resources/read", {"uri": f"openrouter://runs/{told['run_id']}/report"})["result"]
        assert "<html" in report["contents"][0]["text"]
        assert not re.search("(?m)(WARNING|ERROR|Traceback)", host.told())
    until(lambda: not is_alive(pid))
