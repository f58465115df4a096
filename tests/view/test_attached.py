"""The page reaches hosts as MCP Apps wants it, and every finished run as a report."""

from __future__ import annotations

from typing import Any

from or_mcp.view.report import app_html
from tests.conftest import Connect, Upstream

VIEW = "ui://or-mcp/fusion.html"
MIME = "text/html;profile=mcp-app"


async def test_fuse_and_run_name_the_page_under_both_keys_and_nobody_else_does(connect: Connect):
    async with connect() as client:
        tools = (await client.list_tools()).tools
    named: dict[str, Any] = {tool.name: tool.meta for tool in tools if "ui" in str(tool.meta)}
    assert set(named) == {"fuse", "run"}
    for meta in named.values():
        assert meta["ui"]["resourceUri"] == meta["ui/resourceUri"] == VIEW


async def test_the_page_is_listed_and_read_with_a_policy_that_lets_nothing_out(connect: Connect):
    async with connect() as client:
        listed = {str(each.uri): each for each in (await client.list_resources()).resources}
        (read,) = (await client.read_resource(VIEW)).contents
    assert listed[VIEW].mime_type == read.mime_type == MIME
    for meta in (listed[VIEW].meta, read.meta):
        ui = (meta or {})["ui"]
        assert set(ui["csp"]) == {"connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"}
        assert not any(ui["csp"].values())
    assert getattr(read, "text", "") == app_html()


async def test_what_the_page_reads_was_not_received(upstream: Upstream, connect: Connect):
    upstream.script({"path": "/responses", "duration_s": 0.3})
    given = {"prompt": "Monolith or microservices?"}
    async with connect() as client:
        started = await client.call_tool("fuse", {**given, "wait_seconds": 0})
        asked = {"run_id": started.structured_content["run_id"], "wait_seconds": 20}
        shown = await client.call_tool("run", asked, meta={"or-mcp/view": True})
        again = await client.call_tool("fuse", given)
    assert shown.structured_content["status"] == "completed"
    assert again.structured_content["replayed"] is True
    assert len(upstream.posts("/responses")) == 1
