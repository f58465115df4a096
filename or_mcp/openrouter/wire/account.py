"""Keys, credit and what was spent: `/auth/keys`, `/key`, `/credits`, `/activity`, `/generation`."""

from __future__ import annotations

from pydantic import Field

from or_mcp.openrouter.wire.lenient import Lenient, Name, Number, Reply, Rows
from or_mcp.openrouter.wire.money import Amount, Cost
from or_mcp.openrouter.wire.request import Request


class CodeExchange(Request):
    """The code of a sign-in, with what proves that it is ours."""

    code: str
    code_verifier: str
    code_challenge_method: str = "S256"


class IssuedKey(Reply):
    """The key that a user allowed."""

    key: str = Field(min_length=1, repr=False)


class Budget(Reply):
    """A limit that somebody set on what a key may spend."""

    scope: Lenient[Name] = None
    limit_usd: Amount = None
    remaining_usd: Amount = None
    resets_at: Lenient[Name] = None


class FreeRequests(Reply):
    """How many calls of free models the day still allows."""

    limit: Lenient[int] = None
    used: Lenient[int] = None
    remaining: Lenient[int] = None


class Key(Reply):
    """What a key may spend and has spent. A null limit means unlimited."""

    label: Lenient[Name] = None
    limit: Amount = None
    limit_remaining: Amount = None
    limit_reset: Lenient[Name] = None
    usage: Amount = None
    usage_daily: Amount = None
    usage_weekly: Amount = None
    usage_monthly: Amount = None
    byok_usage: Amount = None
    byok_usage_daily: Amount = None
    byok_usage_weekly: Amount = None
    byok_usage_monthly: Amount = None
    include_byok_in_limit: Lenient[bool] = None
    is_free_tier: Lenient[bool] = None
    is_management_key: Lenient[bool] = None
    expires_at: Lenient[Name] = None
    effective_budget: Lenient[Budget] = None
    free_model_daily_requests: Lenient[FreeRequests] = None


class KeyReply(Reply):
    """The key in use."""

    data: Key


class Credits(Reply):
    """Bought and used; what is left is the difference."""

    total_credits: Amount = None
    total_usage: Amount = None


class CreditsReply(Reply):
    """The account's credit."""

    data: Credits


class ActivityRow(Reply):
    """One model at one provider on one UTC day."""

    date: Lenient[Name] = None
    model: Lenient[Name] = None
    provider_name: Lenient[Name] = None
    usage: Amount = None
    byok_usage_inference: Amount = None
    requests: Lenient[int] = None
    prompt_tokens: Lenient[int] = None
    completion_tokens: Lenient[int] = None
    reasoning_tokens: Lenient[int] = None


class ActivityReply(Reply):
    """The account's use."""

    data: Rows[ActivityRow] = ()


class Generation(Reply):
    """What one request became, known even when its stream broke."""

    id: Name
    model: Lenient[Name] = None
    provider_name: Lenient[Name] = None
    total_cost: Cost = None
    is_byok: Lenient[bool] = None
    upstream_inference_cost: Cost = None
    created_at: Lenient[Name] = None
    cancelled: Lenient[bool] = None
    streamed: Lenient[bool] = None
    finish_reason: Lenient[Name] = None
    latency: Number = None
    generation_time: Number = None
    tokens_prompt: Lenient[int] = None
    tokens_completion: Lenient[int] = None
    native_tokens_reasoning: Lenient[int] = None
    router: Lenient[Name] = None


class GenerationReply(Reply):
    """One generation."""

    data: Generation
