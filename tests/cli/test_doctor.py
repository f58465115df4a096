"""`or-mcp doctor`: what is wrong is named, with what mends it; nothing hangs, and nothing secret is shown."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from or_mcp.cli import main
from or_mcp.cli.checks import data
from or_mcp.cli.checks import upstream as upstream_check
from or_mcp.cli.checks.finding import Check, Finding, carry_out, passed
from or_mcp.places import credentials_file
from or_mcp.runs.engines.sqlite import SqliteTransaction
from or_mcp.runs.ledger import book_others
from or_mcp.runs.schema import MIGRATIONS, migrate
from or_mcp.sign_in.credentials import store_key
from tests.conftest import Upstream
from tests.runs.before import Before

KEY = "sk-or-v1-0123456789abcdef"


class Doctor:
    """The program, run in a home of its own against the simulator."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self.set, self._capture = home, monkeypatch.setenv, capture
        self.data = home / "data"
        self.shown = ""

    async def __call__(self, code: int) -> dict[str, dict[str, Any]]:
        """The checks by name; everything that was said is in `shown`."""
        self.shown = await self.printed(code, "--json")
        told = json.loads(self.shown)
        assert told["ok"] is (code == 0)
        for check in told["checks"]:
            assert bool(check["fix"]) is (check["status"] == "failed")
        return {check["name"]: check for check in told["checks"]}

    async def printed(self, code: int, *arguments: str) -> str:
        assert await anyio.to_thread.run_sync(main, ["doctor", *arguments]) == code
        told = self._capture.readouterr()
        assert not told.err
        return told.out


@pytest.fixture
def doctor(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    for name in os.environ:
        if name.startswith(("OR_MCP_", "OPENROUTER_", "SSL_CERT")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("OPENROUTER_BASE_URL", upstream.base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OR_MCP_DATA_DIR", str(home / "data"))
    monkeypatch.chdir(home)
    return Doctor(home, monkeypatch, capsys)


async def test_all_is_well_with_a_key_and_no_host(doctor: Doctor):
    checks = await doctor(0)
    assert {check["status"] for check in checks.values()} <= {"ok", "info"}
    assert "valid" in checks["key"]["detail"]
    shown = await doctor.printed(0)
    assert len(shown.splitlines()) == len(checks) + 2
    assert shown.rstrip().endswith("All is well.")
    assert KEY not in shown + doctor.shown
    assert not doctor.data.exists()


@pytest.mark.parametrize("held", ["", "${OPENROUTER_API_KEY}", "$OPENROUTER_API_KEY"])
async def test_without_a_key_the_way_to_one_is_shown(doctor: Doctor, held: str):
    doctor.set("OPENROUTER_API_KEY", held)
    checks = await doctor(1)
    assert checks["key"]["fix"] == "or-mcp login"


async def test_a_stored_key_is_found_and_told_apart(doctor: Doctor, upstream: Upstream):
    doctor.set("OPENROUTER_API_KEY", "${OPENROUTER_API_KEY}")
    store_key(credentials_file({"HOME": str(doctor.home)}), upstream.base_url, KEY)
    checks = await doctor(0)
    assert checks["key"]["detail"].startswith("from `or-mcp login`; valid")


async def test_a_management_key_cannot_pay(doctor: Doctor):
    doctor.set("OPENROUTER_API_KEY", "sk-or-mgmt-0123")
    checks = await doctor(1)
    assert "management key" in checks["key"]["detail"]


async def test_a_key_that_is_not_accepted_is_told_from_an_api_that_is_not_there(doctor: Doctor, upstream: Upstream):
    upstream.script({"path": "/key", "status": 401, "message": "User not found."})
    checks = await doctor(1)
    assert "does not accept it" in checks["key"]["detail"]
    assert "or-mcp login" in checks["key"]["fix"]
    assert checks["openrouter"]["status"] == "ok"


async def test_what_is_left_on_the_key_is_told(doctor: Doctor, upstream: Upstream):
    upstream.reset(limit="3")
    assert "$3.00 left" in (await doctor(0))["key"]["detail"]
    upstream.reset(limit="0")
    assert "used up" in (await doctor(1))["key"]["detail"]


async def test_an_api_that_cannot_be_reached_says_nothing_about_the_key(doctor: Doctor):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        doctor.set("OPENROUTER_BASE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1")
        checks = await doctor(1)
    assert checks["openrouter"]["fix"] == "unset OPENROUTER_BASE_URL"
    assert checks["key"]["status"] == "info"


async def test_an_api_that_never_answers_does_not_hold_the_doctor(
    doctor: Doctor, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    upstream.script({"path": "*", "latency_ms": 60_000})
    monkeypatch.setattr(upstream_check, "_PATIENCE_SECONDS", 0.2)
    checks = await doctor(1)
    assert "no answer within" in checks["openrouter"]["detail"]


async def test_settings_that_are_wrong_are_named_and_the_rest_is_still_looked_at(doctor: Doctor):
    doctor.set("OR_MCP_STORE", "perhaps")
    doctor.set("OR_MCP_DAILY_BUGDET_USD", "10")
    doctor.set("OR_MCP_HTTP_TOKENS", "a-secret-token")
    checks = await doctor(1)
    shown = await doctor.printed(1)
    assert "✗ settings      OR_MCP_STORE holds 'perhaps', but accepts on or off → unset OR_MCP_STORE\n" in shown
    assert "2 to mend" in shown
    assert "did you mean OR_MCP_DAILY_BUDGET_USD?" in doctor.shown
    assert checks["key"]["status"] == "ok"
    assert "a-secret-token" not in doctor.shown


async def test_models_that_do_not_exist_are_named_with_the_closest(doctor: Doctor):
    doctor.set("OR_MCP_MODELS", "openai/*,anthropc/*")
    doctor.set("OR_MCP_DEFAULT_MODEL", "openai/gpt-5-minni")
    checks = await doctor(1)
    assert "OR_MCP_MODELS: anthropc/* matches no model" in doctor.shown
    assert "export OR_MCP_MODELS='openai/*,anthropic/*'" in doctor.shown
    assert checks["policy"]["fix"].startswith("export OR_MCP_DEFAULT_MODEL=openai/gpt-5-mini")


async def test_proxies_and_certificates_are_checked_and_passwords_kept(doctor: Doctor):
    doctor.set("HTTP_PROXY", "http://me:secret-word@127.0.0.1:9")
    doctor.set("NO_PROXY", "127.0.0.1")
    checks = await doctor(0)
    assert checks["proxy"]["detail"] == "http through http://…@127.0.0.1:9"
    doctor.set("HTTPS_PROXY", "me:secret-word@nowhere")
    doctor.set("SSL_CERT_FILE", str(doctor.home / "no.pem"))
    checks = await doctor(1)
    assert checks["certificates"]["fix"] == "unset SSL_CERT_FILE"
    assert "HTTPS_PROXY" in checks["proxy"]["fix"]
    assert "secret-word" not in doctor.shown


def a_store(doctor: Doctor) -> sqlite3.Connection:
    doctor.data.mkdir(mode=0o700)
    connection = sqlite3.connect(doctor.data / "runs.sqlite3", isolation_level=None)
    migrate(connection)
    return connection


async def test_a_data_directory_that_others_can_read_is_named(doctor: Doctor):
    a_store(doctor).close()
    assert "0 runs, undamaged" in (await doctor(0))["store"]["detail"]
    doctor.data.chmod(0o755)
    assert (await doctor(1))["data"]["fix"] == f"chmod 700 {doctor.data}"


async def test_a_store_that_is_damaged_or_too_new_is_named(doctor: Doctor):
    with closing(a_store(doctor)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert "pip install --upgrade or-mcp" in (await doctor(1))["store"]["fix"]
    file = doctor.data / "runs.sqlite3"
    file.write_bytes(b"no database at all, but long enough to look like one " * 100)
    assert (await doctor(1))["store"]["fix"] == f"mv {file} {file}.damaged"


async def test_a_budget_that_is_used_up_is_named(doctor: Doctor):
    with closing(a_store(doctor)) as connection:
        connection.execute(
            "INSERT INTO runs (run_id, tool, caller, fingerprint, arguments, models, prompt, started, owner, status,"
            " charged_usd) VALUES ('r', 'ask', 'me', '', '{}', '[]', '', unixepoch(), '', 'completed', 2500000000000)"
        )
        book_others(SqliteTransaction(connection), since=0)
    doctor.set("OR_MCP_DAILY_BUDGET_USD", "10")
    assert "$2.50 of $10 spent today" in (await doctor(0))["budget"]["detail"]
    doctor.set("OR_MCP_DAILY_BUDGET_USD", "2")
    assert "used up" in (await doctor(1))["budget"]["detail"]


async def test_what_the_release_before_has_spent_today_is_told_too(doctor: Doctor):
    doctor.data.mkdir(0o700)
    before = Before(doctor.data / "runs.sqlite3", caller="me")
    before.save("run_1", status="completed", charged_usd=2 * 10**12)
    before.save("run_2", charged_usd=10**12 // 2)
    before.close()
    doctor.set("OR_MCP_DAILY_BUDGET_USD", "10")
    assert "$2.50 of $10 spent today" in (await doctor(0))["budget"]["detail"]


async def test_a_full_disk_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "_LEAST_FREE", 2**62)
    assert "OR_MCP_DATA_DIR" in (await doctor(1))["disk"]["fix"]


def configure(doctor: Doctor, file: str, entry: dict[str, Any], servers: str = "mcpServers") -> Path:
    path = doctor.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({servers: {"openrouter": entry}}))
    return path


OURS: dict[str, Any] = {"command": sys.executable, "args": ["-m", "or_mcp"]}


async def test_what_each_host_has_is_started_as_the_host_would(doctor: Doctor):
    configure(doctor, ".cursor/mcp.json", OURS | {"env": {"OPENROUTER_API_KEY": "${env:OPENROUTER_API_KEY}"}})
    configure(doctor, ".gemini/settings.json", OURS | {"env": {"OR_MCP_STORE": "perhaps"}})
    configure(doctor, ".codeium/windsurf/mcp_config.json", {"command": "/gone/or-mcp"})
    configure(doctor, ".config/zed/settings.json", {"command": "somebody-elses"}, "context_servers")
    wrong = configure(doctor, ".config/Code/User/mcp.json", {}, "servers")
    wrong.write_text('{\n  "servers": {]\n')
    checks = await doctor(1)
    assert "starts or-mcp 0.1.0" in checks["cursor"]["detail"]
    assert "OR_MCP_STORE holds 'perhaps'" in checks["gemini"]["detail"]
    assert "settings.json" in checks["gemini"]["fix"]
    assert checks["windsurf"]["fix"] == "or-mcp install windsurf"
    assert checks["zed"]["status"] == "info"
    assert checks["vscode"]["fix"] == f"${{EDITOR:-vi}} +2 {wrong}"
    assert "claude-code, claude-desktop, codex" in checks["other hosts"]["detail"]


async def test_what_fails_alike_for_several_hosts_is_told_once(doctor: Doctor):
    for file in (".cursor/mcp.json", ".gemini/settings.json", ".codeium/windsurf/mcp_config.json"):
        configure(doctor, file, {"command": "/gone/or-mcp"})
    checks = await doctor(1)
    assert checks["cursor, gemini, windsurf"]["fix"] == "or-mcp install HOST"
    assert not {"cursor", "gemini", "windsurf"} & checks.keys()


async def test_a_host_that_passes_no_key_on_needs_a_stored_one(doctor: Doctor, upstream: Upstream):
    configure(
        doctor, ".config/Claude/claude_desktop_config.json", OURS | {"env": {"OPENROUTER_BASE_URL": upstream.base_url}}
    )
    checks = await doctor(1)
    assert "no key reaches it" in checks["claude-desktop"]["detail"]
    store_key(credentials_file({"HOME": str(doctor.home)}), upstream.base_url, KEY)
    assert (await doctor(0))["claude-desktop"]["status"] == "ok"


async def test_a_key_in_a_file_that_a_team_shares_is_named_and_not_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
):
    configure(doctor, "project/.cursor/mcp.json", OURS | {"env": {"OPENROUTER_API_KEY": KEY}})
    monkeypatch.chdir(doctor.home / "project")
    checks = await doctor(1)
    assert "holds a key" in checks["cursor (project)"]["detail"]
    assert KEY not in doctor.shown


async def test_the_version_that_a_host_is_pinned_to_is_told(doctor: Doctor, tmp_path: Path):
    fake = tmp_path / "bin" / "uvx"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\nexec {sys.executable} -m or_mcp\n")
    fake.chmod(0o755)
    doctor.set("PATH", f"{fake.parent}:{os.environ['PATH']}")
    configure(doctor, ".cursor/mcp.json", {"command": "uvx", "args": ["or-mcp==0.1.0"]})
    configure(doctor, ".gemini/settings.json", {"command": "uvx", "args": ["or-mcp"]})
    checks = await doctor(0)
    assert checks["cursor"]["detail"].endswith("starts or-mcp 0.1.0, pinned to 0.1.0")
    assert checks["gemini"]["detail"].endswith("starts or-mcp 0.1.0, not pinned")
    assert checks["uvx"]["detail"] == str(fake)


def test_a_check_that_hangs_or_breaks_does_not_take_the_others_with_it():
    never = threading.Event()

    def hang() -> list[Finding]:
        never.wait()
        return []

    def break_down() -> list[Finding]:
        raise RuntimeError("oh")

    checks = [Check("a", hang, 0.05), Check("b", break_down), Check("c", lambda: [passed("c", "fine")])]
    a, b, c = carry_out(checks)
    assert (a.status, b.status, c.status) == ("failed", "failed", "ok")
    assert "did not end within" in a.detail
    never.set()


def test_the_doctor_never_imports_the_sdk(tmp_path: Path):
    code = (
        "import sys; from or_mcp.cli import main; main(['doctor']);"
        "sys.exit('mcp' in sys.modules and 'imported the SDK')"
    )
    environ = {"HOME": str(tmp_path), "PATH": "", "OPENROUTER_BASE_URL": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    assert "✗ openrouter" in done.stdout
