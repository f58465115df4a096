"""Everything one simulator remembers."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from or_mcp.simulator.catalogue import CATALOGUE, Catalogue
from or_mcp.simulator.delivery.faults import Fault, FaultBook
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.accounts import BYOK_PREFIX, MANAGEMENT_PREFIX, Account, Ledger, fingerprint_of
from or_mcp.simulator.run.caching import PromptCache
from or_mcp.simulator.run.records import Origin

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived; the key is a fingerprint and the Authorization header is left out."""

    n: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    key_fingerprint: str | None
    received_at: float


@dataclass(frozen=True, slots=True)
class AbortedRequest:
    """A request whose caller left before the end of the reply."""

    n: int
    path: str
    generation_id: str | None
    events_sent: int
    aborted_at: float


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to an answer."""

    request: ReceivedRequest
    query: Mapping[str, str]
    key: str | None
    fault: Fault
    origin: Origin

    @property
    def management(self) -> bool:
        """Whether the key manages an account instead of running models."""
        return bool(self.key) and str(self.key).startswith(MANAGEMENT_PREFIX)

    @property
    def byok(self) -> bool:
        """Whether the caller pays providers with keys of their own."""
        return self.fault.byok or str(self.key).startswith(BYOK_PREFIX)


class State:
    """The memory of one simulator: accounts, rules, and what it was asked."""

    def __init__(
        self, seed: int, faults: Sequence[Fault], credit: Decimal, lag_s: float, catalogue: Catalogue = CATALOGUE
    ) -> None:
        self.seed = seed
        self.catalogue = catalogue
        self.cache = PromptCache()
        self.ledger = Ledger(credit, lag_s)
        self.rules = FaultBook(faults)
        self.requests: list[ReceivedRequest] = []
        self.aborted: list[AbortedRequest] = []
        self.open_streams = 0
        self.open_requests = 0
        # What each code of a sign-in was given for: method and challenge.
        self.codes: dict[str, tuple[str, str]] = {}
        self._faults = list(faults)
        self._credit = credit
        self._ids = random.Random(seed)
        self._received = 0

    def reset(self, credit: Decimal | None = None, limit: Decimal | None = None) -> None:
        """Back to how it was built: rules fresh, accounts empty, nothing received."""
        self.ledger.clear(self._credit if credit is None else credit, limit)
        self.rules.replace(self._faults)
        self.requests.clear()
        self.aborted.clear()
        self.codes.clear()
        self.cache.clear()

    def next_number(self) -> int:
        """The number of the next request."""
        self._received += 1
        return self._received

    def new_id(self, prefix: str = "gen") -> str:
        """An id as upstream makes them."""
        return f"{prefix}-{int(time.time())}-{self.random_part(20)}"

    def random_part(self, length: int) -> str:
        """Letters and digits, the next ones of this seed."""
        return "".join(self._ids.choices(_ALPHABET, k=length))

    def account_of(self, call: Call) -> Account:
        """The account behind a call; refuses calls without a usable key."""
        key = call.key
        # Some hosts pass an unexpanded variable where the key should be.
        if not key or "${" in key:
            raise Refused(401, "No auth credentials found" if not key else "User not found.")
        if call.management:
            return Account(fingerprint_of(key), Decimal(0))
        return self.ledger.account(fingerprint_of(key))

    def inference_account(self, call: Call) -> Account:
        """The account that pays for a call; refuses management keys and empty accounts."""
        account = self.account_of(call)
        if call.management:
            raise Refused(403, "Management keys cannot be used for inference requests")
        if account.remaining <= 0:
            raise Refused(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits")
        if account.limit_remaining is not None and account.limit_remaining <= 0:
            raise Refused(403, "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys")
        return account
