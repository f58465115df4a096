"""Requests upstream turns down before any stream begins, in its own envelopes."""

from dataclasses import dataclass, field

from or_mcp.simulator.wire import JsonObject

ERROR_TYPES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    412: "precondition_failed",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "server",
    501: "not_implemented",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
    524: "timeout",
    529: "provider_overloaded",
}

MESSAGES = {
    400: "Bad request",
    401: "No auth credentials found",
    402: "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
    403: "Forbidden",
    404: "Not found",
    408: "Request timed out",
    413: "Payload too large",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    502: "Provider returned error",
    503: "Service temporarily unavailable",
    504: "Provider timed out",
    524: "A timeout occurred",
    529: "Provider overloaded",
}

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

DOCS_URL = "https://openrouter.ai/docs/api-reference/errors"


@dataclass(slots=True)
class Refused(Exception):
    """A request answered with an HTTP error instead of a reply."""

    status: int
    message: str
    error_type: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, object])
    availability: JsonObject | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return self.message


def unavailable(status: int, code: str, message: str, requested: list[str], **more: object) -> Refused:
    """No model or no endpoint can serve this: the envelope that says why and what to try instead."""
    availability: JsonObject = {"code": code, "retryable": status in (429, 503), "requested_models": requested}
    availability |= {name: value for name, value in more.items() if value}
    availability["docs_url"] = DOCS_URL
    return Refused(status, message, availability=availability)


def error_object(refused: Refused) -> JsonObject:
    """The `error` member of an envelope, for HTTP errors and for errors inside a 200."""
    kind = refused.error_type or ERROR_TYPES.get(refused.status, "unmapped")
    error: JsonObject = {"code": refused.status, "message": refused.message}
    if refused.availability is not None:
        error |= {"error_type": kind, "http_status": refused.status, "availability": refused.availability}
        if refused.metadata:
            error["metadata"] = refused.metadata
    elif refused.status not in (401, 500):
        # Upstream masks a 500 and sends no metadata when it does not know the caller.
        error["metadata"] = {"error_type": kind, **refused.metadata}
    return error


def envelope(refused: Refused, *, anthropic: bool, request_id: str, user_id: str | None) -> JsonObject:
    """The whole error body for the API that was called."""
    if anthropic:
        kind = _ANTHROPIC_TYPES.get(refused.status, "api_error")
        detail: JsonObject = {"type": kind, "message": refused.message}
        detail["error_type"] = refused.error_type or ERROR_TYPES.get(refused.status, "unmapped")
        if refused.availability is not None:
            detail["availability"] = refused.availability
        return {"type": "error", "error": detail, "request_id": request_id}
    body: JsonObject = {"error": error_object(refused)}
    if user_id is not None:
        body["user_id"] = user_id
    return body


def edge_page(status: int) -> str:
    """The HTML that the edge network answers with when it never reached OpenRouter."""
    title = f"openrouter.ai | {status}: {MESSAGES.get(status, 'Error')}"
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><h1>Error {status}</h1><p>[simulated] Cloudflare Ray ID: 0000000000000000</p></body></html>\n"
    )
