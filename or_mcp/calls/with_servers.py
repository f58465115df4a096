"""A question to a model with the tools of MCP servers: which they are, how it is carried out, what was lost before."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from or_mcp.calls.call import Call
from or_mcp.calls.lending import Lender
from or_mcp.catalogue.closest import similar
from or_mcp.conversation.steps import Plan
from or_mcp.conversation.thread import Thread
from or_mcp.conversation.trace import done_in, steps_in
from or_mcp.conversation.work import Exchange
from or_mcp.openrouter.errors import InvalidRequest, shorten

_NOT_WITH_SERVERS = ("tools", "tool_choice", "tool_outputs", "rows", "rows_file")


class Naming(Protocol):
    """Arguments that name servers."""

    @property
    def servers(self) -> tuple[str, ...]:
        """Their names."""
        ...


def names_of(arguments: Naming, call: Call) -> tuple[str, ...]:
    """The servers whose tools the model is given.

    Raises:
        InvalidRequest: One is not in the operator's file, or something was given that does not go with them.
    """
    known = call.parts.servers.known
    for name in arguments.servers:
        if name not in known:
            close = similar(name, known)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise InvalidRequest(f"servers: there is no server {shorten(name, 80)!r}: {hint}")
    given = [name for name in _NOT_WITH_SERVERS if getattr(arguments, name)]
    if given and arguments.servers:
        raise InvalidRequest(f"servers have tools of their own: {', '.join(given)} cannot go with them")
    return tuple(dict.fromkeys(arguments.servers))


def in_steps(exchange: Exchange, thread: Thread, servers: tuple[str, ...], max_steps: int, call: Call) -> Plan:
    """The same turn, of a model with tools."""
    runner = call.parts.runner
    lender = Lender(
        servers=call.parts.servers,
        names=servers,
        store=runner.store,
        desk=runner.desk,
        may_ask=call.ask is not None,
        is_operator=not call.caller.afar,
        model=exchange.turn.model,
    )
    return Plan(
        thread=thread,
        turn=replace(exchange.turn, modalities=(), voice=""),
        sizes=exchange.sizes,
        max_steps=max_steps,
        snapshot=exchange.snapshot,
        policy=call.parts.policy,
        provider=exchange.provider,
        upstream=exchange.upstream,
        shelf=exchange.shelf,
        store=runner.store,
        opened=lender.opened,
    )


async def tell_what_was_lost(question: str, call: Call) -> None:
    """An earlier run may have paid for, and done, what this one would do again: whoever asks is told once, before.

    Raises:
        InvalidRequest: The newest run of the same question was cut off amid its steps, and nobody knows yet.
    """
    lost = await call.runs.lost_like(question)
    if lost is None or not lost.rows:
        return
    call.parts.runner.admission.received(lost.run_id)
    how_far = f"in step {steps_in(lost.rows)}, after {done_in(lost.rows)} calls of tools"
    raise InvalidRequest(
        f"{lost.run_id} asked the same and was cut off {how_far}; all would be paid for and done again: "
        f"continue_run={lost.run_id!r} goes on from there, run with part='events' shows them, and the same call once "
        "more begins anew"
    )
