"""Servers that a model is lent, and a model that is scripted to use them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conftest import Upstream

MINI = "openai/gpt-5-mini"
CHAT = "/chat/completions"
_PLAIN = Path(__file__).parent / "plain.py"


class World:
    """A folder with a file of servers and what they write down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "servers.json"
        self.servers: dict[str, dict[str, Any]] = {}

    def serve(
        self, name: str, tools: dict[str, dict[str, Any]], spec: dict[str, Any] | None = None, **keys: Any
    ) -> str:
        """Have a server with these tools in the file; the file's path."""
        path = self.folder / f"{name}.json"
        log = {"log": str(self.folder / f"{name}.log")}
        path.write_text(json.dumps({"tools": tools, **log, **(spec or {})}))
        return self.name(name, command=sys.executable, args=[str(_PLAIN), str(path)], **keys)

    def name(self, server: str, **entry: Any) -> str:
        """Have a server in the file; the file's path."""
        self.servers[server] = entry
        self.file.write_text(json.dumps({"mcpServers": self.servers}))
        return str(self.file)

    def change(self, server: str, tool: str, **told: Any) -> None:
        """From now on the server tells something else of a tool."""
        path = self.folder / f"{server}.json"
        spec = json.loads(path.read_text())
        spec["tools"][tool] |= told
        path.write_text(json.dumps(spec))

    def calls(self, server: str) -> list[Any]:
        """What a server was called with, in order."""
        log = self.folder / f"{server}.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def calls(*named: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """A step in which the model calls these functions."""
    return {"path": CHAT, "times": 1, "calls": [{"name": name, "arguments": given} for name, given in named], **more}


def answers(words: str) -> dict[str, Any]:
    """From here on the model answers."""
    return {"path": CHAT, "answer": words}


def sent(upstream: Upstream) -> list[dict[str, Any]]:
    """What was asked of models, step by step."""
    return [post.body for post in upstream.posts(CHAT)]


def outputs(body: dict[str, Any]) -> list[str]:
    """What a model read of its calls."""
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


async def asked(client: Any, **arguments: Any) -> dict[str, Any]:
    """What a model with the tools of `files` answered."""
    given = {"model": MINI, "servers": ["files"], "prompt": "Do it.", **arguments}
    result = await client.call_tool("ask", given)
    assert not result.is_error, result.content[0].text
    return result.structured_content
