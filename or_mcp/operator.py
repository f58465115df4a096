"""What the operator demands: from settings to the rules that every call obeys."""

from __future__ import annotations

from pathlib import Path

from or_mcp.files.shelf import FOLDER as FILES_FOLDER
from or_mcp.offered import TOOL_NAMES
from or_mcp.openrouter.demands import Demand
from or_mcp.openrouter.wire.routing import MaxPrice, Provider
from or_mcp.rows.lines import FOLDER as ROWS_FOLDER
from or_mcp.runs.budget import PER_CALLER, PER_DAY
from or_mcp.runs.shared_secret import FILE as SECRET_FILE
from or_mcp.runs.shared_secret import shared_secret
from or_mcp.runs.store import FILE as STORE_FILE
from or_mcp.runs.store import never_usable
from or_mcp.runs.transaction import Away
from or_mcp.settings import Settings, SettingsError
from or_mcp.vectors.cache import FILE as VECTORS_FILE
from or_mcp.vectors.files import FOLDER as VECTORS_FOLDER


def check_budget_is_kept(settings: Settings) -> None:
    """A daily budget stands on what is on disk: without that, every start would begin another.

    Raises:
        SettingsError: There is a budget, and runs cannot be kept.
    """
    budgets = {PER_DAY: settings.daily_budget_usd, PER_CALLER: settings.caller_daily_budget_usd}
    budget = next((name for name, amount in budgets.items() if amount), None)
    if budget is None or not settings.store or settings.database_url:
        return
    if why := never_usable(settings.data_dir):
        mend = f"an amount only where runs can be kept ({settings.data_dir}: {why}); mend OR_MCP_DATA_DIR, "
        alone = "or set OR_MCP_STORE=off to bound this process alone"
        raise SettingsError(budget, str(budgets[budget]), mend + alone)


def kept_in(settings: Settings) -> tuple[Path | None, str | None]:
    """Where runs are kept: in a directory of this machine, or in a database that machines share."""
    return (settings.data_dir, settings.database_url) if settings.store else (None, None)


def sealing_secret(settings: Settings) -> bytes:
    """What seals questions to hosts, so that any process on the same store accepts the answers.

    Raises:
        SettingsError: The database that holds it cannot be used.
    """
    try:
        return shared_secret(*kept_in(settings))
    except Away as away:
        accepts = f"the URL of a database that can be used now (this one cannot: {away}); see `or-mcp doctor`"
        raise SettingsError("OR_MCP_DATABASE_URL", "(hidden)", accepts) from None


def provider_preferences(settings: Settings) -> Provider | None:
    """What the operator demands of every request; no argument can loosen it."""
    preferences = Provider(
        only=settings.providers_only or None,
        ignore=settings.providers_ignore or None,
        data_collection=settings.data_collection,
        zdr=True if settings.zdr else None,
        max_price=MaxPrice(prompt=settings.max_price[0], completion=settings.max_price[1])
        if settings.max_price
        else None,
    )
    return preferences if preferences.body() else None


def demands(settings: Settings) -> tuple[Demand, ...]:
    """The same, by the names of the settings, for when no endpoint is left."""
    demanded = rules(settings)
    reasons = {
        "OR_MCP_ZDR": "data_policy:zdr",
        "OR_MCP_DATA_COLLECTION": "data_policy:training",
        "OR_MCP_PROVIDERS_ONLY": "allowed_providers",
        "OR_MCP_PROVIDERS_IGNORE": "ignored_providers",
        "OR_MCP_MAX_PRICE": "max_price",
    }
    return tuple(Demand(f"{name}={demanded[name]}", reason) for name, reason in reasons.items() if name in demanded)


def own_files(data_dir: Path) -> list[Path]:
    """What holds the runs and texts of every caller, and what seals their questions."""
    databases = [f"{name}{suffix}" for name in (STORE_FILE, VECTORS_FILE) for suffix in ("", "-wal", "-shm")]
    return [*(data_dir / name for name in (*databases, FILES_FOLDER, SECRET_FILE)), *folders_of_runs(data_dir)]


def folders_of_runs(data_dir: Path) -> list[Path]:
    """Where runs leave files."""
    return [data_dir / folder for folder in (VECTORS_FOLDER, ROWS_FOLDER)]


def rules(settings: Settings) -> dict[str, str]:
    """The operator's rules, as `account` shows them."""
    chosen = {
        "OR_MCP_MODELS": ",".join(settings.models) if settings.models != ("*",) else "",
        "OR_MCP_TOOLS": ",".join(settings.tools) if settings.tools != TOOL_NAMES else "",
        "OR_MCP_ZDR": "on" if settings.zdr else "",
        "OR_MCP_DATA_COLLECTION": settings.data_collection or "",
        "OR_MCP_PROVIDERS_ONLY": ",".join(settings.providers_only),
        "OR_MCP_PROVIDERS_IGNORE": ",".join(settings.providers_ignore),
        "OR_MCP_MAX_PRICE": ",".join(map(str, settings.max_price)) if settings.max_price else "",
        "OR_MCP_SERVERS": ", ".join(server.name for server in settings.servers),
        "OR_MCP_MAX_COST_PER_CALL_USD": str(settings.max_cost_per_call_usd),
        PER_DAY: str(settings.daily_budget_usd) if settings.daily_budget_usd else "",
        PER_CALLER: str(settings.caller_daily_budget_usd) if settings.caller_daily_budget_usd else "",
    }
    return {name: value for name, value in chosen.items() if value}
