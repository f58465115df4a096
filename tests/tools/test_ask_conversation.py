"""One conversation of twelve turns over three models: tools, an image, a broken stream, and a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcp import Client

from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems

OPUS, MINI, FLASH = "anthropic/claude-opus-5", "openai/gpt-5-mini", "google/gemini-3-flash-preview"
TOOLS: list[dict[str, Any]] = [
    {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
# Questions, answers and tool outputs, as they stand in the last request.
TURNS = "ua uatta ua uata ua ua uata ua u"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"


class Conversation:
    """Goes on from the last run, whatever became of it, and keeps what upstream saw."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.run_id = ""
        self.seen: list[dict[str, Any]] = []

    async def turn(self, client: Client, model: str, prompt: str = "", **more: Any) -> dict[str, Any]:
        """One turn that must be answered."""
        result = await self._ask(client, model, prompt, more)
        assert not result.is_error, text_of(result)
        self.run_id = result.structured_content["run_id"]
        return result.structured_content

    async def broken(self, client: Client, model: str, prompt: str = "", **more: Any) -> str:
        """One turn that must break; what the caller is told."""
        result = await self._ask(client, model, prompt, more)
        assert result.is_error
        self.run_id = text_of(result).partition("Run: ")[2].split()[0]
        return text_of(result)

    async def _ask(self, client: Client, model: str, prompt: str, more: dict[str, Any]) -> Any:
        arguments = {"model": model, "prompt": prompt, "continue_run": self.run_id, **more}
        result = await client.call_tool("ask", {name: value for name, value in arguments.items() if value})
        (body,) = [post.body for post in self.upstream.posts("/chat/completions")][len(self.seen) :]
        assert not request_problems("/chat/completions", body)
        self._check_remembered(body)
        self.seen.append(body)
        return result

    def _check_remembered(self, body: dict[str, Any]) -> None:
        """Everything said before is there, word for word; of another maker's thoughts there is nothing."""
        maker = body["model"].split("/")[0]
        for message in body["messages"]:
            foreign = message["role"] == "assistant" and message["model"].split("/")[0] != maker
            assert not (foreign and "reasoning_details" in message)
        if self.seen:
            before = [without_thoughts(message) for message in self.seen[-1]["messages"]]
            assert [without_thoughts(message) for message in body["messages"]][: len(before)] == before
            assert body["session_id"] == self.seen[-1]["session_id"]


def without_thoughts(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "reasoning_details"}


def outputs(told: dict[str, Any]) -> list[dict[str, str]]:
    return [{"call_id": call["call_id"], "output": f"{call['name']}: fine"} for call in told["tool_calls"]]


async def test_twelve_turns_over_three_models_are_what_upstream_takes(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    (tmp_path / "rome.png").write_bytes(PNG)
    talk = Conversation(upstream)
    async with connect() as client:
        await talk.turn(client, MINI, "Shall we talk?", instructions="Be brief.", tools=TOOLS, reasoning_effort="low")
        called = await talk.turn(client, MINI, "get_weather and get_time in Rome", reasoning_effort="high")
        assert [call["name"] for call in called["tool_calls"]] == ["get_weather", "get_time"]
        await talk.turn(client, MINI, tool_outputs=outputs(called))
        await talk.turn(client, OPUS, "Is this Rome?", attachments=["rome.png"], reasoning_effort="low")
        called = await talk.turn(client, OPUS, "And get_weather there?", reasoning_effort="low")
        upstream.script({"path": "/chat/completions", "cut_at_event": 6, "answer_chars": 2000})
        told = await talk.broken(client, OPUS, tool_outputs=outputs(called), reasoning_effort="low")
        assert told.startswith("stream_broken:")
        upstream.script()
        await talk.turn(client, OPUS, "Go on.")
    async with connect() as client:
        await talk.turn(client, FLASH, "What do you see?", reasoning_effort="low")
        called = await talk.turn(client, FLASH, "And now?", tool_choice="get_time", reasoning_effort="low")
        await talk.turn(client, MINI, tool_outputs=outputs(called))
        shaped = await talk.turn(client, OPUS, "Which city?", json_schema=CITY)
        assert set(shaped["json"]) == {"city"}
        await talk.turn(client, MINI, "Find more.", web=True)
        with_text = await client.call_tool("run", {"run_id": talk.run_id, "part": "request"})
    assert len(talk.seen) == 12
    last = talk.seen[-1]["messages"]
    roles = "".join(message["role"][0] for message in last)
    assert roles == "s" + TURNS.replace(" ", "")
    assert str(last).count("data:image/png;base64,") == 1
    assert "base64" not in with_text.structured_content["text"]
    assert [len([m for m in body["messages"] if "reasoning_details" in m]) for body in talk.seen] == [
        *(0, 1, 2),
        *(0, 1, 2, 2),
        *(0, 1),
        *(2, 2, 2),
    ]
    assert all(body["provider"] == {"require_parameters": True} for body in talk.seen)
    assert [[tool["type"] for tool in body["tools"]] for body in talk.seen[-2:]] == [
        ["function", "function"],
        ["function", "function", "openrouter:web_search"],
    ]
