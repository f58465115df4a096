"""Calling the simulator over its socket, and reading what comes back."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

KEY = "sk-or-v1-test-key"
MANAGEMENT_KEY = "sk-or-mgmt-test-key"
QUESTION = "Monolith or microservices for a five-person team building a billing product?"
SAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "samples" / "requests.json").read_text(encoding="utf-8")
)


@dataclass
class Stream:
    """A stream, read to its end."""

    status: int
    headers: httpx2.Headers
    raw: str = ""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    comments: list[str] = field(default_factory=list[str])
    broken_lines: list[str] = field(default_factory=list[str])
    done: bool = False

    @property
    def types(self) -> list[str]:
        """The types of its events."""
        return [event.get("type", "") for event in self.events]

    @property
    def last(self) -> dict[str, Any]:
        """The response in its last event."""
        return self.events[-1]["response"]

    def read(self, text: str) -> None:
        """Take in what arrived."""
        self.raw += text
        for line in text.splitlines():
            if line.startswith(":"):
                self.comments.append(line)
            elif line == "data: [DONE]":
                self.done = True
            elif line.startswith("data: "):
                try:
                    self.events.append(json.loads(line[6:]))
                except json.JSONDecodeError:
                    self.broken_lines.append(line)


class Caller:
    """A client with a key."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    @classmethod
    @asynccontextmanager
    async def connected(cls, base_url: str, key: str | None = KEY) -> AsyncGenerator["Caller"]:
        """A client of the API at this address."""
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        async with httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=60) as http:
            yield cls(http)

    async def get(self, path: str, key: str | None = None, /, **query: str | int) -> httpx2.Response:
        """GET a path, with another key if given."""
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        return await self.http.get(path, params=query or None, headers=headers)

    async def data(self, path: str, key: str | None = None, /, **query: str | int) -> Any:
        """The `data` of a GET that must succeed."""
        reply = await self.get(path, key, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"]

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
        """POST a body."""
        return await self.http.post(path, json=body, headers=headers)

    async def result(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON of a POST that must succeed."""
        reply = await self.post(path, body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def stream(self, path: str, body: dict[str, Any]) -> Stream:
        """A stream read to its end, however it ends."""
        async with self.http.stream("POST", path, json=body | {"stream": True}) as reply:
            stream = Stream(reply.status_code, reply.headers)
            stream.read((await reply.aread()).decode())
            return stream

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Use one of the simulator's own paths."""
        root = str(self.http.base_url).removesuffix("/").removesuffix("/api/v1")
        reply = await self.http.request(method, root + path, json=body)
        return reply.json()


def ask(question: str = QUESTION, model: str = "openai/gpt-5.6-luna", **more: Any) -> dict[str, Any]:
    """A body for /responses."""
    return {"model": model, "input": question, **more}


def chat(question: str = QUESTION, model: str = "openai/gpt-5.6-luna", **more: Any) -> dict[str, Any]:
    """A body for /chat/completions or /messages."""
    return {"model": model, "messages": [{"role": "user", "content": question}], **more}


def fuse(panel: list[str] | None = None, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    """A body for /responses that convenes a panel once; `parameters` go to the tool."""
    parameters: dict[str, Any] = more.pop("parameters", {})
    if panel is not None:
        parameters = {"analysis_models": panel, **parameters}
    tool = {"type": "openrouter:fusion", "parameters": parameters}
    body = {"model": "~anthropic/claude-opus-latest", "input": question, "tools": [tool]}
    return body | {"tool_choice": "required", "max_tool_calls": 1} | more


def fusion_items(response: dict[str, Any]) -> list[dict[str, Any]]:
    """The fusion items of a response."""
    return [item for item in response["output"] if item["type"] == "openrouter:fusion"]


def answer_of(response: dict[str, Any]) -> str:
    """The final text: the last message's."""
    message = [item for item in response["output"] if item["type"] == "message"][-1]
    return "".join(part.get("text", "") for part in message["content"])
