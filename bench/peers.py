"""Servers that a user might pick instead, where they are installed: what they take, beside the product in one run.

A peer is a command in a variable whose name begins with BENCH_PEER_; `{base_url}` in it is where the stub listens.
Most know one address alone, and have to be told another:

    BENCH_PEER_STABGAN="npx --no-install @stabgan/openrouter-mcp-multimodal"
    BENCH_PEER_MCP_OPENROUTER="python -c \\"from mcp_openrouter import client, server;
        client.OpenRouterClient.BASE_URL = '{base_url}'; server.main()\\""
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from bench.catalogue import MODEL
from bench.figures import Figure
from bench.programs import address, environment, resident_mb, started
from bench.protocol import LEGACY
from bench.session import Session

_PREFIX = "BENCH_PEER_"
_CALLS = 200
# How each calls its tool that asks one model, and the question.
_TOOLS = {"chat": "prompt", "ask": "prompt", "openrouter_chat": "prompt", "chat_completion": "messages"}


def peers(port: int) -> Iterator[Figure]:
    """Start and memory of each, and what a call takes where it asks the stub."""
    for name, command in sorted(os.environ.items()):
        if name.startswith(_PREFIX):
            words = [word.replace("{base_url}", address(port)) for word in shlex.split(command)]
            yield from _peer(name.removeprefix(_PREFIX).lower(), words, asks="{base_url}" in command)


def _peer(name: str, command: list[str], *, asks: bool) -> Iterator[Figure]:
    begun = perf_counter()
    with started(command, environment() | {"OPENROUTER_API_KEY": "sk-or-v1-bench"}) as (process, _):
        assert process.stdin is not None
        assert process.stdout is not None
        opened = Session(process.stdout.fileno(), process.stdin.fileno(), LEGACY, process.pid)
        listed = json.loads(opened.open())["result"]["tools"]
        yield Figure(f"{name}: start to tools/list", "ms", (perf_counter() - begun) * 1000)
        tool = next((each["name"] for each in listed if each["name"] in _TOOLS), None)
        if asks and tool is not None:
            took = [_call(opened, tool, number) for number in range(_CALLS)]
            yield Figure(f"{name}: a call, p50", "ms", median(took))
        yield Figure(f"{name}: memory", "MB", resident_mb(process.pid))


def _call(opened: Session, tool: str, number: int) -> float:
    words = f"What is question {number}?"
    asked = _TOOLS[tool]
    value = [{"role": "user", "content": words}] if asked == "messages" else words
    return opened.call(tool, {"model": MODEL, asked: value}) * 1000
