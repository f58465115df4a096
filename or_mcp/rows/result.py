"""What has come of many requests: each row, and what all of them together came to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pydantic import ConfigDict, TypeAdapter, with_config

from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.usage import Usage
from or_mcp.openrouter.wire.lenient import Maybe
from or_mcp.rows.lines import lines_of
from or_mcp.runs.record import RunRecord
from or_mcp.runs.rows import Row


@dataclass(frozen=True, slots=True)
class Answered:
    """What a row came back with: the tool's JSON, or an answer that was paid for and is of no use."""

    body: str = ""
    cost_usd: Decimal | None = None
    provider_cost_usd: Decimal | None = None
    usage: Usage | None = None
    model: str | None = None
    generation_id: str | None = None
    failure: Failure | None = None


@with_config(ConfigDict(defer_build=True))
@dataclass(frozen=True, slots=True)
class RowsResult:
    """What is kept of a run beside its rows: how many there are, and why not all were asked."""

    total: int
    carried: int = 0
    carried_from: Maybe[str] = None
    stopped: Maybe[str] = None
    model: Maybe[str] = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    provider_cost_usd: Maybe[Decimal] = None
    file: Maybe[str] = None
    problem: Maybe[str] = None
    # How many rows upstream counts as answered and as failed, while it carries them all.
    counted: Maybe[tuple[int, int]] = None

    @property
    def usage(self) -> Usage:
        """What all rows together used."""
        return Usage(
            self.input_tokens or None,
            self.output_tokens or None,
            cached_tokens=self.cached_tokens or None,
            cache_write_tokens=self.cache_write_tokens or None,
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run holds: its rows, and what all together came to."""

    rows: tuple[Row, ...]
    together: RowsResult

    @property
    def provider_cost_usd(self) -> Decimal | None:
        """What providers bill by themselves."""
        return self.together.provider_cost_usd

    @property
    def answered(self) -> tuple[Row, ...]:
        """The rows that were answered, in order."""
        return tuple(row for row in self.rows if row.state == "answered")


RESULT: TypeAdapter[RowsResult] = TypeAdapter(RowsResult)


def result_of(record: RunRecord) -> Brought:
    """What a run holds."""
    together = RESULT.validate_json(record.result) if record.result else RowsResult(len(record.rows))
    return Brought(record.rows, together)


def is_of_rows(record: RunRecord) -> bool:
    """Whether a run is one of many requests, by how what it keeps begins."""
    return (record.result or "").startswith('{"total":')


def words_of(brought: Brought) -> str:
    """Every row that has come to its end, as a line of JSON."""
    return "\n".join(lines_of(brought.rows))
