"""`account`: money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.quoting import named
from or_mcp.calls.reply import Reply, usd
from or_mcp.calls.tool import Tool
from or_mcp.openrouter.errors import Failure, InvalidRequest, NotAuthorized, NotFound
from or_mcp.openrouter.wire.account import Key
from or_mcp.runs.amounts import days_ago, start_of_day
from or_mcp.runs.budget import dollars
from or_mcp.runs.key_limit import left_on
from or_mcp.runs.spending import Estimated, Spending
from or_mcp.runs.unattended import MOST_RUNS
from or_mcp.tools.answers.account import (
    AccountAnswer,
    ActivityEntry,
    EstimateRow,
    GenerationInfo,
    KeyInfo,
    Ledger,
    ledger_line,
    summary_lines,
)

DESCRIPTION = """
Money: what was spent, and what is left. Free.

What the key may still spend, what this server spent today and in 30 days by tool and model, what is left of the budget,
the operator's rules.

`activity`: OpenRouter's own record of a day (management keys only). `generation`: what one request became.
"""


_SHARED = "The server's own key pays for several callers: what is left is left for all, what was spent is your own."

# Of models or days that were paid for most; and of activity as many rows as fit into an answer.
_LARGEST, _ROWS = 20, 200
# As far back as upstream's own record of activity goes.
_DAYS = 30


class AccountArguments(Arguments):
    """What `account` takes."""

    view: Literal["summary", "activity", "generation"] = Field("summary", description="Default summary.")
    date: str = Field("", description="activity: one UTC day of the last 30, YYYY-MM-DD.")
    generation_id: str = Field("", description="generation: gen-…")


async def account(arguments: AccountArguments, call: Call) -> Reply:
    """The view that was asked for."""
    if arguments.view == "activity":
        return await _activity(arguments, call)
    if arguments.view == "generation":
        return await _generation(arguments, call)
    return await _summary(call)


async def _summary(call: Call) -> Reply:
    notes: list[str] = []
    runner = call.parts.runner
    standing = await call.runs.standing()
    if call.caller.is_guest:
        notes.append(_SHARED)
    answer = AccountAnswer(
        view="summary",
        key=await _key(call, notes),
        credit_usd=await _credit(call, notes),
        today=_ledger(await call.runs.spending(start_of_day())),
        last_30_days=_ledger(await call.runs.spending(days_ago(_DAYS)), with_estimates=True),
        set_aside_usd=usd(standing.set_aside_usd or None),
        budget_left_usd=usd(standing.left_usd),
        policy=dict(call.parts.rules),
        notes=notes + _unattended(call) + ([runner.store.problem] if runner.store.problem else []),
    )
    return Reply("\n".join(summary_lines(answer)), answer)


def _unattended(call: Call) -> list[str]:
    """What goes on although nobody waits for it."""
    runner = call.parts.runner
    held = runner.unwatched.of(call.caller.id)
    if not held.runs:
        return []
    ceiling = f" and {dollars(runner.limits.per_call_usd)} together" if runner.limits.per_call_usd else ""
    told = f"Runs that go on with nobody waiting: {held.runs}, {dollars(held.set_aside_usd)} set aside"
    return [f"{told} (at most {MOST_RUNS} runs{ceiling}; `run` lists them)."]


async def _key(call: Call, notes: list[str]) -> KeyInfo | None:
    if call.caller.key is None:
        mend = "Whoever runs this server can set one" if call.caller.afar else "Run `or-mcp login`"
        notes.append(f"No OpenRouter key is set: the catalogue works, paid tools do not. {mend}.")
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
        byok_used_today_usd=usd(key.byok_usage_daily),
        byok_used_this_month_usd=usd(key.byok_usage_monthly),
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
    largest = sorted(amounts.items(), key=lambda row: -row[1])[:_LARGEST]
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
        for row in rows[:_ROWS]
    ]
    notes = [f"{len(rows) - _ROWS} more rows; ask for one date."] if len(rows) > _ROWS else []
    lines = [
        f"{row.date} {named(row.model or '-')} ({named(row.provider or '-')}): {row.requests} requests, ${row.cost_usd}"
        for row in entries
    ]
    answer = AccountAnswer(view="activity", activity=entries, notes=notes)
    return Reply("\n".join([f"Rows of activity: {len(rows)}", *lines, *notes]), answer)


async def _own_activity(call: Call, why: str) -> Reply:
    """What is known without OpenRouter's own record."""
    spending = _ledger(await call.runs.spending(days_ago(_DAYS)))
    notes = [f"{why} this is what you spent through this server."]
    answer = AccountAnswer(view="activity", last_30_days=spending, notes=notes)
    return Reply("\n".join([notes[0], ledger_line("Last 30 days", spending)]), answer)


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
    if caller.is_guest and not await call.runs.made_generation(arguments.generation_id):
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


TOOL = Tool(
    name="account",
    title="Money: key, budget, spending",
    kind="read",
    description=DESCRIPTION,
    arguments=AccountArguments,
    answer=AccountAnswer,
    handle=account,
)
