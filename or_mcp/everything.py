"""Whatever may be needed later is imported early."""

from __future__ import annotations

import logging
import pkgutil
from importlib import import_module
from time import sleep

import anyio
import anyio.to_thread

import or_mcp
from or_mcp.offered import TOOL_NAMES
from or_mcp.skills.folders import offered as skills
from or_mcp.view.report import app_html

logger = logging.getLogger(__name__)

# What no session ever needs, and what one with a database needs from its start.
_NOT_OURS = (
    *("or_mcp.cli", "or_mcp.simulator", "or_mcp.http_app", "or_mcp.web", "or_mcp.serving", "or_mcp.__main__"),
    "or_mcp.runs.engines.postgres",
)
# What others import only when they are first used.
_THEIRS = ("anyio._backends._asyncio", "encodings.idna", "encodings.ascii", "encodings.latin_1", "stringprep")
# Longer than the first call of a session takes, and short of the ten seconds after which nothing may be missing.
_FIRST_CALLS_SECONDS = 4.0
# A process may have no file handle left for that now, and have one later.
_TRIES, _AGAIN_SECONDS = 60, 1.0
# Sessions go on meanwhile.
_PAUSE_SECONDS = 0.01


async def import_everything() -> None:
    """Import all that serves sessions: a cache that is pruned, or an upgrade, must not break what runs.

    The first calls go before. What cannot be imported is not needed, or its user will say so.
    """
    await anyio.sleep(_FIRST_CALLS_SECONDS)
    for _ in range(_TRIES):
        if await anyio.to_thread.run_sync(_import_all, abandon_on_cancel=True):
            logger.debug("All that sessions need is imported")
            return
        await anyio.sleep(_AGAIN_SECONDS)


def _import_all() -> bool:
    """Whether that could be done now."""
    try:
        for name in (*_ours(), *_THEIRS):
            _import(name)
            sleep(_PAUSE_SECONDS)
        # Both are kept once they were read.
        app_html()
        skills(TOOL_NAMES)
    except OSError as error:
        logger.info("Not all could be imported: %s", error)
        return False
    return True


def _import(name: str) -> None:
    try:
        import_module(name)
    except OSError:
        raise
    except Exception:
        logger.info("%s cannot be imported", name, exc_info=True)


def _ours() -> list[str]:
    found = pkgutil.walk_packages(or_mcp.__path__, "or_mcp.", onerror=lambda _: None)
    return [module.name for module in found if not module.name.startswith(_NOT_OURS)]
