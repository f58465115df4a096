"""Error envelopes, in all the forms upstream has used."""

from __future__ import annotations

import re

from pydantic import JsonValue, ValidationError, model_validator

from or_mcp.openrouter.wire.lenient import Lenient, Number, Reply, Text

_MONEY = re.compile(r"\b(budget|credits?|spend|limit exceeded|key limit)\b", re.IGNORECASE)


class Constraint(Reply):
    """The rule that left no endpoint."""

    field: Lenient[str] = None
    detail: Lenient[str] = None


class Availability(Reply):
    """Why no endpoint could serve the request, and what could instead."""

    code: Lenient[str] = None
    retryable: Lenient[bool] = None
    retry_after: Number = None
    requested_models: Lenient[tuple[str, ...]] = None
    fallback_models: Lenient[tuple[str, ...]] = None
    excluded_by: Lenient[tuple[str, ...]] = None
    constraint: Lenient[Constraint] = None


class Metadata(Reply):
    """What some errors add. A provider's raw body is left out on purpose: it must not reach a model."""

    error_type: Lenient[str] = None
    reasons: Lenient[tuple[str, ...]] = None
    flagged_input: Lenient[str] = None
    patterns: Lenient[tuple[JsonValue, ...]] = None


class ErrorBody(Reply):
    """One error object. `code` may be a number or a word."""

    message: Text = ""
    code: Lenient[int | str] = None
    error_type: Lenient[str] = None
    http_status: Lenient[int] = None
    metadata: Lenient[Metadata] = None
    availability: Lenient[Availability] = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: object) -> object:
        return {"message": value} if isinstance(value, str) else value

    @property
    def status(self) -> int | None:
        """The HTTP status the error stands for, when it says one."""
        if self.http_status is not None:
            return self.http_status
        text = str(self.code or "")
        return int(text) if text.isdecimal() and 400 <= int(text) < 600 else None

    @property
    def type_name(self) -> str | None:
        """The error's type, wherever this envelope puts it."""
        if self.error_type:
            return self.error_type
        if self.metadata and self.metadata.error_type:
            return self.metadata.error_type
        return str(self.code) if self.code and not str(self.code).isdecimal() else None

    @property
    def retry_after(self) -> float | None:
        """Seconds upstream asks to wait."""
        return self.availability.retry_after if self.availability else None

    @property
    def is_moderation(self) -> bool:
        """Whether a moderation or a guardrail flagged the input."""
        found = self.metadata
        return found is not None and (found.reasons is not None or found.patterns is not None)

    @property
    def is_about_money(self) -> bool:
        """Whether the message speaks of a spent budget or key limit (upstream answers 403 to those)."""
        return _MONEY.search(self.message) is not None


class ErrorEnvelope(Reply):
    """An error reply."""

    error: ErrorBody
    error_type: Lenient[str] = None

    @classmethod
    def read(cls, body: bytes) -> ErrorEnvelope | None:
        """The envelope in a body, or None when it is not one (an edge's HTML, say)."""
        try:
            return cls.model_validate_json(body)
        except ValidationError:
            return None
