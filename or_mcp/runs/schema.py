"""The store's tables. A change is a new entry at the end: what was written before is migrated, never dropped."""

from __future__ import annotations

import sqlite3

from or_mcp.runs.ledger import NOT_BOOKED, OPEN, UNDER_WAY

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
    # A program of before may still write to this file: what it does not know has a default, and is booked later.
    """
    ALTER TABLE runs ADD COLUMN most_usd BIGINT;
    ALTER TABLE runs ADD COLUMN booked_usd BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN booked_as INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE events ADD COLUMN n INTEGER;
    CREATE TABLE ledger (
        scope TEXT NOT NULL,
        day TEXT NOT NULL,
        charged_usd BIGINT NOT NULL,
        set_aside_usd BIGINT NOT NULL,
        PRIMARY KEY (scope, day)
    );
    CREATE INDEX ledger_by_day ON ledger (day, scope);
    CREATE TABLE spending (
        caller TEXT NOT NULL,
        day TEXT NOT NULL,
        tool TEXT NOT NULL,
        models TEXT NOT NULL,
        payer TEXT NOT NULL,
        charged_usd BIGINT NOT NULL,
        cost_usd BIGINT NOT NULL,
        runs BIGINT NOT NULL,
        unknown BIGINT NOT NULL,
        estimated BIGINT NOT NULL,
        low_usd BIGINT NOT NULL,
        high_usd BIGINT NOT NULL,
        most_usd BIGINT NOT NULL,
        billed_usd BIGINT NOT NULL,
        PRIMARY KEY (caller, day, tool, models, payer)
    );
    CREATE INDEX spending_by_day ON spending (day);
    DROP INDEX runs_by_payer;
    CREATE INDEX runs_by_age ON runs (started);
    CREATE INDEX runs_reranked ON runs (payer, models, started) WHERE tool = 'rerank';
    CREATE INDEX runs_by_generation ON runs (generation_id) WHERE generation_id IS NOT NULL;
    CREATE UNIQUE INDEX events_by_number ON events (run_id, n);
    """,
    """
    ALTER TABLE runs ADD COLUMN prompt_kept TEXT;
    CREATE TABLE pieces (hash TEXT PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE run_pieces (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        PRIMARY KEY (run_id, hash)
    );
    CREATE INDEX run_pieces_by_hash ON run_pieces (hash);
    """,
    f"""
    ALTER TABLE runs ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN lost_at REAL;
    DROP INDEX IF EXISTS runs_not_booked;
    CREATE INDEX runs_not_booked ON runs (started) WHERE {NOT_BOOKED};
    DROP INDEX runs_under_way;
    CREATE INDEX runs_under_way ON runs (owner) WHERE {UNDER_WAY};
    """,
    """
    CREATE TABLE asked (
        caller TEXT NOT NULL,
        day TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        PRIMARY KEY (caller, day)
    );
    """,
    "ALTER TABLE runs ADD COLUMN job TEXT",
    """
    CREATE TABLE run_rows (
        run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
        n INTEGER NOT NULL,
        state TEXT NOT NULL,
        cost_usd BIGINT,
        body TEXT NOT NULL,
        PRIMARY KEY (run_id, n)
    );
    """,
    # What changes while a run is carried is in no index, and each look has one that holds little else.
    f"""
    DROP INDEX runs_by_caller;
    CREATE INDEX runs_by_caller ON runs (caller, started);
    DROP INDEX runs_by_question;
    CREATE INDEX runs_by_question ON runs (caller, fingerprint) WHERE {OPEN};
    DROP INDEX runs_without_cost;
    CREATE INDEX runs_without_cost ON runs (payer, started) WHERE cost_usd IS NULL AND generation_id IS NOT NULL;
    DROP INDEX events_by_run;
    """,
    "ALTER TABLE runs ADD COLUMN asked_by TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE seen_tools (
        server TEXT NOT NULL,
        tool TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (server, tool)
    );
    """,
    """
    CREATE TABLE questions (
        run_id TEXT PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,
        question TEXT NOT NULL,
        words TEXT NOT NULL,
        choices TEXT NOT NULL,
        seen INTEGER NOT NULL DEFAULT 0,
        chosen TEXT
    );
    """,
)


VERSION = len(MIGRATIONS)
# The first version that keeps the ledger apart from the runs.
LEDGER_SINCE = 4
"""The first version that knows what was spent without summing up runs."""
# The oldest version that can go on working beside this one: what was added since, it need not know.
READABLE_BY = 6


class NewerStore(Exception):
    """The store was written by a later version of this program."""


def version_of(connection: sqlite3.Connection) -> int:
    """Which version a store has; 0 if it is new.

    Raises:
        NewerStore: It is beyond this program.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerStore(f"it has version {version}, this program knows {VERSION}")
    return version


def schema() -> str:
    """The statements that make an empty file into this version's."""
    parts = [statement.strip() for part in MIGRATIONS for statement in part.split(";") if statement.strip()]
    return ";\n".join([*parts, f"PRAGMA user_version = {VERSION};"])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store up to this version.

    Raises:
        NewerStore: It is already beyond it.
    """
    if version_of(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in MIGRATIONS[version_of(connection) :]:
            for statement in statements.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
