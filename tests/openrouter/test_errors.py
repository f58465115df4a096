"""Every failure shape becomes exactly one class of the failure tree."""

import json
from pathlib import Path
from typing import Any

import pytest

from or_mcp.openrouter import errors
from or_mcp.openrouter.errors import Failure, from_error, from_facts, from_reply
from or_mcp.openrouter.wire.errors import ErrorBody

UPSTREAM_KINDS = [
    "connection_failed",
    "deadline",
    "invalid_request",
    "model_unavailable",
    "no_credit",
    "not_authorized",
    "not_found",
    "rate_limited",
    "refused",
    "stream_broken",
    "upstream_failed",
]
SAMPLES = Path(__file__).parents[1] / "data/samples"


def envelope(code: int | str = 400, message: str = "words", **error: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, **error}}).encode()


@pytest.mark.parametrize(
    ("sample", "status", "kind"),
    [
        ("error_400_context", 400, "invalid_request"),
        ("error_400_invalid", 400, "invalid_request"),
        ("error_401", 401, "not_authorized"),
        ("error_402", 402, "no_credit"),
        ("error_403_moderation", 403, "refused"),
        ("error_404_privacy_restricted", 404, "model_unavailable"),
        ("error_429_capacity", 429, "rate_limited"),
        ("error_503", 503, "upstream_failed"),
    ],
)
def test_every_error_sample_has_its_kind(sample: str, status: int, kind: str):
    failure = from_reply(status, (SAMPLES / f"{sample}.json").read_bytes())
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.quote
    assert not failure.may_be_billed


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request"),
        (401, "not_authorized"),
        (402, "no_credit"),
        (403, "not_authorized"),
        (404, "model_unavailable"),
        (408, "upstream_failed"),
        (409, "invalid_request"),
        (413, "invalid_request"),
        (418, "invalid_request"),
        (422, "invalid_request"),
        (429, "rate_limited"),
        (499, "upstream_failed"),
        (500, "upstream_failed"),
        (502, "upstream_failed"),
        (503, "upstream_failed"),
        (524, "upstream_failed"),
        (529, "upstream_failed"),
        (301, "upstream_failed"),
    ],
)
@pytest.mark.parametrize("body", [envelope(0), b"<html>cloudflare</html>", b"", b"[]", b"null"])
def test_every_status_has_its_kind_whatever_the_body(status: int, kind: str, body: bytes):
    assert from_reply(status, body).kind == kind


@pytest.mark.parametrize("error_type", sorted(errors.BY_ERROR_TYPE))
def test_the_error_type_decides_wherever_it_stands(error_type: str):
    expected = errors.BY_ERROR_TYPE[error_type]
    assert type(from_reply(400, envelope(error_type=error_type))) is expected
    assert type(from_reply(400, envelope(metadata={"error_type": error_type}))) is expected
    assert type(from_reply(400, json.dumps({"error": {"message": ""}, "error_type": error_type}).encode())) is expected
    assert type(from_error(ErrorBody(code=error_type, message=""))) is expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("model_not_found", "model_unavailable"),
        ("wrong_endpoint", "invalid_request"),
        ("no_endpoints", "model_unavailable"),
        ("capacity_exhausted", "rate_limited"),
        ("temporarily_unavailable", "upstream_failed"),
        ("privacy_restricted", "model_unavailable"),
        ("something_new", "model_unavailable"),
    ],
)
def test_availability_decides_before_the_status(code: str, kind: str):
    assert from_reply(400, envelope(availability={"code": code})).kind == kind


@pytest.mark.parametrize("words", ["Key limit exceeded", "Your monthly budget is exhausted", "Insufficient credits"])
def test_a_403_about_money_is_about_credit(words: str):
    assert from_reply(403, envelope(403, words)).kind == "no_credit"


def test_a_403_of_a_guardrail_is_a_refusal():
    assert from_reply(403, envelope(403, metadata={"patterns": ["secret"]})).kind == "refused"


def test_a_bare_text_in_place_of_an_error_object_is_quoted():
    failure = from_reply(500, b'{"error": "it broke"}')
    assert (failure.kind, failure.quote) == ("upstream_failed", "it broke")


def test_odd_fields_do_not_hide_the_error():
    odd: dict[str, Any] = {"message": 7, "code": [], "metadata": "x", "availability": 3, "http_status": "many"}
    assert from_reply(429, json.dumps({"error": odd}).encode()).kind == "rate_limited"


def test_a_status_inside_the_body_counts_where_there_is_no_other():
    assert from_error(ErrorBody(code="429", message="")).kind == "rate_limited"
    assert from_error(ErrorBody(http_status=402, message="")).kind == "no_credit"
    assert from_error(ErrorBody(message="")).kind == "upstream_failed"


def test_what_upstream_asks_to_wait_is_taken_from_the_header_first():
    body = envelope(429, availability={"code": "capacity_exhausted", "retry_after": 7})
    assert from_reply(429, body).retry_after == 7
    assert from_reply(429, body, retry_after=3).retry_after == 3


def test_a_quote_is_one_line_of_at_most_300_characters():
    quote = from_reply(400, envelope(message="a\nb " + "x" * 1000)).quote
    assert quote.startswith("a b x")
    assert len(quote) == 300


def test_a_providers_raw_body_and_a_user_id_are_not_kept():
    body = json.dumps({"error": {"message": "m", "metadata": {"raw": "RAW-SECRET"}}, "user_id": "user_SECRET"}).encode()
    assert "SECRET" not in from_reply(502, body).facts()


@pytest.mark.parametrize("kind", list(errors.BY_STATUS.values()))
def test_a_failure_that_was_kept_is_the_same_again(kind: type[Failure]):
    failure = kind("words", quote="q", status=400, generation_id="gen-1", retry_after=2, may_be_billed=True)
    kept = from_facts(failure.facts())
    assert type(kept) is kind
    assert kept.facts() == failure.facts()


def test_every_class_with_a_kind_says_what_it_means():
    def concrete(kind: type[Failure]) -> list[type[Failure]]:
        return [each for child in kind.__subclasses__() for each in (child, *concrete(child))]

    kinds = [each for each in concrete(Failure) if "kind" in vars(each) and each.__module__ == errors.__name__]
    assert sorted(each.kind for each in kinds) == UPSTREAM_KINDS
    assert all(each.__name__ in (errors.__doc__ or "") for each in kinds)
