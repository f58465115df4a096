"""A tour of the server through each client: list the tools, find a model, fuse, be refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts.world import KEY, World

LEGACY, MODERN = "2025-11-25", "2026-07-28"
CLIENTS = Path(__file__).parent / "clients"
COMMAND = ("uvx", "or-mcp")


@dataclass(frozen=True)
class Tour:
    """What came back, as far as a client hands it on."""

    tools: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    progress: list[str] = field(default_factory=list[str])
    instructions: str = ""
    protocol: str = ""

    def forms(self, number: int) -> list[Any]:
        """An answer in each form that the client hands on."""
        answer = self.answers[number]
        return [answer[form] for form in ("shown", "text", "structured") if answer.get(form) is not None]


@dataclass(frozen=True)
class Client:
    """A client, how to take the tour with it, and what it lets its user see."""

    name: str
    take: Callable[[World, Mapping[str, Any]], Tour]
    protocol: str = ""
    forms: int = 2
    progress: bool = True
    instructions: bool = True
    era: str = "auto"


def calls() -> list[tuple[str, dict[str, Any]]]:
    """What is called. The question is new each time: a run is joined by whoever asks the same again."""
    question = {"prompt": f"Tabs or spaces, asks {uuid.uuid4()}?", "web": False}
    return [("list_models", {"query": "opus"}), ("fuse", question), ("list_models", {"limitt": 3})]


def take(client: Client, world: World, transport: str) -> Tour:
    """The tour over stdio or HTTP."""
    url = world.url if transport == "http" else ""
    return client.take(world, {"command": COMMAND, "url": url, "era": client.era, "calls": calls()})


def _typescript(name: str) -> Callable[[World, Mapping[str, Any]], Tour]:
    def take_it(world: World, tour: Mapping[str, Any]) -> Tour:
        # Read from stdin, its imports are looked up in the working directory.
        program = (CLIENTS / name).read_text(encoding="utf-8")
        node = ("node", "--input-type=module", "-", json.dumps(tour))
        return read(world.run(*node, stdin=program, folder=world.hosts.folder))

    return take_it


def _python(name: str) -> Callable[[World, Mapping[str, Any]], Tour]:
    def take_it(world: World, tour: Mapping[str, Any]) -> Tour:
        return read(world.run(str(world.hosts.python), str(CLIENTS / name), json.dumps(tour)))

    return take_it


def read(done: Any) -> Tour:
    """What a client printed last."""
    assert done.returncode == 0, done.stderr
    return Tour(**json.loads(done.stdout.splitlines()[-1]))


def _inspector(world: World, tour: Mapping[str, Any]) -> Tour:
    target = (tour["url"], "--transport", "http") if tour["url"] else ("-e", f"OPENROUTER_API_KEY={KEY}", *COMMAND)

    def inspect(*what: str) -> dict[str, Any]:
        options = ("--protocol-era", tour["era"], "--format", "json")
        done = world.run("mcp-inspector", "--cli", *target, *options, "--method", *what)
        assert done.returncode in (0, TOOL_ERROR), done.stderr
        return json.loads(done.stdout)["result"]

    def call(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        arguments = (word for key, value in given.items() for word in ("--tool-arg", f"{key}={json.dumps(value)}"))
        answer = inspect("tools/call", "--tool-name", name, *arguments)
        failed = answer.get("isError", False)
        return {"text": answer["content"][0]["text"], "structured": answer.get("structuredContent"), "failed": failed}

    greeting = inspect("initialize")
    return Tour(
        tools=inspect("tools/list", "--strict")["tools"],
        answers=[call(name, given) for name, given in tour["calls"]],
        instructions=greeting["instructions"],
        protocol=greeting["protocolVersion"],
    )


TOOL_ERROR = 5
"""The Inspector's exit code when a tool answers with an error."""
EVERY_CLIENT = (
    Client("inspector-legacy", _inspector, LEGACY, progress=False, era="legacy"),
    Client("inspector-modern", _inspector, MODERN, progress=False, era="modern"),
    Client("typescript-1", _typescript("typescript_1.mjs"), LEGACY),
    Client("typescript-2-legacy", _typescript("typescript_2.mjs"), LEGACY, era="legacy"),
    Client("typescript-2-modern", _typescript("typescript_2.mjs"), MODERN),
    Client("fastmcp", _python("with_fastmcp.py"), MODERN),
    Client("pydantic-ai", _python("with_pydantic_ai.py"), forms=1, progress=False),
    Client("openai-agents", _python("with_openai_agents.py"), forms=1, progress=False, instructions=False),
)
