"""Files stay on the machine that made them; whoever reads of them on another is told so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from or_mcp.files import shelf
from tests.cli.test_terminal import terminal
from tests.conftest import Connect, Upstream, text_of
from tests.fleet.conftest import Hosts, database, hosts
from tests.postgres import needs_postgres

__all__ = ["database", "hosts"]

PAINTER, SEES = "google/gemini-3.1-flash-image", "openai/gpt-5-mini"


async def drawn(client: Client) -> dict[str, Any]:
    """A run of `ask` that drew a picture."""
    told = (await client.call_tool("ask", {"model": PAINTER, "prompt": "Draw a harbour"})).structured_content
    assert told is not None
    return told


@needs_postgres
async def test_another_machine_says_which_one_holds_a_file(
    hosts: Hosts, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    async with hosts(2) as (one, two):
        monkeypatch.setattr(shelf, "HERE", "paint-1")
        made = (await one.call_tool("make", {"kind": "image", "prompt": "A harbour"})).structured_content
        first = await drawn(one)
        monkeypatch.setattr(shelf, "HERE", "paint-2")
        there = await two.call_tool("run", {"run_id": made["run_id"]})
        here = await one.call_tool("run", {"run_id": made["run_id"]})
        with pytest.raises(MCPError, match="is on paint-1, the machine that made it"):
            await two.read_resource(made["files"][0]["uri"])
        attached = await two.call_tool(
            "ask", {"model": SEES, "prompt": "What is it?", "attachments": [made["files"][0]["uri"]]}
        )
        went_on = await two.call_tool("ask", {"model": SEES, "prompt": "And?", "continue_run": first["run_id"]})
    (row,) = there.structured_content["files"]
    assert ("path" in row, row["missing"]) == (False, "on paint-1, the machine that made it, and not here")
    assert " bytes): on paint-1, the machine that made it, and not here" in text_of(there)
    assert here.structured_content["files"] == made["files"]
    assert "missing" not in made["files"][0]
    assert text_of(attached).startswith("not_found: The file image-1.png is on paint-1")
    assert "Spent: nothing" in text_of(attached)
    assert "Left out, since not on this machine (any more): 1 of the pictures." in text_of(went_on)
    assert "images" not in str(upstream.posts("/chat/completions")[-1].body)


async def test_a_file_that_was_removed_is_not_told_by_a_path(connect: Connect, upstream: Upstream):
    async with connect() as client:
        told = await drawn(client)
        Path(told["files"][0]["path"]).unlink()
        again = await client.call_tool("run", {"run_id": told["run_id"]})
        with pytest.raises(MCPError, match="no longer there"):
            await client.read_resource(told["files"][0]["uri"])
    (row,) = again.structured_content["files"]
    assert ("path" in row, row["missing"]) == (False, "no longer there")


async def test_a_terminal_shows_where_the_files_of_a_run_are(
    connect: Connect, upstream: Upstream, environment: dict[str, str]
):
    async with connect() as client:
        told = await drawn(client)
        made = (await client.call_tool("make", {"kind": "image", "prompt": "A harbour"})).structured_content
    for run in (told, made):
        shown = (await terminal(environment, "runs", "show", run["run_id"])).stdout.decode()
        assert run["files"][0]["path"] in shown
    shutil.rmtree(Path(made["files"][0]["path"]).parent)
    shown = (await terminal(environment, "runs", "show", made["run_id"])).stdout.decode()
    assert made["files"][0]["path"] not in shown
    assert made["files"][0]["uri"] in shown
