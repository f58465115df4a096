"""Money: accounts by key, what each call was charged, and the records /generation and /activity are made of."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from or_mcp.simulator.money.pricing import NO_TOKENS, Tokens
from or_mcp.simulator.wire import JsonObject, dollars

MANAGEMENT_PREFIX = "sk-or-mgmt-"
# Whoever has such a key has keys at the providers, and pays them there.
BYOK_PREFIX = "sk-or-byok-"
_FREE_REQUESTS_A_DAY = 1000


def fingerprint_of(key: str) -> str:
    """What stands for a key wherever it would have to be written down."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Charge:
    """What one model was paid within a run."""

    model: str
    permaslug: str
    provider: str
    cost: Decimal
    tokens: Tokens = NO_TOKENS
    # What the caller's own key at the provider was charged.
    byok: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Generation:
    """The record of one run."""

    id: str
    at: float
    charges: tuple[Charge, ...]
    details: JsonObject
    free: bool = False

    @property
    def cost(self) -> Decimal:
        """The sum of its charges."""
        return sum((charge.cost for charge in self.charges), Decimal(0))

    @property
    def byok(self) -> Decimal:
        """What providers were paid directly."""
        return sum((charge.byok for charge in self.charges), Decimal(0))


@dataclass(slots=True)
class Account:
    """One ordinary key's money."""

    fingerprint: str
    credit: Decimal
    limit: Decimal | None = None
    generations: list[Generation] = field(default_factory=list[Generation])
    usage: Decimal = Decimal(0)

    def record(self, generation: Generation) -> None:
        """Charge a run."""
        self.generations.append(generation)
        self.usage += generation.cost

    def since(self, moment: float) -> list[Generation]:
        """The runs from a moment on."""
        return [each for each in self.generations if each.at >= moment]

    @property
    def remaining(self) -> Decimal:
        """The credit left."""
        return self.credit - self.usage

    @property
    def limit_remaining(self) -> Decimal | None:
        """What the key's own limit leaves, None without one."""
        return None if self.limit is None else max(self.limit - self.usage, Decimal(0))


class Ledger:
    """Every account, every generation."""

    def __init__(self, credit: Decimal, lag_s: float) -> None:
        self.credit = credit
        self.limit: Decimal | None = None
        self._lag_s = lag_s
        self._accounts: dict[str, Account] = {}

    def clear(self, credit: Decimal | None = None, limit: Decimal | None = None) -> None:
        """Forget everything; new accounts start with this credit and limit."""
        self.credit = self.credit if credit is None else credit
        self.limit = limit
        self._accounts.clear()

    def account(self, fingerprint: str) -> Account:
        """The account of a key, opened on first sight."""
        return self._accounts.setdefault(fingerprint, Account(fingerprint, self.credit, self.limit))

    @property
    def accounts(self) -> list[Account]:
        """The ordinary keys seen so far."""
        return list(self._accounts.values())

    def find(self, generation_id: str, accounts: Iterable[Account]) -> Generation | None:
        """A generation of these accounts, once it has become visible."""
        wanted = generation_id.removeprefix("resp_")
        for account in accounts:
            for generation in account.generations:
                if generation.id == wanted and generation.at + self._lag_s <= time.time():
                    return generation
        return None

    def credits_row(self) -> JsonObject:
        """GET /credits, over all accounts."""
        accounts = self.accounts
        credit = sum((account.credit for account in accounts), Decimal(0)) if accounts else self.credit
        usage = sum((account.usage for account in accounts), Decimal(0))
        return {"total_credits": dollars(credit), "total_usage": dollars(usage)}

    def activity_rows(self, day: str | None) -> list[JsonObject]:
        """GET /activity: charges by day, model and provider, newest day first."""
        rows: dict[tuple[str, str, str], JsonObject] = {}
        for account in self.accounts:
            for generation in account.generations:
                date = datetime.fromtimestamp(generation.at, UTC).date().isoformat()
                if day in (None, date):
                    for charge in generation.charges:
                        _add(rows, date, charge)
        return sorted(rows.values(), key=lambda row: row["date"], reverse=True)


def _add(rows: dict[tuple[str, str, str], JsonObject], date: str, charge: Charge) -> None:
    empty: JsonObject = {
        "date": date,
        "model": charge.model,
        "model_permaslug": charge.permaslug,
        "endpoint_id": f"ep_{fingerprint_of(charge.permaslug + charge.provider)}",
        "provider_name": charge.provider,
        "usage": 0.0,
        "byok_usage_inference": 0.0,
        "requests": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
    }
    row = rows.setdefault((date, charge.permaslug, charge.provider), empty)
    row["usage"] = dollars(Decimal(str(row["usage"])) + charge.cost)
    row["requests"] += 1
    row["prompt_tokens"] += charge.tokens.prompt
    row["completion_tokens"] += charge.tokens.completion
    row["reasoning_tokens"] += charge.tokens.reasoning
    row["cached_tokens"] += charge.tokens.cached
    row["byok_usage_inference"] = dollars(Decimal(str(row["byok_usage_inference"])) + charge.byok)


def key_row(account: Account, *, management: bool) -> JsonObject:
    """GET /key."""
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    spent: JsonObject = {}
    for period, start in (("", None), ("_daily", today), ("_weekly", monday), ("_monthly", first)):
        runs = account.generations if start is None else account.since(start.timestamp())
        spent[f"usage{period}"] = dollars(sum((each.cost for each in runs), Decimal(0)))
        spent[f"byok_usage{period}"] = dollars(sum((each.byok for each in runs), Decimal(0)))
    used = sum(1 for each in account.since(today.timestamp()) if each.free)
    budget = _budget(account)
    return {
        "label": f"sk-or-v1-{account.fingerprint[:3]}...{account.fingerprint[-3:]}",
        "limit": None if account.limit is None else dollars(account.limit),
        "limit_remaining": None if account.limit_remaining is None else dollars(account.limit_remaining),
        "limit_reset": None,
        "include_byok_in_limit": False,
        **spent,
        "is_free_tier": False,
        "is_management_key": management,
        "is_provisioning_key": management,
        "expires_at": None,
        "creator_user_id": "user_simulated",
        "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
        "allowed_data_regions": ["global"],
        "budgets": [budget] if budget else [],
        "effective_budget": budget,
        "free_model_daily_requests": {
            "limit": _FREE_REQUESTS_A_DAY,
            "used": used,
            "remaining": max(_FREE_REQUESTS_A_DAY - used, 0),
        },
        "organization_id": None,
        "workspace_id": "ws_simulated",
    }


def _budget(account: Account) -> JsonObject | None:
    remaining = account.limit_remaining
    if account.limit is None or remaining is None:
        return None
    return {
        "scope": "key_limit",
        "budget_id": None,
        "guardrail_id": None,
        "include_byok": False,
        "limit_usd": dollars(account.limit),
        "spend_usd": dollars(account.usage),
        "remaining_usd": dollars(remaining),
        "reset_interval": None,
        "resets_at": None,
    }
