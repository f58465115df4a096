"""Skills: listed and fetched by hosts that know them, read as resources by all others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import mcp_types
import pytest
from mcp import Client, MCPError
from pydantic import BaseModel, ConfigDict

from or_mcp.tools import ALL_TOOLS
from tests.conftest import Connect

NAMES = ["fusion", "choose-a-model", "second-opinion", "spend-little"]


class Skills(mcp_types.Request[dict[str, Any], str]):
    """A request of the extension."""


class Reply(BaseModel):
    """Whatever comes."""

    model_config = ConfigDict(extra="allow")


async def send(client: Client, method: Literal["skills/list", "skills/get"], **params: str) -> dict[str, Any]:
    return (await client.session.send_request(Skills(method=method, params=dict(params)), Reply)).model_dump()


async def text_at(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, mcp_types.TextResourceContents)
    assert content.mime_type == "text/markdown"
    return content.text


async def test_every_skill_is_listed_with_its_files_and_each_has_the_digest_it_says(connect: Connect):
    async with connect() as client:
        listed = await send(client, "skills/list")
        for skill in listed["skills"]:
            assert (await send(client, "skills/get", uri=skill["uri"]))["skill"] == skill
            for file in skill["resources"]:
                content = (await text_at(client, file["uri"])).encode()
                assert file["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
                assert file["size"] == len(content)
    assert [skill["frontmatter"]["name"] for skill in listed["skills"]] == NAMES
    assert [skill["uri"] for skill in listed["skills"]] == [f"skill://{name}/SKILL.md" for name in NAMES]
    assert all(skill["uri"] in [file["uri"] for file in skill["resources"]] for skill in listed["skills"])
    assert listed["resultType"] == "complete"


async def test_what_a_skill_says_of_itself_is_plain_and_within_the_limits(connect: Connect):
    async with connect() as client:
        for skill in (await send(client, "skills/list"))["skills"]:
            head: Mapping[str, str] = skill["frontmatter"]
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head["name"])
            assert 1 <= len(head["description"]) <= 1024
            # Read as YAML it says the same.
            assert not re.search(r"(^[\W_])|: | #|\n", head["description"])
            text = await text_at(client, skill["uri"])
            assert text.startswith(f"---\nname: {head['name']}\ndescription: {head['description']}\n---\n")


async def test_a_skill_names_tools_that_there_are(connect: Connect):
    words = {"web", "free", "sort", "query", "prompt", "outcome", "attachments", "running", "preset", "rows"}
    async with connect() as client:
        for name in NAMES:
            named = set(
                re.findall(
                    r"`([a-z_]+)` \(free\)|call `([a-z_]+)`|one `([a-z_]+)`",
                    await text_at(client, f"skill://{name}/SKILL.md"),
                )
            )
            tools = {each for found in named for each in found if each} - words
            assert tools <= set(ALL_TOOLS)


async def test_hosts_without_the_extension_see_them_as_resources(connect: Connect):
    async with connect(mode="legacy") as client:
        found = {each.uri: each for each in (await client.list_resources()).resources}
        for name in NAMES:
            resource = found[f"skill://{name}/SKILL.md"]
            assert (resource.name, resource.mime_type) == (name, "text/markdown")
            assert (await text_at(client, resource.uri)).startswith(f"---\nname: {name}\n")


async def test_skills_for_tools_that_are_not_offered_are_not_served(connect: Connect):
    async with connect(OR_MCP_TOOLS="ask,list_models") as client:
        assert [skill["frontmatter"]["name"] for skill in (await send(client, "skills/list"))["skills"]] == [
            "second-opinion"
        ]
        with pytest.raises(MCPError, match="There is no skill 'skill://fusion/SKILL.md'"):
            await send(client, "skills/get", uri="skill://fusion/SKILL.md")
        with pytest.raises(MCPError):
            await client.read_resource("skill://fusion/SKILL.md")


@pytest.mark.parametrize("uri", ["skill://fusion", "skill://../settings.py", "skill://fusion/../folders.py", ""])
async def test_nothing_else_is_read_through_them(connect: Connect, uri: str):
    async with connect() as client:
        with pytest.raises(MCPError):
            await send(client, "skills/get", uri=uri)
        with pytest.raises(MCPError):
            await client.read_resource(uri or "skill://")
