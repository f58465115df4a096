"""`list_models`: find a model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.calls.arguments import Arguments, decimal_or_none
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import operators_rules
from or_mcp.calls.reply import LIMIT, Answer, Maybe, Reply, Some
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.search import Found, Query, Sort, search
from or_mcp.tools.answers.models import COLUMNS, ModelRow, freshness, model_row, row_line

DESCRIPTION = """
Find a model among OpenRouter's hundreds: its id, price, limits and abilities today. Free.

Understands what a person means (`opus`, `gpt5 mini`, `cheap vision`, typos). Look here before naming a model from
memory. `~…-latest` aliases point to the newest of a family. Who serves a model is in `endpoints`.
"""

# What the tools make: each is one that a model has where `list_models` says so.
_MADE = "text (default), embeddings, rerank, image, speech, video, transcription, decisions, audio, all."
# A line each: a hundred rows stay far below what an answer may have.
TEXT_ROW_LIMIT = 165


class ListModelsArguments(Arguments):
    """What `list_models` takes."""

    query: str = Field("", max_length=300, description="Name, family or wish.")
    output_modality: str = Field("text", description=_MADE)
    input_modality: str = Field("", description="image, file, audio, video.")
    supports: tuple[str, ...] = Field((), max_length=20, description="e.g. tools, structured_outputs, reasoning.")
    author: str = Field("", description="e.g. anthropic.")
    max_input_price: Annotated[float, Field(ge=0)] | SkipJsonSchema[None] = Field(None, description="USD/M tokens.")
    max_output_price: Annotated[float, Field(ge=0)] | SkipJsonSchema[None] = Field(None, description="USD/M tokens.")
    min_context: Annotated[int, Field(ge=0)] | SkipJsonSchema[None] = None
    free: bool = Field(default=False, description="Only free models.")
    sort: Sort = Field("relevance", description="Default relevance.")
    limit: int = Field(20, ge=1, le=100, description="Default 20.")
    cursor: str = Field("", description="next_cursor of the page before.")


class ListModelsAnswer(Answer):
    """The structured form."""

    models: Some[list[ModelRow]]
    total: int
    next_cursor: Maybe[str] = None
    closest: Some[list[str]]
    notes: Some[list[str]]


async def list_models(arguments: ListModelsArguments, call: Call) -> Reply:
    """Search the catalogue."""
    snapshot = await call.parts.catalogue.models()
    looking = partial(search, snapshot.models, _query(arguments, snapshot), *operators_rules(call, snapshot))
    # In a thread: comparing many words and conditions with every model takes a while.
    found = await anyio.to_thread.run_sync(looking)
    costs = await call.parts.catalogue.task_costs()
    answer = ListModelsAnswer(
        models=[model_row(model, costs.get(snapshot.target(model).canonical_slug or "")) for model in found.rows],
        total=found.total,
        next_cursor=found.next_cursor,
        closest=list(found.closest),
        notes=[*_about(found, arguments), *freshness(snapshot)],
    )
    return Reply(_text(answer), answer)


def _about(found: Found, arguments: ListModelsArguments) -> Iterator[str]:
    """What the caller would not expect of this result."""
    yield from (f"{words}." if not words.endswith("?") else words for words in found.blamed)
    if found.rows and found.output_modality == "all" != arguments.output_modality:
        yield f"Nothing of that name makes {arguments.output_modality}: these make something else (see modalities)."


def _query(arguments: ListModelsArguments, snapshot: Snapshot) -> Query:
    return Query(
        text=arguments.query,
        output_modality=_modality(arguments.output_modality, snapshot),
        input_modality=arguments.input_modality,
        supports=arguments.supports,
        author=arguments.author,
        max_input_price=decimal_or_none(arguments.max_input_price),
        max_output_price=decimal_or_none(arguments.max_output_price),
        min_context=arguments.min_context,
        free=arguments.free,
        sort=arguments.sort,
        limit=arguments.limit,
        cursor=arguments.cursor,
    )


def _modality(given: str, snapshot: Snapshot) -> str:
    """A modality in upstream's spelling: `embedding` is `embeddings`, `images` is `image`."""
    known = {name for model in snapshot.models if model.architecture for name in model.architecture.output_modalities}
    name = given.strip().lower()
    return next((each for each in (name, f"{name}s", name.removesuffix("s")) if each in known), name)


def _text(answer: ListModelsAnswer) -> str:
    lines = [f"{answer.total} model{'' if answer.total == 1 else 's'}; {COLUMNS}"]
    lines += [row_line(row)[:TEXT_ROW_LIMIT] for row in answer.models]
    if answer.total == 0:
        lines = ["No model matches." + (f" Closest: {', '.join(answer.closest)}" if answer.closest else "")]
    lines += [f"Note: {note}" for note in answer.notes]
    if answer.next_cursor:
        lines.append(f"More: call again with cursor={answer.next_cursor!r}")
    return "\n".join(lines)[:LIMIT]


TOOL = Tool(
    name="list_models",
    title="Find a model",
    kind="read",
    description=DESCRIPTION,
    arguments=ListModelsArguments,
    answer=ListModelsAnswer,
    handle=list_models,
)
