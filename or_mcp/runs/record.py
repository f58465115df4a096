"""What is kept of a run."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from or_mcp.openrouter.errors import CallerCanAct, Failure
from or_mcp.runs.pieces import Context
from or_mcp.runs.rows import Row

Status = Literal["running", "completed", "failed", "cancelled", "interrupted"]


class Cancelled(CallerCanAct):
    """Somebody stopped the run."""

    kind = "cancelled"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What was asked, by whom, at whose expense, and what it may cost.

    `arguments` are kept as JSON in which the prompt is null: it is kept once. The ceiling and the context are known
    only until the run has begun.
    """

    tool: str
    caller: str
    payer: str
    fingerprint: str
    arguments: str
    models: tuple[str, ...]
    prompt: str
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None
    most_usd: Decimal | None = None
    ceiling_usd: Decimal | None = None
    context: Context | None = None
    # How the program that asked calls itself; nobody vouches for it.
    asked_by: str = ""

    @property
    def heading(self) -> dict[str, str]:
        """What stands above the result wherever it is filed."""
        return {"tool": self.tool, "asked_by": self.asked_by, "prompt": self.prompt}

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of the call."""
        arguments = json.loads(self.arguments)
        return arguments | {"prompt": self.prompt} if arguments.get("prompt", "") is None else arguments


class Progress(NamedTuple):
    """How far a run has come."""

    done: float
    total: float
    message: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as it stands. `result` is the tool's own JSON: everything that has arrived.

    `seq` counts how often the carrier has written it. `job` is what upstream carries for it, in the tool's own words:
    with it any process can go on where another stopped. A run of many requests has its `rows` in a table of their own.
    """

    run_id: str
    request: RunRequest
    started: datetime
    owner: str
    status: Status = "running"
    ended: datetime | None = None
    charged_usd: Decimal = Decimal(0)
    cost_usd: Decimal | None = None
    generation_id: str | None = None
    outcome: str | None = None
    result: str | None = None
    failure: str | None = None
    progress: Progress | None = None
    delivered: bool = False
    seq: int = 0
    lost_at: datetime | None = None
    job: str | None = None
    rows: tuple[Row, ...] = field(default=(), repr=False)

    @property
    def finished(self) -> bool:
        """Whether nothing more will arrive."""
        return self.status != "running"

    def elapsed_seconds(self, now: datetime | None = None) -> float:
        """How long it has run, or ran."""
        end = self.ended or now or datetime.now(UTC)
        return round(max(0.0, (end - self.started).total_seconds()), 1)

    def end(self, status: Status, failure: Failure | None = None, at_most_usd: Decimal | None = None) -> RunRecord:
        """The same run, ended now; what it counts against the budget is its real cost as far as known.

        Where that is not known it is `at_most_usd`, or else all that was set aside.
        """
        cost = self.cost_usd
        if cost is None and failure is not None and not failure.may_be_billed and self.generation_id is None:
            cost = Decimal(0)
        return replace(
            self,
            status=status,
            ended=datetime.now(UTC),
            cost_usd=cost,
            charged_usd=cost if cost is not None else self.charged_usd if at_most_usd is None else at_most_usd,
            failure=failure.facts() if failure is not None else self.failure,
            progress=None,
        )


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One step of a run, as it was told."""

    at: datetime
    step: str
    model: str = ""
    detail: str = ""
    n: int = 0


def new_run_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"run_{datetime.now(UTC):%y%m%d%H%M%S}{secrets.token_hex(6)}"
