"""Rows being decided: each is one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

from or_mcp.catalogue.costs import Media
from or_mcp.catalogue.prices import Estimate, Prompt, estimate_completion
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.catalogue.web import NO_WEB
from or_mcp.decisions.answers import ROW, read_answers
from or_mcp.decisions.questions import Asked
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire.decisions import DecisionsRequest
from or_mcp.openrouter.wire.routing import Provider
from or_mcp.rows.result import Answered

State = str | Mapping[str, Any]
Part = str | dict[str, Any]
# What upstream may put around a state and its questions.
_AROUND = 1_000
# Of an answer, beside what the question names: its type, its value and its confidence, and a number for each option.
_VALUES, _NUMBER_TOKENS = 6, 16
# A picture as most models count it, and the least that a close look at one takes.
_MEDIUM_TOKENS, _MEDIUM_TOKENS_AT_LEAST = 1_600, 5_000


@dataclass(frozen=True, slots=True)
class Deciding:
    """What is asked of every row, and of whom."""

    model: str
    asked: tuple[Asked, ...]
    states: Sequence[State]
    attached: tuple[Part, ...]
    upstream: OpenRouter = field(repr=False)
    provider: Provider | None
    session_id: str
    mosts: tuple[Decimal | None, ...] = ()

    def most(self, n: int) -> Decimal | None:
        """What a row costs at most."""
        return self.mosts[n]

    async def ask(self, n: int) -> Answered:
        """Ask one row, once."""
        reply = await self.upstream.decisions(self.request(n))
        usage = reply.usage
        failure: Failure | None = None
        body = ""
        try:
            body = ROW.dump_json(read_answers(reply, self.asked)).decode()
        except Failure as trouble:
            failure = trouble
        return Answered(
            body=body,
            cost_usd=usage.cost if usage else None,
            provider_cost_usd=usage.provider_cost if usage else None,
            usage=Usage.of(usage) if usage else None,
            model=reply.model,
            generation_id=reply.id,
            failure=failure,
        )

    def request(self, n: int) -> DecisionsRequest:
        """What is sent for a row. Upstream reads media only where they stand in a list themselves."""
        state = self.states[n]
        return DecisionsRequest(
            model=self.model,
            questions={each.name: each.question for each in self.asked},
            state=[*([state] if state else []), *self.attached] if self.attached else state,
            provider=self.provider,
            session_id=self.session_id,
        )

    def estimates(self, snapshot: Snapshot) -> list[Estimate]:
        """What each row costs. With many it takes a while: call it in a thread."""
        questions = to_json({each.name: each.question.model_dump(exclude_none=True) for each in self.asked}).decode()
        numbers = sum(_VALUES + len(each.options) for each in self.asked) * _NUMBER_TOKENS
        usual = count_tokens(questions) + len(self.attached) * _MEDIUM_TOKENS
        at_most = most_tokens(questions) + _AROUND + sum(map(_most_tokens_of, self.attached))
        longest = most_tokens(questions) + numbers
        return [
            estimate_completion(
                snapshot,
                (self.model,),
                Prompt(count_tokens(words) + usual),
                Prompt(most_tokens(words) + at_most, Media(images=len(self.attached))),
                max_output_tokens=longest,
                web=NO_WEB,
            )
            for words in map(_words, self.states)
        ]


def _words(state: State) -> str:
    return state if isinstance(state, str) else to_json(state).decode()


def _most_tokens_of(part: Part) -> int:
    """A medium is cut into tiles, or counted by what was sent of it; a text is one."""
    return most_tokens(part) if isinstance(part, str) else max(_MEDIUM_TOKENS_AT_LEAST, len(to_json(part)))
