"""What may be sent again, and when."""

import pytest

from or_mcp.openrouter.errors import ConnectionFailed, Failure, RateLimited, StreamBroken, UpstreamFailed, from_reply
from or_mcp.openrouter.retry import ATTEMPTS, wait_before_retry


def wait(failure: Failure, attempt: int = 1, left: float = 100, *, paid: bool = True) -> float | None:
    return wait_before_retry(failure, attempt, left, paid=paid)


@pytest.mark.parametrize("status", [429, 502, 503, 529])
def test_a_paid_request_that_was_not_accepted_is_tried_again(status: int):
    assert wait(from_reply(status, b"")) is not None


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 499, 500, 504, 524])
def test_any_other_answer_to_a_paid_request_is_final(status: int):
    assert wait(from_reply(status, b"")) is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 529])
def test_reading_is_tried_again_after_any_passing_trouble(status: int):
    assert wait(from_reply(status, b""), paid=False) is not None


def test_a_refused_connection_is_tried_again_but_a_broken_one_may_have_been_billed():
    assert wait(ConnectionFailed("refused")) is not None
    assert wait(ConnectionFailed("broke", may_be_billed=True)) is None
    assert wait(StreamBroken("cut", may_be_billed=True)) is None


def test_what_upstream_asks_to_wait_is_obeyed_within_the_deadline():
    failure = RateLimited("slow down", status=429, retry_after=20)
    assert wait(failure, left=21) == 20
    assert wait(failure, left=20) is None


def test_waits_grow_and_are_spread():
    failure = UpstreamFailed("down", status=502)
    assert 0.5 <= (wait(failure, 1) or 0) <= 1
    assert 1 <= (wait(failure, 2) or 0) <= 2


def test_there_is_an_end():
    assert wait(UpstreamFailed("down", status=502), ATTEMPTS) is None


def test_upstreams_word_that_it_is_not_retryable_counts():
    body = b'{"error": {"message": "m", "availability": {"code": "capacity_exhausted", "retryable": false}}}'
    assert wait(from_reply(429, body)) is None
