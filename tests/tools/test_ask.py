"""What `ask` sends, tells, and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from or_mcp.conversation.state import AnswerState
from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems

MINI = "openai/gpt-5-mini"
PLAIN = "openai/gpt-4o-mini"
HELLO = {"model": MINI, "prompt": "Hello?"}
WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"
PDF = b"%PDF-1.4\n%%EOF\n"


def sent(upstream: Upstream, number: int = -1) -> dict[str, Any]:
    """A request body, which must be what OpenRouter's own document allows."""
    post = upstream.posts("/chat/completions")[number]
    assert not request_problems("/chat/completions", post.body)
    return post.body


def says(upstream: Upstream, content: str, finish: str = "stop", **more: Any) -> None:
    """Let the model say this."""
    choice = {"message": {"role": "assistant", "content": content, **more}, "finish_reason": finish}
    body = {"id": "gen-1", "model": MINI, "choices": [choice], "usage": {"cost": 0.001}}
    upstream.script({"path": "/chat/completions", "status": 200, "body": body})


async def refused(connect: Connect, upstream: Upstream, arguments: dict[str, Any]) -> str:
    """The words of a refusal; nothing may have been sent."""
    async with connect() as client:
        result = await client.call_tool("ask", arguments)
    assert result.is_error
    assert result.structured_content is None
    assert "Spent: nothing" in text_of(result)
    assert not upstream.posts()
    return text_of(result)


# What no question goes without, where anything bounds its price.
LIMITS = ("max_completion_tokens", "stop_server_tools_when")


async def test_every_choice_goes_upstream(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool(
            "ask",
            {
                "model": MINI,
                "fallback_models": ["openai/gpt-5-nano"],
                "reasoning_effort": "low",
                "max_output_tokens": "500",
                "temperature": 0.5,
                "web": "true",
                "max_cost_usd": 1,
                "instructions": "Be brief.",
                "prompt": "Hello?",
            },
        )
    body = sent(upstream)
    assert body.pop("session_id").startswith("or-mcp-")
    assert body == {
        "model": MINI,
        "models": ["openai/gpt-5-nano"],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "max_completion_tokens": 500,
        "temperature": 0.5,
        "reasoning": {"effort": "low"},
        "tools": [
            {
                "type": "openrouter:web_search",
                "parameters": {"engine": "exa", "max_uses": 3, "max_results": 5, "max_characters": 1500},
            }
        ],
        "stop_server_tools_when": [
            {"type": "step_count_is", "step_count": 3},
            {"type": "max_cost", "max_cost_in_dollars": 1.0},
        ],
        "stream": True,
    }
    told = result.structured_content
    assert told["status"] == "completed"
    assert told["finish_reason"] == "stop"
    assert told["citations"]
    assert all(citation["url"].startswith("https://") for citation in told["citations"])
    assert told["reasoning_summary"]
    assert "sources, as cited" in text_of(result)
    assert text_of(result).splitlines()[-1].startswith("Cost: $")


async def test_the_least_that_can_be_asked(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_DEFAULT_MODEL=MINI) as client:
        result = await client.call_tool("ask", {"prompt": "Hello?"})
    body = sent(upstream)
    assert set(body) == {"model", "messages", "session_id", "stream", *LIMITS}
    told = result.structured_content
    assert (told["model"], told["replayed"]) == (MINI, False)
    assert not {"tool_calls", "citations", "notes"} & told.keys(), "empty lists are left out"
    assert "json" not in told
    assert told["usage"]["output_tokens"] > 0
    assert told["generation_id"].startswith("gen-")


async def test_what_the_operator_demands_goes_with_every_question(connect: Connect, upstream: Upstream):
    settings = {"OR_MCP_ZDR": "on", "OR_MCP_DATA_COLLECTION": "deny", "OR_MCP_PROVIDERS_IGNORE": "deepinfra"}
    async with connect(**settings) as client:
        await client.call_tool("ask", HELLO | {"model": "anthropic/claude-opus-5"})
    assert sent(upstream)["provider"] == {"zdr": True, "data_collection": "deny", "ignore": ["deepinfra"]}


async def test_an_effort_that_the_model_does_not_have_is_left_out_and_said(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("ask", HELLO | {"model": PLAIN, "reasoning_effort": "high"})
    assert "reasoning" not in sent(upstream)
    assert f"{PLAIN} does not reason: reasoning_effort was left out." in result.structured_content["notes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": MINI}, "prompt is missing"),
        ({"model": "openai/gpt5mini-x", "prompt": "q"}, MINI),
        (HELLO | {"fallback_models": ["openai/gpt-5-nanoo"]}, "openai/gpt-5-nano"),
        (HELLO | {"fallback_models": [MINI] * 9}, "a list of at most 8"),
        (HELLO | {"reasoning_effort": "hihg"}, "Closest: 'high'"),
        (HELLO | {"max_output_tokens": 0}, "max_output_tokens was 0"),
        (HELLO | {"temperature": 3}, "from 0 to 2"),
        (HELLO | {"promt": "q"}, "did you mean 'prompt'?"),
        (HELLO | {"tool_choice": "required"}, "but tools is empty"),
        (HELLO | {"tools": [WEATHER], "tool_choice": "get_wether"}, "one of the tools: get_weather"),
        (HELLO | {"tools": [{"description": "nameless"}]}, "tools[0] has no name"),
        (HELLO | {"tools": "get_weather"}, "tools[0] was"),
        (HELLO | {"json_schema": {"type": "nope"}}, "json_schema is not a JSON Schema"),
        (HELLO | {"json_schema": {"$ref": "https://example.com/s.json"}}, "json_schema refers to"),
        (HELLO | {"json_schema": "not an object"}, "json_schema was"),
        (HELLO | {"tool_outputs": [{"call_id": "c1", "output": "x"}]}, "no tool call is waiting"),
        (HELLO | {"tool_outputs": [{"call_id": "c1"}]}, "tool_outputs[0].output is missing"),
        (HELLO | {"tool_outputs": [{"call_id": "c1", "output": "x", "id": 7}]}, "tool_outputs[0].id is unknown"),
        (HELLO | {"tool_outputs": [7]}, "tool_outputs[0] was 7"),
        (HELLO | {"continue_run": "run_nothing"}, "There is no run 'run_nothing'"),
        (HELLO | {"attachments": ["/etc/passwd"]}, "attachments"),
        (HELLO | {"attachments": ["file:///etc/passwd"]}, "attachments"),
        (HELLO | {"attachments": ["missing.png"]}, "attachments"),
    ],
)
async def test_bad_input_is_told_and_nothing_is_sent(
    connect: Connect, upstream: Upstream, arguments: dict[str, Any], words: str
):
    assert words in await refused(connect, upstream, arguments)


async def test_a_model_the_operator_does_not_allow_is_refused(connect: Connect, upstream: Upstream):
    async with connect(OR_MCP_MODELS="anthropic/*") as client:
        result = await client.call_tool("ask", HELLO)
    assert "OR_MCP_MODELS" in text_of(result)
    assert not upstream.posts()


async def test_without_a_key_it_says_how_to_get_one(connect: Connect, upstream: Upstream):
    async with connect(OPENROUTER_API_KEY="") as client:
        result = await client.call_tool("ask", HELLO)
    assert text_of(result).startswith("not_authorized: No OpenRouter key is set")
    assert not upstream.posts()


async def test_attachments_are_sent_as_upstream_takes_them(connect: Connect, upstream: Upstream, tmp_path: Path):
    for name, data in (("a.png", PNG), ("b.pdf", PDF), ("c.txt", b"words of a text")):
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / name) for name in ("a.png", "b.pdf", "c.txt")]
    async with connect() as client:
        result = await client.call_tool("ask", HELLO | {"attachments": [*files, "https://example.com/d.png"]})
    words, image, document, text, link = sent(upstream)["messages"][0]["content"]
    assert words == {"type": "text", "text": "Hello?"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert document["file"]["filename"] == "b.pdf"
    assert document["file"]["file_data"].startswith("data:application/pdf;base64,")
    assert "words of a text" in text["text"]
    assert link == {"type": "image_url", "image_url": {"url": "https://example.com/d.png"}}
    assert not result.is_error


async def test_an_attachment_the_model_cannot_take_is_refused_before_anything_is_sent(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    (tmp_path / "a.png").write_bytes(PNG)
    arguments = {"model": "deepseek/deepseek-v3.2", "prompt": "q", "attachments": [str(tmp_path / "a.png")]}
    assert "is an image; this model takes only text" in await refused(connect, upstream, arguments)


async def test_an_answer_of_the_given_shape_is_told_as_json(connect: Connect, upstream: Upstream):
    async with connect() as client:
        result = await client.call_tool("ask", HELLO | {"json_schema": PERSON})
    body = sent(upstream)
    assert body["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": PERSON}
    assert body["provider"] == {"require_parameters": True}
    assert set(result.structured_content["json"]) == {"name", "age"}
    assert not [note for note in result.structured_content.get("notes", []) if note.startswith("No json")]


@pytest.mark.parametrize(
    ("content", "json", "problem"),
    [
        ('```json\n{"name": "x", "age": 7}\n```', {"name": "x", "age": 7}, None),
        ("I would rather talk.", None, "No json: the answer is not JSON"),
        ('{"name": "x", "age": "old"}', None, "does not match json_schema at $.age"),
        ('{"name": "\\\\ud83d", "age": NaN}', None, "No json: the answer is not JSON"),
    ],
)
async def test_an_answer_of_another_shape_keeps_its_text_and_says_what_is_wrong(
    connect: Connect, upstream: Upstream, content: str, json: Any, problem: str | None
):
    async with connect() as client:
        says(upstream, content)
        result = await client.call_tool("ask", HELLO | {"json_schema": PERSON})
    told = result.structured_content
    assert told["text"] == content
    assert told.get("json") == json
    assert any(problem in note for note in told["notes"]) if problem else "notes" not in told


@pytest.mark.parametrize("schema", [{"$ref": "#/$defs/nowhere"}, {"$ref": "#"}])
async def test_an_answer_that_cannot_be_checked_is_kept(connect: Connect, upstream: Upstream, schema: dict[str, Any]):
    async with connect() as client:
        says(upstream, '{"paid": "for"}')
        result = await client.call_tool("ask", HELLO | {"json_schema": schema})
    assert result.structured_content["text"] == '{"paid": "for"}'
    assert any("json_schema cannot be applied" in note for note in result.structured_content["notes"])


async def test_numbers_too_large_for_json_reach_the_host_as_valid_json(connect: Connect, upstream: Upstream):
    async with connect(mode="legacy") as client:
        says(upstream, '{"n": 1e999}')
        result = await client.call_tool("ask", HELLO | {"json_schema": {"type": "object"}})
    assert result.structured_content["text"] == '{"n": 1e999}'
    assert "json" not in result.structured_content or result.structured_content["json"] == {"n": None}


async def test_the_web_is_searched_only_when_asked(connect: Connect, upstream: Upstream):
    async with connect() as client:
        await client.call_tool("ask", HELLO)
    assert "tools" not in sent(upstream)


async def test_which_model_answered_is_told_when_the_first_could_not(connect: Connect, upstream: Upstream):
    # None of the allowed providers serves the first.
    async with connect(OR_MCP_PROVIDERS_ONLY="anthropic") as client:
        result = await client.call_tool(
            "ask", {"prompt": "Hello?", "model": "x-ai/grok-4.5", "fallback_models": ["anthropic/claude-haiku-4.5"]}
        )
    told = result.structured_content
    assert told["model"] == "anthropic/claude-haiku-4.5"
    assert "x-ai/grok-4.5 failed; anthropic/claude-haiku-4.5 answered instead." in told["notes"]


async def test_an_answer_cut_off_says_so(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "truncated": True})
    async with connect() as client:
        result = await client.call_tool("ask", HELLO)
    assert result.structured_content["finish_reason"] == "length"
    assert any("cut off at its token limit" in note for note in result.structured_content["notes"])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"refusal": "I will not say that."}, "refused"),
        ({"empty_completion": True}, "upstream_failed"),
        ({"cut_at_event": 3}, "stream_broken"),
        ({"reset_at_event": 3}, "stream_broken"),
        ({"malformed_at_event": 3}, "stream_broken"),
        ({"error_at_event": 3, "status": 429}, "rate_limited"),
        ({"error_in_200": True, "status": 502}, "upstream_failed"),
        ({"status": 200, "body": "", "content_type": "application/json"}, "stream_broken"),
        ({"status": 403, "message": "Key limit exceeded"}, "no_credit"),
        ({"status": 400, "error_type": "context_length_exceeded"}, "invalid_request"),
    ],
)
async def test_every_failure_has_its_kind_and_is_sent_once(
    connect: Connect, upstream: Upstream, fault: dict[str, Any], kind: str
):
    upstream.script({"path": "/chat/completions", **fault})
    async with connect() as client:
        result = await client.call_tool("ask", HELLO)
    assert result.is_error
    assert text_of(result).startswith(f"{kind}:")
    assert "Next: " in text_of(result)
    assert len(upstream.posts()) == 1


async def test_what_arrived_of_a_broken_answer_can_be_read(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "cut_at_event": 6, "answer_chars": 2000})
    async with connect() as client:
        told = text_of(await client.call_tool("ask", HELLO))
        kept = await client.call_tool("run", {"run_id": told.partition("Run: ")[2].split()[0]})
    assert told.startswith("stream_broken:")
    assert "Spent: unknown (generation gen-" in told
    assert kept.structured_content["status"] == "failed"
    assert "[simulated]" in kept.structured_content["text"]
    assert kept.structured_content["error"].startswith("stream_broken:")


async def test_a_long_answer_is_cut_with_the_way_to_the_rest(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "answer_chars": 100_000})
    async with connect() as client:
        result = await client.call_tool("ask", HELLO)
        run_id = result.structured_content["run_id"]
        text, offset = "", 0
        while offset is not None:
            page = await client.call_tool("run", {"run_id": run_id, "part": "result", "offset": offset})
            text += page.structured_content["text"]
            offset = page.structured_content.get("next_offset")
        nobody = await client.call_tool("run", {"run_id": run_id, "part": "panel"})
    assert len(text_of(result)) <= 48_000
    assert len(str(result.structured_content)) <= 48_000
    assert f"run(run_id={run_id!r}, part='result'" in result.structured_content["text"]
    assert len(text) == 100_000
    shown, _, rest = result.structured_content["text"].partition("… [cut: ")
    assert text.startswith(shown)
    assert f"offset={len(shown)})" in rest
    assert text_of(result).splitlines()[0].endswith(run_id)
    assert "is a run of ask: part takes result, request or events" in text_of(nobody)


async def test_what_matters_stands_before_a_long_answer(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "answer_chars": 30_000, "truncated": True})
    async with connect() as client:
        result = await client.call_tool("ask", HELLO)
    first, *_, last = text_of(result).splitlines()
    assert first.startswith("Cut off at its token limit · ")
    assert first.endswith(result.structured_content["run_id"])
    assert "raise max_output_tokens" in text_of(result)[:2000]
    assert last.startswith("Cost: $")


async def test_tool_calls_too_large_for_a_host_are_cut_and_can_be_read_to_the_end(connect: Connect, upstream: Upstream):
    arguments = '{"text": "' + "x" * 100_000 + '"}'
    call = {"id": "c1", "type": "function", "function": {"name": "save", "arguments": arguments}}
    async with connect() as client:
        says(upstream, "", "tool_calls", tool_calls=[call])
        result = await client.call_tool("ask", HELLO | {"tools": [{"name": "save"}]})
        run_id = result.structured_content["run_id"]
        text, offset = "", 0
        while offset is not None:
            page = await client.call_tool("run", {"run_id": run_id, "part": "result", "offset": offset})
            text += page.structured_content["text"]
            offset = page.structured_content.get("next_offset")
    assert max(len(text_of(result)), len(str(result.structured_content))) <= 48_000
    assert "part='result'" in result.structured_content["tool_calls"][0]["arguments"]
    assert text == f"tool call c1: save({arguments})"


async def test_an_answer_that_a_filter_stopped_says_so(connect: Connect, upstream: Upstream):
    async with connect() as client:
        says(upstream, "As far as", "content_filter")
        result = await client.call_tool("ask", HELLO)
    assert result.structured_content["text"] == "As far as"
    assert "Note: The provider's filter stopped the answer" in text_of(result)


async def test_an_alias_that_answered_is_no_fallback_and_a_fallback_by_alias_is(connect: Connect, upstream: Upstream):
    latest = "~anthropic/claude-haiku-latest"
    async with connect() as client:
        plain = await client.call_tool("ask", {"prompt": "Hello?", "model": latest, "fallback_models": [MINI]})
    async with connect(OR_MCP_PROVIDERS_ONLY="anthropic") as client:
        other = await client.call_tool("ask", {"prompt": "Hi?", "model": "x-ai/grok-4.5", "fallback_models": [latest]})
    assert not [note for note in plain.structured_content.get("notes", []) if "answered instead" in note]
    assert other.structured_content["model"] == "anthropic/claude-haiku-4.5"
    assert f"x-ai/grok-4.5 failed; {latest} answered instead." in other.structured_content["notes"]


async def test_a_value_too_large_for_any_host_is_left_to_the_text(connect: Connect, upstream: Upstream):
    async with connect() as client:
        says(upstream, "[" + ",".join(['"0123456789"'] * 8000) + "]")
        result = await client.call_tool("ask", HELLO | {"json_schema": {"type": "array"}})
    assert len(str(result.structured_content)) <= 48_000
    assert "json" not in result.structured_content


async def test_a_call_answers_running_and_run_brings_the_answer(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "duration_s": 1})
    async with connect() as client:
        begun = await client.call_tool("ask", HELLO | {"wait_seconds": 0})
        run_id = begun.structured_content["run_id"]
        early = await client.call_tool("ask", {"continue_run": run_id, "prompt": "And?"})
        done = await client.call_tool("run", {"run_id": run_id, "wait_seconds": 20})
    assert begun.structured_content["status"] == "running"
    assert text_of(begun).startswith("Running · asked openai/gpt-5-mini · ")
    assert f"continue_run {run_id} is still running" in text_of(early)
    assert done.structured_content["tool"] == "ask"
    assert done.structured_content["finish_reason"] == "stop"


async def test_the_same_question_is_one_run_until_it_was_received(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "duration_s": 0.5})
    async with connect() as client:
        await client.call_tool("ask", HELLO | {"wait_seconds": 0})
        joined = await client.call_tool("ask", HELLO)
    assert joined.structured_content["replayed"] is True
    assert any("nothing was paid now" in note for note in joined.structured_content["notes"])
    assert len(upstream.posts()) == 1


async def test_a_file_that_was_changed_makes_another_question(connect: Connect, upstream: Upstream, tmp_path: Path):
    upstream.script({"path": "/chat/completions", "duration_s": 0.3})
    arguments = HELLO | {"attachments": ["a.txt"], "wait_seconds": 0}
    replayed: list[bool] = []
    async with connect() as client:
        for words in ("one", "one", "two"):
            (tmp_path / "a.txt").write_text(words)
            replayed.append((await client.call_tool("ask", arguments)).structured_content["replayed"])
    assert replayed == [False, True, False]


async def test_a_long_answer_is_told_while_it_streams(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/chat/completions", "duration_s": 1.6, "answer_chars": 8000})
    told: list[tuple[float, str]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is None or progress <= total
        told.append((progress, message or ""))

    async with connect(mode="legacy") as client:
        result = await client.call_tool("ask", HELLO | {"reasoning_effort": "low"}, progress_callback=hear)
        assert not result.is_error, text_of(result)
        before = len(told)
        await client.call_tool("run", {})
    values = [value for value, _ in told]
    assert values == sorted(set(values))
    assert len(told) == before
    assert all(len(message) < 200 for _, message in told)
    assert f"{MINI} writing " in told[-1][1]
    assert told[-1][1].endswith("chars")


async def test_a_catalogue_that_cannot_be_read_does_not_stop_a_question(connect: Connect, upstream: Upstream):
    upstream.script({"path": "/models", "status": 404})
    async with connect() as client:
        result = await client.call_tool("ask", HELLO)
    assert result.structured_content["finish_reason"] == "stop"
    assert any("Cost not estimated" in note for note in result.structured_content["notes"])


async def test_a_bug_of_ours_is_told_as_ours_and_the_run_can_still_be_read(
    connect: Connect, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
):
    def crash(*_: Any) -> None:
        raise RuntimeError("SECRET-DETAIL")

    async with connect() as client:
        monkeypatch.setattr(AnswerState, "check_ended", crash)
        told = text_of(await client.call_tool("ask", HELLO))
        kept = await client.call_tool("run", {"run_id": told.partition("Run: ")[2].split()[0]})
    assert told.startswith("internal: or-mcp itself failed")
    assert "SECRET-DETAIL" not in told
    assert "Spent: $" in told
    assert kept.structured_content["status"] == "failed"
    assert kept.structured_content["text"].startswith("[simulated]")
