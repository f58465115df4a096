"""What a fusion became, told honestly: who answered, who failed, and whether a panel was there at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from or_mcp.fusion.analysis import Analysis, read_analysis
from or_mcp.fusion.state import FusionState, PanelistStatus
from or_mcp.openrouter.errors import shorten
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire.responses import OutputItem

Outcome = Literal["fused", "partial_panel", "no_analysis", "not_fused"]
# One line a panelist: the whole reason stands with the failed models.
_REASON = 80
_CAPPED = "fusion_invocation_capped"


@dataclass(frozen=True, slots=True)
class PanelMember:
    """One panelist at the end, with all it wrote."""

    model: str
    status: PanelistStatus
    text: str = ""
    error: str | None = None
    status_code: int | None = None

    @property
    def words(self) -> str:
        """What it wrote, or why it wrote nothing."""
        return self.text or self.error or ""


@dataclass(frozen=True, slots=True)
class Source:
    """A page that somebody cited."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class WriterUsage(Usage):
    """Tokens of the writer; upstream tells none of the panelists'."""


@dataclass(frozen=True, slots=True)
class FusionResult:
    """Everything that is known of a fusion. `outcome` is None until it has ended."""

    outcome: Outcome | None
    answer: str
    analysis: Analysis | None
    panel: tuple[PanelMember, ...]
    failure_reason: str | None
    error: str | None
    sources: tuple[Source, ...]
    analyst_model: str | None
    model: str | None
    usage: WriterUsage | None
    cost_usd: Decimal | None
    generation_id: str | None
    notes: tuple[str, ...]
    provider_cost_usd: Decimal | None = None
    # Why the answer does not come to its end.
    cut_off: str = ""

    @property
    def answered(self) -> tuple[PanelMember, ...]:
        """Those who wrote."""
        return tuple(member for member in self.panel if member.status == "answered")

    @property
    def failed(self) -> tuple[PanelMember, ...]:
        """Those who did not, with the reason."""
        return tuple(member for member in self.panel if member.status == "failed")

    def over(self) -> FusionResult:
        """The same of a run that is over, however it ended: nobody is still at work."""
        return replace(self, panel=tuple(_settled(member) for member in self.panel))


def read_result(state: FusionState, limited: str = "") -> FusionResult:
    """What the state amounts to, at its end or at any point before it; `limited` is by what its answer is."""
    item = _record(state.items)
    panel = _panel(state, item)
    names = [member.model for member in panel]
    raw = item.analysis if item is not None and item.analysis is not None else state.analysis_event
    analysis = read_analysis(raw, names)  # pyright: ignore[reportArgumentType]
    outcome = _outcome(panel, analysis, state) if state.ended and not state.failed else None
    response, cut_off = state.response, _cut_off(state, limited)
    usage = response.usage if response else None
    return FusionResult(
        outcome=outcome,
        answer=state.answer,
        analysis=analysis,
        panel=panel,
        failure_reason=item.failure_reason if item else None,
        error=shorten(item.error) if item and item.error else None,
        sources=_sources(state, item),
        analyst_model=state.analyst,
        model=response.model if response else None,
        usage=WriterUsage.of(usage) if usage else None,
        cost_usd=usage.cost if usage else None,
        provider_cost_usd=usage.provider_cost if usage else None,
        generation_id=state.generation_id,
        notes=tuple(_notes(outcome, panel, state, item, cut_off)) if outcome else (),
        cut_off=cut_off,
    )


def _record(items: Sequence[OutputItem]) -> OutputItem | None:
    """The item that tells of the panel. A refused second call leaves a record too, which tells nothing."""
    given = [item for item in items if item.failure_reason != _CAPPED]
    completed = [item for item in given if item.status == "completed"]
    return (completed or given or [None])[-1]


def _panel(state: FusionState, item: OutputItem | None) -> tuple[PanelMember, ...]:
    """The final record over what the events said, in the order the caller asked."""
    members = [PanelMember(each.model, each.status, each.text, each.error, each.status_code) for each in state.panel]
    if item is not None:
        settled: set[int] = set()
        for reply in item.responses:
            _put(members, settled, PanelMember(reply.model, "answered", reply.content or ""))
        for failure in item.failed_models:
            reason = shorten(failure.error or "failed without a reason")
            _put(members, settled, PanelMember(failure.model, "failed", "", reason, failure.status_code))
    if members or not state.ended:
        members += [PanelMember(model, "pending") for model in _missing(state.planned, members)]
    if state.ended:
        members = [_settled(member) for member in members]
    order = {model: place for place, model in reversed(list(enumerate(state.planned)))}
    return tuple(sorted(members, key=lambda member: order.get(member.model, len(order))))


def _missing(planned: Sequence[str], members: Sequence[PanelMember]) -> list[str]:
    missing = list(planned)
    for member in members:
        if member.model in missing:
            missing.remove(member.model)
    return missing


def _settled(member: PanelMember) -> PanelMember:
    """After the end nobody is pending: whoever was not heard to the end has failed, and its words are kept."""
    if member.status != "pending":
        return member
    why = f"cut off after {len(member.text):,} characters" if member.text else "no reply was recorded"
    return replace(member, status="failed", error=why)


def _put(members: list[PanelMember], settled: set[int], final: PanelMember) -> None:
    """Settle one panelist by the final record; a text that was streamed is kept if the record has none."""
    for place, known in enumerate(members):
        if place not in settled and known.model == final.model and _same_panelist(known, final):
            settled.add(place)
            text = final.text or known.text
            members[place] = PanelMember(final.model, final.status, text, final.error, final.status_code)
            return
    settled.add(len(members))
    members.append(final)


def _same_panelist(known: PanelMember, final: PanelMember) -> bool:
    """A slug may sit on the panel twice: then the texts tell the two apart."""
    if known.status == "pending":
        return True
    return known.status == final.status and (not final.text or known.text in ("", final.text))


def _outcome(panel: Sequence[PanelMember], analysis: Analysis | None, state: FusionState) -> Outcome:
    answered = any(member.status == "answered" for member in panel)
    if not answered and analysis is None:
        return "not_fused"
    if analysis is None:
        return "no_analysis"
    complete = all(member.status == "answered" for member in panel) and len(panel) >= len(state.planned)
    return "fused" if complete else "partial_panel"


def _sources(state: FusionState, item: OutputItem | None) -> tuple[Source, ...]:
    found = [(source.url, source.title) for source in item.sources] if item else []
    found += [(note.url, note.title) for note in state.citations]
    by_url: dict[str, Source] = {}
    for url, title in found:
        if url and url.startswith(("https://", "http://")):
            by_url.setdefault(url, Source(url[:2000], shorten(title or url, 200)))
    return tuple(by_url.values())


def _notes(
    outcome: Outcome, panel: Sequence[PanelMember], state: FusionState, item: OutputItem | None, cut_off: str
) -> Iterator[str]:
    """What whoever reads the answer must know first."""
    if outcome != "fused":
        yield _headline(outcome, panel, state, item)
    if cut_off:
        yield f"The answer is cut off ({cut_off})."
    if state.refused:
        yield "The writer declined to answer."
    if outcome != "not_fused" and not state.answer:
        yield "The writer wrote nothing; what the panel wrote is kept."


def _cut_off(state: FusionState, limited: str) -> str:
    if not state.response or state.response.status != "incomplete":
        return ""
    details = state.response.incomplete_details
    reason = details.reason if details and details.reason else "no reason given"
    return f"{reason}; {limited}" if limited else reason


def _headline(outcome: Outcome, panel: Sequence[PanelMember], state: FusionState, item: OutputItem | None) -> str:
    failed = [member for member in panel if member.status == "failed"]
    who = f" Failed: {'; '.join(_told(member) for member in failed)}." if failed else ""
    reason = f" ({item.failure_reason})" if item and item.failure_reason else ""
    answered = f"{len(panel) - len(failed)}/{max(len(panel), len(state.planned))} panelists answered"
    if outcome == "partial_panel":
        return f"Partial panel: {answered}.{who}"
    if outcome == "no_analysis":
        return f"No analysis: {answered}, but the analyst failed{reason}; the writer worked from their raw texts.{who}"
    if failed:
        return f"Not fused: every panelist failed{reason}; one model wrote this answer alone.{who}"
    why = f"the panel failed{reason}" if reason else "the panel was never convened"
    return f"Not fused: {why}; one model wrote this answer alone."


def _told(member: PanelMember) -> str:
    code = f"{member.status_code} " if member.status_code else ""
    reason = shorten(member.error or "failed without a reason", _REASON).replace('"', "'")
    return f'{member.model} ({code}"{reason}")'
