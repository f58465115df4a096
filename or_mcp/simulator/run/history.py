"""What a conversation carries from turn to turn on /chat/completions, and what providers refuse in it.

Reasoning is sealed by whoever made it: it is refused when it was changed, or comes back to somebody else. What was read
from a document is told once, and needs no reading while the conversation carries it.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from or_mcp.simulator.run.texts import MARK
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import JsonObject, as_object, objects

_FORMATS = {"anthropic": "anthropic-claude-v1", "openai": "openai-responses-v1", "google": "google-gemini-v1"}
_MAKERS = {form: author for author, form in _FORMATS.items()}


def thoughts(reasoning: str, author: str) -> list[JsonObject]:
    """`reasoning_details` for a reasoning, the way its maker's models give them."""
    if not reasoning:
        return []
    form: JsonObject = {"format": _FORMATS.get(author, "unknown")}
    if author == "anthropic":
        return [{"type": "reasoning.text", "text": reasoning, "signature": _seal(reasoning)} | form]
    if author == "openai":
        data = b64encode(reasoning.encode()).decode()
        sealed: JsonObject = {"type": "reasoning.encrypted", "data": f"{data}.{_seal(data)}"}
        return [{"type": "reasoning.summary", "summary": reasoning} | form, sealed | form]
    return [{"type": "reasoning.text", "text": reasoning} | form]


def check_thoughts(body: JsonObject, author: str) -> None:
    """Refuse reasoning that was changed, or that another maker's model has made."""
    for message in objects(body.get("messages")):
        for detail in objects(message.get("reasoning_details")):
            maker = _MAKERS.get(str(detail.get("format")))
            if maker is not None and (maker != author or not _is_intact(detail)):
                raise invalid(f"Invalid signature in the reasoning of a message: {author} did not make it like this")


def check_tool_messages(body: JsonObject) -> None:
    """Refuse tool calls without their outputs, and outputs without their calls."""
    open_calls: set[str] = set()
    for message in objects(body.get("messages")):
        if message.get("role") == "tool":
            call_id = str(message.get("tool_call_id"))
            if call_id not in open_calls:
                raise invalid(f"Messages with role 'tool' must answer a preceding tool call; {call_id} answers none")
            open_calls.discard(call_id)
            continue
        _check_all_answered(open_calls)
        open_calls = {str(call.get("id")) for call in objects(message.get("tool_calls"))}
    _check_all_answered(open_calls)


def read_documents(body: JsonObject) -> list[JsonObject]:
    """Annotations for the documents of a conversation that no annotation in it tells of yet."""
    told = {str(as_object(note.get("file")).get("hash")) for note in _annotations(body)}
    found: dict[str, JsonObject] = {}
    for message in objects(body.get("messages")):
        for part in objects(message.get("content")):
            file = as_object(part.get("file"))
            digest = sha256(str(file.get("file_data")).encode()).hexdigest()
            if part.get("type") == "file" and digest not in told:
                words = [{"type": "text", "text": f"{MARK}the text of {file.get('filename')}"}]
                file = {"hash": digest, "name": file.get("filename"), "content": words}
                found[digest] = {"type": "file", "file": file}
    return list(found.values())


def _annotations(body: JsonObject) -> Iterator[JsonObject]:
    for message in objects(body.get("messages")):
        yield from objects(message.get("annotations"))


def _check_all_answered(open_calls: set[str]) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'"
            f"; missing are {', '.join(sorted(open_calls))}"
        )


def _seal(text: str) -> str:
    return b64encode(sha256(f"simulated {text}".encode()).digest()).decode()


def _is_intact(detail: JsonObject) -> bool:
    match detail.get("type"):
        case "reasoning.text" if detail.get("format") == _FORMATS["anthropic"]:
            return detail.get("signature") == _seal(str(detail.get("text")))
        case "reasoning.encrypted":
            data, _, seal = str(detail.get("data")).partition(".")
            return seal == _seal(data)
        case _:
            return True
