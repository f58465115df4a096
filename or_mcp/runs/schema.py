"""The store's tables. A change is a new entry at the end: what was written before is migrated, never dropped."""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        tool TEXT NOT NULL,
        caller TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        arguments TEXT NOT NULL,
        models TEXT NOT NULL,
        prompt TEXT NOT NULL,
        started REAL NOT NULL,
        owner TEXT NOT NULL,
        status TEXT NOT NULL,
        ended REAL,
        low_usd INTEGER,
        high_usd INTEGER,
        charged_usd INTEGER NOT NULL,
        cost_usd INTEGER,
        generation_id TEXT,
        outcome TEXT,
        result TEXT,
        failure TEXT,
        context TEXT,
        delivered INTEGER NOT NULL DEFAULT 0,
        cancel_requested INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX runs_by_caller ON runs (caller, started, charged_usd);
    CREATE INDEX runs_by_question ON runs (caller, fingerprint, started);
    CREATE INDEX runs_under_way ON runs (owner) WHERE status = 'running';
    CREATE INDEX runs_without_cost ON runs (started) WHERE cost_usd IS NULL AND generation_id IS NOT NULL;
    CREATE TABLE events (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        at REAL NOT NULL,
        step TEXT NOT NULL,
        model TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    CREATE INDEX events_by_run ON events (run_id);
    """,
    "ALTER TABLE runs ADD COLUMN progress TEXT",
    """
    ALTER TABLE runs ADD COLUMN payer TEXT NOT NULL DEFAULT '';
    UPDATE runs SET payer = caller;
    CREATE INDEX runs_by_payer ON runs (payer, started, charged_usd);
    """,
    "ALTER TABLE runs ADD COLUMN most_usd INTEGER",
)


class NewerStore(Exception):
    """The store was written by a later version of this program."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store up to this version.

    Raises:
        NewerStore: It is already beyond it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerStore(f"the store has version {version}, this program knows {len(MIGRATIONS)}")
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in MIGRATIONS[version:]:
            for statement in statements.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
