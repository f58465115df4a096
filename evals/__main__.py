"""`python -m evals`: how often a model chooses right among the tools. Costs money, and never more than a dollar."""

from __future__ import annotations

import argparse
import os
import sys
from decimal import Decimal

import anyio

from evals.asking import CEILING_USD, Examiner, Graded, TooDear
from evals.tasks import TASKS
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.identity import IDENTITY
from or_mcp.openrouter.client import OpenRouter
from or_mcp.openrouter.http import Http
from or_mcp.settings import Settings, read_settings

_MODEL = "openai/gpt-5-mini"


def main() -> int:
    """Ask, and tell. 0 means that at least so many were right as was asked for."""
    options = _options()
    settings = read_settings(os.environ)
    if settings.api_key is None:
        print("OPENROUTER_API_KEY is not set: the tasks are put to a real model", file=sys.stderr)
        return 2
    graded, spent, trouble = anyio.run(_examined, settings, options.model, Decimal(str(options.max_cost)))
    right = sum(not each.problem for each in graded)
    print(f"\n{options.model}: {right} of {len(TASKS)} right, ${spent:.4f}")
    if trouble:
        print(f"ended early: {trouble}")
    return 0 if not trouble and right >= options.least * len(TASKS) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("model", nargs="?", default=_MODEL, help=f"a model that calls functions (default {_MODEL})")
    told = f"ends before it costs more (default, and at most, {CEILING_USD})"
    parser.add_argument("--max-cost", type=float, default=float(CEILING_USD), metavar="USD", help=told)
    parser.add_argument("--least", type=float, default=0.9, metavar="SHARE", help="exit with 1 below it (default 0.9)")
    return parser.parse_args()


async def _examined(settings: Settings, model: str, ceiling: Decimal) -> tuple[list[Graded], Decimal, str]:
    graded: list[Graded] = []
    http = Http(settings.base_url, IDENTITY)
    upstream = OpenRouter(http, settings.api_key)
    examiner = Examiner(upstream, Snapshot.of(await upstream.models()), model, ceiling)
    try:
        async for each in examiner.all(TASKS):
            graded.append(each)
            print(f"{'✗' if each.problem else '✓'} {each.task.name} {each.problem}".rstrip(), flush=True)
    except TooDear as trouble:
        return graded, examiner.spent, str(trouble)
    finally:
        await http.close()
    return graded, examiner.spent, ""


if __name__ == "__main__":
    sys.exit(main())
