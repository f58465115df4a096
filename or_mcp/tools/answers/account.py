"""What `account` answers, in both forms."""

from __future__ import annotations

from typing import Literal

from or_mcp.calls.reply import Answer, Maybe, Some


class KeyInfo(Answer):
    """What upstream says of the key; without a limit it is unlimited."""

    label: Maybe[str] = None
    limit_usd: Maybe[float] = None
    remaining_usd: Maybe[float] = None
    used_today_usd: Maybe[float] = None
    used_this_month_usd: Maybe[float] = None
    free_requests_left_today: Maybe[int] = None
    byok_used_today_usd: Maybe[float] = None
    byok_used_this_month_usd: Maybe[float] = None
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
    by_tool: Some[dict[str, float]]
    by_model: Some[dict[str, float]]
    by_day: Some[dict[str, float]]
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
    set_aside_usd: Maybe[float] = None
    budget_left_usd: Maybe[float] = None
    policy: Maybe[dict[str, str]] = None
    activity: Maybe[list[ActivityEntry]] = None
    generation: Maybe[GenerationInfo] = None
    notes: Some[list[str]]


def summary_lines(answer: AccountAnswer) -> list[str]:
    lines: list[str] = []
    if answer.key is not None:
        left = "unlimited" if answer.key.remaining_usd is None else f"${answer.key.remaining_usd:.2f}"
        used = "" if answer.key.used_today_usd is None else f", ${answer.key.used_today_usd:.2f} used today"
        name = f"Key {answer.key.label}" if answer.key.label else "Key"
        lines.append(f"{name}: {left} left{used}")
        lines += _beside(answer.key)
    if answer.credit_usd is not None:
        lines.append(f"Credit: ${answer.credit_usd:.2f}")
    for name, ledger in (("Today", answer.today), ("Last 30 days", answer.last_30_days)):
        if ledger is not None:
            lines.append(ledger_line(name, ledger))
    left = "no daily budget" if answer.budget_left_usd is None else f"${answer.budget_left_usd:.2f} left"
    aside = f", ${answer.set_aside_usd:.2f} set aside" if answer.set_aside_usd else ""
    lines.append(f"Daily budget: {left}{aside}")
    lines += [f"Rule: {name} {value}" for name, value in (answer.policy or {}).items()]
    return lines + [f"Note: {note}" for note in answer.notes]


def _beside(key: KeyInfo) -> list[str]:
    """What does not come out of the key's money."""
    free, byok = key.free_requests_left_today, key.byok_used_this_month_usd
    told = [f"Free models: {free:,} requests left today"] if free is not None else []
    today = f"${key.byok_used_today_usd or 0:.2f} today"
    return told + ([f"Paid to providers by keys of your own: {today}, ${byok:.2f} this month"] if byok else [])


def ledger_line(name: str, ledger: Ledger) -> str:
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
