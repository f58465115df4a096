"""Everything one simulator remembers."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from or_mcp.simulator.catalogue import CATALOGUE, Catalogue
from or_mcp.simulator.delivery.faults import Fault, FaultBook
from or_mcp.simulator.delivery.framing import Reply
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.accounts import BYOK_PREFIX, MANAGEMENT_PREFIX, Account, Ledger, fingerprint_of
from or_mcp.simulator.run.caching import PromptCache
from or_mcp.simulator.run.records import Origin
from or_mcp.simulator.wire import JsonObject

# How often one has to ask for a job until it is done.
_USUAL_POLLS = 2
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
    # What stands in the path's places, where the API is reached, and the body as it came.
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    base: str = ""
    raw: bytes = b""
    # Within a batch, at a batch's price.
    batched: bool = False

    @property
    def management(self) -> bool:
        """Whether the key manages an account instead of running models."""
        return bool(self.key) and str(self.key).startswith(MANAGEMENT_PREFIX)

    @property
    def byok(self) -> bool:
        """Whether the caller pays providers with keys of their own."""
        return self.fault.byok or str(self.key).startswith(BYOK_PREFIX)


@dataclass(slots=True)
class StoredFile:
    """A file that was uploaded."""

    row: JsonObject
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply that is sent again for the same request, for a while."""

    reply: Reply
    at: float
    until: float


@dataclass(slots=True)
class Job:
    """Work that takes its time: it moves on whenever it is asked for."""

    id: str
    owner: str
    created: int
    fault: Fault
    request: Call
    polls: int = 0
    # What it has become, once it is over.
    result: JsonObject | None = None

    @property
    def polls_wanted(self) -> int:
        """How often it has to be asked for."""
        return _USUAL_POLLS if self.fault.job_polls is None else self.fault.job_polls

    @property
    def due(self) -> bool:
        """Whether it has been asked for often enough."""
        return self.polls >= self.polls_wanted


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
        self.files: dict[str, dict[str, StoredFile]] = {}
        self.jobs: dict[str, Job] = {}
        # By key, path and digest of the body.
        self.kept_replies: dict[tuple[str, str, str], KeptReply] = {}
        # What was asked and answered, by generation, for GET /generation/content.
        self.told: dict[str, JsonObject] = {}
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
        for remembered in (self.cache, self.files, self.jobs, self.told, self.kept_replies):
            remembered.clear()

    def files_of(self, account: Account) -> list[JsonObject]:
        """The files of an account, as they are listed."""
        return [file.row for file in self.files.get(account.fingerprint, {}).values()]

    def job(self, call: Call, identity: str) -> Job:
        """A caller's own job, which moves on by being asked for."""
        account, job = self.account_of(call), self.jobs.get(identity)
        if job is None or job.owner != account.fingerprint:
            raise Refused(404, f"{identity} not found")
        job.polls += 1
        return job

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
