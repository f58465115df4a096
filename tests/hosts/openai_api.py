"""OpenAI's Responses API, as Codex speaks it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.hosts.model_api import Body, Event, ToolUse


class ResponsesApi:
    """The dialect of `POST /v1/responses`."""

    path = "/v1/responses"

    def shown(self, request: Body) -> list[str]:
        """The output of every function call."""
        return [_text(item["output"]) for item in request["input"] if item["type"].endswith("call_output")]

    def events(self, use: ToolUse | None, number: int) -> Iterable[Event]:
        """One response of one item."""
        response = {"id": f"resp_{number}"}
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        details = {"input_tokens_details": None, "output_tokens_details": None}
        item = _message() if use is None else _call(use, number)
        yield "response.created", {"type": "response.created", "response": response}
        yield "response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}
        yield "response.completed", {"type": "response.completed", "response": response | {"usage": usage | details}}

    def other(self, path: str, request: Body) -> Body:
        """A list of models without an entry: the host goes by the name it was given."""
        del path, request
        return {"models": [], "data": []}


def _text(output: Any) -> str:
    return output if isinstance(output, str) else "\n".join(part.get("text", "") for part in output)


def _message() -> Body:
    content = [{"type": "output_text", "text": "done"}]
    return {"type": "message", "id": "msg_done", "role": "assistant", "content": content}


def _call(use: ToolUse, number: int) -> Body:
    call = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": use.name}
    grouped = {"namespace": use.namespace} if use.namespace else {}
    return call | grouped | {"arguments": json.dumps(use.arguments)}
