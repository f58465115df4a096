"""`run`: what became of a run.

Whoever reads a finished run here has received it, and the same question asked again is a new one. Only the page
(`_meta` {"or-mcp/view": true}) reads without receiving: the model has still not seen what was paid for.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.attending import attend
from or_mcp.calls.call import Call
from or_mcp.calls.keepsake import AnyKeepsake, Shown
from or_mcp.calls.made_files import with_files
from or_mcp.calls.paid import cost_line
from or_mcp.calls.quoting import quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some, usd
from or_mcp.calls.tool import Tool
from or_mcp.openrouter.errors import InvalidRequest, NotFound
from or_mcp.runs.record import RunRecord, Status
from or_mcp.view.report import SHOWN_BY_VIEW

DESCRIPTION = """
What became of a paid call: its result, or how far it has come. Free.

Works after a timeout, a restart or a crash, and for runs started in a terminal.

When a tool answered `running`, call this with its run_id and wait_seconds. Without run_id: the latest runs. `part` and
`offset` page through long texts.
"""

# Some five thousand tokens: few calls for a long text, and little when only its beginning is wanted.
PAGE = 20_000
_LISTED = 20


Part = Literal["result", "panel", "request", "events"]


class RunArguments(Arguments):
    """What `run` takes."""

    run_id: str = Field("", description="Empty: the latest runs.")
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = Field(
        None, description="Wait this long for it to finish."
    )
    part: Part | SkipJsonSchema[None] = Field(None, description="One part's full text instead of the summary.")
    model: str = Field("", description="panel: one panelist.")
    offset: int = Field(0, ge=0, description="Where the text goes on.")


class RunRow(Answer):
    """One run."""

    run_id: str
    tool: str
    status: Status
    outcome: Maybe[str] = None
    models: Some[list[str]]
    cost_usd: float | None
    started: str
    elapsed_seconds: float
    prompt: str


class RunAnswer(Answer):
    """The structured form: a list of runs, or one run in the shape of the tool that made it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    runs: Maybe[list[RunRow]] = None
    run_id: Maybe[str] = None
    tool: Maybe[str] = None
    status: Maybe[Status] = None
    text: Maybe[str] = None
    offset: Maybe[int] = None
    total_chars: Maybe[int] = None
    next_offset: Maybe[int] = None
    notes: Some[list[str]] = Field(default_factory=list)


async def run(arguments: RunArguments, call: Call) -> Reply:
    """One run, a part of it, or the latest."""
    if not arguments.run_id:
        return await _list(call)
    record = await _wait(arguments, call)
    keepsake = call.parts.keepsakes[record.request.tool]
    part = arguments.part or ("result" if arguments.offset else None)
    if part is not None:
        return await _part(part, arguments, record, keepsake, call)
    return await _whole(record, keepsake, call)


async def _wait(arguments: RunArguments, call: Call) -> RunRecord:
    call.parts.runner.pays(call.caller.payer, call.upstream)
    record = await call.runs.find(arguments.run_id)
    if record.finished or not arguments.wait_seconds:
        return record
    return await attend(call, record.run_id, call.patience(arguments.wait_seconds))


async def _whole(record: RunRecord, keepsake: AnyKeepsake, call: Call) -> Reply:
    standing = await call.runs.standing()
    result = keepsake.read(record)
    shown = Shown(
        cost_line=cost_line(record, keepsake, result, standing),
        progress=record.progress.message if record.progress else "",
    )
    shown = await with_files(shown, keepsake.made(result), call.parts.shelf, call.files_in)
    reply = keepsake.show(record, result, shown)
    _received(record, call)
    values: dict[str, Any] = reply.structured.model_dump(mode="json")
    return replace(reply, structured=RunAnswer.model_validate({**values, "tool": record.request.tool}))


def _received(record: RunRecord, call: Call) -> None:
    if record.finished and not call.for_view:
        call.parts.runner.admission.received(record.run_id)


async def _part(part: Part, arguments: RunArguments, record: RunRecord, keepsake: AnyKeepsake, call: Call) -> Reply:
    whole = await _text_of(part, arguments.model, record, keepsake, call)
    if arguments.offset > len(whole):
        raise InvalidRequest(f"offset was {arguments.offset}; this part has {len(whole)} characters")
    text = whole[arguments.offset : arguments.offset + PAGE]
    end = arguments.offset + len(text)
    following = end if end < len(whole) else None
    if following is None and part == "result":
        _received(record, call)
    answer = RunAnswer(
        run_id=record.run_id,
        tool=record.request.tool,
        status=record.status,
        text=text,
        offset=arguments.offset,
        total_chars=len(whole),
        next_offset=following,
    )
    more = f"\nMore: call again with offset={following}" if following is not None else ""
    what = f"{part} of {record.run_id}, characters {arguments.offset:,} to {end:,} of {len(whole):,}"
    return Reply(quoted(record.run_id, what, text) + more, answer)


async def _text_of(part: Part, model: str, record: RunRecord, keepsake: AnyKeepsake, call: Call) -> str:
    match part:
        case "request":
            return json.dumps(record.request.asked, ensure_ascii=False, indent=1)
        case "events":
            events = await call.runs.events(record)
            lines = [f"{at.at:%H:%M:%S.%f} {at.step} {at.model} {at.detail}".rstrip() for at in events]
            return "\n".join([*lines, keepsake.trace(record) if keepsake.trace else ""]).rstrip()
        case "panel":
            return _panel(record, keepsake, model)
        case _:
            return keepsake.words(keepsake.read(record))


def _panel(record: RunRecord, keepsake: AnyKeepsake, model: str) -> str:
    if keepsake.panel is None:
        raise InvalidRequest(f"{record.run_id} is a run of {record.request.tool}: part takes result, request or events")
    texts = keepsake.panel(keepsake.read(record))
    wrote = [each for each in texts if not model or each.model == model]
    if not wrote:
        names = ", ".join(each.model for each in texts) or "nobody"
        raise NotFound(f"{model!r} is not on the panel of this run; on it: {names}")
    if model and len(wrote) == 1:
        return wrote[0].words
    return "\n\n".join(f"{each.model} ({each.status}):\n{each.words}" for each in wrote)


async def _list(call: Call) -> Reply:
    rows = [run_row(record) for record in await call.runs.latest(_LISTED)]
    lines = [_line(row) for row in rows]
    return Reply("\n".join(lines) or "No runs yet.", RunAnswer(runs=rows))


def _line(row: RunRow) -> str:
    cost = "cost unknown" if row.cost_usd is None else f"${row.cost_usd:.4f}"
    told = f"{row.run_id} {row.tool} {row.outcome or row.status} {cost} {row.started} {row.elapsed_seconds} s"
    return f"{told}: {row.prompt}"


def run_row(record: RunRecord) -> RunRow:
    """One line of the list."""
    return RunRow(
        run_id=record.run_id,
        tool=record.request.tool,
        status=record.status,
        outcome=record.outcome,
        models=list(record.request.models),
        cost_usd=usd(record.cost_usd),
        started=record.started.isoformat(timespec="seconds"),
        elapsed_seconds=record.elapsed_seconds(),
        prompt=" ".join(record.request.prompt.split())[:80],
    )


TOOL = Tool(
    name="run",
    title="What became of a run",
    kind="read",
    description=DESCRIPTION,
    arguments=RunArguments,
    answer=RunAnswer,
    handle=run,
    meta=SHOWN_BY_VIEW,
)
