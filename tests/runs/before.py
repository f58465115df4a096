"""A program of the release before, as far as the store is concerned: its tables and its statements."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

TABLES = """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, tool TEXT NOT NULL, caller TEXT NOT NULL, fingerprint TEXT NOT NULL,
        arguments TEXT NOT NULL, models TEXT NOT NULL, prompt TEXT NOT NULL, started REAL NOT NULL,
        owner TEXT NOT NULL, status TEXT NOT NULL, ended REAL, low_usd INTEGER, high_usd INTEGER,
        charged_usd INTEGER NOT NULL, cost_usd INTEGER, generation_id TEXT, outcome TEXT, result TEXT, failure TEXT,
        context TEXT, delivered INTEGER NOT NULL DEFAULT 0, cancel_requested INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX runs_by_caller ON runs (caller, started, charged_usd);
    CREATE INDEX runs_by_question ON runs (caller, fingerprint, started);
    CREATE INDEX runs_under_way ON runs (owner) WHERE status = 'running';
    CREATE INDEX runs_without_cost ON runs (started) WHERE cost_usd IS NULL AND generation_id IS NOT NULL;
    CREATE TABLE events (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE, at REAL NOT NULL, step TEXT NOT NULL,
        model TEXT NOT NULL, detail TEXT NOT NULL
    );
    CREATE INDEX events_by_run ON events (run_id);
    ALTER TABLE runs ADD COLUMN progress TEXT;
    ALTER TABLE runs ADD COLUMN payer TEXT NOT NULL DEFAULT '';
    CREATE INDEX runs_by_payer ON runs (payer, started, charged_usd);
    PRAGMA user_version = 3
"""
COLUMNS = [
    "run_id",
    "tool",
    "caller",
    "payer",
    "fingerprint",
    "arguments",
    "models",
    "prompt",
    "started",
    "owner",
    "status",
    "ended",
    "low_usd",
    "high_usd",
    "charged_usd",
    "cost_usd",
    "generation_id",
    "outcome",
    "result",
    "failure",
    "progress",
    "delivered",
]
UNITS = 10**12


class Before:
    """A process of that release, with a store open."""

    def __init__(self, file: Path, caller: str) -> None:
        is_new = not file.exists()
        file.parent.mkdir(exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        if is_new:
            self._connection.executescript(TABLES)
        self._caller = caller

    def save(self, run_id: str, **values: Any) -> None:
        """Write a run as that release does: the whole row, over what was there."""
        given = {"prompt": "?", "started": time.time(), "owner": "1-gone", "status": "running", "charged_usd": UNITS}
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | given | {"arguments": "{}", "models": '["a/b"]', "delivered": 0}
        row |= {"run_id": run_id, "tool": "ask", "caller": self._caller, "payer": self._caller, "fingerprint": run_id}
        changed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
        self._connection.execute(
            f"INSERT INTO runs ({', '.join(COLUMNS)}, context) VALUES ({', '.join('?' * len(COLUMNS))}, NULL) "
            f"ON CONFLICT (run_id) DO UPDATE SET {changed}",
            [(row | values)[name] for name in COLUMNS],
        )
        self._connection.execute(
            "INSERT INTO events (run_id, at, step, model, detail) VALUES (?, ?, 'told', '', '')", (run_id, time.time())
        )

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def multiply(self, run_id: str, times: int) -> None:
        """Copy a run as often, a minute apart."""
        names = ", ".join(name for name in COLUMNS if name not in ("run_id", "started"))
        self._connection.execute(
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?) "
            f"INSERT INTO runs (run_id, started, {names}) "
            f"SELECT 'copy' || n, started - n * 60.0, {names} FROM runs, counted WHERE run_id = ?",
            (times, run_id),
        )
