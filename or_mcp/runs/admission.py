"""Whether a run may begin, or one of the same question is there: decided in the transaction that records it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from or_mcp.runs import ledger, queries
from or_mcp.runs.amounts import moment, start_of_day
from or_mcp.runs.budget import PER_CALLER, PER_DAY, Limits, OverBudget, Room, reserve, room
from or_mcp.runs.endings import StoreAway
from or_mcp.runs.key_limit import Heard
from or_mcp.runs.record import RunRecord, RunRequest
from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction
from or_mcp.runs.weight import check_weight, weigh


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was started, or one of the same question that was found."""

    run_id: str
    replayed: bool


def drawn_on(request: RunRequest) -> list[str]:
    """The rows of the ledger that a run moves."""
    return [f"payer {request.payer}", f"caller {request.caller}"]


class Admission:
    """Lets runs begin, within what the operator allows."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self.beginning: set[str] = set()

    async def look(self, request: RunRequest, key: Heard | None) -> Begun | Room:
        """A run of the same question that is under way or was never received; else what a call may cost now."""
        unwritten = self._store.unwritten
        found = await self._store.read(
            lambda tx: self._same(tx, request, unwritten) or room(tx, request, self._limits, key)
        )
        return Begun(found.run_id, replayed=True) if isinstance(found, RunRecord) else found

    async def admit(self, request: RunRequest, key: Heard | None, run_id: str) -> tuple[RunRecord, bool]:
        """Record a run, with what it may cost set aside; or find one that is joined.

        Raises:
            OverBudget: It may cost more than is left.
            KeptTooMuch: This caller has filled its part of the store.
            StoreAway: It cannot be recorded.
        """
        admit = partial(self._admit, request=request, key=key, run_id=run_id, unwritten=self._store.unwritten)
        # Nobody else may decide meanwhile on the question, and on what its payer and caller have left.
        alone = [f"question {request.caller} {request.fingerprint}", *drawn_on(request)]
        self.beginning.add(run_id)
        try:
            return await self._store.write(admit, durable=True, alone=alone)
        except StoreAway:
            if self._store.is_fleet:
                # It may have been recorded without anybody hearing so.
                self._store.post(run_id, partial(ledger.take_back, run_id=run_id), alone=[run_id])
            raise
        finally:
            self.beginning.discard(run_id)

    def received(self, run_id: str) -> None:
        """The answer of a run has reached somebody: the same question asked from now on is a new one."""
        self._store.post(_received(run_id), partial(queries.mark_delivered, run_id=run_id))

    def _same(self, tx: Transaction, request: RunRequest, unwritten: frozenset[str]) -> RunRecord | None:
        same = queries.find_same(tx, request.caller, request.fingerprint)
        if same is None or _received(same.run_id) in unwritten:
            return None
        goes_on = same.job is not None or self._store.is_alive(same.owner)
        return same if same.finished or goes_on else None

    def _admit(
        self, tx: Transaction, request: RunRequest, key: Heard | None, run_id: str, unwritten: frozenset[str]
    ) -> tuple[RunRecord, bool]:
        same = self._same(tx, request, unwritten)
        if same is not None:
            # Nobody may have heard that this very run was recorded a moment ago.
            return same, same.run_id != run_id
        self._check_known()
        if self._limits.are_for_a_team:
            check_weight(tx, request.caller)
        if not self._store.is_fleet:
            ledger.book_others(tx, start_of_day(moment(tx.now)).timestamp())
        record = RunRecord(
            run_id=run_id,
            request=replace(request, ceiling_usd=None, context=None),
            started=moment(tx.now),
            owner=self._store.owner.token,
            charged_usd=reserve(tx, request, self._limits, key),
        )
        weigh(tx, request.caller, queries.begin(tx, record, request.context))
        return record, False

    def _check_known(self) -> None:
        if self._limits.count_days and (unread := self._store.spending_unknown):
            raise OverBudget(
                f"What was spent earlier today is not known: it stands in {unread} in the data directory, which cannot "
                f"be read. Until that file is removed or the day (UTC) ends, nothing is paid under {PER_DAY} and "
                f"{PER_CALLER}",
                f"have {unread} moved away once it is clear what was spent, or wait until midnight UTC.",
            )


def _received(run_id: str) -> str:
    return f"delivered {run_id}"
