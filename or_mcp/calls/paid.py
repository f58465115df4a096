"""The way of every paid call: check, reserve, start or join a run, wait as long as the host will, hand over."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol

from or_mcp.calls.arguments import decimal_or_none
from or_mcp.calls.attending import attend
from or_mcp.calls.call import Call
from or_mcp.calls.confirming import confirm, is_dear
from or_mcp.calls.explain import RunFailed
from or_mcp.calls.keepsake import AS_USUAL, AnyKeepsake, Result, Shown
from or_mcp.calls.made_files import with_files
from or_mcp.calls.reply import Reply
from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.errors import Failure, shorten
from or_mcp.runs.admission import Begun
from or_mcp.runs.budget import PER_CALLER, PER_DAY, OverBudget, Room, Standing, check, dollars, room_at_once
from or_mcp.runs.key_limit import Heard
from or_mcp.runs.live import Work
from or_mcp.runs.pieces import Context
from or_mcp.runs.record import RunRecord, RunRequest

_NOT_THE_QUESTION = frozenset({"wait_seconds", "detail", "max_cost_usd"})
# Less is no cent, and no hundredth.
_A_CENT_ROUNDED = _A_PERCENT_ROUNDED = Decimal("0.005")
# Of a program; what is no name may be as long as a message.
_LONGEST_NAME = 80
# How often a call looks at what is left before it is refused because others were faster.
_LOOKS = 5


class Paying(Protocol):
    """The arguments of a tool that spends."""

    @property
    def max_cost_usd(self) -> float | None:
        """What the caller is willing to pay at most."""
        ...

    def model_dump(self, *, mode: str, exclude_defaults: bool) -> dict[str, Any]:
        """Those that were given."""
        ...


class Offer(Work, Protocol):
    """A call as it would be sent, and what it costs then: the limits in the one are those that the other stands on."""

    @property
    def estimate(self) -> Estimate:
        """What it costs."""
        ...

    @property
    def limited(self) -> str:
        """By what it is limited that the caller did not limit."""
        ...


async def place(
    call: Call,
    tool: str,
    arguments: Paying,
    offered: Callable[[Room], Offer],
    *,
    models: tuple[str, ...],
    prompt: str,
    context: Context | None = None,
    attached: str = "",
    shown: Shown = AS_USUAL,
    wait_seconds: float | None = None,
) -> Reply:
    """Carry out a paid call that has been checked, and answer before the host would give up.

    `offered` is how it would be carried out with so much room; the notes in `shown` are what its tool has to say.
    What is `attached`, by its digest, belongs to the question; `context` is kept to go on from.

    Raises:
        Failure: It was refused, or the run failed.
    """
    runner, lasting = call.parts.runner, call.lasting
    runner.pays(call.caller.payer, call.upstream)
    given = arguments.model_dump(mode="json", exclude_defaults=True)
    # The prompt is kept once.
    kept = given | ({"prompt": None} if given.get("prompt") == prompt else {})
    request = RunRequest(
        tool=tool,
        caller=call.caller.id,
        payer=call.caller.payer,
        fingerprint=question_of(call, tool, arguments, attached),
        arguments=json.dumps(kept, ensure_ascii=False),
        models=models,
        prompt=prompt,
        ceiling_usd=decimal_or_none(arguments.max_cost_usd),
        context=context,
        asked_by=shorten(call.host, _LONGEST_NAME),
    )
    begun, offer = await _at_once(call, request, offered) or await _within_what_is_left(call, request, offered)
    if offer is not None and not begun.replayed:
        shown = replace(shown, notes=(*shown.notes, *_of_the_offer(offer)))
    if lasting is not None:
        lasting.began(begun.run_id)
    return await _hand_over(call, begun, shown, math.inf if lasting is not None else call.patience(wait_seconds))


def question_of(call: Call, tool: str, arguments: Paying, attached: str) -> str:
    """The same for the same question by the same caller, whatever it is willing to wait or pay."""
    given = arguments.model_dump(mode="json", exclude_defaults=True)
    asked = {name: value for name, value in given.items() if name not in _NOT_THE_QUESTION}
    text = json.dumps([tool, call.caller.id, asked, attached], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def _hand_over(call: Call, begun: Begun, shown: Shown, seconds: float) -> Reply:
    """Wait so long, and answer with how the run stands then."""
    replayed = begun.replayed and not call.again
    record = await attend(call, begun.run_id, seconds, call.waiter, is_its_own=not replayed)
    if record.finished and record.status != "completed":
        raise RunFailed(record)
    standing = await call.runs.standing(recent=record.finished)
    if record.finished and call.lasting is None:
        call.parts.runner.admission.received(record.run_id)
    keepsake = call.parts.keepsakes[record.request.tool]
    result = keepsake.read(record)
    return keepsake.show(
        record,
        result,
        replace(
            await with_files(shown, keepsake.made(result), call.parts.shelf, call.files_in),
            replayed=replayed,
            cost_line=cost_line(record, keepsake, result, standing),
            progress=record.progress.message if record.progress else "",
            notes=(*shown.notes, *about_the_store(call)),
        ),
    )


async def _at_once(call: Call, request: RunRequest, offered: Callable[[Room], Offer]) -> tuple[Begun, Offer] | None:
    """Begin or join without a look at the store before, where it would say nothing that matters; else None."""
    limits, key = call.parts.runner.limits, call.parts.key_limits.known(call.caller.payer)
    room = room_at_once(request, limits, key) if key is not None else None
    if room is None:
        return None
    try:
        offer = offered(room)
        priced = _priced(request, offer.estimate)
        check(priced, room)
    except Failure:
        # It may still be there, paid for by another call.
        return None
    return None if is_dear(priced, limits.per_call_usd) else (await _take(call, priced, offer, key), offer)


async def _within_what_is_left(
    call: Call, request: RunRequest, offered: Callable[[Room], Offer]
) -> tuple[Begun, Offer | None]:
    """Join a run, or offer what there is room for and take it; what others take meanwhile makes it less.

    Raises:
        OverBudget: There is no room for it.
    """
    runner, key = call.parts.runner, call.parts.key_limits.known(call.caller.payer)
    room = await runner.admission.look(request, key)
    if key is None and not isinstance(room, Begun):
        key = await call.parts.key_limits.heard(call.caller.payer, call.upstream)
        room = await runner.admission.look(request, key)
    looks = 0
    while not isinstance(room, Begun):
        offer = offered(room)
        priced = _priced(request, offer.estimate)
        check(priced, room)
        await confirm(call, priced, runner.limits.per_call_usd)
        try:
            return await _take(call, priced, offer, key), offer
        except OverBudget:
            # Whoever took from the same budget since that look has left less.
            looks += 1
            if looks == _LOOKS:
                raise
        room = await runner.admission.look(request, key)
    return room, None


async def _take(call: Call, priced: RunRequest, offer: Offer, key: Heard | None) -> Begun:
    run_id = call.lasting.run_id if call.lasting else None
    return await call.parts.runner.begin(priced, offer, key=key, run_id=run_id)


def _priced(request: RunRequest, estimate: Estimate) -> RunRequest:
    return replace(request, low_usd=estimate.low, high_usd=estimate.high, most_usd=estimate.most)


def _of_the_offer(offer: Offer) -> tuple[str, ...]:
    """What the caller should know of how it was sent, and of what is not known."""
    limited = (f"{offer.limited[0].upper()}{offer.limited[1:]}.",) if offer.limited else ()
    unknown = tuple(f"Cost not estimated: {reason}." for reason in offer.estimate.unknown)
    unbounded = () if offer.estimate.most is not None else ("What it costs at most cannot be bounded.",)
    return (*limited, *unknown, *unbounded, *offer.estimate.notes)


def about_the_store(call: Call) -> list[str]:
    """What is not kept."""
    runner = call.parts.runner
    if not runner.store.problem:
        return []
    limits = runner.limits
    budget = PER_DAY if limits.per_day_usd else PER_CALLER if limits.per_caller_usd else None
    is_of_this_process = budget is not None and runner.store.is_off
    bounded = [f"The daily budget ({budget}) holds for this process only."] if is_of_this_process else []
    return [runner.store.problem, *bounded]


def cost_line(record: RunRecord, keepsake: AnyKeepsake, result: Result, standing: Standing) -> str:
    """The one line under every paid answer."""
    # What was cut off may be billed yet.
    is_open = not record.cost_usd and record.status in ("cancelled", "interrupted")
    cost = "unknown" if record.cost_usd is None or is_open else dollars(record.cost_usd)
    share = keepsake.from_cache(result)
    if share is not None and share >= _A_PERCENT_ROUNDED:
        cost += f", {share * 100:.0f} % from cache"
    if result.provider_cost_usd:
        cost += f", and {dollars(result.provider_cost_usd)} billed by your provider"
    today = "unknown" if standing.today_usd is None else f"${standing.today_usd:.2f}"
    if standing.set_aside_usd >= _A_CENT_ROUNDED:
        today += f", ${standing.set_aside_usd:.2f} set aside"
    left = "no daily budget" if standing.left_usd is None else f"budget left ${standing.left_usd:.2f}"
    return f"Cost: {cost} · today {today} · {left}"
