"""What is asked of the store: plain functions over one open transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from or_mcp.runs import ledger
from or_mcp.runs.amounts import moment, units, usd
from or_mcp.runs.columns import COLUMNS, event_row, progress_of, record_of, row_of, storable
from or_mcp.runs.pieces import HEAD, LONG, Context, Piece
from or_mcp.runs.record import Progress, RunEvent, RunRecord
from or_mcp.runs.rows import rows_of
from or_mcp.runs.transaction import Transaction

# Only what a run brings is written again: how it began stays, and whoever receives it says so himself.
_CARRIED = (
    *("status", "ended", "charged_usd", "cost_usd", "generation_id", "outcome", "result", "failure", "progress"),
    *("seq", "job"),
)
_BOOKED = ("booked_usd", "booked_as")
_BEGIN = (
    f"INSERT INTO runs ({', '.join((*COLUMNS, *_BOOKED))}, context, prompt_kept) "  # noqa: S608
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 4))})"
)
_GO_ON = f"UPDATE runs SET {', '.join(f'{column} = ?' for column in (*_CARRIED, *_BOOKED))} WHERE run_id = ?"  # noqa: S608
_UNWANTED = f"({ledger.UNDER_WAY} AND cancel_requested = 1)"
_EVENT = "INSERT INTO events (run_id, n, at, step, model, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
# A list shows the beginning of a prompt; what a run has brought may be megabytes.
_LONG = {"prompt": f"substr(prompt, 1, {HEAD})", "arguments": "'{}'", "result": "NULL", "failure": "NULL"}
_LISTED = ", ".join(_LONG.get(column, column) for column in COLUMNS)
# How many runs are forgotten in one transaction that other programs wait for.
_FORGOTTEN_AT_ONCE = 50
# Older engines take no more than 999 values in a statement.
_LOOKED_AT_ONCE = 500


class Look(NamedTuple):
    """How a run stands, in few words."""

    run_id: str
    owner: str
    status: str
    progress: Progress | None
    is_unwanted: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will arrive."""
        return self.status != "running"


class _Kept(NamedTuple):
    """What a run's row holds that its carrier does not know."""

    owner: str = ""
    seq: int = 0
    cost: int | None = None
    lost_at: float | None = None
    booked: ledger.Booked = ledger.Booked()


def save(tx: Transaction, record: RunRecord, events: Sequence[RunEvent] = ()) -> None:
    """Write a run as its carrier sees it, and what has happened since the last time; the ledger moves with it.

    It may be done again, in any order, and also where the run is not there any more.
    """
    kept = _kept(tx, record.run_id)
    if kept.owner not in ("", record.owner) or kept.seq > record.seq:
        return
    if record.cost_usd is None and kept.cost is not None and not kept.booked.is_under_way:
        record = replace(record, cost_usd=usd(kept.cost), charged_usd=usd(kept.cost))
    state = ledger.state_of(is_under_way=not record.finished and kept.lost_at is None, cost=units(record.cost_usd))
    booked = ledger.Booked(units(record.charged_usd) or 0, state)
    if kept.owner:
        tx.execute(_GO_ON, (*row_of(record, _CARRIED), *booked, record.run_id))
    else:
        tx.execute(_BEGIN, (*row_of(record), *booked, None, None))
    tx.each(_EVENT, [event_row(record.run_id, event) for event in events])
    ledger.move(tx, _account(record), kept.booked, booked)


def begin(tx: Transaction, record: RunRecord, context: Context | None) -> int:
    """Write a run that begins, and what it was asked in, each large text once; how many bytes more that is.

    The context is read only to go on from there.
    """
    bodies = dict(context.bodies) if context is not None else {}
    kept = None
    if len(record.request.prompt) >= LONG:
        prompt = Piece(storable(record.request.prompt).encode())
        kept = prompt.hash
        bodies[kept] = prompt.body
    text = storable(context.text) if context is not None else None
    booked = ledger.Booked(units(record.charged_usd) or 0, ledger.state_of(is_under_way=True, cost=None))
    tx.execute(_BEGIN, (*row_of(record), *booked, text, kept))
    ledger.move(tx, _account(record), ledger.Booked(), booked)
    size = len(record.request.prompt[:LONG]) + len(record.request.arguments) + len(text or "")
    return size + (_keep_pieces(tx, record.run_id, bodies) if bodies else 0)


def _keep_pieces(tx: Transaction, run_id: str, bodies: Mapping[str, bytes]) -> int:
    marks = ", ".join("?" * len(bodies))
    kept = {name for (name,) in tx.execute(f"SELECT hash FROM pieces WHERE hash IN ({marks})", list(bodies))}  # noqa: S608
    new = [(name, body) for name, body in bodies.items() if name not in kept]
    tx.each("INSERT INTO pieces (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING", new)
    tx.each("INSERT INTO run_pieces (run_id, hash) VALUES (?, ?)", [(run_id, name) for name in bodies])
    return sum(len(body) for _, body in new)


def context_of(tx: Transaction, run_id: str) -> Context | None:
    """What a run was asked in."""
    row = tx.execute("SELECT context FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if row is None or row[0] is None:
        return None
    bodies = tx.execute(
        "SELECT p.hash, p.body FROM run_pieces r JOIN pieces p ON p.hash = r.hash WHERE r.run_id = ?", (run_id,)
    )
    return Context(row[0], dict(bodies.fetchall()))


def find(tx: Transaction, run_id: str, caller: str | None) -> RunRecord | None:
    """One run; another caller's is not there."""
    record = _first(tx, "run_id = ?", run_id)
    if record is None or caller not in (None, record.request.caller):
        return None
    long = tx.execute(
        "SELECT p.body FROM runs r JOIN pieces p ON p.hash = r.prompt_kept WHERE r.run_id = ?", (run_id,)
    ).fetchone()
    if long is not None:
        record = replace(record, request=replace(record.request, prompt=long[0].decode()))
    return replace(record, rows=rows_of(tx, run_id))


def latest_like(tx: Transaction, caller: str, fingerprint: str) -> RunRecord | None:
    """The newest run of the same question, whatever became of it, with its rows."""
    found = _first(tx, "caller = ? AND fingerprint = ?", caller, fingerprint)
    return None if found is None else replace(found, rows=rows_of(tx, found.run_id))


def looks(tx: Transaction, run_ids: Sequence[str], owner: str) -> tuple[dict[str, Look], list[str]]:
    """How each of these runs stands, if it is there; and which runs of this owner somebody wants stopped."""
    found: list[Look] = []
    for start in range(0, max(1, len(run_ids)), _LOOKED_AT_ONCE):
        some = run_ids[start : start + _LOOKED_AT_ONCE]
        # One statement, since every process does it several times a second.
        these = f" OR run_id IN ({', '.join('?' * len(some))})" if some else ""
        found += _looks(tx, f"({_UNWANTED} AND owner = ?){these}", owner, *some)
    known = {look.run_id: look for look in found}
    return known, [look.run_id for look in known.values() if look.is_unwanted]


def find_same(tx: Transaction, caller: str, fingerprint: str) -> RunRecord | None:
    """A run of the same question that is under way, or that nobody has received."""
    return _first(
        tx,
        f"caller = ? AND fingerprint = ? AND {ledger.OPEN} AND (lost_at IS NULL OR status = 'completed')",
        caller,
        fingerprint,
    )


def made_generation(tx: Transaction, caller: str, generation_id: str) -> bool:
    """Whether a generation came of a run of this caller."""
    found = tx.execute("SELECT 1 FROM runs WHERE generation_id = ? AND caller = ?", (generation_id, caller))
    return found.fetchone() is not None


def latest(tx: Transaction, caller: str | None, limit: int) -> list[RunRecord]:
    """The newest runs first, without what they have brought and with the beginning of their prompts."""
    if caller is None:
        return _all(tx, "TRUE ORDER BY started DESC LIMIT ?", limit, columns=_LISTED)
    return _all(tx, "caller = ? ORDER BY started DESC LIMIT ?", caller, limit, columns=_LISTED)


def running(tx: Transaction) -> list[Look]:
    """Every run that somebody is, or was, carrying."""
    return _looks(tx, ledger.UNDER_WAY)


def without_cost(tx: Transaction, payer: str, since: datetime) -> list[RunRecord]:
    """Runs that ended with a generation id but no cost, in few words."""
    return _all(
        tx,
        f"NOT {ledger.UNDER_WAY} AND cost_usd IS NULL AND generation_id IS NOT NULL AND payer = ? AND started >= ?",
        payer,
        since.timestamp(),
        columns=_LISTED,
    )


def events_of(tx: Transaction, run_id: str) -> list[RunEvent]:
    """What happened in a run, in order."""
    rows = tx.execute("SELECT at, step, model, detail, n FROM events WHERE run_id = ? ORDER BY at, n", (run_id,))
    return [RunEvent(moment(at), step, model, detail, n or 0) for at, step, model, detail, n in rows]


def paid_reranks(tx: Transaction, payer: str, model: str) -> list[RunRecord]:
    """The latest reranks with this model whose cost is known."""
    where = "payer = ? AND tool = 'rerank' AND models = ? AND cost_usd > 0 ORDER BY started DESC LIMIT 20"
    return _all(tx, where, payer, json.dumps([model]))


def ask_to_cancel(tx: Transaction, run_id: str) -> None:
    """Leave word for whoever carries the run."""
    tx.execute("UPDATE runs SET cancel_requested = 1 WHERE run_id = ?", (run_id,))


def take_over(tx: Transaction, run_id: str, before: str, owner: str) -> tuple[RunRecord, int] | None:
    """Carry a run in place of one who is gone, with the number of its last step; None if somebody else was faster."""
    taken = tx.execute(
        f"UPDATE runs SET owner = ? WHERE run_id = ? AND owner = ? AND {ledger.UNDER_WAY}",  # noqa: S608
        (owner, run_id, before),
    )
    record = find(tx, run_id, None) if taken.rowcount == 1 else None
    if record is None:
        return None
    (last,) = tx.execute("SELECT coalesce(max(n), 0) FROM events WHERE run_id = ?", (run_id,)).fetchone()
    return record, last


def mark_delivered(tx: Transaction, run_id: str) -> None:
    """Its answer has reached somebody."""
    tx.execute("UPDATE runs SET delivered = 1 WHERE run_id = ?", (run_id,))


def forget_before(tx: Transaction, since: datetime) -> int:
    """Delete some finished runs that are older, and texts that only they had; how many runs.

    What they cost stays in the ledger.
    """
    old = f"started < ? AND NOT {ledger.UNDER_WAY} AND NOT {ledger.NOT_BOOKED} ORDER BY started LIMIT ?"
    rows = tx.execute(f"SELECT run_id FROM runs WHERE {old}", (since.timestamp(), _FORGOTTEN_AT_ONCE))  # noqa: S608
    runs = [run_id for (run_id,) in rows]
    for run_id in runs:
        pieces = tx.execute("SELECT hash FROM run_pieces WHERE run_id = ?", (run_id,)).fetchall()
        tx.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
        unused = "hash = ? AND NOT EXISTS (SELECT 1 FROM run_pieces r WHERE r.hash = pieces.hash)"
        tx.each(f"DELETE FROM pieces WHERE {unused}", pieces)  # noqa: S608
    return len(runs)


def _kept(tx: Transaction, run_id: str) -> _Kept:
    row = tx.execute(
        "SELECT owner, seq, cost_usd, lost_at, booked_usd, booked_as FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    if row is None:
        return _Kept()
    owner, seq, cost, lost_at, *booked = row
    return _Kept(owner, seq, cost, lost_at, ledger.Booked(*booked))


def _account(record: RunRecord) -> ledger.Account:
    estimate = (units(record.request.low_usd), units(record.request.high_usd), units(record.request.most_usd))
    started, models = record.started.timestamp(), json.dumps(record.request.models)
    return ledger.Account(record.request.payer, record.request.caller, record.request.tool, models, started, estimate)


def _first(tx: Transaction, where: str, *values: Any) -> RunRecord | None:
    return next(iter(_all(tx, f"{where} ORDER BY started DESC LIMIT 1", *values)), None)


def _all(tx: Transaction, where: str, *values: Any, columns: str = ", ".join(COLUMNS)) -> list[RunRecord]:
    rows = tx.execute(f"SELECT {columns} FROM runs WHERE {where}", values)  # noqa: S608
    return [record_of(row) for row in rows]


def _looks(tx: Transaction, where: str, *values: Any) -> list[Look]:
    status = f"CASE WHEN status = 'running' AND NOT {ledger.UNDER_WAY} THEN 'interrupted' ELSE status END"
    columns = f"run_id, owner, {status}, progress, {_UNWANTED}"
    rows = tx.execute(f"SELECT {columns} FROM runs WHERE {where}", values)  # noqa: S608
    return [
        Look(run_id, owner, status, progress_of(progress), bool(unwanted))
        for run_id, owner, status, progress, unwanted in rows
    ]
