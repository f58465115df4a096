"""What a conversation carries from turn to turn, and what providers refuse in it.

Reasoning is sealed by whoever made it: it is refused when it was changed, or comes back to somebody else. Refused is a
call without its output too, and an output without its call, whichever API it comes through.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import TypeAlias

from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import JsonObject, as_object, compact, objects

_FORMATS = {
    "anthropic": "anthropic-claude-v1",
    "openai": "openai-responses-v1",
    "google": "google-gemini-v1",
    "x-ai": "xai-responses-v1",
}
_MAKERS = {form: author for author, form in _FORMATS.items()}
# They show a summary and seal the rest; the others tell all they thought.
_SEALING = ("openai", "x-ai")


def format_of(author: str) -> str:
    """The name of the form a maker's reasoning has."""
    return _FORMATS.get(author, "unknown")


def sealed(reasoning: str, author: str, slug: str, provider: str) -> str:
    """Reasoning only its maker can read: base64 that begins with who that is, and who served it."""
    body = {"endpoint_slug": f"{slug}|{provider}", "text": reasoning, "seal": _seal(author, reasoning)}
    return b64encode(compact(body).encode()).decode()


def signature_of(reasoning: str, author: str) -> str:
    """What a maker signs its open reasoning with."""
    return _seal(author, reasoning)


def thoughts(reasoning: str, author: str, slug: str, provider: str, call_ids: list[str]) -> list[JsonObject]:
    """`reasoning_details` for a reasoning, the way its maker's models give them on /chat/completions."""
    if not reasoning:
        return []
    form: JsonObject = {"format": format_of(author)}
    if author == "anthropic":
        return [{"type": "reasoning.text", "text": reasoning, "signature": signature_of(reasoning, author)} | form]
    if author in _SEALING:
        data = {"type": "reasoning.encrypted", "data": sealed(reasoning, author, slug, provider)}
        return [{"type": "reasoning.summary", "summary": reasoning} | form, data | form]
    told = {"type": "reasoning.text", "text": reasoning} | form
    if author != "google":
        return [told]
    # Gemini signs each of the calls it makes at once, under the call's own id.
    seals = {each: sealed(each, author, slug, provider) for each in call_ids}
    return [told, *({"type": "reasoning.encrypted", "data": seal, "id": each} | form for each, seal in seals.items())]


def reasoning_item(reasoning: str, author: str, slug: str, provider: str) -> JsonObject:
    """What an item of type reasoning holds on /responses."""
    item: JsonObject = {"type": "reasoning", "summary": [], "format": format_of(author)}
    if author in _SEALING:
        summary = [{"type": "summary_text", "text": reasoning}]
        return item | {"summary": summary, "encrypted_content": sealed(reasoning, author, slug, provider)}
    item["content"] = [{"type": "reasoning_text", "text": reasoning}]
    if author == "anthropic":
        item["signature"] = signature_of(reasoning, author)
    if author == "google":
        item["encrypted_content"] = sealed(reasoning, author, slug, provider)
    return item


def check_thoughts(body: JsonObject, author: str) -> None:
    """Refuse reasoning that was changed, or that another maker's model has made."""
    for part in _thoughts_in(body):
        maker = _MAKERS.get(str(part.get("format"))) if part.get("type") != "thinking" else author
        if maker is not None and (maker != author or not _is_intact(part, maker)):
            raise invalid(f"Invalid signature in the reasoning of a message: {author} did not make it like this")


def check_served_as_before(body: JsonObject, provider: str) -> None:
    """Refuse what Gemini sealed at another provider: whoever serves it opens its own seals alone."""
    for part in _thoughts_in(body):
        data = part.get("data") or part.get("encrypted_content")
        if part.get("format") == _FORMATS["google"] and data is not None:
            served = str(as_object(json.loads(b64decode(str(data)))).get("endpoint_slug"))
            if served.rpartition("|")[2] != provider:
                raise invalid("Corrupted thought signature.")


def _thoughts_in(body: JsonObject) -> Iterator[JsonObject]:
    """The sealed parts of a conversation, whichever API spells it."""
    for message in [*objects(body.get("messages")), *objects(body.get("input"))]:
        if message.get("type") == "reasoning":
            yield message
        yield from objects(message.get("reasoning_details"))
        yield from (part for part in objects(message.get("content")) if part.get("type") == "thinking")


def _is_intact(part: JsonObject, maker: str) -> bool:
    words = (
        part.get("thinking")
        or part.get("text")
        or "".join(str(each.get("text")) for each in objects(part.get("content")))
    )
    needs_signature = part.get("type") == "thinking" or (
        maker == "anthropic" and part.get("type") != "reasoning.summary"
    )
    if needs_signature and part.get("signature") != signature_of(str(words), maker):
        return False
    data = part.get("data") or part.get("encrypted_content")
    return data is None or _opens(str(data), maker)


def _opens(data: str, maker: str) -> bool:
    try:
        held = as_object(json.loads(b64decode(data, validate=True)))
    except ValueError:
        return False
    return held.get("seal") == _seal(maker, str(held.get("text")))


_Step: TypeAlias = tuple[str, str]


def check_tool_messages(api: str, body: JsonObject) -> None:
    """Refuse tool calls without their outputs, and outputs without their calls."""
    open_calls: set[str] = set()
    for kind, call_id in _STEPS[api](body):
        match kind:
            case "call":
                open_calls.add(call_id)
            case "output" if call_id in open_calls:
                open_calls.discard(call_id)
            case "output":
                raise invalid(f"A tool output must answer a preceding tool call; {call_id} answers none")
            case _:
                _check_all_answered(open_calls)
    _check_all_answered(open_calls)


def _chat_steps(body: JsonObject) -> Iterator[_Step]:
    for message in objects(body.get("messages")):
        if message.get("role") == "tool":
            yield "output", str(message.get("tool_call_id"))
            continue
        yield "said", ""
        yield from (("call", str(call.get("id"))) for call in objects(message.get("tool_calls")))


def _messages_steps(body: JsonObject) -> Iterator[_Step]:
    for message in objects(body.get("messages")):
        parts = objects(message.get("content"))
        outputs = [str(part.get("tool_use_id")) for part in parts if part.get("type") == "tool_result"]
        yield from (("output", each) for each in outputs)
        yield "said", ""
        yield from (("call", str(part.get("id"))) for part in parts if part.get("type") == "tool_use")


def _responses_steps(body: JsonObject) -> Iterator[_Step]:
    # Items may stand between a call and its output here.
    for item in objects(body.get("input")):
        kind = str(item.get("type"))
        if kind.endswith("_call_output"):
            yield "output", str(item.get("call_id"))
        elif kind in ("function_call", "custom_tool_call"):
            yield "call", str(item.get("call_id"))


_STEPS = {"chat": _chat_steps, "messages": _messages_steps, "responses": _responses_steps}


def _check_all_answered(open_calls: set[str]) -> None:
    if open_calls:
        raise invalid(f"No tool output found for tool call {', '.join(sorted(open_calls))}")


def check_thinking_kept(body: JsonObject, *, thinks: bool) -> None:
    """Refuse, on /messages, an unfinished turn that calls tools and has lost the thinking it began with."""
    if not thinks:
        return
    for message in reversed(objects(body.get("messages"))):
        parts = objects(message.get("content"))
        kinds = [part.get("type") for part in parts]
        if message.get("role") == "user" and "tool_result" not in kinds:
            return
        if message.get("role") == "assistant" and "tool_use" in kinds and kinds[0] not in _OPENS_A_TURN:
            raise invalid(f"Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`")


_OPENS_A_TURN = ("thinking", "redacted_thinking")


def _seal(author: str, text: str) -> str:
    return b64encode(sha256(f"simulated {author} {text}".encode()).digest()).decode()
