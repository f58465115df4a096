"""Completion: values for the arguments of resource templates and prompts, the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import anyio.to_thread

from or_mcp.calls.call import Call
from or_mcp.calls.choosing import operators_rules
from or_mcp.calls.made_files import files_of
from or_mcp.catalogue.closest import similar
from or_mcp.catalogue.conditions import Condition
from or_mcp.catalogue.search import MOST, Query, search

# The protocol's own limit for one answer.
_MOST = 100
# Longer than anything there is to complete.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Completed:
    """At most a hundred values, and how many there are."""

    values: Sequence[str]
    total: int

    @property
    def has_more(self) -> bool:
        """Whether some are not shown."""
        return self.total > len(self.values)


async def complete(argument: str, typed: str, context: Mapping[str, str], call: Call) -> Completed:
    """Values for an argument. One that nobody can guess has none."""
    if len(typed) > _LONGEST or any(len(value) > _LONGEST for value in context.values()):
        return Completed((), 0)
    if argument == "model":
        return await _models(typed, "text", call)
    if argument == "slug":
        return await _slugs(typed, context.get("author", ""), call)
    return _likest(typed, await _values(argument, context, call))


async def _values(argument: str, context: Mapping[str, str], call: Call) -> Sequence[str]:
    match argument:
        case "author":
            return await _authors(call)
        case "preset":
            from or_mcp.fusion.plan import PRESETS  # Only whoever fuses needs that room.

            return PRESETS
        case "run_id":
            return [run.run_id for run in await call.runs.latest(_MOST + 1)]
        case "n" if "run_id" in context:
            record = await call.runs.find(context["run_id"])
            return [str(n) for n in range(len(files_of(record, call.parts)))]
        case "index":
            return await _indexes(context, call)
        case _:
            return ()


async def _models(typed: str, output_modality: str, call: Call, *more: Condition) -> Completed:
    """Ranked as `list_models` ranks them, with those that begin with what was typed in front."""
    snapshot = await call.parts.catalogue.models()
    query = Query(text=typed, output_modality=output_modality, limit=MOST)
    looking = partial(search, snapshot.models, query, *operators_rules(call, snapshot), *more)
    found = await anyio.to_thread.run_sync(looking)
    begun = typed.lower()
    names = sorted((model.id for model in found.rows), key=lambda name: not name.lower().startswith(begun))
    return Completed(names, found.total)


async def _slugs(typed: str, author: str, call: Call) -> Completed:
    """The second half of a name: of one author's models, or of all."""
    whose = Condition(f"author={author}", lambda model: model.id.startswith(f"{author}/"))
    found = await _models(typed, "all", call, *([whose] if author else []))
    begun = typed.lower()
    names = dict.fromkeys(name.partition("/")[2] for name in found.values)
    return Completed(sorted(names, key=lambda name: not name.lower().startswith(begun)), found.total)


async def _authors(call: Call) -> Sequence[str]:
    snapshot = await call.parts.catalogue.models()
    allowed = [model.id for model in snapshot.models if call.parts.policy.allows(snapshot, model.id)]
    return list(dict.fromkeys(name.partition("/")[0] for name in allowed))


async def _indexes(context: Mapping[str, str], call: Call) -> Sequence[str]:
    if "run_id" not in context:
        return ()
    record = await call.runs.find(context["run_id"])
    keepsake = call.parts.keepsakes[record.request.tool]
    return [str(index) for index in range(len(keepsake.panel(keepsake.read(record))))] if keepsake.panel else ()


def _likest(typed: str, values: Sequence[str]) -> Completed:
    """Those that begin with what was typed, then those that hold it; without any, those spelt much like it."""
    begun = typed.lower()
    held = [value for value in values if begun in value.lower()]
    held.sort(key=lambda value: not value.lower().startswith(begun))
    found = held or similar(begun, values, n=3)
    return Completed(found[:_MOST], len(found))
