"""What was said so far, as the API takes it. Upstream remembers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from pydantic import JsonValue, TypeAdapter

from or_mcp.openrouter.wire.sessions import new_session
from or_mcp.runs.pieces import Context

Message = dict[str, Any]

# In place of a picture's bytes, until it is sent: how it stands on the shelf.
ON_SHELF = "shelf:"
# The record of a tool that upstream itself ran: any model can take up from there.
_EVERYBODYS = "reasoning.server_tool_call"
# Gemini's thoughts are opened by the provider that sealed them alone; other makers' by whoever serves their models.
_SEALED_THERE = "google-gemini"
# Beside such thoughts: which provider that was. It is not sent.
_SEALED_BY = "sealed_by"


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation: its messages, the functions its models may call until others are given, and the MCP servers whose
    tools they were.
    """

    session_id: str
    messages: tuple[Message, ...] = ()
    functions: tuple[Message, ...] = ()
    servers: tuple[str, ...] = ()

    @classmethod
    def new(cls) -> Thread:
        """A conversation that begins."""
        return cls(new_session())

    def kept(self) -> Context:
        """The thread as it is kept. A long one takes time: call it in a thread."""
        return Context.of(_THREAD.dump_python(self))

    @classmethod
    def load(cls, kept: Context) -> Thread:
        """The thread that was kept."""
        return _THREAD.validate_python(kept.value())

    @property
    def is_unanswered(self) -> bool:
        """Whether the last word is the caller's: a question or a tool's output that no model has answered."""
        return bool(self.messages) and self.messages[-1]["role"] in ("user", "tool")

    @property
    def goes_on(self) -> bool:
        """Whether a model has answered in it."""
        return any(message["role"] == "assistant" for message in self.messages)

    @property
    def has_calls(self) -> bool:
        """Whether a model has called a function in it."""
        return any(message.get("tool_calls") for message in self.messages)

    def pending_calls(self) -> dict[str, str]:
        """Tool calls of the last message that still need an output: id and name."""
        if not self.messages:
            return {}
        calls = cast("list[Message]", self.messages[-1].get("tool_calls") or [])
        return {str(call["id"]): str(call["function"]["name"]) for call in calls}

    def parts(self) -> list[Message]:
        """Every content part, attachments among them."""
        contents = [message.get("content") for message in self.messages]
        return [part for content in contents if isinstance(content, list) for part in cast("list[Message]", content)]

    @property
    def sealed_by(self) -> str:
        """The provider that alone can open what was thought last; empty where any can."""
        return next((str(each[_SEALED_BY]) for each in reversed(self.messages) if _SEALED_BY in each), "")

    def as_sent(self) -> tuple[Message, ...]:
        """The messages without what is only known here."""
        return tuple(_without(message, _SEALED_BY) for message in self.messages)

    @property
    def pictures(self) -> int:
        """How many models have drawn in it, and tools have shown."""
        return sum(len(message.get("images") or ()) for message in self.messages)

    def without_pictures(self) -> Thread:
        """The same, with nothing of what models have drawn and tools have shown."""
        return replace(self, messages=tuple(_without(message, "images") for message in self.messages))

    def with_pictures(self, data_url: Callable[[str], str | None]) -> Thread:
        """The same, with the bytes of those pictures, as far as they are still there; it may take long."""
        return replace(self, messages=tuple(_with_images(message, data_url) for message in self.messages))

    def for_models(self, reads: Callable[[str], bool], *, routed: bool) -> tuple[Message, ...]:
        """The messages as they are sent: reasoning goes back unmodified, and only to models that can read it.

        `reads` says whether the next model reads what another has thought. Where upstream still chooses the model
        (`routed`), only the thoughts behind the tool calls that are being answered go along.
        """
        asked = max((at for at, message in enumerate(self.messages) if message["role"] == "user"), default=-1)
        read = [
            message
            if reads(str(message.get("model", ""))) or (routed and at > asked)
            else _without_private_thoughts(message)
            for at, message in enumerate(self.messages)
        ]
        return tuple(_shown_apart(read))


_THREAD: TypeAdapter[Thread] = TypeAdapter(Thread)


def with_thoughts(message: Message, thoughts: Sequence[JsonValue], provider: str | None) -> Message:
    """An answer with what was thought before it, at which provider."""
    is_sealed = any(isinstance(each, dict) and _is_sealed_there(each) for each in thoughts)
    seal = {_SEALED_BY: provider} if provider and is_sealed else {}
    return message | {"reasoning_details": list(thoughts)} | seal


def _is_sealed_there(thought: Message) -> bool:
    form = str(thought.get("format"))
    return form.startswith(_SEALED_THERE) and bool(thought.get("data") or thought.get("signature"))


def _without(message: Message, *names: str) -> Message:
    return {name: value for name, value in message.items() if name not in names}


def _with_images(message: Message, data_url: Callable[[str], str | None]) -> Message:
    urls = [str(image["image_url"]["url"]) for image in cast("list[Message]", message.get("images") or [])]
    if not any(url.startswith(ON_SHELF) for url in urls):
        return message
    read = [data_url(url.removeprefix(ON_SHELF)) if url.startswith(ON_SHELF) else url for url in urls]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in read if url is not None]
    return _without(message, "images") | ({"images": images} if images else {})


def _shown_apart(messages: Sequence[Message]) -> Iterator[Message]:
    """Outputs of tools are words alone: the pictures of several in a row follow them, as the caller's."""
    shown: list[Message] = []
    call = 0
    for message in messages:
        is_output = message["role"] == "tool"
        call = call + 1 if is_output else 0
        if shown and not is_output:
            yield {"role": "user", "content": shown}
            shown = []
        if is_output and message.get("images"):
            shown += [{"type": "text", "text": f"What call {call} of these showed:"}, *message["images"]]
        yield _without(message, "images") if is_output else message
    if shown:
        yield {"role": "user", "content": shown}


def _without_private_thoughts(message: Message) -> Message:
    if not message.get("reasoning_details"):
        return message
    thoughts = cast("list[Message]", [each for each in message["reasoning_details"] if isinstance(each, dict)])
    shared = [each for each in thoughts if each.get("type") == _EVERYBODYS]
    rest = _without(message, "reasoning_details", _SEALED_BY)
    return rest | ({"reasoning_details": shared} if shared else {})
