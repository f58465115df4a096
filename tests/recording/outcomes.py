"""Five runs, one for each way a fusion can go, through the simulator, our server and a real MCP client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client

from or_mcp.cli.demo import LABEL
from or_mcp.cli.scenario import GEMINI, OPUS, PANEL, QUESTION, SOL, TEXTS, script
from or_mcp.server import Program
from or_mcp.settings import read_settings
from or_mcp.simulator import Simulator

_OVERLOADED = {"error": "Provider returned error: overloaded", "status_code": 529}
_LIMITED = {"error": "Provider returned error: rate limited upstream", "status_code": 429}
_SILENT = {"error": "The model did not start within its time", "status_code": 504}
_SECONDS = 6
ENDED: Mapping[str, Mapping[str, Any]] = {
    "fused": script(LABEL, duration_s=_SECONDS),
    "partial_panel": script(LABEL, failing={GEMINI: _LIMITED}, duration_s=_SECONDS),
    "no_analysis": script(LABEL, analyst_failure="judge_not_valid_json", duration_s=_SECONDS),
    "not_fused": script(
        LABEL,
        failing={OPUS: _OVERLOADED, SOL: _LIMITED, GEMINI: _SILENT},
        duration_s=_SECONDS,
        answer=f"{LABEL} {TEXTS[OPUS]}",
    ),
}
# Far enough that one panelist has answered and the others have not.
_RUNNING = script(LABEL, stall_at_event=46, event_delay_ms=60)
_GIVEN = {"analysis_models": list(PANEL), "prompt": QUESTION}


async def outcomes() -> dict[str, Any]:
    """By the name of each: what the host was given, what it was answered, and what the page may read of the panel."""
    simulator = Simulator()
    with TemporaryDirectory() as directory:
        async with simulator.running() as base_url:
            settings = {"OPENROUTER_BASE_URL": base_url, "OPENROUTER_API_KEY": "sk-or-simulated"}
            program = Program(read_settings({**settings, "OR_MCP_DATA_DIR": str(Path(directory) / "data")}))
            async with Client(program.server) as client:
                found: dict[str, Any] = {}
                for name, rule in ENDED.items():
                    simulator.script(rule)
                    told = (await client.call_tool("fuse", _GIVEN)).structured_content
                    found[name] = await _recorded(client, told)
                simulator.script(_RUNNING)
                found["running"] = await _while_it_runs(client)
                return found


async def _while_it_runs(client: Client) -> Any:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.call_tool, "fuse", _GIVEN)
        told: dict[str, Any] = {"panel": []}
        while sorted(row["status"] for row in told.get("panel", [])) != ["answered", "pending", "pending"]:
            latest = (await client.call_tool("run", {})).structured_content["runs"][0]
            await anyio.sleep(0.2)
            if latest["status"] == "running":
                told = (await client.call_tool("run", {"run_id": latest["run_id"]})).structured_content
        recorded = await _recorded(client, told)
        # The host gives up, and with it the run ends.
        tasks.cancel_scope.cancel()
        return recorded
    raise AssertionError


async def _recorded(client: Client, told: Any) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    for row in told.get("panel", []):
        if row["chars"]:
            asked = {"run_id": told["run_id"], "part": "panel", "model": row["model"]}
            texts[row["model"]] = (await client.call_tool("run", asked)).structured_content
    return {"given": _GIVEN, "told": told, "texts": texts}
