"""What can go wrong upstream, as one tree.

* Failure
  x Caller can act
    + InvalidRequest      the request was wrong and would be wrong again
    + ModelUnavailable    no endpoint serves this model under these rules
    + Refused             a moderation, guardrail or policy said no
    + NotFound            the thing asked for does not exist
  x Key owner can act
    + NotAuthorized       no key, a bad key, or the wrong kind of key
    + NoCredit            the account, key or budget has nothing left for this
  x Time may help
    + RateLimited         too many requests, or every provider is full
    + UpstreamFailed      upstream answered, but not with an answer
    + ConnectionFailed    upstream could not be reached
    + StreamBroken        the answer stopped before its end
    + DeadlinePassed      it took longer than it may

Other rooms add their own: a budget that refuses, a run that was cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from or_mcp.openrouter.wire.errors import Availability, ErrorBody, ErrorEnvelope
from or_mcp.openrouter.wire.lenient import Reply

# Upstream's messages are a sentence or two; providers' are sometimes pages.
QUOTE_LIMIT = 300


class Failure(Exception):
    """Expected trouble, with what is known about it."""

    kind: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        quote: str = "",
        status: int | None = None,
        generation_id: str | None = None,
        retry_after: float | None = None,
        availability: Availability | None = None,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.quote = shorten(quote)
        self.status = status
        self.generation_id = generation_id
        self.retry_after = retry_after
        self.availability = availability
        self.may_be_billed = may_be_billed

    def facts(self) -> str:
        """What is known of it, as JSON that `from_facts` reads."""
        return FailureFacts.model_validate(self, from_attributes=True).model_dump_json(exclude_none=True)


class FailureFacts(Reply):
    """A failure as it is kept."""

    kind: str
    message: str
    quote: str = ""
    status: int | None = None
    generation_id: str | None = None
    retry_after: float | None = None
    availability: Availability | None = None
    may_be_billed: bool = False


def from_facts(facts: str) -> Failure:
    """The failure that was kept."""
    kept = dict(FailureFacts.model_validate_json(facts))
    known = {kind.kind: kind for kind in _concrete(Failure)}
    return known.get(kept.pop("kind"), UpstreamFailed)(**kept)


def _concrete(kind: type[Failure]) -> Iterator[type[Failure]]:
    """Every class of the tree that names its kind, other rooms' included."""
    for child in kind.__subclasses__():
        if "kind" in vars(child):
            yield child
        yield from _concrete(child)


class CallerCanAct(Failure):
    """The caller can change the request."""


class InvalidRequest(CallerCanAct):
    """The request was wrong and would be wrong again."""

    kind = "invalid_request"


class ModelUnavailable(CallerCanAct):
    """No endpoint serves this model under these rules."""

    kind = "model_unavailable"


class Refused(CallerCanAct):
    """A moderation, guardrail or policy said no."""

    kind = "refused"


class NotFound(CallerCanAct):
    """The thing asked for does not exist."""

    kind = "not_found"


class OwnerCanAct(Failure):
    """Whoever owns the key can act."""


class NotAuthorized(OwnerCanAct):
    """No key, a bad key, or the wrong kind of key."""

    kind = "not_authorized"


class NoCredit(OwnerCanAct):
    """The account, key or budget has nothing left for this."""

    kind = "no_credit"


class TimeMayHelp(Failure):
    """The same request may succeed later."""


class RateLimited(TimeMayHelp):
    """Too many requests, or every provider is full."""

    kind = "rate_limited"


class UpstreamFailed(TimeMayHelp):
    """Upstream answered, but not with an answer."""

    kind = "upstream_failed"


class ConnectionFailed(TimeMayHelp):
    """Upstream could not be reached."""

    kind = "connection_failed"


class StreamBroken(TimeMayHelp):
    """The answer stopped before its end."""

    kind = "stream_broken"


class DeadlinePassed(TimeMayHelp):
    """It took longer than it may."""

    kind = "deadline"


BY_ERROR_TYPE: Mapping[str, type[Failure]] = {
    "context_length_exceeded": InvalidRequest,
    "max_tokens_exceeded": InvalidRequest,
    "token_limit_exceeded": InvalidRequest,
    "string_too_long": InvalidRequest,
    "invalid_request": InvalidRequest,
    "invalid_prompt": InvalidRequest,
    "invalid_image": InvalidRequest,
    "image_too_large": InvalidRequest,
    "image_too_small": InvalidRequest,
    "unsupported_image_format": InvalidRequest,
    "image_download_failed": InvalidRequest,
    "image_not_found": InvalidRequest,
    "precondition_failed": InvalidRequest,
    "payload_too_large": InvalidRequest,
    "unprocessable": InvalidRequest,
    "content_policy_violation": Refused,
    "refusal": Refused,
    "bio_policy": Refused,
    "cyber_policy": Refused,
    "misalignment_policy_violation": Refused,
    "authentication": NotAuthorized,
    "permission_denied": NotAuthorized,
    "data_residency_mismatch": ModelUnavailable,
    "payment_required": NoCredit,
    "not_found": ModelUnavailable,
    "rate_limit_exceeded": RateLimited,
    "server": UpstreamFailed,
    "server_error": UpstreamFailed,
    "unmapped": UpstreamFailed,
    "provider_unavailable": UpstreamFailed,
    "provider_overloaded": UpstreamFailed,
    "timeout": UpstreamFailed,
}

BY_AVAILABILITY: Mapping[str, type[Failure]] = {
    "wrong_endpoint": InvalidRequest,
    "capacity_exhausted": RateLimited,
    "temporarily_unavailable": UpstreamFailed,
}

BY_STATUS: Mapping[int, type[Failure]] = {
    401: NotAuthorized,
    402: NoCredit,
    403: NotAuthorized,
    404: ModelUnavailable,
    429: RateLimited,
}

_SENTENCES: Mapping[type[Failure], str] = {
    InvalidRequest: "OpenRouter rejected the request",
    ModelUnavailable: "No endpoint can serve this model under these rules",
    Refused: "The request was refused by a moderation, guardrail or policy",
    NotFound: "OpenRouter does not know this",
    NotAuthorized: "OpenRouter did not accept the key for this",
    NoCredit: "There is not enough credit for this request",
    RateLimited: "OpenRouter or every provider of the model is at its limit",
    UpstreamFailed: "OpenRouter or the provider failed",
}


def shorten(text: str, limit: int = QUOTE_LIMIT) -> str:
    """Upstream's words on one line, never longer than may be quoted."""
    line = " ".join(text[: 10 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def from_reply(
    status: int, body: bytes, *, retry_after: float | None = None, generation_id: str | None = None
) -> Failure:
    """The one failure that an HTTP error reply stands for."""
    envelope = ErrorEnvelope.read(body)
    if envelope is None:
        kind = _by_status(status)
        words = f"{_SENTENCES[kind]} (HTTP {status}, and the reply is not OpenRouter's JSON)"
        return kind(words, status=status, retry_after=retry_after, generation_id=generation_id)
    return from_error(
        envelope.error,
        status=status,
        retry_after=retry_after,
        generation_id=generation_id,
        error_type=envelope.error_type,
    )


def from_error(
    error: ErrorBody,
    *,
    status: int | None = None,
    error_type: str | None = None,
    retry_after: float | None = None,
    generation_id: str | None = None,
    may_be_billed: bool = False,
) -> Failure:
    """The one failure that an error object stands for, wherever it was found."""
    code = status if status is not None and status >= 400 else error.status
    kind = _classify(error, code, error_type or error.type_name)
    suffix = f" (HTTP {code})" if code else ""
    return kind(
        _SENTENCES.get(kind, _SENTENCES[UpstreamFailed]) + suffix,
        quote=error.message,
        status=code,
        generation_id=generation_id,
        retry_after=retry_after if retry_after is not None else error.retry_after,
        availability=error.availability,
        may_be_billed=may_be_billed,
    )


def _classify(error: ErrorBody, status: int | None, error_type: str | None) -> type[Failure]:
    if error.availability is not None and error.availability.code:
        return BY_AVAILABILITY.get(error.availability.code, ModelUnavailable)
    if error.is_moderation:
        return Refused
    if status == 403 and error.is_about_money:
        return NoCredit
    return BY_ERROR_TYPE.get(error_type or "") or _by_status(status)


def _by_status(status: int | None) -> type[Failure]:
    if status is None or status >= 500 or status < 400 or status in (408, 499):
        return UpstreamFailed
    return BY_STATUS.get(status, InvalidRequest)
