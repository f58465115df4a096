"""The parts of the program, put together from its settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio.to_thread

from or_mcp.attachments.paths import Sandbox
from or_mcp.calls.call import Parts
from or_mcp.calls.caller import Caller
from or_mcp.calls.keepsake import Means
from or_mcp.catalogue.cache import Catalogue
from or_mcp.catalogue.policy import Policy
from or_mcp.disk import forget_files
from or_mcp.files.shelf import Shelf
from or_mcp.identity import IDENTITY
from or_mcp.openrouter.client import OpenRouter, prepare
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.http import Http
from or_mcp.operator import demands, folders_of_runs, kept_in, own_files, provider_preferences, rules
from or_mcp.runs.budget import Limits
from or_mcp.runs.key_limit import KeyLimits
from or_mcp.runs.learned import Learned
from or_mcp.runs.live import Work
from or_mcp.runs.record import RunRecord
from or_mcp.runs.runner import Runner
from or_mcp.runs.store import Store
from or_mcp.servers.sessions import Servers
from or_mcp.settings import Settings
from or_mcp.tools import KEEPSAKES


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who hears of what happens in a program, as it happens.

    How long upstream took to begin its answer on a path; what a run of a tool has cost; that a run was found which its
    process had lost; that the program has failed.
    """

    heard: Callable[[str, float], None] | None = None
    spent: Callable[[str, Decimal], None] | None = None
    lost: Callable[[], None] | None = None
    died: Callable[[], None] | None = None


NOBODY = Watchers()


@asynccontextmanager
async def parts_of(settings: Settings, watchers: Watchers) -> AsyncGenerator[Parts]:
    """The parts, none of which runs yet; what they hold open is closed after the block."""
    http = Http(settings.base_url, IDENTITY, watchers.heard)
    upstream = OpenRouter(http, settings.api_key, demands(settings))
    store = await anyio.to_thread.run_sync(Store, *kept_in(settings))
    kept_in_dir = settings.data_dir if settings.store else None
    shelf = Shelf(kept_in_dir)
    runner = Runner(
        store,
        Limits(
            settings.max_cost_per_call_usd,
            settings.daily_budget_usd,
            settings.caller_daily_budget_usd,
            are_for_a_team=settings.http_auth != "none",
        ),
        deadline_seconds=settings.run_deadline_seconds,
        drain_seconds=settings.drain_seconds,
        retention_days=settings.retention_days,
        forget_files=partial(_forget_files, folders_of_runs(settings.data_dir), shelf),
        spent=watchers.spent,
        lost=watchers.lost,
        learned=Learned(kept_in_dir),
        resume=partial(_resume, shelf, store, kept_in_dir),
    )
    catalogue = Catalogue(upstream, settings.data_dir / "catalogue", origin=settings.base_url)
    yield Parts(
        upstream=upstream,
        catalogue=catalogue,
        policy=Policy(settings.models),
        runner=runner,
        key_limits=KeyLimits(store),
        provider=provider_preferences(settings),
        default_model=settings.default_model,
        wait_seconds=settings.wait_seconds,
        sandbox=_sandbox(settings),
        data_dir=kept_in_dir,
        shelf=shelf,
        rules=rules(settings),
        keepsakes=KEEPSAKES,
        servers=Servers(settings.servers, apart=settings.servers_for_callers),
    )
    await http.close()
    await anyio.to_thread.run_sync(shelf.close)


def under(parts: Parts, settings: Settings) -> Parts:
    """The same for a session with settings of its own."""
    return replace(parts, wait_seconds=settings.wait_seconds, sandbox=_sandbox(settings), rules=rules(settings))


def _sandbox(settings: Settings) -> Sandbox:
    return Sandbox(settings.allowed_dirs, own_files(settings.data_dir))


async def warm_up(parts: Parts, owner: Caller) -> None:
    """Have the connection, the prices and the key's limit ready before the first call needs them."""
    # Nothing is lost by a failure: whoever needs it asks again, and is told what went wrong.
    with suppress(Failure):
        prepare()
        parts.runner.pays(owner.payer, parts.upstream)
        if owner.key is not None:
            await parts.key_limits.heard(owner.payer, parts.upstream)
        await parts.catalogue.models()


def _forget_files(folders: Sequence[Path], shelf: Shelf, moment: datetime) -> None:
    forget_files(folders, moment)
    shelf.forget(moment)


def _resume(shelf: Shelf, store: Store, data_dir: Path | None, record: RunRecord, upstream: OpenRouter) -> Work | None:
    """What goes on with a job that another process left."""
    keepsake = KEEPSAKES.get(record.request.tool)
    if keepsake is None or keepsake.resume is None:
        return None
    return keepsake.resume(record, Means(upstream, shelf, store, data_dir))
