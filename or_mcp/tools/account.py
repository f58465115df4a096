"""`account`: money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from or_mcp.openrouter.errors import Failure, InvalidRequest, NotAuthorized, NotFound
from or_mcp.openrouter.wire.account import Key
from or_mcp.runs.amounts import days_ago, start_of_day
from or_mcp.runs.key_limit import left_on
from or_mcp.runs.ledger import Estimated, Spending
from or_mcp.tools.arguments import Arguments
from or_mcp.tools.call import Call
from or_mcp.tools.quoting import named
from or_mcp.tools.reply import Answer, Maybe, Reply, usd
from or_mcp.tools.tool import Tool

DESCRIPTION = """
Money: what the key may still spend, what this server spent today and in 30 days by tool and model, what is left of the
budget, the operator's rules. Free.

`activity`: OpenRouter's own record of a day (management keys only). `generation`: what one request became.
"""


_SHARED = "The server's own key pays for several callers: what is left is left for all, what was spent is your own."


class AccountArguments(Arguments):
    """What `account` takes."""

    view: Literal["summary", "activity", "generation"] = Field("summary", description="Default summary.")
    date: str = Field("", description="activity: one UTC day of the last 30, YYYY-MM-DD.")
    generation_id: str = Field("", description="generation: gen-…")


class KeyInfo(Answer):
    """What upstream says of the key; a null limit means unlimited."""

    label: Maybe[str] = None
    limit_usd: float | None
    remaining_usd: float | None
    used_today_usd: float | None
    used_this_month_usd: float | None
    free_requests_left_today: Maybe[int] = None
    management: bool


class EstimateRow(Answer):
    """What the runs of a tool were estimated at, and what they were billed; those of which all of that is known."""

    runs: int
    low_usd: float
    high_usd: float
    most_usd: float
    billed_usd: float


class Ledger(Answer):
    """What was spent through this server."""

    total_usd: float
    runs_of_unknown_cost: int
    by_tool: dict[str, float]
    by_model: dict[str, float]
    by_day: dict[str, float]
    estimates: Maybe[dict[str, EstimateRow]] = None


class ActivityEntry(Answer):
    """One model at one provider on one day."""

    date: Maybe[str] = None
    model: Maybe[str] = None
    provider: Maybe[str] = None
    requests: Maybe[int] = None
    cost_usd: float | None


class GenerationInfo(Answer):
    """What one request became."""

    generation_id: str
    model: Maybe[str] = None
    provider: Maybe[str] = None
    cost_usd: float | None
    cancelled: Maybe[bool] = None
    finish_reason: Maybe[str] = None
    input_tokens: Maybe[int] = None
    output_tokens: Maybe[int] = None
    created: Maybe[str] = None


class AccountAnswer(Answer):
    """The structured form."""

    view: Literal["summary", "activity", "generation"]
    key: Maybe[KeyInfo] = None
    credit_usd: Maybe[float] = None
    today: Maybe[Ledger] = None
    last_30_days: Maybe[Ledger] = None
    budget_left_usd: Maybe[float] = None
    policy: Maybe[dict[str, str]] = None
    activity: Maybe[list[ActivityEntry]] = None
    generation: Maybe[GenerationInfo] = None
    notes: list[str]


async def account(arguments: AccountArguments, call: Call) -> Reply:
    """The view that was asked for."""
    if arguments.view == "activity":
        return await _activity(arguments, call)
    if arguments.view == "generation":
        return await _generation(arguments, call)
    return await _summary(call)


async def _summary(call: Call) -> Reply:
    notes: list[str] = []
    runner, caller = call.parts.runner, call.caller.id
    standing = await runner.standing(caller, call.caller.payer)
    if call.caller.is_guest:
        notes.append(_SHARED)
    answer = AccountAnswer(
        view="summary",
        key=await _key(call, notes),
        credit_usd=await _credit(call, notes),
        today=_ledger(await runner.spending(caller, start_of_day())),
        last_30_days=_ledger(await runner.spending(caller, days_ago(30)), with_estimates=True),
        budget_left_usd=usd(standing.left_usd),
        policy=dict(call.parts.rules),
        notes=notes + ([runner.store.problem] if runner.store.problem else []),
    )
    return Reply("\n".join(_summary_lines(answer)), answer)


async def _key(call: Call, notes: list[str]) -> KeyInfo | None:
    if call.caller.key is None:
        notes.append("No OpenRouter key is set: the catalogue works, paid tools do not. Run `or-mcp login`.")
        return None
    try:
        key = await call.upstream.key_status()
    except Failure as failure:
        notes.append(f"The key's status could not be read ({failure.kind}: {failure.message}).")
        return None
    return _guests_key_info(key) if call.caller.is_guest else _key_info(key)


def _guests_key_info(key: Key) -> KeyInfo:
    """What bounds a caller whose calls somebody else's key pays; what it has spent for others stays out."""
    return KeyInfo(
        limit_usd=None, remaining_usd=usd(left_on(key)), used_today_usd=None, used_this_month_usd=None, management=False
    )


def _key_info(key: Key) -> KeyInfo:
    free = key.free_model_daily_requests
    return KeyInfo(
        label=key.label,
        limit_usd=usd(key.limit),
        remaining_usd=usd(left_on(key)),
        used_today_usd=usd(key.usage_daily),
        used_this_month_usd=usd(key.usage_monthly),
        free_requests_left_today=free.remaining if free else None,
        management=bool(key.is_management_key),
    )


async def _credit(call: Call, notes: list[str]) -> float | None:
    if call.caller.key is None or call.caller.is_guest:
        return None
    try:
        credit = await call.upstream.credits()
    except NotAuthorized:
        notes.append("The account's credit is shown only to a management key.")
        return None
    except Failure as failure:
        notes.append(f"The account's credit could not be read ({failure.kind}).")
        return None
    if credit.total_credits is None or credit.total_usage is None:
        return None
    return usd(credit.total_credits - credit.total_usage)


def _ledger(spending: Spending, *, with_estimates: bool = False) -> Ledger:
    return Ledger(
        total_usd=usd(spending.total_usd) or 0.0,
        runs_of_unknown_cost=spending.unknown,
        by_tool=_amounts(spending.by_tool),
        by_model=_amounts(spending.by_model),
        by_day={day: usd(amount) or 0.0 for day, amount in spending.by_day.items()},
        estimates={tool: _estimated(sums) for tool, sums in spending.estimates.items()} if with_estimates else None,
    )


def _estimated(sums: Estimated) -> EstimateRow:
    amounts = (usd(amount) or 0.0 for amount in (sums.low, sums.high, sums.most, sums.billed))
    low, high, most, billed = amounts
    return EstimateRow(runs=sums.runs, low_usd=low, high_usd=high, most_usd=most, billed_usd=billed)


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, float]:
    largest = sorted(amounts.items(), key=lambda row: -row[1])[:20]
    return {name: usd(amount) or 0.0 for name, amount in largest}


async def _activity(arguments: AccountArguments, call: Call) -> Reply:
    _check_date(arguments.date)
    call.require_key()
    if call.caller.is_guest:
        return await _own_activity(call, "The server's own key pays, and its record is the operator's;")
    try:
        rows = await call.upstream.activity(arguments.date or None)
    except NotAuthorized:
        return await _own_activity(call, "OpenRouter shows activity only to a management key;")
    entries = [
        ActivityEntry(
            date=row.date,
            model=row.model,
            provider=row.provider_name,
            requests=row.requests,
            cost_usd=usd(row.usage),
        )
        for row in rows[:200]
    ]
    notes = [f"{len(rows) - 200} more rows; ask for one date."] if len(rows) > 200 else []
    lines = [
        f"{row.date} {named(row.model or '-')} ({named(row.provider or '-')}): {row.requests} requests, ${row.cost_usd}"
        for row in entries
    ]
    answer = AccountAnswer(view="activity", activity=entries, notes=notes)
    return Reply("\n".join([f"Rows of activity: {len(rows)}", *lines, *notes]), answer)


async def _own_activity(call: Call, why: str) -> Reply:
    """What is known without OpenRouter's own record."""
    spending = _ledger(await call.parts.runner.spending(call.caller.id, days_ago(30)))
    notes = [f"{why} this is what you spent through this server."]
    answer = AccountAnswer(view="activity", last_30_days=spending, notes=notes)
    return Reply("\n".join([notes[0], _ledger_line("Last 30 days", spending)]), answer)


def _check_date(given: str) -> None:
    try:
        if given:
            date.fromisoformat(given)
    except ValueError as error:
        raise InvalidRequest(f"date was {given!r}; it takes a day as YYYY-MM-DD") from error


_GENERATION_ID = re.compile(r"(resp_)?gen-[\w-]+")


async def _generation(arguments: AccountArguments, call: Call) -> Reply:
    if not _GENERATION_ID.fullmatch(arguments.generation_id):
        raise InvalidRequest(
            f"generation_id was {arguments.generation_id!r}; it takes an id such as gen-1795219200-abc"
        )
    call.require_key()
    caller = call.caller
    if caller.is_guest and not await call.parts.runner.made_generation(caller.id, arguments.generation_id):
        raise NotFound(f"There is no generation {arguments.generation_id!r} among your runs")
    found = await call.upstream.generation(arguments.generation_id)
    info = GenerationInfo(
        generation_id=found.id,
        model=found.model,
        provider=found.provider_name,
        cost_usd=usd(found.total_cost),
        cancelled=found.cancelled,
        finish_reason=found.finish_reason,
        input_tokens=found.tokens_prompt,
        output_tokens=found.tokens_completion,
        created=found.created_at,
    )
    text = ", ".join(f"{name} {value}" for name, value in info.model_dump().items() if value is not None)
    return Reply(text, AccountAnswer(view="generation", generation=info, notes=[]))


def _summary_lines(answer: AccountAnswer) -> list[str]:
    lines: list[str] = []
    if answer.key is not None:
        left = "unlimited" if answer.key.remaining_usd is None else f"${answer.key.remaining_usd:.2f}"
        used = "" if answer.key.used_today_usd is None else f", ${answer.key.used_today_usd:.2f} used today"
        lines.append(f"Key {answer.key.label or ''}: {left} left{used}")
    if answer.credit_usd is not None:
        lines.append(f"Credit: ${answer.credit_usd:.2f}")
    for name, ledger in (("Today", answer.today), ("Last 30 days", answer.last_30_days)):
        if ledger is not None:
            lines.append(_ledger_line(name, ledger))
    left = "no daily budget" if answer.budget_left_usd is None else f"${answer.budget_left_usd:.2f} left"
    lines.append(f"Daily budget: {left}")
    lines += [f"Rule: {name} {value}" for name, value in (answer.policy or {}).items()]
    return lines + [f"Note: {note}" for note in answer.notes]


def _ledger_line(name: str, ledger: Ledger) -> str:
    tools = ", ".join(f"{tool} ${amount:.4f}" for tool, amount in ledger.by_tool.items())
    models = ", ".join(f"{model} ${amount:.4f}" for model, amount in ledger.by_model.items())
    unknown = f", runs of unknown cost: {ledger.runs_of_unknown_cost}" if ledger.runs_of_unknown_cost else ""
    told = f"{name}: ${ledger.total_usd:.4f} through this server{unknown}"
    if not tools:
        return told
    days = ", ".join(f"{day} ${amount:.4f}" for day, amount in ledger.by_day.items())
    lines = [told, f"by tool: {tools}", f"by model: {models}", *([f"by day: {days}"] if days else [])]
    lines += [_estimate_line(tool, row) for tool, row in (ledger.estimates or {}).items()]
    return "\n  ".join(lines)


def _estimate_line(tool: str, row: EstimateRow) -> str:
    """How good the estimates are."""
    estimated = f"estimated ${row.low_usd:.4f} to ${row.high_usd:.4f}, at most ${row.most_usd:.4f}"
    return f"{tool}, runs: {row.runs}: {estimated}; billed ${row.billed_usd:.4f}"


TOOL = Tool(
    name="account",
    title="Money: key, budget, spending",
    kind="read",
    description=DESCRIPTION,
    arguments=AccountArguments,
    answer=AccountAnswer,
    handle=account,
)
