"""A fusion's stream as the official package reads it, told by rules of our own that share nothing with the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from openrouter import components
from openrouter.utils.eventstreaming import stream_events
from pydantic import TypeAdapter

_EVENT = TypeAdapter[Any](components.StreamEvents)
_OVER = ("response.completed", "response.incomplete", "response.failed")
Row = tuple[str, str, str, str | None, int | None]


def read_events(stream: bytes) -> list[dict[str, Any]]:
    """Every event of the bytes, up to one that cannot be read."""
    events: list[dict[str, Any]] = []
    reply = httpx.Response(200, content=stream)
    try:
        for event in stream_events(reply, _decode, sentinel="[DONE]"):
            events.append(_raw(event.model_dump(by_alias=True, mode="json")))  # noqa: PERF401
    except ValueError:
        return events
    return events


def _decode(text: str) -> Any:
    data = TypeAdapter(dict[str, Any]).validate_json(text)["data"]
    return _EVENT.validate_python(data)


def _raw(event: dict[str, Any]) -> dict[str, Any]:
    """What the package does not know it hands on as it came."""
    return cast("dict[str, Any]", event["raw"]) if event.get("is_unknown") else event


@dataclass
class Reading:
    """What the events say."""

    panel: list[list[Any]] = field(default_factory=list[list[Any]])
    record: dict[str, Any] | None = None
    analysis: Any = None
    analyst: str | None = None
    answer: str = ""
    sources: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    response: dict[str, Any] | None = None
    ended: bool = False
    refusal: str | None = None

    @property
    def rows(self) -> Counter[Row]:
        """The panel, whoever came first."""
        return Counter((row[0], row[1], row[2], row[3], row[4]) for row in self.panel)

    @property
    def outcome(self) -> str | None:
        """What it is to be called."""
        if not self.ended or (self.response or {}).get("status") == "failed":
            return None
        statuses = [row[1] for row in self.panel]
        if "answered" not in statuses:
            return "not_fused"
        if self.analysis is None:
            return "no_analysis"
        return "partial_panel" if "failed" in statuses else "fused"


def read(events: Sequence[dict[str, Any]]) -> Reading:
    """The truth about a stream."""
    told = Reading()
    streamed: dict[str, str] = {}
    commentary: set[str] = set()
    items: list[dict[str, Any]] = []
    for event in events:
        kind = event["type"]
        if kind.startswith("response.fusion_call."):
            _fusion(told, kind.removeprefix("response.fusion_call."), event)
        elif kind == "error":
            told.refusal = event["message"]
        elif kind == "response.output_text.delta":
            streamed[event["item_id"]] = streamed.get(event["item_id"], "") + event["delta"]
        elif kind == "response.output_item.added" and event["item"].get("phase") == "commentary":
            commentary.add(event["item"]["id"])
        elif kind == "response.output_item.done" and event["item"]["type"] == "openrouter:fusion":
            items.append(event["item"])
        elif event.get("response"):
            told.response = event["response"]
        if kind in _OVER:
            told.ended = True
            items = [item for item in event["response"]["output"] if item["type"] == "openrouter:fusion"] or items
    told.answer = next((text for item, text in reversed(streamed.items()) if item not in commentary), "")
    _settle(told, items)
    return told


def _fusion(told: Reading, kind: str, event: dict[str, Any]) -> None:
    if kind == "panel.added":
        told.panel.append([event["model"], "pending", "", None, None])
    elif kind in ("panel.delta", "panel.completed", "panel.failed"):
        row = next(row for row in told.panel if row[0] == event["model"] and row[1] == "pending")
        if kind == "panel.delta":
            row[2] += event["delta"]
        elif kind == "panel.completed":
            row[1:3] = "answered", event["content"]
        else:
            others = [each for each in told.panel if each is not row and each[:2] == [event["model"], "pending"]]
            if others:
                others[0][2], row[2] = row[2] + others[0][2], ""
            row[1:] = "failed", row[2], event["error"], event.get("status_code")
    elif kind == "analysis.in_progress":
        told.analyst = event["analyst_model"]
    elif kind == "analysis.completed":
        told.analysis = event["analysis"]


def _settle(told: Reading, items: Sequence[dict[str, Any]]) -> None:
    """The records have the last word."""
    told_of = [item for item in items if item.get("failure_reason") != "fusion_invocation_capped"]
    completed = [item for item in told_of if item["status"] == "completed"]
    told.record = (completed or told_of or [None])[-1]
    if told.record is not None:
        told.analysis = told.record.get("analysis") or told.analysis
        told.sources += [(each["url"], each["title"]) for each in told.record.get("sources") or ()]
        answered = [
            [each["model"], "answered", each["content"], None, None] for each in told.record.get("responses") or ()
        ]
        failed = [
            [each["model"], "failed", "", each["error"], each.get("status_code")]
            for each in told.record.get("failed_models") or ()
        ]
        told.panel = answered + failed
    response = told.response or {}
    messages = [item for item in response.get("output", ()) if item["type"] == "message"]
    spoken = [item for item in messages if item.get("phase") != "commentary"]
    messages = spoken or (messages if response.get("status") != "failed" else [])
    if told.ended and messages:
        parts = messages[-1]["content"]
        told.answer = "".join(part.get("text") or part.get("refusal") or "" for part in parts)
        notes = [note for part in parts for note in part.get("annotations") or ()]
        told.sources += [(note["url"], note["title"]) for note in notes]
