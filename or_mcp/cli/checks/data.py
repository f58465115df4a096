"""What is kept on this machine: the data directory, the run store in it, the budget."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from or_mcp.cli.checks.finding import Finding, failed, noted, passed
from or_mcp.settings import Settings

# A month of runs with attachments, and the catalogue; a full disk stops everything that is paid for.
_LEAST_FREE = 200 * 1024 * 1024
_ELSEWHERE = "export OR_MCP_DATA_DIR=DIRECTORY"


def directory(settings: Settings) -> Iterator[Finding]:
    """Whether runs can be kept, and are kept from others."""
    path = settings.data_dir
    if not settings.store:
        yield noted("data", "OR_MCP_STORE is off: runs are kept in memory only")
        return
    there = next(each for each in (path, *path.parents) if each.exists())
    try:
        if not there.is_dir():
            raise NotADirectoryError(0, "not a directory")
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        told = f"{path} cannot be written ({there}: {error.strerror or error})"
        yield failed("data", told, f"chown -R $USER {there}, or {_ELSEWHERE}")
        return
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o700
    if mode & 0o077 and sys.platform != "win32":
        yield failed("data", f"{path} can be read by others (mode {mode:o})", f"chmod 700 {path}")
    else:
        yield passed("data", str(path) if path.exists() else f"{path} (made when it is needed)")
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE:
        yield failed("disk", f"{free / 1e6:.0f} MB free at {there}", f"free some space there, or {_ELSEWHERE}")
    else:
        yield passed("disk", f"{free / 1e9:.1f} GB free")


def store(settings: Settings) -> Iterator[Finding]:
    """Whether the runs can be read, and what today has cost."""
    from or_mcp.runs.checking import charged_before_the_ledger
    from or_mcp.runs.engines.sqlite import looking
    from or_mcp.runs.ledger import charged_today_by_payer
    from or_mcp.runs.schema import LEDGER_SINCE, VERSION

    if settings.store and settings.database_url:
        yield from _database(settings, settings.database_url)
        return
    file = settings.data_dir / "runs.sqlite3"
    spent = Decimal(0)
    if settings.store and file.exists():
        try:
            with looking(file) as tx:
                (written,) = tx.execute("PRAGMA user_version").fetchone()
                (health,) = tx.execute("PRAGMA quick_check(1)").fetchone()
                (runs,) = tx.execute("SELECT count(*) FROM runs").fetchone()
                # A budget is a key's: what the key that was used most has spent.
                charged = charged_today_by_payer if written >= LEDGER_SINCE else charged_before_the_ledger
                spent = max(charged(tx), default=spent) if written <= VERSION else spent
        except sqlite3.Error as error:
            yield failed("store", f"{file} cannot be read ({error})", _set_aside(file))
            return
        if written > VERSION:
            yield failed("store", "written by a later version of or-mcp", _upgrade())
        elif health != "ok":
            yield failed("store", f"{file} is damaged ({health})", _set_aside(file))
        else:
            yield passed("store", f"{runs} runs, undamaged")
    elif settings.store:
        yield passed("store", "no runs yet")
    yield from _budget(settings, spent)


def _database(settings: Settings, url: str) -> Iterator[Finding]:
    from or_mcp.runs.engines.postgres import looking
    from or_mcp.runs.ledger import charged_today_by_payer
    from or_mcp.runs.transaction import Away

    try:
        with looking(url) as tx:
            (runs,) = tx.execute("SELECT count(*) FROM runs").fetchone()
            spent = max(charged_today_by_payer(tx), default=Decimal(0))
    except Away as away:
        told = f"the database of OR_MCP_DATABASE_URL cannot be used: {away}"
        yield failed("store", told, "export OR_MCP_DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME")
        return
    yield passed("store", f"{runs} runs in the database that machines share")
    yield from _budget(settings, spent)


def _budget(settings: Settings, spent: Decimal) -> Iterator[Finding]:
    day, call = settings.daily_budget_usd, settings.max_cost_per_call_usd
    ceiling = f"at most ${call} a call" if call else "no ceiling for a call"
    if day and spent >= day:
        told = f"today's budget of ${day} is used up (${spent:.2f})"
        yield failed("budget", told, "wait until 00:00 UTC, or export OR_MCP_DAILY_BUDGET_USD=MORE")
    elif day:
        yield passed("budget", f"${spent:.2f} of ${day} spent today, {ceiling}")
    else:
        yield passed("budget", f"${spent:.2f} spent today, no daily budget, {ceiling}")


def _set_aside(file: Path) -> str:
    return f"{'move' if os.name == 'nt' else 'mv'} {file} {file}.damaged"


def _upgrade() -> str:
    return f"{sys.executable} -m pip install --upgrade or-mcp"
