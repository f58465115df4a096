"""Failures in words: what happened, what was spent, where what arrived is kept, and one concrete next step."""

from __future__ import annotations

from decimal import Decimal

import mcp_types

from or_mcp.calls.quoting import in_quotes, told
from or_mcp.calls.reply import FACTS, visible
from or_mcp.openrouter.errors import (
    ConnectionFailed,
    DeadlinePassed,
    Failure,
    InvalidRequest,
    ModelUnavailable,
    NoCredit,
    NotAuthorized,
    NotFound,
    RateLimited,
    Refused,
    StreamBroken,
    UpstreamFailed,
    from_facts,
    shorten,
)
from or_mcp.runs.budget import OverBudget, dollars
from or_mcp.runs.endings import Crash, Ending, StoreAway, StoreLocked, StoreUnreachable
from or_mcp.runs.record import Cancelled, RunRecord
from or_mcp.runs.weight import KeptTooMuch
from or_mcp.servers.trouble import ServerTrouble

GET_A_KEY = (
    "get a key at https://openrouter.ai/settings/keys and set OPENROUTER_API_KEY for this server, "
    "or run `or-mcp login` in a terminal"
)
_NO_KEY = "ask whoever runs this server to set a key for it (OPENROUTER_API_KEY)"


# Whatever a message repeats of what was asked, the lines after it are seen.
_SENTENCE_LIMIT = 8_000


class RunFailed(Failure):
    """A run that ended without its answer; what had arrived is kept. Its kind is its cause's."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.cause = failure_of(record)
        super().__init__(self.cause.message)


def failure_of(record: RunRecord) -> Failure:
    """Why a run failed."""
    return from_facts(record.failure) if record.failure else Crash("The run ended without a reason")


def explain(failure: Failure, *, afar: bool = False) -> mcp_types.CallToolResult:
    """A failure as a tool's answer: text alone, complete on its own, for a reader with a shell here or from `afar`."""
    cause, record = (failure.cause, failure.record) if isinstance(failure, RunFailed) else (failure, None)
    text = explanation(cause, record, afar=afar)
    facts = {"kind": cause.kind, **({"run_id": record.run_id} if record is not None else {})}
    content: list[mcp_types.ContentBlock] = [mcp_types.TextContent(type="text", text=visible(text))]
    return mcp_types.CallToolResult(content=content, is_error=True, _meta={FACTS: facts})


def explanation(failure: Failure, record: RunRecord | None = None, *, afar: bool = False) -> str:
    """The words for a failure."""
    lines = [f"{failure.kind}: {sentence(failure)}", f"Spent: {_spent(failure, record)}"]
    if record is not None and _was_sent(failure, record):
        lines.append(f"Run: {record.run_id} (what had arrived is kept; call run with this run_id to read it)")
    lines.append(f"Next: {next_step(failure, afar=afar)}")
    return "\n".join(lines)


def _was_sent(failure: Failure, record: RunRecord) -> bool:
    return failure.may_be_billed or record.generation_id is not None or bool(record.cost_usd)


def sentence(failure: Failure) -> str:
    """What happened, with what upstream says of it."""
    parts = [shorten(failure.message, _SENTENCE_LIMIT)]
    if failure.quote:
        parts.append(f"OpenRouter says: {in_quotes(failure.quote)}")
    found = failure.availability
    if found is not None:
        if found.excluded_by:
            parts.append(f"excluded_by: {told(', '.join(found.excluded_by))}")
        if found.constraint is not None and found.constraint.field:
            rule = [told(part) for part in (found.constraint.field, found.constraint.detail) if part]
            parts.append(f"constraint: {' '.join(rule)}")
        if found.fallback_models:
            parts.append(f"fallback_models: {told(', '.join(found.fallback_models))}")
    return " ".join(part if part.endswith("?") else part.rstrip(".") + "." for part in parts)


def _spent(failure: Failure, record: RunRecord | None) -> str:
    cost = record.cost_usd if record is not None else None
    if cost is not None:
        return dollars(cost) if cost > Decimal(0) else "nothing"
    generation_id = failure.generation_id or (record.generation_id if record else None)
    if failure.may_be_billed or (record is not None and record.generation_id is not None):
        return f"unknown (generation {generation_id})" if generation_id else "unknown"
    return "nothing"


def next_step(failure: Failure, *, afar: bool = False) -> str:
    """One concrete step: what this failure itself suggests, else what its kind does."""
    fallbacks = failure.availability.fallback_models if failure.availability else None
    if isinstance(failure, NotAuthorized) and failure.status is None:
        return f"{_NO_KEY if afar else GET_A_KEY}."
    if isinstance(failure, ModelUnavailable) and fallbacks:
        return f"call again with {shorten(fallbacks[0])!r} in its place, or find another with list_models."
    if isinstance(failure, OverBudget) and failure.next_step:
        return failure.next_step
    if isinstance(failure, RateLimited) and failure.retry_after:
        return f"wait {failure.retry_after:.0f} s, then call again."
    steps = _STEPS | _STEPS_FROM_AFAR if afar else _STEPS
    return next(steps[kind] for kind in type(failure).__mro__ if kind in steps)


_STEPS: dict[type[Failure], str] = {
    OverBudget: "change the call as said above, or ask the user to raise the limit.",
    NotAuthorized: "check the key (its kind, its limits, whether it is disabled) with `or-mcp doctor`, or set another.",
    NoCredit: "add credit at https://openrouter.ai/settings/credits, or lower the tokens or the panel.",
    ModelUnavailable: "find a model with list_models, or see who serves this one with endpoints.",
    InvalidRequest: "correct the argument and call again.",
    Refused: "rephrase the prompt, or choose a model with other rules (list_models).",
    NotFound: "check the id; run without run_id lists the latest runs.",
    RateLimited: "wait a minute, then call again, or choose another model with list_models.",
    UpstreamFailed: "call again in a moment, or choose another model with list_models.",
    ConnectionFailed: "check the network and OPENROUTER_BASE_URL with `or-mcp doctor`, then call again.",
    StreamBroken: "read what arrived with run; call again only if that is not enough, since it costs again.",
    DeadlinePassed: "read what arrived with run; ask for less, or raise OR_MCP_RUN_DEADLINE_SECONDS.",
    Cancelled: "read what arrived with run, or call again.",
    ServerTrouble: "have the server checked (`or-mcp doctor` starts each of the file), or call without it.",
    KeptTooMuch: "wait until older runs are forgotten, or ask whoever runs this server to make room.",
    Ending: "call again in a few seconds.",
    StoreLocked: "call again when the program that holds the store has let go of it.",
    StoreUnreachable: "call again in a minute; whoever runs this server sees at /readyz whether the database is back.",
    StoreAway: "have the data directory made writable (`or-mcp doctor` says what is wrong), or set OR_MCP_STORE=off.",
    Crash: "call again; if it happens twice, report it with the server's stderr.",
}

# Whoever has no shell on the server's machine can only turn to somebody who has.
_STEPS_FROM_AFAR: dict[type[Failure], str] = {
    NotAuthorized: "check the key (its kind, its limits, whether it is disabled), or call with another.",
    ConnectionFailed: "call again in a minute; if it goes on, tell whoever runs this server that it cannot reach "
    "OpenRouter.",
    DeadlinePassed: "read what arrived with run, and ask for less; whoever runs this server sets how long a run may "
    "take.",
    StoreAway: "call again in a minute; if it goes on, tell whoever runs this server that its data directory cannot be "
    "written.",
    Crash: "call again; if it happens twice, tell whoever runs this server, whose log has the details.",
}
