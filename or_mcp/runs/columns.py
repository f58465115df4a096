"""A run as the store spells it: which columns it has, and what stands in each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from or_mcp.runs.amounts import moment, units, usd
from or_mcp.runs.endings import stopped
from or_mcp.runs.pieces import HEAD, LONG
from or_mcp.runs.record import Progress, RunEvent, RunRecord, RunRequest

_ASKED = tuple(name for field in fields(RunRequest) if (name := field.name) not in ("ceiling_usd", "context"))
_OWN = tuple(name for field in fields(RunRecord) if (name := field.name) not in ("request", "rows"))
COLUMNS = (*_ASKED, *_OWN)
_AMOUNTS = ("low_usd", "high_usd", "most_usd", "charged_usd", "cost_usd")
_LOST = stopped("interrupted").facts()


def row_of(record: RunRecord, columns: Sequence[str] = COLUMNS) -> tuple[Any, ...]:
    """A run as it is kept: these columns of it."""
    asked = record.request
    if len(asked.prompt) >= LONG:
        asked = replace(asked, prompt=asked.prompt[:HEAD])
    return tuple(_encode(getattr(asked if column in _ASKED else record, column)) for column in columns)


def event_row(run_id: str, event: RunEvent) -> tuple[Any, ...]:
    """A step as it is kept."""
    return (run_id, event.n, event.at.timestamp(), event.step, _encode(event.model), _encode(event.detail))


def _encode(value: Any) -> Any:
    match value:
        case Decimal():
            return units(value)
        case datetime():
            return value.timestamp()
        case tuple():
            return json.dumps(value)
        case bool():
            return int(value)
        case str():
            return storable(value)
        case _:
            return value


def storable(text: str) -> str:
    """Half a surrogate, which JSON lets through, cannot be written: what arrived beside it can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def record_of(row: tuple[Any, ...]) -> RunRecord:
    """The run that is kept."""
    values = dict(zip(COLUMNS, row, strict=True))
    for column in _AMOUNTS:
        values[column] = usd(values[column])
    values["started"] = moment(values["started"])
    values["ended"] = None if values["ended"] is None else moment(values["ended"])
    values["models"] = tuple(json.loads(values["models"]))
    values["progress"] = progress_of(values["progress"])
    values["delivered"] = bool(values["delivered"])
    values["lost_at"] = None if values["lost_at"] is None else moment(values["lost_at"])
    request = RunRequest(**{column: values.pop(column) for column in _ASKED})
    record = RunRecord(request=request, **values)
    if record.lost_at is None or record.finished:
        return record
    return replace(record, status="interrupted", ended=record.lost_at, failure=_LOST, progress=None)


def progress_of(kept: str | None) -> Progress | None:
    """How far a run has come, as it is kept."""
    return None if kept is None else Progress(*json.loads(kept))
