"""A fusion while it runs: upstream's events go in, what has happened so far can be read at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from or_mcp.openrouter.errors import Failure, StreamBroken, UpstreamFailed, from_error
from or_mcp.openrouter.wire.citations import Annotation
from or_mcp.openrouter.wire.errors import ErrorBody
from or_mcp.openrouter.wire.responses import ENDINGS, FAILURES, OutputItem, Response, ResponseEvent

PanelistStatus = Literal["pending", "answered", "failed"]
_PREFIX = "response.fusion_call."


@dataclass(slots=True)
class Panelist:
    """One member of the panel, as far as it has come."""

    model: str
    status: PanelistStatus = "pending"
    text: str = ""
    thinking: bool = False
    error: str | None = None
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step worth telling and recording; deltas are not."""

    step: Literal[
        "panelist_started",
        "panelist_answered",
        "panelist_failed",
        "analysis_started",
        "analysis_finished",
        "answer_started",
        "finished",
    ]
    model: str = ""
    detail: str = ""


@dataclass(slots=True)
class FusionState:
    """Everything the events have said. `planned` are the models the caller named, in order."""

    planned: tuple[str, ...] = ()
    panel: list[Panelist] = field(default_factory=list[Panelist])
    analyst: str | None = None
    analysis_started: bool = False
    analysis_event: object = None
    items: list[OutputItem] = field(default_factory=list[OutputItem])
    messages: dict[int, str] = field(default_factory=dict[int, str])
    commentary: set[int] = field(default_factory=set[int])
    citations: list[Annotation] = field(default_factory=list[Annotation])
    response: Response | None = None
    generation_id: str | None = None
    ended: bool = False
    failed: bool = False

    def apply(self, event: ResponseEvent) -> list[Milestone]:
        """Take one event in.

        Raises:
            Failure: The event says that the request failed.
        """
        if event.type.startswith(_PREFIX):
            return list(self._fusion_event(event.type.removeprefix(_PREFIX), event))
        if event.type in ENDINGS:
            return self._end(event)
        if event.type in ("error", "response.error") or (not event.type and event.error):
            raise self._failure(event)
        if event.response is not None:
            self._see(event.response)
        return list(self._output_event(event))

    def check_ended(self) -> None:
        """A stream that just stops is no answer.

        Raises:
            StreamBroken: No terminal event has arrived.
        """
        if not self.ended:
            raise StreamBroken(
                "The stream ended without saying that the answer is complete",
                generation_id=self.generation_id,
                may_be_billed=True,
            )

    @property
    def answer(self) -> str:
        """The writer's text so far: that of the last message that is no commentary."""
        final = [index for index in self.messages if index not in self.commentary]
        return self.messages[max(final)] if final else ""

    @property
    def refused(self) -> bool:
        """Whether the writer's last message is a refusal."""
        messages = [item for item in self.response.output if item.type == "message"] if self.response else []
        return bool(messages) and any(part.refusal for part in messages[-1].content)

    @property
    def expected(self) -> int:
        """How many panelists there are, as far as known."""
        return max(len(self.planned), len(self.panel))

    def _fusion_event(self, name: str, event: ResponseEvent) -> Iterator[Milestone]:
        model = event.model or ""
        match name:
            case "panel.added":
                self.panel.append(Panelist(model))
                yield Milestone("panelist_started", model)
            case "panel.reasoning.delta":
                self._pending(model).thinking = True
            case "panel.delta":
                self._pending(model).text += event.delta or ""
            case "panel.completed":
                yield self._answered(model, event.content)
            case "panel.failed":
                error = event.error.message if isinstance(event.error, ErrorBody) else event.error
                yield self._failed(model, error, event.status_code)
            case "analysis.in_progress":
                self.analyst = event.analyst_model or event.judge_model or self.analyst
                self.analysis_started = True
                yield Milestone("analysis_started", self.analyst or "")
            case "analysis.completed":
                self.analysis_event = event.analysis
                yield Milestone("analysis_finished", self.analyst or "")
            case _:
                pass

    def _answered(self, model: str, content: str | None) -> Milestone:
        panelist = self._pending(model)
        panelist.text = content if content is not None else panelist.text
        panelist.status = "answered"
        return Milestone("panelist_answered", model, f"{len(panelist.text)} chars")

    def _failed(self, model: str, error: str | None, status_code: int | None) -> Milestone:
        panelist = self._pending(model)
        panelist.status = "failed"
        panelist.error = error or "failed without a reason"
        panelist.status_code = status_code
        twin = next((each for each in self.panel if each.model == model and each.status == "pending"), None)
        if twin is not None:
            # Deltas name the model alone: what came is rather that of the one that still writes.
            twin.text, panelist.text = panelist.text + twin.text, ""
        return Milestone("panelist_failed", model, panelist.error)

    def _pending(self, model: str) -> Panelist:
        """The panelist an event speaks of. A slug that sits on the panel twice is taken in order."""
        same = [panelist for panelist in self.panel if panelist.model == model]
        open_ones = [panelist for panelist in same if panelist.status == "pending"]
        if open_ones:
            return open_ones[0]
        if same:
            return same[-1]
        self.panel.append(Panelist(model))
        return self.panel[-1]

    def _output_event(self, event: ResponseEvent) -> Iterator[Milestone]:
        index = event.output_index or 0
        item = event.item
        if item is not None and item.type == "openrouter:fusion" and event.type.endswith(".done"):
            self.items.append(item)
        elif item is not None and item.type == "message":
            if item.phase == "commentary":
                self.commentary.add(index)
            text = message_text(item)
            if text:
                self.messages[index] = text
        elif event.type == "response.output_text.delta":
            if not self.messages.get(index) and index not in self.commentary:
                yield Milestone("answer_started")
            self.messages[index] = self.messages.get(index, "") + (event.delta or "")
        elif event.type == "response.output_text.done" and event.text is not None:
            self.messages[index] = event.text
        elif event.annotation is not None:
            self.citations.append(event.annotation)

    def _end(self, event: ResponseEvent) -> list[Milestone]:
        self.ended = True
        if event.response is not None:
            self._see(event.response)
            self._adopt(event.response)
        self.failed = event.type in FAILURES
        if self.failed:
            raise self._failure(event)
        if not self.answer:
            # All that the writer wrote it called commentary.
            self.commentary.clear()
        return [Milestone("finished")]

    def _see(self, response: Response) -> None:
        self.response = response
        self.generation_id = self.generation_id or (response.id or "").removeprefix("resp_") or None

    def _adopt(self, response: Response) -> None:
        """The final response is the whole truth about the output; what was streamed fills its gaps."""
        found = [item for item in response.output if item.type == "openrouter:fusion"]
        if found:
            self.items = found
        messages = [(index, item) for index, item in enumerate(response.output) if item.type == "message"]
        if messages:
            streamed = self.answer
            self.messages = {index: message_text(item) for index, item in messages}
            self.commentary = {index for index, item in messages if item.phase == "commentary"}
            if not self.answer and streamed:
                self.messages[len(response.output)] = streamed
            self.citations = [
                note for _, item in messages for part in item.content for note in part.annotations
            ] or self.citations

    def _failure(self, event: ResponseEvent) -> Failure:
        error, error_type = event.error, None
        if event.response is not None:
            error, error_type = event.response.error or error, event.response.error_type
        if error is None and (event.message or event.code):
            error = ErrorBody(message=event.message or "", code=event.code)
        if isinstance(error, str):
            error = ErrorBody(message=error)
        if error is None:
            return UpstreamFailed(
                "OpenRouter ended the run without a reason",
                generation_id=self.generation_id,
                may_be_billed=True,
            )
        return from_error(error, error_type=error_type, generation_id=self.generation_id, may_be_billed=True)


def message_text(item: OutputItem) -> str:
    """The text of one message, or its refusal."""
    return "".join(part.text or part.refusal or "" for part in item.content)
