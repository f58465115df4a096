"""The Skills extension (`io.modelcontextprotocol/skills`, SEP-2640): a host lists them, and reads one when it is used.

To hosts without it the same files are resources.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import anyio.to_thread
import mcp_types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from pydantic import BaseModel

from or_mcp.calls.call import Served
from or_mcp.openrouter.errors import shorten
from or_mcp.skills.folders import Skill, offered

EXTENSION = "io.modelcontextprotocol/skills"
MARKDOWN = "text/markdown"
# They change with the program.
_KEPT_MS = 300_000

Context = ServerRequestContext[Served, Any]


class ListParams(mcp_types.PaginatedRequestParams, defer_build=True):
    """All of them are on one page."""


class GetParams(mcp_types.RequestParams, defer_build=True):
    """Which one, by where it begins."""

    uri: str


class FileEntry(BaseModel, defer_build=True):
    """A file of a skill."""

    uri: str
    digest: str
    size: int


class SkillEntry(BaseModel, defer_build=True):
    """A skill, complete but for what its files hold."""

    uri: str
    frontmatter: dict[str, str]
    resources: list[FileEntry]


class ListResult(mcp_types.PaginatedResult, mcp_types.CacheableResult, defer_build=True):
    """Every skill."""

    skills: list[SkillEntry]
    result_type: Literal["complete"] = "complete"


class GetResult(mcp_types.CacheableResult, defer_build=True):
    """One skill."""

    skill: SkillEntry
    result_type: Literal["complete"] = "complete"


class Skills:
    """Serves those whose tools the operator offers."""

    def __init__(self, tools: Collection[str]) -> None:
        self._tools = tools

    def serve_on(self, server: Server[Served]) -> None:
        """Advertise the extension and answer its methods."""
        server.extensions[EXTENSION] = {}
        server.add_request_handler("skills/list", ListParams, self._list)
        server.add_request_handler("skills/get", GetParams, self._get)

    async def all(self) -> tuple[Skill, ...]:
        """Every skill that is served."""
        return await anyio.to_thread.run_sync(offered, self._tools)

    async def resources(self) -> list[mcp_types.Resource]:
        """Where each begins, for hosts that know resources alone."""
        return [
            mcp_types.Resource(
                uri=skill.entry.uri,
                name=skill.name,
                description=skill.frontmatter["description"],
                mime_type=MARKDOWN,
                size=len(skill.entry.content),
            )
            for skill in await self.all()
        ]

    async def read(self, uri: str) -> mcp_types.TextResourceContents | None:
        """A file of theirs; None if it is no such address."""
        files = {file.uri: file for skill in await self.all() for file in skill.files}
        found = files.get(uri)
        if found is None:
            return None
        return mcp_types.TextResourceContents(uri=uri, text=found.content.decode(), mime_type=MARKDOWN)

    async def _list(self, ctx: Context, params: ListParams) -> ListResult:
        del ctx, params
        return ListResult(skills=[_entry(skill) for skill in await self.all()], ttl_ms=_KEPT_MS, cache_scope="public")

    async def _get(self, ctx: Context, params: GetParams) -> GetResult:
        del ctx
        skill = next((each for each in await self.all() if each.entry.uri == params.uri), None)
        if skill is None:
            known = ", ".join(each.entry.uri for each in await self.all()) or "none"
            message = f"There is no skill {shorten(params.uri, 200)!r}; there are {known}"
            raise MCPError(code=mcp_types.INVALID_PARAMS, message=message)
        return GetResult(skill=_entry(skill), ttl_ms=_KEPT_MS, cache_scope="public")


def _entry(skill: Skill) -> SkillEntry:
    files = [FileEntry(uri=file.uri, digest=file.digest, size=len(file.content)) for file in skill.files]
    return SkillEntry(uri=skill.entry.uri, frontmatter=dict(skill.frontmatter), resources=files)
