"""One question about many rows: each is a turn of its own, with its columns in the question."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import anyio.to_thread
from pydantic import ConfigDict, JsonValue, TypeAdapter, with_config

from or_mcp.catalogue.prices import Estimate, estimate_completion
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.conversation.fit import Needs, needs_of
from or_mcp.conversation.price import Price, bound
from or_mcp.conversation.state import AnswerState, Citation, Said
from or_mcp.conversation.structure import read_json
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.turn import Caps, Turn, request_for, say
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure, InvalidRequest, shorten
from or_mcp.openrouter.wire.chat import ChatChunk, ChatRequest
from or_mcp.openrouter.wire.lenient import Maybe
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.rows.result import Answered
from or_mcp.runs.budget import Room

Row = str | Mapping[str, Any]
# A row that is a text has this one column.
_TEXT = "text"
_COLUMN = re.compile(r"\{([^{}\n]{1,100})\}")
# Rows of about the same length cost about the same: so many prices are worked out, whatever there is of rows.
_PRICES = 16


@with_config(ConfigDict(defer_build=True))
@dataclass(frozen=True, slots=True)
class RowSaid:
    """What is kept of a row's answer."""

    text: str
    json: Any = None
    json_problem: Maybe[str] = None
    model: Maybe[str] = None
    finish_reason: Maybe[str] = None
    citations: Maybe[tuple[Citation, ...]] = None


ROW: TypeAdapter[RowSaid] = TypeAdapter(RowSaid)


@dataclass(frozen=True, slots=True)
class RowTurn:
    """A turn with its question, which names columns or has them filled in, and what goes along."""

    turn: Turn
    prompt: str
    attached: tuple[Message, ...] = ()

    def thread(self, session_id: str = "") -> Thread:
        """The conversation that it is."""
        return say(Thread(session_id), self.turn, self.prompt, self.attached)


def turns_of(turn: RowTurn, rows: Sequence[Row]) -> tuple[RowTurn, ...]:
    """The turn for each row.

    Raises:
        InvalidRequest: The question names no column, or one that a row does not have.
    """
    columns = [row if isinstance(row, Mapping) else {_TEXT: row} for row in rows]
    known = {name for row in columns for name in row}
    named = {name for name in _COLUMN.findall(f"{turn.prompt}\n{turn.turn.instructions}") if name in known}
    if not named:
        some = ", ".join(f"{{{name}}}" for name in sorted(known)[:8])
        raise InvalidRequest(f"prompt names no column of the rows; it takes {shorten(some, 300)} in its text")
    return tuple(_filled(turn, row, n, named) for n, row in enumerate(columns))


def _filled(turn: RowTurn, row: Mapping[str, Any], n: int, named: set[str]) -> RowTurn:
    if missing := sorted(named - row.keys()):
        raise InvalidRequest(
            f"row {n} has no column {shorten(missing[0], 60)!r}, which prompt names; each row needs it"
        )

    def fill(template: str) -> str:
        return _COLUMN.sub(lambda found: _words(row[found[1]]) if found[1] in named else found[0], template)

    filled = replace(turn.turn, instructions=fill(turn.turn.instructions))
    return replace(turn, turn=filled, prompt=fill(turn.prompt))


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """How each row is asked; the limits in `caps` are those that `mosts` stand on."""

    turns: tuple[RowTurn, ...]
    upstream: OpenRouter = field(repr=False)
    provider: Provider | None
    caps: Caps
    mosts: tuple[Decimal | None, ...]
    session_id: str

    @property
    def model(self) -> str:
        """Who is asked."""
        return self.turns[0].turn.model

    def most(self, n: int) -> Decimal | None:
        """What a row costs at most."""
        return self.mosts[n]

    async def ask(self, n: int) -> Answered:
        """Ask one row, once."""
        state = AnswerState()
        try:
            async with self.upstream.chat(self._request(n, self.provider)) as stream:
                state.generation_id = stream.generation_id
                async for chunk in stream:
                    state.apply(chunk)
            state.check_ended()
        except Failure as failure:
            if state.said().cost_usd is None:
                raise
            return _answered(state.said(), "", failure)
        schema = self.turns[n].turn.json_schema
        kept = await anyio.to_thread.run_sync(_kept, state.said(), schema, abandon_on_cancel=True)
        return _answered(state.said(), kept)

    def body(self, n: int) -> dict[str, Any]:
        """What is sent for a row as one of a batch."""
        body = self._request(n, None).body()
        return {name: value for name, value in body.items() if name not in ("model", "stream")}

    def read(self, body: Mapping[str, JsonValue]) -> Answered:
        """What a row of a batch was answered with."""
        return read_answer(body, self.turns[0].turn.json_schema)

    def _request(self, n: int, provider: Provider | None) -> ChatRequest:
        return request_for(self.turns[n].thread(self.session_id), self.turns[n].turn, self.caps, provider)


def read_answer(body: Mapping[str, JsonValue], schema: Mapping[str, Any] | None) -> Answered:
    """What a whole reply says. It may take long."""
    state = AnswerState()
    try:
        state.apply(ChatChunk.model_validate(body))
        state.check_ended()
    except Failure as failure:
        return _answered(state.said(), "", failure)
    return _answered(state.said(), _kept(state.said(), schema))


def _answered(said: Said, body: str, failure: Failure | None = None) -> Answered:
    return Answered(
        body=body,
        cost_usd=said.cost_usd,
        provider_cost_usd=said.provider_cost_usd,
        usage=said.usage,
        model=said.model,
        generation_id=said.generation_id,
        failure=failure,
    )


def _kept(said: Said, schema: Mapping[str, Any] | None) -> str:
    value, problem = (None, None) if schema is None else read_json(said.text, schema)
    cut = said.finish_reason if said.finish_reason != "stop" else None
    kept = RowSaid(said.text, value, problem, said.model, cut, said.citations or None)
    return ROW.dump_json(kept, exclude_none=True).decode()


@dataclass(frozen=True, slots=True)
class RowsPrice:
    """The sizes of all rows, to be priced once it is known what room there is."""

    turn: Turn
    snapshot: Snapshot
    needs: tuple[Needs, ...]
    # Of each row, the place of the one whose price stands for it: the longest of about its length.
    stands_for: tuple[int, ...]

    @classmethod
    def of(cls, turns: Sequence[RowTurn], snapshot: Snapshot) -> RowsPrice:
        """Measure every row. It may take long."""
        needs = tuple(needs_of(each.thread(), each.turn) for each in turns)
        order = sorted(range(len(needs)), key=lambda n: needs[n].sizes.at_most.tokens)
        size = -(-len(order) // _PRICES)
        stands_for = dict.fromkeys(order, 0)
        for begin in range(0, len(order), size):
            some = order[begin : begin + size]
            stands_for |= dict.fromkeys(some, some[-1])
        return cls(turns[order[-1]].turn, snapshot, needs, tuple(stands_for[n] for n in range(len(needs))))

    @property
    def largest(self) -> Needs:
        """What the longest row asks of a model."""
        return max(self.needs, key=lambda needs: needs.sizes.at_most.tokens)

    def within(self, room: Room) -> tuple[Price, tuple[Estimate, ...]]:
        """The limits that all rows are sent with, and what each row costs with them.

        Each takes no more than a part of the room that all of them share.
        """
        shared = Room(tuple(replace(each, shared=True) for each in room.bounds))
        turn = replace(self.turn, json_schema=None) if self.turn.json_schema is not None else self.turn
        price = bound(turn, self.largest.sizes, self.snapshot, shared)
        priced = {n: self._estimate(n, price) for n in set(self.stands_for)}
        return price, tuple(priced[n] for n in self.stands_for)

    def _estimate(self, n: int, price: Price) -> Estimate:
        if not price.estimate.known:
            return price.estimate
        sizes, caps = self.needs[n].sizes, price.caps
        return estimate_completion(
            self.snapshot,
            self.turn.models,
            sizes.usual,
            sizes.at_most,
            max_output_tokens=caps.max_output_tokens,
            web=caps.web,
        )
