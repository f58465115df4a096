"""An upstream whose names are not names: a simulated OpenRouter with every such word in its replies changed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from or_mcp.simulator import Simulator, server
from or_mcp.simulator.api.app import PREFIX

Spoil = Callable[[str], str]

# What stands for something: whoever shows it expects a word, not a text. What is looked up by its id keeps it, and an
# analysis is a text of a model, quoted whole.
NAMES = frozenset(
    {
        *("model", "analyst_model", "judge_model", "provider", "provider_name", "name", "model_name", "tag"),
        *("title", "url", "finish_reason", "native_finish_reason", "reason", "failure_reason", "quantization"),
        *("label", "limit_reset", "modality", "router", "created_at", "expires_at"),
        *("privacy_policy_url", "terms_of_service_url", "status_page_url", "error", "description", "date"),
    }
)


@asynccontextmanager
async def spoiling(simulator: Simulator, spoil: Spoil) -> AsyncGenerator[str]:
    """The same simulator behind an address that changes names."""
    async with server.serve(_spoiled(simulator.app, spoil), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}{PREFIX}"


def _spoiled(app: ASGIApp, spoil: Spoil) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        pending = b""

        async def change(message: Message) -> None:
            nonlocal pending
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"content-length"]
                await send({**message, "headers": headers})
            elif message["type"] == "http.response.body":
                whole, mark, pending = (pending + message.get("body", b"")).rpartition(b"\n\n")
                if not message.get("more_body", False):
                    whole, mark, pending = whole + mark + pending, b"", b""
                await send({**message, "body": _changed(whole, spoil) + mark})
            else:
                await send(message)

        await app(scope, receive, change)

    return serve


def _changed(body: bytes, spoil: Spoil) -> bytes:
    if body.lstrip().startswith((b"{", b"[")):
        return _document(body, spoil)
    return b"\n".join(
        b"data: " + _document(line[6:], spoil) if line.startswith(b"data: {") else line for line in body.split(b"\n")
    )


def _document(text: bytes, spoil: Spoil) -> bytes:
    return json.dumps(_walked(json.loads(text), "", spoil)).encode()


def _walked(value: Any, name: str, spoil: Spoil) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return {key: each if key == "analysis" else _walked(each, key, spoil) for key, each in members}
    if isinstance(value, list):
        # What a model can do is asked by these words, so they stay; one is added.
        more = [spoil("tools")] if name == "supported_parameters" else []
        return [_walked(each, name, spoil) for each in cast("list[Any]", value)] + more
    return spoil(value) if isinstance(value, str) and name in NAMES else value
