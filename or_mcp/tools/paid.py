"""The way of every paid call: check, reserve, start or join a run, wait as long as the host will, hand over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from or_mcp.catalogue.prices import Estimate
from or_mcp.runs.budget import Standing, check_ceiling, dollars
from or_mcp.runs.live import Work
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import Progress, RunRecord, RunRequest
from or_mcp.runs.runner import Begun
from or_mcp.runs.waiting import patience
from or_mcp.tools.arguments import Arguments
from or_mcp.tools.call import Call, Caller, Tell
from or_mcp.tools.confirming import confirm
from or_mcp.tools.explain import RunFailed
from or_mcp.tools.keepsake import Keepsake, Shown
from or_mcp.tools.reply import Reply

MESSAGE_LIMIT = 199


@dataclass(frozen=True, slots=True)
class Order:
    """A paid call that has been checked: what it is, what it may cost, and how to carry it out."""

    tool: str
    arguments: Arguments
    models: tuple[str, ...]
    prompt: str
    estimate: Estimate
    make: Callable[[], Work]
    ceiling_usd: Decimal | None = None
    wait_seconds: float | None = None
    context: Context | None = None
    attached: str = ""
    notes: tuple[str, ...] = ()

    def request(self, caller: Caller) -> RunRequest:
        """What is recorded before anything is sent."""
        return RunRequest(
            tool=self.tool,
            caller=caller.id,
            payer=caller.payer,
            arguments=self.arguments.model_dump(mode="json", exclude_defaults=True),
            models=self.models,
            prompt=self.prompt,
            low_usd=self.estimate.low,
            high_usd=self.estimate.high,
            ceiling_usd=self.ceiling_usd,
            context=self.context,
            attached=self.attached,
        )


async def place(call: Call, order: Order, keepsake: Keepsake, shown: Shown) -> Reply:
    """Carry out a paid call and answer before the host would give up.

    Raises:
        Failure: It was refused, or the run failed.
    """
    runner = call.parts.runner
    caller, payer = call.caller.id, call.caller.payer
    runner.pays(payer, call.upstream)
    request = order.request(call.caller)
    lasting = call.lasting
    begun = await runner.join(request) or await _begin(call, order, request)
    if lasting is not None:
        lasting.began(begun.run_id)
    tell = Narrator(call.tell).tell if call.tell is not None else None
    record = await runner.wait(begun.run_id, caller, _patience(call, order), tell, cancels=not begun.replayed)
    if record.finished and record.status != "completed":
        raise RunFailed(record)
    standing = await runner.standing(caller, payer, recent=True)
    if record.finished and lasting is None:
        runner.delivered(record.run_id)
    return keepsake.show(
        record,
        replace(
            shown,
            replayed=begun.replayed,
            cost_line=cost_line(record, standing),
            progress=record.progress.message if record.progress else "",
            notes=tuple(standing_notes(call, order)),
        ),
    )


async def _begin(call: Call, order: Order, request: RunRequest) -> Begun:
    runner = call.parts.runner
    key_left = await call.parts.key_limits.left(call.caller.payer, call.upstream)
    check_ceiling(request, runner.limits)
    await confirm(call, request, runner.limits.per_call_usd)
    run_id = call.lasting.run_id if call.lasting else None
    return await runner.begin(request, order.make, key_left=key_left, run_id=run_id)


def _patience(call: Call, order: Order) -> float:
    if call.lasting is not None:
        return math.inf
    return patience(call.host, call.parts.wait_seconds, order.wait_seconds)


def standing_notes(call: Call, order: Order) -> list[str]:
    """What the caller should know beside the result."""
    notes = list(order.notes)
    notes += [f"Cost not estimated: {reason}." for reason in order.estimate.unknown]
    if call.parts.runner.store.problem:
        notes.append(call.parts.runner.store.problem)
    return notes


def cost_line(record: RunRecord, standing: Standing) -> str:
    """The one line under every paid answer."""
    cost = "unknown" if record.cost_usd is None else dollars(record.cost_usd)
    today = "unknown" if standing.today_usd is None else f"${standing.today_usd:.2f}"
    left = "no daily budget" if standing.left_usd is None else f"budget left ${standing.left_usd:.2f}"
    return f"Cost: {cost} · today {today} · {left}"


class Narrator:
    """Tells a host how a run goes: strictly increasing, in few words, and never after the result."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._step = -1.0
        self._beats = 0

    async def tell(self, progress: Progress) -> None:
        """Say where the run stands."""
        self._beats = self._beats + 1 if progress.done <= self._step else 1
        self._step = max(self._step, progress.done)
        # Between two steps every word moves on a little, and never as far as the next step.
        value = self._step + 1 - 1 / (self._beats + 1)
        await self._tell(value, max(progress.total, self._step + 1), progress.message[:MESSAGE_LIMIT])
