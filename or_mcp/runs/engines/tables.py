"""The store's tables as PostgreSQL has them: those of every engine, and what only machines that share one need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from or_mcp.runs.schema import MIGRATIONS, READABLE_BY, VERSION

_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}
_SHARED = """
    CREATE TABLE schema (version INTEGER NOT NULL, readable_by INTEGER NOT NULL);
    CREATE TABLE shared (name TEXT PRIMARY KEY, value BYTEA NOT NULL);
    CREATE TABLE processes (
        token TEXT PRIMARY KEY, host TEXT NOT NULL, version TEXT NOT NULL, beat DOUBLE PRECISION NOT NULL
    );
    INSERT INTO schema VALUES (0, 0);
"""
# A text is not deleted while a run comes to refer to it. Rows that are written again find room on their page.
_TUNED = """
    ALTER TABLE run_pieces ADD FOREIGN KEY (hash) REFERENCES pieces (hash);
    ALTER TABLE runs SET (fillfactor = 80);
    ALTER TABLE ledger SET (fillfactor = 50);
    ALTER TABLE spending SET (fillfactor = 50);
    ALTER TABLE processes SET (fillfactor = 50);
"""


def statements(found: int) -> Iterator[str]:
    """What makes this version's tables out of those of another; of nothing if that is -1."""
    parts = [_SHARED] if found < 0 else []
    parts += [_translated(migration) for migration in MIGRATIONS[max(found, 0) :]]
    parts += [_TUNED] if found < 0 else []
    for part in parts:
        yield from (statement.strip() for statement in part.split(";") if statement.strip())


def schema() -> str:
    """The statements that make an empty database into this version's."""
    version = f"UPDATE schema SET version = {VERSION}, readable_by = {READABLE_BY};"  # noqa: S608
    return ";\n".join([*statements(-1), version])


def _translated(migration: str) -> str:
    return re.sub(r"\b(INTEGER|REAL|BLOB)\b", lambda found: _TYPES[found[0]], migration)
