"""What is asked of the store: plain functions over one open transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from or_mcp.runs.record import Progress, RunEvent, RunRecord

# Costs are kept as whole numbers of 10^-12 USD: exact, and small enough for one embedding.
_UNITS = Decimal(10) ** 12
_COLUMNS = tuple(field.name for field in fields(RunRecord))


_SAVE = (
    f"INSERT INTO runs ({', '.join(_COLUMNS)}, context) VALUES ({', '.join('?' * (len(_COLUMNS) + 1))}) "  # noqa: S608
    f"ON CONFLICT (run_id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in _COLUMNS[1:])}"
)


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent, by tool, by models and by UTC day; `unknown` runs have no cost yet."""

    total_usd: Decimal
    unknown: int
    by_tool: Mapping[str, Decimal]
    by_model: Mapping[str, Decimal]
    by_day: Mapping[str, Decimal]


def save(
    connection: sqlite3.Connection, record: RunRecord, events: Sequence[RunEvent] = (), context: str | None = None
) -> None:
    """Write a run as it stands, and what has happened since the last time.

    `context`, what the run was asked in, is large: it is written once, and read only to go on from there.
    """
    connection.execute(_SAVE, (*_row(record), context))
    if events:
        rows = [(record.run_id, event.at.timestamp(), event.step, event.model, event.detail) for event in events]
        connection.executemany("INSERT INTO events (run_id, at, step, model, detail) VALUES (?, ?, ?, ?, ?)", rows)


def context_of(connection: sqlite3.Connection, run_id: str) -> str | None:
    """What a run was asked in."""
    row = connection.execute("SELECT context FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return row[0] if row else None


def find(connection: sqlite3.Connection, run_id: str, caller: str | None) -> RunRecord | None:
    """One run; another caller's is not there."""
    return _first(connection, "run_id = ? AND (caller = ? OR ? IS NULL)", run_id, caller, caller)


def find_same(connection: sqlite3.Connection, caller: str, fingerprint: str) -> RunRecord | None:
    """A run of the same question that is under way, or that nobody has received."""
    return _first(
        connection,
        "caller = ? AND fingerprint = ? AND (status = 'running' OR (status = 'completed' AND NOT delivered))",
        caller,
        fingerprint,
    )


def made_generation(connection: sqlite3.Connection, caller: str, generation_id: str) -> bool:
    """Whether a generation came of a run of this caller."""
    return _first(connection, "caller = ? AND generation_id = ?", caller, generation_id) is not None


def latest(connection: sqlite3.Connection, caller: str | None, limit: int) -> list[RunRecord]:
    """The newest runs first."""
    return _all(connection, "(caller = ? OR ? IS NULL) ORDER BY started DESC LIMIT ?", caller, caller, limit)


def running(connection: sqlite3.Connection) -> list[RunRecord]:
    """Every run that somebody is, or was, carrying."""
    return _all(connection, "status = 'running'")


def without_cost(connection: sqlite3.Connection, payer: str, since: datetime) -> list[RunRecord]:
    """Runs that ended with a generation id but no cost."""
    return _all(
        connection,
        "status != 'running' AND cost_usd IS NULL AND generation_id IS NOT NULL AND payer = ? AND started >= ?",
        payer,
        since.timestamp(),
    )


def learn_cost(connection: sqlite3.Connection, run_id: str, cost: Decimal) -> None:
    """Upstream has said what a run cost."""
    connection.execute(
        "UPDATE runs SET cost_usd = ?, charged_usd = ? WHERE run_id = ? AND cost_usd IS NULL",
        (_encode(cost), _encode(cost), run_id),
    )


def events_of(connection: sqlite3.Connection, run_id: str) -> list[RunEvent]:
    """What happened in a run, in order."""
    rows = connection.execute("SELECT at, step, model, detail FROM events WHERE run_id = ? ORDER BY rowid", (run_id,))
    return [RunEvent(_time(at), step, model, detail) for at, step, model, detail in rows]


def charged_since(connection: sqlite3.Connection, caller: str, since: datetime) -> Decimal:
    """What a caller has spent: real costs, and what is reserved where the cost is not known yet."""
    return _charged(connection, "caller = ? AND started >= ?", caller, since.timestamp())


def charged_to(connection: sqlite3.Connection, payer: str, since: datetime) -> Decimal:
    """The same for everybody whose calls one key pays."""
    return _charged(connection, "payer = ? AND started >= ?", payer, since.timestamp())


def charged_by_all(connection: sqlite3.Connection, since: datetime) -> Decimal:
    """The same for everybody on this data directory."""
    return _charged(connection, "started >= ?", since.timestamp())


def settled_today(connection: sqlite3.Connection, payer: str) -> Decimal:
    """What runs of today that have ended count against a payer."""
    return charged_to(connection, payer, start_of_day()) - reserved_now(connection, payer)


def paid_by(connection: sqlite3.Connection, payer: str, tool: str, models: tuple[str, ...]) -> list[RunRecord]:
    """The latest runs of a tool with these models whose cost is known."""
    where = "payer = ? AND tool = ? AND models = ? AND cost_usd > 0 ORDER BY started DESC LIMIT 20"
    return _all(connection, where, payer, tool, json.dumps(models))


def reserved_now(connection: sqlite3.Connection, payer: str) -> Decimal:
    """What is set aside for runs under way that one key pays."""
    return _charged(connection, "payer = ? AND status = 'running'", payer)


def spending_since(connection: sqlite3.Connection, caller: str, since: datetime) -> Spending:
    """The ledger of a time."""
    rows = connection.execute(
        "SELECT tool, models, started, cost_usd FROM runs "
        "WHERE caller = ? AND started >= ? AND status != 'running' ORDER BY started DESC",
        (caller, since.timestamp()),
    ).fetchall()
    by_tool: dict[str, Decimal] = {}
    by_model: dict[str, Decimal] = {}
    by_day: dict[str, Decimal] = {}
    for tool, models, started, units in rows:
        cost = Decimal(units or 0) / _UNITS
        asked = " + ".join(json.loads(models)) or "upstream's choice"
        for ledger, name in ((by_tool, tool), (by_model, asked), (by_day, _time(started).date().isoformat())):
            ledger[name] = ledger.get(name, Decimal(0)) + cost
    unknown = sum(units is None for *_, units in rows)
    return Spending(sum(by_tool.values(), Decimal(0)), unknown, by_tool, by_model, by_day)


def ask_to_cancel(connection: sqlite3.Connection, run_id: str) -> None:
    """Leave word for whoever carries the run."""
    connection.execute("UPDATE runs SET cancel_requested = 1 WHERE run_id = ?", (run_id,))


def cancel_requests(connection: sqlite3.Connection, owner: str) -> list[str]:
    """Runs of this owner that somebody wants stopped."""
    rows = connection.execute(
        "SELECT run_id FROM runs WHERE status = 'running' AND cancel_requested AND owner = ?", (owner,)
    )
    return [run_id for (run_id,) in rows]


def mark_delivered(connection: sqlite3.Connection, run_id: str) -> None:
    """Its answer has reached somebody."""
    connection.execute("UPDATE runs SET delivered = 1 WHERE run_id = ?", (run_id,))


def forget_before(connection: sqlite3.Connection, moment: datetime) -> int:
    """Delete finished runs that are older."""
    return connection.execute(
        "DELETE FROM runs WHERE status != 'running' AND started < ?", (moment.timestamp(),)
    ).rowcount


def start_of_day(now: datetime | None = None) -> datetime:
    """Midnight UTC."""
    return (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)


def days_ago(days: int) -> datetime:
    """This time of day, days ago."""
    return datetime.now(UTC) - timedelta(days=days)


def _charged(connection: sqlite3.Connection, where: str, *values: Any) -> Decimal:
    (units,) = connection.execute(f"SELECT coalesce(sum(charged_usd), 0) FROM runs WHERE {where}", values).fetchone()  # noqa: S608
    return Decimal(units) / _UNITS


def _first(connection: sqlite3.Connection, where: str, *values: Any) -> RunRecord | None:
    return next(iter(_all(connection, f"{where} ORDER BY started DESC LIMIT 1", *values)), None)


def _all(connection: sqlite3.Connection, where: str, *values: Any) -> list[RunRecord]:
    rows = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM runs WHERE {where}", values)  # noqa: S608
    return [_record(row) for row in rows]


def _row(record: RunRecord) -> tuple[Any, ...]:
    return tuple(_encode(getattr(record, column)) for column in _COLUMNS)


def _encode(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int((value * _UNITS).to_integral_value())
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, tuple):
        return json.dumps(value)
    return value


def _record(row: tuple[Any, ...]) -> RunRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    for column in ("low_usd", "high_usd", "most_usd", "charged_usd", "cost_usd"):
        values[column] = None if values[column] is None else Decimal(values[column]) / _UNITS
    values["started"] = _time(values["started"])
    values["ended"] = None if values["ended"] is None else _time(values["ended"])
    values["models"] = tuple(json.loads(values["models"]))
    values["progress"] = None if values["progress"] is None else Progress(*json.loads(values["progress"]))
    values["delivered"] = bool(values["delivered"])
    return RunRecord(**values)


def _time(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
