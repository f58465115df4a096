"""Anthropic's Messages API, as Claude Code speaks it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.hosts.model_api import Body, Event, ToolUse


class MessagesApi:
    """The dialect of `POST /v1/messages`."""

    path = "/v1/messages"

    def shown(self, request: Body) -> list[str]:
        """The content of every tool_result."""
        blocks = (block for message in request["messages"] for block in _blocks(message["content"]))
        return [_text(block["content"]) for block in blocks if block["type"] == "tool_result"]

    def events(self, use: ToolUse | None, number: int) -> Iterable[Event]:
        """One message of one block."""
        message: dict[str, Any] = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": [],
        }
        usage = {"input_tokens": 10, "output_tokens": 5}
        yield "message_start", {"type": "message_start", "message": message | {"stop_reason": None, "usage": usage}}
        block, delta = _text_block() if use is None else _tool_block(use, number)
        yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
        yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        ending = {"stop_reason": "end_turn" if use is None else "tool_use", "stop_sequence": None}
        yield "message_delta", {"type": "message_delta", "delta": ending, "usage": usage}
        yield "message_stop", {"type": "message_stop"}

    def other(self, path: str, request: Body) -> Body:
        """A count of tokens, which the host asks for before it shows a long output."""
        return {"input_tokens": len(json.dumps(request)) // 4} if path.endswith("/count_tokens") else {}


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    return "\n".join(block.get("text", "") for block in _blocks(content))


def _text_block() -> tuple[Body, Body]:
    return {"type": "text", "text": ""}, {"type": "text_delta", "text": "done"}


def _tool_block(use: ToolUse, number: int) -> tuple[Body, Body]:
    block: Body = {"type": "tool_use", "id": f"toolu_{number}", "name": use.name, "input": {}}
    return block, {"type": "input_json_delta", "partial_json": json.dumps(use.arguments)}
