"""What the host is asked, in both protocol eras: its user's consent, and which directories it has opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio
import mcp_types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from or_mcp.calls.call import Ask, NeedsHost, Roots
from or_mcp.calls.confirming import NeedsAnswer

_CONFIRM, _ROOTS = "confirm", "roots"
_FIELD = "go"
# A person may have gone for coffee; no answer is no consent.
_ANSWER_SECONDS = 600.0
# What a question without choices is agreed to with, and the choice that is no consent.
_YES, NO = "yes", "no"
_FIRST_MODERN = "2026-07-28"
# A program answers this, not a person.
_ROOTS_SECONDS = 3.0

Context = ServerRequestContext[Any, Any]


class NeedsRoots(NeedsHost):
    """The host must say which directories it has opened."""


@with_config(ConfigDict(defer_build=True))
@dataclass(frozen=True, slots=True)
class Told:
    """What the host has told in the rounds of one call: it holds this, sealed, from one to the next."""

    question: str = ""
    choices: tuple[str, ...] = ()
    # Questions, and what was chosen.
    agreed: tuple[tuple[str, str], ...] = ()
    declined: str = ""
    roots: tuple[str, ...] | None = field(default=None)

    @classmethod
    def by(cls, params: mcp_types.CallToolRequestParams) -> Told:
        """What was told in earlier rounds and in this one."""
        try:
            told = _TOLD.validate_json(params.request_state or "{}")
        except ValidationError:
            told = cls()
        answers = params.input_responses or {}
        if _ROOTS in answers:
            told = replace(told, roots=_uris(answers[_ROOTS]))
        # The sealed state holds what was asked: an answer to another question is no answer to this one.
        answer = answers.get(_CONFIRM)
        if answer is None or not told.question:
            return told
        if isinstance(answer, mcp_types.ElicitResult) and (given := chosen(answer, told.choices)):
            return replace(told, agreed=(*told.agreed, (told.question, given)))
        return replace(told, declined=told.question)


_TOLD = TypeAdapter(Told)


def asker(ctx: Context, told: Told) -> Ask | None:
    """How to ask this host's user, or None when it cannot be asked."""
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return None
    if ctx.protocol_version >= _FIRST_MODERN:
        return _by_calling_again(told)
    return _by_request(ctx) if ctx.session.can_send_request else None


def opener(ctx: Context, told: Told) -> Roots | None:
    """How to learn which directories this host has opened, or None when it has none.

    Only over stdio: there the host is the user's own program. Over HTTP it may be anybody's, and its paths not ours.
    """
    capabilities = ctx.session.client_capabilities
    if ctx.request is not None or capabilities is None or capabilities.roots is None:
        return None
    if ctx.protocol_version >= _FIRST_MODERN:
        return _roots_by_calling_again(told)
    return _roots_by_request(ctx) if ctx.session.can_send_request else None


def question_result(needed: NeedsHost, told: Told) -> mcp_types.InputRequiredResult:
    """What is asked, as a result: the host finds the answer, and calls again with it."""
    requests: dict[str, mcp_types.InputRequest] = {_ROOTS: mcp_types.ListRootsRequest()}
    if isinstance(needed, NeedsAnswer):
        requests = {_CONFIRM: question_request(needed.question, needed.choices)}
        told = replace(told, question=needed.question, choices=needed.choices)
    return mcp_types.InputRequiredResult(input_requests=requests, request_state=dumps(asdict(told)))


def question_request(question: str, choices: tuple[str, ...]) -> mcp_types.ElicitRequest:
    """A question as the protocol writes it."""
    asked = mcp_types.ElicitRequestFormParams(message=question, requested_schema=_schema(choices))
    return mcp_types.ElicitRequest(params=asked)


def _by_calling_again(told: Told) -> Ask:
    async def ask(question: str, choices: tuple[str, ...] = ()) -> str:
        agreed = dict(told.agreed)
        if question in agreed:
            return agreed[question]
        if question == told.declined:
            return ""
        raise NeedsAnswer(question, choices)

    return ask


def _by_request(ctx: Context) -> Ask:
    async def ask(question: str, choices: tuple[str, ...] = ()) -> str:
        with anyio.move_on_after(_ANSWER_SECONDS):
            try:
                answer = await ctx.session.elicit_form(question, _schema(choices), related_request_id=ctx.request_id)
            except MCPError:
                # A host that said it can ask, and then cannot, has not agreed.
                return ""
            return chosen(answer, choices)
        return ""

    return ask


def _schema(choices: tuple[str, ...]) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "string", "enum": list(choices)} if choices else {"type": "boolean"}
    return {"type": "object", "properties": {_FIELD: field | {"title": "Go on"}}, "required": [_FIELD]}


def chosen(answer: mcp_types.ElicitResult, choices: tuple[str, ...]) -> str:
    """What a user agreed to; nothing, where it was a no."""
    given = (answer.content or {}).get(_FIELD) if answer.action == "accept" else None
    if not choices:
        return _YES if given is True else ""
    return given if isinstance(given, str) and given in choices and given != NO else ""


def _roots_by_calling_again(told: Told) -> Roots:
    async def roots() -> tuple[Path, ...]:
        if told.roots is None:
            raise NeedsRoots
        return _paths(told.roots)

    return roots


def _roots_by_request(ctx: Context) -> Roots:
    async def roots() -> tuple[Path, ...]:
        # A host that declares roots and then does not tell them has opened nothing.
        with anyio.move_on_after(_ROOTS_SECONDS):
            try:
                answer = await ctx.session.send_request(mcp_types.ListRootsRequest(), mcp_types.ListRootsResult)
            except (MCPError, ValidationError):
                return ()
            return _paths(_uris(answer))
        return ()

    return roots


def _uris(answer: object) -> tuple[str, ...]:
    return tuple(str(root.uri) for root in answer.roots) if isinstance(answer, mcp_types.ListRootsResult) else ()


def _paths(uris: tuple[str, ...]) -> tuple[Path, ...]:
    parts = [urlsplit(uri) for uri in uris]
    here = [each for each in parts if each.scheme == "file" and each.netloc in ("", "localhost")]
    return tuple(Path(url2pathname(each.path)) for each in here)
