"""An answer while it arrives: chunks go in, what was said so far can be read at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from pydantic import JsonValue
from pydantic_core import from_json

from or_mcp.conversation.thread import ON_SHELF, Message, with_thoughts
from or_mcp.files.made import MadeFile
from or_mcp.openrouter.errors import Failure, Refused, StreamBroken, UpstreamFailed, from_error, shorten
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire import usage as wire
from or_mcp.openrouter.wire.chat import ChatAnnotation, ChatChunk, ChatMessage, Choice, Routing, ToolCall
from or_mcp.openrouter.wire.citations import Annotation
from or_mcp.openrouter.wire.lenient import Maybe

_FRAGMENTS = frozenset({"text", "summary"})


@dataclass(frozen=True, slots=True)
class CalledTool:
    """A function the model wants called."""

    call_id: str
    name: str
    arguments: str

    def as_message(self) -> Message:
        """The call as the API takes it back."""
        function = {"name": self.name, "arguments": self.arguments or "{}"}
        return {"id": self.call_id, "type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Citation:
    """A page the answer cites: for which of its characters, and in which words of the page."""

    url: str
    title: str
    start: Maybe[int] = None
    end: Maybe[int] = None
    quote: Maybe[str] = None


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that is known of an answer."""

    text: str = ""
    tool_calls: tuple[CalledTool, ...] = ()
    citations: tuple[Citation, ...] = ()
    reasoning_summary: str | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    provider_cost_usd: Decimal | None = None
    generation_id: str | None = None
    service_tier: str | None = None
    # How a router, an alias or a fallback came to the model; none where the one that was asked has answered.
    routed: str | None = None
    reasoning_details: tuple[JsonValue, ...] = ()
    documents: tuple[JsonValue, ...] = ()
    files: tuple[MadeFile, ...] = ()

    @property
    def whole_calls(self) -> tuple[CalledTool, ...]:
        """The tool calls that can be answered: one that was cut off at the token limit cannot."""
        cut_off = self.finish_reason == "length"
        return tuple(call for call in self.tool_calls if not cut_off or _is_json(call.arguments or "{}"))

    def message(self, *, whole: bool) -> Message | None:
        """The answer as the next turn sends it back; reasoning goes back unmodified.

        Of an answer that is not `whole` only the text can be taken up again.
        """
        message: Message = {"role": "assistant", "content": self.text or None}
        if self.model:
            message["model"] = self.model
        if not whole:
            return message if self.text else None
        if self.whole_calls:
            message["tool_calls"] = [call.as_message() for call in self.whole_calls]
        if self.reasoning_details:
            message = with_thoughts(message, self.reasoning_details, self.provider)
        if self.documents:
            # What upstream read from a document: with it, the document is not read, and paid for, once more.
            message["annotations"] = list(self.documents)
        pictures = [file for file in self.files if file.mime.startswith("image/")]
        if pictures:
            message["images"] = [
                {"type": "image_url", "image_url": {"url": ON_SHELF + each.stored}} for each in pictures
            ]
        return message if self.text or self.whole_calls or pictures else None


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class AnswerState:
    """What the chunks have said."""

    generation_id: str | None = None
    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    usage: wire.Usage | None = None
    service_tier: str | None = None
    routing: Routing | None = None
    details: list[JsonValue] = field(default_factory=list[JsonValue])
    calls: dict[int, _Call] = field(default_factory=dict[int, _Call])
    cited: dict[str, Citation] = field(default_factory=dict[str, Citation])
    documents: list[JsonValue] = field(default_factory=list[JsonValue])
    # Pictures that are still to be kept, as data URLs, and sound in base64; then what was kept.
    pictures: list[str] = field(default_factory=list[str], repr=False)
    sound: list[str] = field(default_factory=list[str], repr=False)
    files: list[MadeFile] = field(default_factory=list[MadeFile])

    def apply(self, chunk: ChatChunk) -> None:
        """Take one chunk in.

        Raises:
            Failure: The chunk says that the request failed.
        """
        self.generation_id = self.generation_id or chunk.id
        self.model = chunk.model or self.model
        self.provider = chunk.provider or self.provider
        self.usage = chunk.usage or self.usage
        self.service_tier = chunk.service_tier or self.service_tier
        self.routing = chunk.openrouter_metadata or self.routing
        for choice in chunk.choices[:1]:
            self._choose(choice)
        error = chunk.error or next((choice.error for choice in chunk.choices if choice.error), None)
        if error is not None:
            raise from_error(error, generation_id=self.generation_id, may_be_billed=True)
        if self.finish_reason == "error":
            raise self._failed("The provider failed in the middle of its answer")

    def check_ended(self) -> None:
        """A stream that just stops is no answer, and neither is an empty one.

        Raises:
            StreamBroken: No finish reason has arrived.
            Refused: The model declined.
            UpstreamFailed: It ended with nothing said.
        """
        if self.finish_reason is None:
            raise StreamBroken(
                "The stream ended without saying that the answer is complete",
                generation_id=self.generation_id,
                may_be_billed=True,
            )
        if self.text or self.calls or self.files or self.sound:
            return
        if self.refusal or self.finish_reason == "content_filter":
            raise Refused(
                "The model declined to answer",
                quote=self.refusal,
                generation_id=self.generation_id,
                may_be_billed=True,
            )
        if self.finish_reason == "length":
            raise self._failed("All output tokens went into reasoning; raise max_output_tokens")
        raise self._failed("The answer is empty")

    def said(self) -> Said:
        """What it amounts to so far."""
        usage = self.usage
        return Said(
            text=self.text,
            tool_calls=tuple(self._called()),
            citations=tuple(self.cited.values()),
            reasoning_summary=shorten(self.reasoning, 1000) or None,
            model=self.model,
            provider=self.provider,
            finish_reason=self.finish_reason,
            usage=Usage.of(usage) if usage else None,
            cost_usd=usage.cost if usage else None,
            provider_cost_usd=usage.provider_cost if usage else None,
            generation_id=self.generation_id,
            service_tier=self.service_tier,
            routed=_told(self.routing),
            reasoning_details=tuple(self.details),
            documents=tuple(self.documents),
            files=tuple(self.files),
        )

    def _choose(self, choice: Choice) -> None:
        self.finish_reason = choice.finish_reason or self.finish_reason
        piece = choice.delta or choice.message
        if piece is None:
            return
        self.text += _text(piece)
        self.refusal += piece.refusal or ""
        self.reasoning += piece.reasoning or ""
        for detail in piece.reasoning_details:
            self._detail(detail)
        for place, call in enumerate(piece.tool_calls):
            self._call(call, place)
        for note in piece.annotations:
            self._annotate(note)
        self.pictures += [image.image_url.url for image in piece.images]
        if piece.audio is not None:
            self.text += piece.audio.transcript or ""
            self.sound += [piece.audio.data] if piece.audio.data else []

    def _call(self, fragment: ToolCall, place: int) -> None:
        call = self.calls.setdefault(fragment.index if fragment.index is not None else place, _Call())
        call.id = fragment.id or call.id
        if fragment.function is not None:
            call.name = fragment.function.name or call.name
            call.arguments += fragment.function.arguments or ""

    def _detail(self, detail: JsonValue) -> None:
        """Words of one detail are joined; everything else is kept as it came."""
        last = self.details[-1] if self.details else None
        if not _continues(last, detail):
            self.details.append(detail)
            return
        joined, new = cast("dict[str, Any]", last), cast("dict[str, Any]", detail)
        for name, value in new.items():
            known = joined.get(name)
            if name in _FRAGMENTS and isinstance(known, str) and isinstance(value, str):
                joined[name] = known + value
            elif value is not None:
                joined[name] = value

    def _called(self) -> Iterator[CalledTool]:
        for place, call in sorted(self.calls.items()):
            # Some providers give no id; an output must name one, and no other turn may have the same.
            yield CalledTool(call.id or f"call_{self.generation_id}_{place}", call.name, call.arguments)

    def _annotate(self, note: ChatAnnotation) -> None:
        if note.file is not None:
            document: JsonValue = {"type": "file", "file": note.file}
            if document not in self.documents:
                self.documents.append(document)
        found = note.url_citation
        if found is not None and found.url and found.url.startswith(("https://", "http://")):
            self.cited.setdefault(found.url, _citation(found.url, found))

    def _failed(self, words: str) -> Failure:
        return UpstreamFailed(words, generation_id=self.generation_id, may_be_billed=True)


def _told(routing: Routing | None) -> str | None:
    if routing is None or routing.strategy in (None, "direct"):
        return None
    return f"{routing.strategy}: {routing.summary}" if routing.summary else routing.strategy


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _continues(last: JsonValue, detail: JsonValue) -> bool:
    """Whether it is more of the same: nothing that is sealed, signed or named may be changed by joining."""
    if not isinstance(last, dict) or not isinstance(detail, dict) or detail.get("index") is None:
        return False
    if last.get("type") != detail.get("type") or (last.get("data") is not None and detail.get("data") is not None):
        return False
    fixed = (last.keys() & detail.keys()) - _FRAGMENTS
    return all(last[name] == detail[name] for name in fixed if None not in (last[name], detail[name]))


def _text(piece: ChatMessage) -> str:
    content = piece.content
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))


def _citation(url: str, found: Annotation) -> Citation:
    start, end = found.start_index, found.end_index
    placed = start is not None and end is not None and start < end
    return Citation(
        url[:2000],
        shorten(found.title or url, 200),
        start if placed else None,
        end if placed else None,
        shorten(found.content) or None if found.content else None,
    )
