"""The table of settings: one row a variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from or_mcp.offered import TOOL_NAMES, TOOL_WORDS, offered
from or_mcp.servers.file import Server
from or_mcp.settings.addresses import http_url
from or_mcp.settings.figures import money, prices, seconds, seconds_or_none, whole
from or_mcp.settings.written import (
    SERVERS,
    SERVERS_FILE,
    as_key,
    database_url,
    folders,
    globs,
    level,
    names,
    one_of,
    path,
    servers_in,
    switch,
    wait_or_none,
)
from or_mcp.starting.place import BY_DEFAULT, idle_seconds

Auth = Literal["none", "token", "passthrough"]
Collection = Literal["allow", "deny"]
T = TypeVar("T")
_ROW = "row"


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting: its variable, what a person may write there, and what it means."""

    name: str
    default: str
    meaning: str
    accepts: str
    parse: Callable[[str], Any]
    secret: bool = False
    field: str = ""


def variable(
    name: str, default: str, meaning: str, accepts: str, parse: Callable[[str], T], *, secret: bool = False
) -> T:
    """A field of `Settings` that an environment variable sets."""
    row = Variable(name, default, meaning, accepts, parse, secret)
    # The row says what the field holds, so that its type is checked against what is parsed.
    return cast("T", field(metadata={_ROW: row}))


_AUTH: Mapping[str, Auth] = {"none": "none", "token": "token", "passthrough": "passthrough"}
_COLLECTION: Mapping[str, Collection | None] = {"": None, "upstream": None, "deny": "deny", "allow": "allow"}
_STRUCTURED: Mapping[str, bool | None] = {"auto": None, "on": True, "off": False}
_ON_OFF = "on or off"
_LIST = "a comma-separated list"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose, parsed and checked."""

    api_key: str | None = variable(
        "OPENROUTER_API_KEY",
        "",
        "Your OpenRouter key (the one stored by `or-mcp login` by default); without one the catalogue still works "
        "and paid tools say how to get one.",
        "an OpenRouter key",
        as_key,
        secret=True,
    )
    base_url: str = variable(
        "OPENROUTER_BASE_URL",
        "https://openrouter.ai/api/v1",
        "The API to talk to: a region's host, a gateway, the simulator.",
        "an http(s) URL",
        http_url,
    )
    data_dir: Path = variable(
        "OR_MCP_DATA_DIR",
        "",
        "Run store, catalogue cache, reports, embeddings (the platform's state directory by default).",
        "a directory",
        path,
    )
    store: bool = variable("OR_MCP_STORE", "on", "off keeps runs in memory only.", _ON_OFF, switch)
    retention_days: int = variable(
        "OR_MCP_RETENTION_DAYS", "30", "Finished runs older than this are deleted.", "a whole number of days", whole
    )
    max_cost_per_call_usd: Decimal = variable(
        "OR_MCP_MAX_COST_PER_CALL_USD",
        "5",
        "No single call may be estimated above it; 0 means no ceiling.",
        "an amount in USD, from 0 to 100000",
        money,
    )
    daily_budget_usd: Decimal = variable(
        "OR_MCP_DAILY_BUDGET_USD",
        "0",
        "Spend per UTC day over all processes sharing the store; 0 means none.",
        "an amount in USD, from 0 to 100000",
        money,
    )
    caller_daily_budget_usd: Decimal = variable(
        "OR_MCP_CALLER_DAILY_BUDGET_USD",
        "0",
        "The same for each caller of a team; 0 means none.",
        "an amount in USD, from 0 to 100000",
        money,
    )
    database_url: str | None = variable(
        "OR_MCP_DATABASE_URL",
        "",
        "A PostgreSQL that several machines share, instead of the SQLite in the data directory (`or-mcp[postgres]`).",
        "the URL of a PostgreSQL database, postgresql://USER:PASSWORD@HOST/NAME",
        database_url,
        secret=True,
    )
    drain_seconds: float = variable(
        "OR_MCP_DRAIN_SECONDS",
        "10",
        "How long runs in flight may go on after SIGTERM.",
        "a number of seconds",
        seconds_or_none,
    )
    wait_seconds: float | None = variable(
        "OR_MCP_WAIT_SECONDS",
        "auto",
        "How long a call may take before it answers `running`; auto goes by the host.",
        "auto or a number of seconds",
        wait_or_none,
    )
    run_deadline_seconds: float = variable(
        "OR_MCP_RUN_DEADLINE_SECONDS", "900", "A run is stopped after this.", "a number of seconds above 0", seconds
    )
    allowed_dirs: tuple[Path, ...] = variable(
        "OR_MCP_ALLOWED_DIRS",
        "",
        "Where attachments may be read from (by default the working directory, unless that is / or the home directory; "
        "none over HTTP).",
        "directories, joined by the path separator",
        folders,
    )
    tools: tuple[str, ...] = variable(
        "OR_MCP_TOOLS",
        "all",
        "Which tools to offer: their names, or `core` (fuse, ask, list_models, run), `text` (all but make and decide), "
        "`all`.",
        f"a comma list of {', '.join(TOOL_NAMES)}, or of {', '.join(TOOL_WORDS)}",
        offered,
    )
    structured: bool | None = variable(
        "OR_MCP_STRUCTURED",
        "auto",
        "Whether answers have a structured form beside their text, and tools list its schema; auto: unless the host is "
        "known to show its model both, over stdio.",
        "auto, on or off",
        one_of(_STRUCTURED),
    )
    models: tuple[str, ...] = variable(
        "OR_MCP_MODELS",
        "*",
        "Which models the agent may use, as globs (`anthropic/*,openai/gpt-*`).",
        "a comma list of globs",
        globs,
    )
    zdr: bool = variable("OR_MCP_ZDR", "off", "Only endpoints that keep nothing, on every request.", _ON_OFF, switch)
    data_collection: Collection | None = variable(
        "OR_MCP_DATA_COLLECTION",
        "",
        "deny: only providers that do not collect data, on every request (upstream's setting by default).",
        "deny or allow",
        one_of(_COLLECTION),
    )
    providers_only: tuple[str, ...] = variable("OR_MCP_PROVIDERS_ONLY", "", "Only these providers.", _LIST, names)
    providers_ignore: tuple[str, ...] = variable("OR_MCP_PROVIDERS_IGNORE", "", "Never these providers.", _LIST, names)
    max_price: tuple[Decimal, Decimal] | None = variable(
        "OR_MCP_MAX_PRICE",
        "",
        "`IN,OUT` in USD per million tokens: nothing dearer answers; sent with every request.",
        "two amounts of USD per million tokens, as in 3,15",
        prices,
    )
    default_model: str = variable(
        "OR_MCP_DEFAULT_MODEL", "openrouter/auto", "For `ask` without a model.", "a model", str
    )
    servers: tuple[Server, ...] = variable(
        SERVERS,
        "",
        "A file in the `mcpServers` form: the MCP servers whose tools `ask` may give to a model (docs/servers.md).",
        SERVERS_FILE,
        servers_in,
    )
    servers_for_callers: bool = variable(
        "OR_MCP_SERVERS_FOR_CALLERS",
        "off",
        "on allows that over HTTP too, where every caller's models then act as whoever runs the server.",
        _ON_OFF,
        switch,
    )
    log_level: str = variable(
        "OR_MCP_LOG_LEVEL",
        "WARNING",
        "How much is logged to stderr.",
        "DEBUG, INFO, WARNING, ERROR or CRITICAL",
        level,
    )
    resident: float = variable(
        "OR_MCP_RESIDENT",
        BY_DEFAULT,
        "Whether the sessions of a user share one process, which also finishes what hosts stop waiting for; or how "
        "many seconds it stays after its last session and run (300). On by itself on Linux alone; never on Windows, "
        "with OR_MCP_STORE=off, as process 1 of a container, or over HTTP.",
        "on, off or a number of seconds above 0",
        idle_seconds,
    )
    http_auth: Auth = variable(
        "OR_MCP_HTTP_AUTH",
        "none",
        "none (loopback only), token, or passthrough (each caller's bearer is their own OpenRouter key).",
        "none, token or passthrough",
        one_of(_AUTH),
    )
    http_tokens: tuple[str, ...] = variable(
        "OR_MCP_HTTP_TOKENS",
        "",
        "token: the accepted bearer tokens; the server's own key pays.",
        _LIST,
        names,
        secret=True,
    )
    http_allowed_hosts: tuple[str, ...] = variable(
        "OR_MCP_HTTP_ALLOWED_HOSTS",
        "",
        "Host headers accepted (loopback by default).",
        "a comma list of host or host:port (port may be *)",
        names,
    )
    http_allowed_origins: tuple[str, ...] = variable(
        "OR_MCP_HTTP_ALLOWED_ORIGINS",
        "",
        "Origin headers accepted (loopback by default).",
        "a comma list of origins",
        names,
    )
    http_requests_per_minute: int = variable(
        "OR_MCP_HTTP_REQUESTS_PER_MINUTE",
        "3000",
        "What one caller with a bearer may ask of one process; 0 means no limit.",
        "a whole number of requests",
        whole,
    )


VARIABLES: tuple[Variable, ...] = tuple(replace(each.metadata[_ROW], field=each.name) for each in fields(Settings))
