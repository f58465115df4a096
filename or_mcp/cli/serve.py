"""`or-mcp serve`: the MCP server."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec

from or_mcp.cli import fail
from or_mcp.settings import Settings, SettingsError, read_settings
from or_mcp.starting.front import Front, Meanwhile
from or_mcp.starting.starter import Begun, by_new_resident, can_be_handed_on


def run(arguments: argparse.Namespace) -> int:
    """Serve until the host leaves or a signal comes."""
    try:
        settings = read_settings(os.environ, over_http=arguments.http)
        return _serve_http(settings, arguments) if arguments.http else _serve_stdio(settings)
    except SettingsError as error:
        return fail(str(error), 2)


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def _serve_stdio(settings: Settings) -> int:
    # Importing allocates much that lives for ever: collecting it meanwhile costs a tenth of the start.
    gc.disable()
    if not can_be_handed_on():
        return _serve_here(settings, Begun)
    front = Front(settings.tools, answers=_starts_for_sure(settings), structured=settings.structured)
    code = by_new_resident(front)
    return _serve_here(settings, Meanwhile(front).over) if code is None else code


def _starts_for_sure(settings: Settings) -> bool:
    """Whether nothing can stop the start any more, and all is listed as it was prepared: else nobody is greeted."""
    return not (
        settings.servers or settings.daily_budget_usd or settings.caller_daily_budget_usd or settings.database_url
    )


def _serve_here(settings: Settings, begun: Callable[[], Begun]) -> int:
    import anyio

    from or_mcp.serving import serve_stdio

    _configure_logging(settings)
    gc.freeze()
    gc.enable()
    anyio.run(serve_stdio, settings, begun())
    return 0


def _serve_http(settings: Settings, arguments: argparse.Namespace) -> int:
    from or_mcp.cli.terminal import say
    from or_mcp.web.doors import PATH, check_bind

    check_bind(settings, arguments.host)
    import anyio

    from or_mcp.serving import serve_http, serve_workers
    from or_mcp.web.watch import log_as_json

    log_as_json(settings.log_level)
    processes = f", {arguments.workers} processes" if arguments.workers > 1 else ""

    def listening(port: int) -> None:
        say(f"or-mcp: MCP at http://{arguments.host}:{port}{PATH}{processes}", sys.stderr)

    # What lives for ever need not be looked through while everybody waits.
    gc.freeze()
    if arguments.workers > 1:
        return serve_workers(arguments.host, arguments.port, arguments.workers, listening)
    # Where it is installed (`or-mcp[http]`), as several processes would do it by themselves.
    quick = find_spec("uvloop") is not None
    anyio.run(serve_http, settings, arguments.host, arguments.port, listening, backend_options={"use_uvloop": quick})
    return 0
