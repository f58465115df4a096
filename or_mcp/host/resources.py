"""Resources: the catalogue, the providers, and every run in full."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import mcp_types
from mcp.shared.uri_template import UriTemplate

from or_mcp.calls.call import Call
from or_mcp.calls.keepsake import Shown
from or_mcp.calls.made_files import URI as FILE_URI
from or_mcp.calls.made_files import find_file
from or_mcp.files.encoded import encoded
from or_mcp.openrouter.errors import NotFound, shorten
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.models import COLUMNS, freshness, model_row, row_line
from or_mcp.view.report import VIEW_META, VIEW_MIME, VIEW_URI, app_html, report_html

TEXT, JSON, HTML, BINARY = "text/plain", "application/json", "text/html", "application/octet-stream"


# Longer than any of ours: nothing is searched in it, and little of it is repeated.
_LONGEST_URI = 2_000


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in base64, and what they are."""

    mime_type: str
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """One kind of resource: its URI, with {arguments} where there are any."""

    uri: str
    name: str
    description: str
    mime_type: str
    read: Callable[[Call, dict[str, str]], Awaitable[str | Blob]]
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_template(self) -> bool:
        """Whether the URI has arguments."""
        return UriTemplate.is_template(self.uri)

    def match(self, uri: str) -> dict[str, str] | None:
        """The arguments in a URI, or None when it is no such resource."""
        found = UriTemplate.parse(self.uri).match(uri, max_uri_length=_LONGEST_URI)
        return None if found is None else {name: str(value) for name, value in found.items()}


async def _models(call: Call, arguments: dict[str, str]) -> str:
    del arguments
    snapshot = await call.parts.catalogue.models()
    allowed = [model for model in snapshot.models if call.parts.policy.allows(snapshot, model.id)]
    return "\n".join([COLUMNS, *(row_line(model_row(model)) for model in allowed), *freshness(snapshot)])


async def _model(call: Call, arguments: dict[str, str]) -> str:
    slug = f"{arguments['author']}/{arguments['slug']}"
    model = await call.parts.catalogue.check(slug)
    if model is None:
        raise NotFound(f"There is no model {slug!r}")
    snapshot = await call.parts.catalogue.models()
    if not call.parts.policy.allows(snapshot, slug):
        raise call.parts.policy.explain(slug, snapshot, "all")
    return model.model_dump_json(exclude_none=True, indent=1)


async def _providers(call: Call, arguments: dict[str, str]) -> str:
    del arguments
    rows = [provider.model_dump(exclude_none=True) for provider in await call.parts.catalogue.providers()]
    return json.dumps(rows, ensure_ascii=False, indent=1)


async def _find(call: Call, arguments: dict[str, str]) -> RunRecord:
    return await call.runs.find(arguments["run_id"])


async def _run(call: Call, arguments: dict[str, str]) -> str:
    """Everything that is kept of a run, uncut."""
    record = await _find(call, arguments)
    told: dict[str, Any] = {
        "run_id": record.run_id,
        "tool": record.request.tool,
        "asked_by": record.request.asked_by,
        "status": record.status,
        "outcome": record.outcome,
        "models": record.request.models,
        "started": record.started.isoformat(),
        "elapsed_seconds": record.elapsed_seconds(),
        "cost_usd": None if record.cost_usd is None else float(record.cost_usd),
        "generation_id": record.generation_id,
        "request": record.request.asked,
        "failure": json.loads(record.failure) if record.failure else None,
        "result": json.loads(record.result) if record.result else None,
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


async def _panelist(call: Call, arguments: dict[str, str]) -> str:
    record = await _find(call, arguments)
    keepsake = call.parts.keepsakes[record.request.tool]
    texts = keepsake.panel(keepsake.read(record)) if keepsake.panel else ()
    index = arguments["index"]
    if not index.isdecimal() or int(index) >= len(texts):
        raise NotFound(f"There is no panelist {index!r} in {record.run_id}; it has {len(texts)}, counted from 0")
    return texts[int(index)].words


async def _file(call: Call, arguments: dict[str, str]) -> Blob:
    file = await find_file(arguments["run_id"], arguments["n"], call)
    return Blob(file.mime, await anyio.to_thread.run_sync(lambda: encoded(call.parts.shelf.read(file))))


async def _report(call: Call, arguments: dict[str, str]) -> str:
    record = await _find(call, arguments)
    keepsake = call.parts.keepsakes[record.request.tool]
    reply = keepsake.show(record, keepsake.read(record), Shown(detail="full"))
    return report_html({**reply.structured.model_dump(mode="json"), **record.request.heading})


async def _view(call: Call, arguments: dict[str, str]) -> str:
    del call, arguments
    return app_html()


ADDRESSES: tuple[Address, ...] = (
    Address("openrouter://models", "models", "Every model, one line each", TEXT, _models),
    Address("openrouter://models/{author}/{slug}", "model", "One model, all that is known", JSON, _model),
    Address("openrouter://providers", "providers", "Every provider, with its policies", JSON, _providers),
    Address("openrouter://runs/{run_id}", "run", "Everything that is kept of a run, uncut", JSON, _run),
    Address("openrouter://runs/{run_id}/panel/{index}", "panelist", "One panelist's whole text", TEXT, _panelist),
    Address(FILE_URI, "file", "A file that a run made", BINARY, _file),
    Address("openrouter://runs/{run_id}/report", "report", "A run as a page", HTML, _report),
    Address(VIEW_URI, "fusion view", "The page that shows a fusion live", VIEW_MIME, _view, VIEW_META),
)


def listed() -> list[mcp_types.Resource]:
    """The resources without arguments."""
    return [
        mcp_types.Resource(
            uri=each.uri,
            name=each.name,
            description=each.description,
            mime_type=each.mime_type,
            _meta=dict(each.meta) or None,
        )
        for each in ADDRESSES
        if not each.is_template
    ]


def templates() -> list[mcp_types.ResourceTemplate]:
    """The resources with arguments."""
    return [
        mcp_types.ResourceTemplate(
            uri_template=each.uri, name=each.name, description=each.description, mime_type=each.mime_type
        )
        for each in ADDRESSES
        if each.is_template
    ]


async def read(uri: str, call: Call) -> mcp_types.TextResourceContents | mcp_types.BlobResourceContents:
    """One resource.

    Raises:
        NotFound: There is none at this URI, or it is another caller's.
    """
    for address in ADDRESSES:
        arguments = address.match(uri)
        if arguments is not None:
            text = await address.read(call, arguments)
            if isinstance(text, Blob):
                return mcp_types.BlobResourceContents(uri=uri, blob=text.data, mime_type=text.mime_type)
            meta = dict(address.meta) or None
            return mcp_types.TextResourceContents(uri=uri, text=text, mime_type=address.mime_type, _meta=meta)
    raise NotFound(f"There is no resource {shorten(uri)!r}; there are {', '.join(each.uri for each in ADDRESSES)}")
