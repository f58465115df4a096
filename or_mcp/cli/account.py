"""`or-mcp account`: spending to look at."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from or_mcp.cli import fail
from or_mcp.cli.terminal import as_json, emit, fitted, padded, safe, say, size, tinted, width
from or_mcp.settings import Settings, SettingsError, read_settings

_WIDEST = 100
_STEPS = "▁▂▃▄▅▆▇█"


def run(arguments: argparse.Namespace) -> int:
    """Show what was spent, and what is left."""
    import anyio

    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        return fail(str(error), 2)
    result = anyio.run(_asked, settings)
    if result.is_error:
        return fail(result.content[0].text)
    standing: dict[str, Any] = result.structured_content
    if arguments.json:
        emit(as_json(standing))
        return 0
    for line in lines_of(standing, settings.daily_budget_usd, min(size(sys.stdout)[0], _WIDEST)):
        say(line)
    return 0


async def _asked(settings: Settings) -> Any:
    from or_mcp.calls.boundary import answer
    from or_mcp.calls.call import Call
    from or_mcp.server import Program
    from or_mcp.tools import ALL_TOOLS

    program = Program(settings)
    async with program.running(warm=False) as parts:
        return await answer(ALL_TOOLS, "account", {}, Call(parts, program.owner, "or-mcp"))


def lines_of(answer: Mapping[str, Any], budget: Decimal, columns: int) -> Iterator[str]:
    """Today, the month by tool, model and day, and what is left, as wide as there is room."""
    today, month = answer["today"], answer["last_30_days"]
    aside = f", {_usd(answer['set_aside_usd'])} set aside" if answer.get("set_aside_usd") else ""
    yield f"Today {_usd(today['total_usd'])}{aside}{_unknown(today)}"
    yield f"Last 30 days {_usd(month['total_usd'])}{_unknown(month)}"
    yield from _limits(answer, float(budget), columns)
    for title, part in (("By tool", "by_tool"), ("By model", "by_model")):
        yield from _bars(title, month.get(part, {}), columns)
    yield from _days(month.get("by_day", {}))
    yield from ([""] if answer.get("notes") else [])
    yield from (f"- {safe(note)}" for note in answer.get("notes", []))


def _limits(answer: Mapping[str, Any], budget: float, columns: int) -> Iterator[str]:
    """How much of the day's budget and of the key's limit is gone."""
    left, key = answer.get("budget_left_usd"), answer.get("key", {})
    rows: list[tuple[str, float, float]] = []
    if budget and left is not None:
        rows.append(("Daily budget", left, budget))
    if key.get("limit_usd") and key.get("remaining_usd") is not None:
        rows.append(("Key limit", key["remaining_usd"], key["limit_usd"]))
    if rows:
        yield ""
    for name, rest, whole in rows:
        words = f"{_usd(rest)} left of {_usd(whole)}"
        room = min(40, columns - width(name) - width(words) - 4)
        gone = round(room * min(1.0, max(0.0, 1 - rest / whole)))
        bar = f"{'█' * gone}{'░' * (room - gone)}  " if room >= 6 else ""
        yield f"{padded(name, 12)}  {bar}{words}"


def _bars(title: str, amounts: Mapping[str, float], columns: int) -> Iterator[str]:
    """One bar a name, the longest as long as there is room."""
    if not amounts:
        return
    yield from ("", tinted(title, "strong", sys.stdout))
    most = max(amounts.values())
    names = min(max(width(safe(name)) for name in amounts), max(8, columns * 2 // 5))
    figures = max(width(_usd(amount)) for amount in amounts.values())
    room = columns - names - figures - 6
    for name, amount in amounts.items():
        bar = "█" * round(room * amount / most) if most and room > 0 else ""
        row = f"  {padded(_own(name, names), names)}  {_usd(amount):>{figures}}"
        yield f"{row}  {bar or '▌' if amount else ''}".rstrip()


def _own(name: str, columns: int) -> str:
    """What a narrow window must show of a model is its own name, not its maker's."""
    words = safe(name)
    return fitted(words if width(words) <= columns else words.rpartition("/")[2], columns)


def _days(amounts: Mapping[str, float]) -> Iterator[str]:
    """The days on which something was spent, the oldest first, each as high as it was dear."""
    days = sorted(amounts)
    most = max(amounts.values(), default=0.0)
    if len(days) < 2 or not most:
        return
    drawn = "".join(_STEPS[min(7, int(8 * amounts[day] / most))] for day in days)
    yield from ("", tinted("By day", "strong", sys.stdout), f"  {drawn}")
    yield f"  {days[0]} to {days[-1]}, at most {_usd(most)}"


def _unknown(ledger: Mapping[str, Any]) -> str:
    runs = ledger["runs_of_unknown_cost"]
    return f", and {runs} run{'s' if runs > 1 else ''} of unknown cost" if runs else ""


def _usd(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
