"""Directories that a host has opened may be read too; what holds secrets is sent only if the user agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mcp_types
import pytest
from mcp.client.context import ClientRequestContext

from tests.conftest import Connect, Upstream, text_of

MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])
SECRET = "token = ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


class Host:
    """A host with directories of its own, whose user answers every question the same way."""

    def __init__(self, *uris: str, agrees: bool = True) -> None:
        self.uris = uris
        self.agrees = agrees
        self.asked: list[str] = []
        self.listed = 0

    async def roots(self, ctx: ClientRequestContext) -> mcp_types.ListRootsResult:
        del ctx
        self.listed += 1
        return mcp_types.ListRootsResult.model_validate({"roots": [{"uri": uri} for uri in self.uris]})

    async def answer(self, ctx: ClientRequestContext, asked: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
        del ctx
        self.asked.append(asked.message)
        return mcp_types.ElicitResult(action="accept", content={"go": self.agrees})

    @property
    def options(self) -> dict[str, Any]:
        """How a client is made of it."""
        return {"list_roots_callback": self.roots, "elicitation_callback": self.answer}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory that the operator has not opened, with a file in it, beside one that he has."""
    (tmp_path / "open").mkdir()
    place = tmp_path / "my project"
    place.mkdir()
    (place / "notes.txt").write_text("What is in the project")
    (tmp_path / "beside.txt").write_text("What is beside it")
    return place


def hello(*attachments: str) -> dict[str, Any]:
    return {"model": "openai/gpt-5-mini", "prompt": "Hello?", "attachments": list(attachments)}


@MODES
async def test_a_file_in_a_root_of_the_host_is_read_by_either_path(
    connect: Connect, upstream: Upstream, project: Path, mode: str
):
    host = Host(project.as_uri())
    async with connect(mode, host.options, OR_MCP_ALLOWED_DIRS=str(project.parent / "open")) as client:
        for path in ("notes.txt", str(project / "notes.txt")):
            assert not (await client.call_tool("ask", hello(path))).is_error
        outside = await client.call_tool("ask", hello("../beside.txt"))
        embedded = await client.call_tool(
            "embed",
            {"model": "openai/text-embedding-3-small", "output": "vectors", "dimensions": 8, "input_file": "notes.txt"},
        )
    assert all("What is in the project" in str(post.body) for post in upstream.posts("/chat/completions"))
    assert f"is not inside a directory that may be read ({project.parent / 'open'}, {project})" in text_of(outside)
    assert not embedded.is_error


@MODES
async def test_a_host_is_not_asked_where_no_path_is_given(connect: Connect, project: Path, mode: str):
    host = Host(project.as_uri())
    async with connect(mode, host.options) as client:
        await client.call_tool("ask", hello("https://example.com/a.png"))
    assert host.listed == 0


@MODES
@pytest.mark.parametrize("uri", ["file:///", "file://elsewhere/share", "file:///no/such/place", "file:///etc/passwd"])
async def test_a_root_that_is_no_directory_here_or_all_of_them_opens_nothing(
    connect: Connect, upstream: Upstream, project: Path, mode: str, uri: str
):
    async with connect(mode, Host(uri).options, OR_MCP_ALLOWED_DIRS=str(project.parent / "open")) as client:
        for path in (str(project / "notes.txt"), "/etc/passwd"):
            told = text_of(await client.call_tool("ask", hello(path)))
            assert f"may be read ({project.parent / 'open'})" in told
    assert not upstream.posts()


@MODES
async def test_a_file_with_secrets_is_sent_only_if_the_user_agrees(
    connect: Connect, upstream: Upstream, project: Path, mode: str
):
    (project / "a.txt").write_text(SECRET)
    (project / "b.txt").write_text(SECRET)
    yes, no = Host(project.as_uri()), Host(project.as_uri(), agrees=False)
    async with connect(mode, yes.options) as client:
        sent = await client.call_tool("ask", hello("a.txt", "b.txt"))
    async with connect(mode, no.options) as client:
        refused = await client.call_tool("ask", hello("a.txt"))
    assert not sent.is_error
    assert [question.split(" seems")[0] for question in yes.asked] == ["'a.txt'", "'b.txt'"]
    assert "(GitHub token in line 1). Send it to openai/gpt-5-mini all the same?" in yes.asked[0]
    assert SECRET in str(upstream.posts("/chat/completions")[0].body)
    assert text_of(refused).startswith("invalid_request: attachments: 'a.txt' seems to hold secrets")
    assert len(no.asked) == 1
    assert len(upstream.posts()) == 1


@MODES
async def test_roots_secrets_and_money_are_asked_for_in_one_call(
    connect: Connect, upstream: Upstream, project: Path, mode: str
):
    (project / "a.txt").write_text(SECRET)
    host = Host(project.as_uri())
    settings = {"OR_MCP_ALLOWED_DIRS": str(project.parent / "open"), "OR_MCP_MAX_COST_PER_CALL_USD": "0.05"}
    async with connect(mode, host.options, **settings) as client:
        result = await client.call_tool("ask", hello("a.txt") | {"max_output_tokens": 16_000})
    assert not result.is_error
    assert [question.partition(" ")[0] for question in host.asked] == ["'a.txt'", "ask"]
    assert len(upstream.posts("/chat/completions")) == 1
