"""A model with tools: it calls, they are carried out, it reads what came back, until it answers or something ends it.

What the run costs at most is its ceiling: each step is priced and set aside before it is sent, and settled after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Protocol

import anyio
import anyio.to_thread

from or_mcp.catalogue.policy import Policy
from or_mcp.catalogue.prices import Estimate
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.conversation.adapt import names_of, readable
from or_mcp.conversation.caching import with_cache
from or_mcp.conversation.fit import check_fits, needs_of
from or_mcp.conversation.keeping import keep_shown
from or_mcp.conversation.price import Price, bound
from or_mcp.conversation.state import AnswerState, CalledTool, Said
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.trace import MOST_CALLS, STEP, Used, call_rows, messages_of, step_row, used_row
from or_mcp.conversation.turn import Turn, request_for
from or_mcp.conversation.unpriced import SHARE, Sizes
from or_mcp.conversation.work import AskResult, hear, read_answer, write_result
from or_mcp.files.shelf import Shelf
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, ModelUnavailable, shorten
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.rows.purse import Purse
from or_mcp.rows.work import ends_in_time
from or_mcp.runs.budget import Bound, Room, dollars
from or_mcp.runs.live import Kept, LiveRun
from or_mcp.runs.record import Progress
from or_mcp.runs.rows import Row, keep_rows
from or_mcp.runs.store import Store

_0 = Decimal(0)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call; pictures in base64."""

    output: str
    failed: bool = False
    pictures: tuple[str, ...] = ()


class Toolbox(Protocol):
    """The tools that a model is given."""

    @property
    def functions(self) -> tuple[Message, ...]:
        """As the API takes them."""
        ...

    @property
    def words(self) -> str:
        """What the model is to know of them all."""
        ...

    async def use(self, call: CalledTool, allowed: Callable[[str], Awaitable[None]]) -> Came:
        """Carry a call out, if it may be; `allowed` is told by whose word, before anything happens."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of several steps needs, whichever room there is for it."""

    thread: Thread
    turn: Turn
    sizes: Sizes
    max_steps: int
    snapshot: Snapshot
    policy: Policy
    provider: Provider | None
    upstream: OpenRouter
    shelf: Shelf
    store: Store
    opened: Callable[[LiveRun], AbstractAsyncContextManager[Toolbox]]

    def offer(self, room: Room) -> Stepping:
        """The run within what there is room for: the first step must fit, and then each as long as it does."""
        first = bound(self.turn, self.sizes, self.snapshot, room).estimate
        ceiling = _ceiling(first, room)
        later = self.max_steps - 1
        # Before the answer come short steps, each of which reads more than the one before.
        low, high = first.low, None if first.high is None or first.low is None else first.high + 2 * later * first.low
        notes = first.notes
        if ceiling is not None:
            low, high = (None if each is None else min(each, ceiling) for each in (low, high))
            notes = (*notes, f"The run ends when its next step no longer fits into {dollars(ceiling)} ({room.by}).")
        priced = replace(first, low=low, high=high, most=ceiling, notes=notes)
        return Stepping(self, priced, room.usd if ceiling is None else ceiling, room.by)


def _ceiling(first: Estimate, room: Room) -> Decimal | None:
    """What all steps may cost together: what there is room for, and of what is shared a part."""
    if room.usd is None or first.most is None:
        return first.most if room.usd is not None else None
    shared = room.shared_usd
    return max(first.most, room.usd if shared is None else min(room.usd, shared * SHARE))


class Stepping:
    """Steps being carried out."""

    def __init__(self, plan: Plan, estimate: Estimate, ceiling: Decimal | None, by: str) -> None:
        self.estimate = estimate
        self._ceiling = ceiling
        self.limited = ""
        self._plan = plan
        self._by = by
        self._purse = Purse(ceiling)
        self._rows: dict[int, Row] = {}
        self._result = AskResult()
        self._state = AnswerState()
        self._step = 0
        self._doing = ""
        self._usage: Usage | None = None
        self._billed: Decimal | None = None
        self._words: list[str] = []

    def kept(self) -> Kept:
        """Every step as it stands, and what all together have cost."""
        said = self._state.said()
        said = replace(
            said,
            text=said.text or "\n\n".join(self._words),
            tool_calls=(),
            usage=self._usage,
            cost_usd=self._purse.cost,
            provider_cost_usd=self._billed,
        )
        names = names_of(self._plan.turn, self._plan.snapshot)
        result = replace(self._result, said=said, answered_as=names.get((said.model or "").lower()), steps=self._step)
        rows = tuple(self._rows[n] for n in sorted(self._rows))
        alone = said.generation_id if self._step == 1 else None
        at_most = self._purse.at_most
        return Kept(write_result(result), self._purse.cost, alone, None, rows, at_most, in_parts=True)

    def progress(self) -> Progress:
        """Which step, what is done in it, and how much was spent."""
        most = self._plan.max_steps
        words = f" · {len(self._state.text):,} chars" if self._state.text else ""
        spent = f" · {dollars(self._purse.spent)}" if self._purse.spent else ""
        return Progress(max(self._step, 1), most + 1, f"step {self._step} of {most} · {self._doing}{words}{spent}")

    async def carry_out(self, run: LiveRun) -> None:
        """Step after step, as long as there is something to do, money, and time.

        Raises:
            Failure: A step failed; what was done before is kept.
        """
        self._doing = "starting the servers"
        async with self._plan.opened(run) as toolbox:
            thread, ends = self._plan.thread, ends_in_time()
            while True:
                thread = replace(thread, functions=toolbox.functions)
                said = await self._ask(run, thread, toolbox.words)
                if said is None or not said.whole_calls:
                    break
                why = ""
                if self._step == self._plan.max_steps:
                    why = f"after {self._step} steps (max_steps)"
                elif anyio.current_time() > ends:
                    why = "since its time is nearly over (OR_MCP_RUN_DEADLINE_SECONDS)"
                if why:
                    self._stop(why, said)
                    break
                await self._carry_out(run, toolbox, said.whole_calls[:MOST_CALLS])
                thread = await self._gone_on(thread)
        await run.told("ended", self._result.said.model or "", self._result.stopped)

    async def _ask(self, run: LiveRun, thread: Thread, words: str) -> Said | None:
        """One step of the model's; None where it does not fit any more."""
        plan = self._plan
        sent, _ = readable(thread, plan.turn, plan.snapshot)
        sent = replace(sent, messages=_with_words(sent.messages, words))
        priced = await self._priced(sent)
        if priced is None:
            return None
        turn, price = priced
        self._step += 1
        self._doing, self._state = f"{plan.turn.model} thinks", AnswerState()
        n, most = self._step * STEP, price.estimate.most
        self._purse.hold(n, most)
        await self._write(run, [Row(n, "sent", cost_usd=most)])
        request = request_for(sent, turn, price.caps, plan.provider)
        try:
            await hear(plan.upstream, request, self._state, plan.shelf, run)
        except Failure as failure:
            cost = self._state.said().cost_usd if failure.may_be_billed else _0
            self._purse.settle(n, cost)
            await self._write(run, [Row(n, "failed", failure.facts(), most if cost is None else cost)])
            failure.may_be_billed |= self._purse.cost is None
            raise
        # It is paid for: whoever cancels now still finds it.
        with anyio.CancelScope(shield=True):
            return await self._said(run, n, most, price)

    async def _said(self, run: LiveRun, n: int, most: Decimal | None, price: Price) -> Said:
        said = self._state.said()
        self._purse.settle(n, said.cost_usd)
        self._usage = _sum(self._usage, said.usage)
        if said.provider_cost_usd is not None:
            self._billed = (self._billed or _0) + said.provider_cost_usd
        message = said.message(whole=True) or {"role": "assistant", "content": said.text}
        cost = most if said.cost_usd is None else said.cost_usd
        await self._write(
            run, [step_row(self._step, message, cost), *call_rows(self._step, said.whole_calls[:MOST_CALLS])]
        )
        called = ", ".join(call.name for call in said.whole_calls)
        if said.whole_calls:
            self._words += [said.text] if said.text else []
        schema = self._plan.turn.json_schema
        answer = await read_answer(said, schema) if schema is not None and not said.whole_calls else AskResult(said)
        self._result = replace(answer, limited=price.limited, used=self._result.used)
        cost_told = "unknown" if said.cost_usd is None else dollars(said.cost_usd)
        await run.told(
            "step", said.model or "", f"{self._step}: {cost_told}" + (f", calls {called}" if called else ", answers")
        )
        return said

    async def _priced(self, sent: Thread) -> tuple[Turn, Price] | None:
        """What the next step costs at most; None, with the reason told, where it cannot be had."""
        plan = self._plan
        turn = with_cache(plan.turn, sent, timedelta(), plan.snapshot)
        needs = await anyio.to_thread.run_sync(needs_of, sent, turn)
        try:
            check_fits(plan.snapshot, turn, needs, plan.policy)
        except ModelUnavailable as failure:
            if not self._step:
                raise
            self._stop(f"since {failure.message}")
            return None
        left = None if self._ceiling is None else self._ceiling - (self._purse.at_most or _0)
        # It is shared with the steps that follow: none may write until nothing is left.
        room = Room() if left is None else Room((Bound(left, self._by, "", shared=True),))
        price = await anyio.to_thread.run_sync(bound, turn, needs.sizes, plan.snapshot, room)
        if self._purse.fits(price.estimate.most):
            return turn, price
        self._stop(f"since the next step no longer fits into {dollars(self._ceiling or _0)} ({self._by})")
        return None

    async def _carry_out(self, run: LiveRun, toolbox: Toolbox, calls: Sequence[CalledTool]) -> None:
        """The calls of a step, several at once."""
        self._doing = ", ".join(dict.fromkeys(call.name for call in calls))
        async with anyio.create_task_group() as group:
            for at, call in enumerate(calls):
                group.start_soon(self._use, run, toolbox, at, call)
        self._result = replace(self._result, used=self._result.used + len(calls))

    async def _gone_on(self, thread: Thread) -> Thread:
        """The conversation after this step, as whoever reads it later has it."""
        said = messages_of(row for n, row in self._rows.items() if n // STEP == self._step)
        thread = replace(thread, messages=(*thread.messages, *said))
        return await anyio.to_thread.run_sync(thread.with_pictures, self._plan.shelf.data_url)

    async def _use(self, run: LiveRun, toolbox: Toolbox, at: int, call: CalledTool) -> None:
        step, began = self._step, anyio.current_time()
        used = Used(call.call_id, call.name, call.arguments)

        async def allowed(by: str) -> None:
            nonlocal used, began
            used, began = replace(used, allowed_by=by), anyio.current_time()
            # What may act is written down before it does: whoever comes after a crash must know.
            await self._write(run, [used_row(step, at, used)])

        came = await toolbox.use(call, allowed)
        seconds = round(anyio.current_time() - began, 2)
        with anyio.CancelScope(shield=True):
            pictures = await keep_shown(came.pictures, self._plan.shelf)
            used = replace(used, output=came.output, pictures=pictures, seconds=seconds)
            await self._write(run, [used_row(step, at, used, failed=came.failed)])
            state = "failed" if came.failed else "done"
            await run.told("tool", call.name, f"{step}: {state}, by {used.allowed_by or 'nobody'}, {used.seconds} s")

    def _stop(self, why: str, said: Said | None = None) -> None:
        undone = tuple(f"{call.name}({shorten(call.arguments, 200)})" for call in (said.whole_calls if said else ()))
        self._result = replace(self._result, stopped=why, undone=undone)

    async def _write(self, run: LiveRun, rows: Sequence[Row]) -> None:
        """Put rows on disk before anything else happens."""
        self._rows |= {row.n: row for row in rows}
        run.grew()
        await self._plan.store.write(partial(keep_rows, run_id=run.record.run_id, rows=tuple(rows)))


def _with_words(messages: tuple[Message, ...], words: str) -> tuple[Message, ...]:
    """The messages with more in their system prompt."""
    if not words:
        return messages
    first = messages[0] if messages and messages[0]["role"] == "system" else None
    content = f"{first['content']}\n\n{words}" if first is not None else words
    return ({"role": "system", "content": content}, *(messages if first is None else messages[1:]))


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    names = Usage.__dataclass_fields__
    both = {name: (getattr(one, name), getattr(other, name)) for name in names}
    return Usage(
        **{name: None if pair == (None, None) else (pair[0] or 0) + (pair[1] or 0) for name, pair in both.items()}
    )
