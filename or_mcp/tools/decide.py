"""`decide`: typed questions about texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.attach import digest_of
from or_mcp.attachments.paths import COUNT_LIMIT
from or_mcp.attachments.urls import is_url
from or_mcp.calls.arguments import Amount, Arguments, Text
from or_mcp.calls.attaching import read_attachments
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose, known_models
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.many import MOST_ROWS, digest_of_rows, kept_short, one_by_one, place_rows, rows_given
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.decisions.asking import Deciding, Part, State
from or_mcp.decisions.model import MODALITY, current_model
from or_mcp.decisions.questions import Asked, read_questions
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.sessions import new_session
from or_mcp.rows.result import result_of, words_of
from or_mcp.tools.answers.decide import DecideAnswer, show
from or_mcp.vectors.texts import check_texts

DESCRIPTION = """
Typed questions about one text or many, answered with probabilities: classify, route, score.

Fast, and far cheaper than `ask`, which gives reasons. questions: {name: {type: choice | yes_no | score | box,
instructions, options}}; options: a list (score: lowest first) or {option: meaning}. Called again, it goes on where it
ended.

Costs money, about $0.01 per 1,000 short texts.
"""


class DecideArguments(Arguments):
    """What `decide` takes."""

    model: str = Field("", description="Empty: a current one.")
    rows_file: str = Field("", description="JSONL path.")
    attachments: tuple[str, ...] = Field((), max_length=COUNT_LIMIT, description="Paths.")
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = None
    questions: dict[str, Any]
    state: Text = ""
    rows: tuple[Text, ...] = Field((), max_length=MOST_ROWS)


async def decide(arguments: DecideArguments, call: Call) -> Reply:
    """Check, take over what was answered before, carry out, show."""
    call.require_key()
    asked = await anyio.to_thread.run_sync(read_questions, arguments.questions)
    states = await _states(arguments, call)
    snapshot = await known_models(call)
    sees = bool(arguments.attachments)
    model = arguments.model or current_model(snapshot, call.parts.policy, reads_images=sees)
    choice = await choose(call, (model,), MODALITY)
    attached, digest = await _attached(arguments, call, model, choice.snapshot)
    _check_boxes(asked, attached)
    upstream = call.upstream.at_first_try()
    deciding = Deciding(model, asked, states, attached, upstream, call.parts.provider, new_session())
    estimates = await anyio.to_thread.run_sync(deciding.estimates, choice.snapshot)
    asks = replace(deciding, mosts=tuple(each.most for each in estimates))
    rows = states if arguments.rows or arguments.rows_file else ()
    return await place_rows(
        call,
        "decide",
        kept_short(arguments, rows),
        lambda _: (asks, estimates),
        one_by_one,
        models=(model,),
        prompt=", ".join(each.name for each in asked),
        attached=digest + digest_of_rows(rows),
        shown=Shown(notes=choice.notes),
        wait_seconds=arguments.wait_seconds,
    )


async def _states(arguments: DecideArguments, call: Call) -> tuple[State, ...]:
    many = bool(arguments.rows or arguments.rows_file)
    if many and arguments.state:
        raise InvalidRequest("state and rows were both given; one text stands in state, many in rows or rows_file")
    if many:
        states = await rows_given(arguments.rows, arguments.rows_file, call)
        if arguments.rows:
            check_texts("rows", arguments.rows)
        return states
    if not arguments.state.strip() and not arguments.attachments:
        raise InvalidRequest("state is missing; it takes the text to decide about, or give many as rows or rows_file")
    return (arguments.state,)


async def _attached(
    arguments: DecideArguments, call: Call, model: str, snapshot: Snapshot
) -> tuple[tuple[Part, ...], str]:
    """What goes along with every row, and its digest."""
    if any(map(is_url, arguments.attachments)):
        raise InvalidRequest("attachments: decision models fetch no URLs; give the path of a file")
    if not arguments.attachments:
        return (), ""
    found = snapshot.find(model)
    accepts = frozenset(found.architecture.input_modalities) if found and found.architecture else None
    files = await read_attachments(arguments.attachments, call, accepts, model)
    parts = [each.part() for each in files]
    return tuple(part["text"] if part["type"] == "text" else part for part in parts), digest_of(files)


def _check_boxes(asked: tuple[Asked, ...], attached: tuple[Part, ...]) -> None:
    pictures = any(isinstance(part, dict) for part in attached)
    if not pictures and any(each.kind == "box" for each in asked):
        raise InvalidRequest("questions of type box are about a picture; attach one (attachments)")


TOOL = Tool(
    name="decide",
    title="Decide: typed questions about texts",
    kind="spend",
    description=DESCRIPTION,
    arguments=DecideArguments,
    answer=DecideAnswer,
    handle=decide,
    keepsake=Keepsake(read=result_of, show=show, words=words_of, usage=lambda brought: brought.together.usage),
)
