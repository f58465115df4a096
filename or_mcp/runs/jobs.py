"""What upstream carries: a run that any process goes on with, once the one that sent it is gone.

Whoever owns the run holds its lease: one process at a time asks upstream how the job stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio

from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.errors import DeadlinePassed, Failure, NoCredit, NotFound, TimeMayHelp, UpstreamFailed
from or_mcp.runs import queries
from or_mcp.runs.amounts import days_ago
from or_mcp.runs.costs import Costs
from or_mcp.runs.live import LiveRun, Work
from or_mcp.runs.record import RunRecord
from or_mcp.runs.store import Store

T = TypeVar("T")
Resume = Callable[[RunRecord, OpenRouter], Work | None]
"""How a tool goes on with a job of its own; None if it cannot."""

# Upstream keeps what a job came to for a day or so: one that nobody could take up for longer is lost.
_KEPT_DAYS = 3
# It is asked about soon, and then less and less often.
_FIRST_LOOK_SECONDS, _SLOWER = 0.5, 1.6


@dataclass(frozen=True, slots=True)
class Kind:
    """What upstream carries, how often it is asked about at least, and when it is given up."""

    name: str
    look_every_seconds: float
    longest_seconds: float


async def awaited(run: LiveRun, kind: Kind, look: Callable[[], Awaitable[T | None]], tell: Callable[[str], None]) -> T:
    """What `look` finds once the job is at its end. What may pass is told and waited out: it is paid for.

    Raises:
        UpstreamFailed: Upstream does not know the job any more.
        DeadlinePassed: It was not done in the longest time that it may take.
        Failure: It may not be asked about any more.
    """
    until, wait = anyio.current_time() + kind.longest_seconds, _FIRST_LOOK_SECONDS
    while anyio.current_time() < until:
        try:
            if (found := await look()) is not None:
                return found
        except NotFound as failure:
            raise UpstreamFailed(f"Upstream does not know this {kind.name} any more", may_be_billed=True) from failure
        except TimeMayHelp as failure:
            tell(f"upstream does not answer ({failure.kind})")
        except NoCredit:
            # Upstream has done it, charges it, and gives it once it can: it is never done again.
            tell("upstream keeps the results until the account has credit for them")
        except Failure as failure:
            # Whoever may not ask about it has paid for it all the same.
            failure.may_be_billed = True
            raise
        run.grew()
        await anyio.sleep(wait)
        wait = min(wait * _SLOWER, kind.look_every_seconds)
    hours = kind.longest_seconds / 3600
    raise DeadlinePassed(f"The {kind.name} was not done after {hours:.0f} hours", may_be_billed=True)


def outlives_its_process(record: RunRecord) -> bool:
    """Whether somebody can still go on with it."""
    return not record.finished and record.job is not None and record.started > days_ago(_KEPT_DAYS)


class Jobs:
    """Takes up what others left."""

    def __init__(self, store: Store, costs: Costs, resume: Resume | None) -> None:
        self._store = store
        self._costs = costs
        self._resume = resume

    async def taken_over(self, left: RunRecord, by: str) -> LiveRun | None:
        """The run that a process left, to be carried here; None where its key or its tool is not known.

        None too where somebody was faster: who carries it now is not who was seen to be gone.
        """
        upstream = self._costs.upstream_of(left.request.payer)
        work = self._resume(left, upstream) if upstream is not None and self._resume is not None else None
        if work is None:
            return None
        take = partial(queries.take_over, run_id=left.run_id, before=by, owner=self._store.owner.token)
        taken = await self._store.write(take, durable=True, alone=[left.run_id])
        return None if taken is None else LiveRun(taken[0], work, self._store, taken[1])
