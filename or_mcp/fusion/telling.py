"""How far a fusion has come, in a few words."""

from __future__ import annotations

import time
from collections.abc import Callable

from or_mcp.fusion.state import FusionState, Panelist

# Hosts cut at about 200 characters.
_ROOM = 180
# Of a model's name, so that eight of them have room; and a place that no panelist has.
_NAME = 40
_ANALYST = -1
# Of the whole: what the panel takes, each of the stages after it, and its last moment.
_WHOLE, _PANEL, _STAGE = 100.0, 64.0, 11.0


class Clock:
    """When each panelist, by place, and the analyst began and ended."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began: dict[int, float] = {}
        self._ended: dict[int, float] = {}

    def see(self, state: FusionState) -> None:
        """Note who has begun and who has ended."""
        for place, panelist in enumerate(state.panel):
            self._began.setdefault(place, self._now())
            if panelist.status != "pending":
                self._ended.setdefault(place, self._now())
        if state.analysis_started:
            self._began.setdefault(_ANALYST, self._now())

    def seconds(self, place: int) -> int:
        """How long somebody has worked, or worked."""
        began = self._began.get(place, self._now())
        return round(self._ended.get(place, self._now()) - began)


def steps(state: FusionState) -> tuple[float, float]:
    """How far it has come, of a whole that stays the same: how many are on the panel may be known only under way."""
    ended = sum(panelist.status != "pending" for panelist in state.panel)
    panel = (len(state.panel) + ended) / (2 * max(state.expected, 1))
    analysis = state.analysis_started + bool(state.analysis_event)
    return _PANEL * panel + _STAGE * (analysis + bool(state.answer)), _WHOLE


def tell(state: FusionState, clock: Clock) -> str:
    """One line: `2/3 answered · gpt-5 ✓ 31 s · opus writing 2.1k chars`."""
    clock.see(state)
    if state.answer:
        return f"{_count(state)} · {_writer(state)} writing {_size(state.answer)}"
    if state.analysis_started:
        analyst = f"analyst {short(state.analyst or '')} comparing {clock.seconds(_ANALYST)} s"
        return f"{_count(state)} · {'analysis done' if state.analysis_event else analyst}"
    if not state.panel:
        return "convening the panel"
    line = _count(state)
    for place, panelist in sorted(enumerate(state.panel), key=lambda row: row[1].status != "pending"):
        one = f" · {_panelist(panelist, clock.seconds(place))}"
        if len(line) + len(one) > _ROOM:
            return line + " · …"
        line += one
    return line


def short(model: str) -> str:
    """A model's name without author, tilde and `-latest`."""
    return model.rpartition("/")[2].removesuffix("-latest")[:_NAME] or model[:_NAME]


def _count(state: FusionState) -> str:
    statuses = [panelist.status for panelist in state.panel]
    failed = f", {statuses.count('failed')} failed" if "failed" in statuses else ""
    return f"{statuses.count('answered')}/{state.expected} answered{failed}"


def _panelist(panelist: Panelist, seconds: int) -> str:
    name = short(panelist.model)
    if panelist.status == "answered":
        return f"{name} ✓ {seconds} s"
    if panelist.status == "failed":
        return f"{name} ✗ {panelist.status_code or 'failed'}"
    if panelist.text:
        return f"{name} writing {_size(panelist.text)}"
    return f"{name} thinking {seconds} s" if panelist.thinking else f"{name} waiting {seconds} s"


def _writer(state: FusionState) -> str:
    return short(state.response.model) if state.response and state.response.model else "the writer"


def _size(text: str) -> str:
    return f"{len(text) / 1000:.1f}k chars" if len(text) >= 1000 else f"{len(text)} chars"
