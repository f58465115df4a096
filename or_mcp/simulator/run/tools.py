"""What server tools do here beside searching: something small and true, or the request is refused."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from or_mcp.simulator.delivery.refusals import unavailable
from or_mcp.simulator.run.media import PICTURES, sides
from or_mcp.simulator.run.shapes import Shape, read_shape
from or_mcp.simulator.run.texts import MARK, shortened
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.run.web import FETCH_TOOLS, SEARCH_TOOLS, FetchTool
from or_mcp.simulator.wire import JsonObject, as_object

FUSION = "openrouter:fusion"
DATETIME = "openrouter:datetime"
FILES = "openrouter:files"
IMAGES = ("openrouter:image_generation", "image_generation")
_KNOWN = {*SEARCH_TOOLS, *FETCH_TOOLS, FUSION, DATETIME, FILES, *IMAGES}
# Tools of Anthropic's API that the caller carries out: functions whose form the model knows.
_CALLERS_OWN = re.compile(r"(bash|text_editor|computer|memory)_\d{8}")
# About what upstream's usual image model takes for a square picture.
_IMAGE_PRICE = Decimal("0.04")
# A page has so many sentences, and no more than so many tokens of them are shown unasked.
_PAGE_SENTENCES, _PAGE_TOKENS = 3, 2_500
_ADDRESS = re.compile(r"https?://[^\s\"'<>)\]]+")


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a server tool, and what came of it."""

    kind: str
    arguments: JsonObject
    result: JsonObject
    price: Decimal = Decimal(0)
    picture: bytes | None = field(default=None, repr=False)


def is_callers_own(kind: str) -> bool:
    """Whether the caller carries a tool out, although it has no schema."""
    return bool(_CALLERS_OWN.fullmatch(kind))


def check_server_tool(tool: JsonObject, models: list[str]) -> None:
    """Refuse a server tool that nothing here can imitate, as upstream refuses one that no endpoint has."""
    kind = str(tool.get("type"))
    if kind not in _KNOWN:
        message = f"No endpoints found that support the tool {kind}"
        detail = {"field": "tools", "detail": f"{kind} is not imitated by this simulator"}
        raise unavailable(404, "no_endpoints", message, models, constraint=detail)
    if kind == DATETIME:
        _zone_of(tool)
    if kind in IMAGES:
        _form_of(tool)
        _shape_of(tool)


def _zone_of(tool: JsonObject) -> ZoneInfo:
    name = str(as_object(tool.get("parameters")).get("timezone") or "UTC")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid(f'Invalid timezone "{name}" at "tools.parameters.timezone"', field="tools") from None


def tell_time(tool: JsonObject) -> ToolUse:
    """The time it is."""
    zone = _zone_of(tool)
    now = datetime.now(UTC).astimezone(zone)
    return ToolUse(DATETIME, {"timezone": zone.key}, {"datetime": now.isoformat(), "timezone": zone.key})


def list_files(files: list[JsonObject]) -> ToolUse:
    """The names of what was uploaded."""
    names = ", ".join(str(file["filename"]) for file in files) or "no files"
    return ToolUse(FILES, {"operation": "list"}, {"operation": "list", "result": MARK + names})


def _form_of(tool: JsonObject) -> str:
    """The form of the pictures a tool draws; OpenAI's own tool has its settings beside its type."""
    form = str((tool | as_object(tool.get("parameters"))).get("output_format") or "png")
    if form not in PICTURES:
        raise invalid(f'Invalid option: expected one of {"|".join(PICTURES)} at "output_format"', field="tools")
    return form


def _shape_of(tool: JsonObject) -> Shape | None:
    settings = tool | as_object(tool.get("parameters"))
    return read_shape({name: None if value == "auto" else value for name, value in settings.items()})


def draw(tool: JsonObject, prompt: str, seed: int) -> ToolUse:
    """A picture of what was asked for."""
    picture = PICTURES[_form_of(tool)][1](seed, prompt, **sides(_shape_of(tool)))
    return ToolUse(str(tool["type"]), {"prompt": prompt}, {"prompt": prompt}, _IMAGE_PRICE, picture)


def fetch(question: str, settings: FetchTool) -> ToolUse | None:
    """The page whose address a question names; it is never really fetched."""
    found = _ADDRESS.search(question)
    if found is None:
        return None
    address = found.group()
    page: JsonObject = {"url": address}
    if not settings.may_read(address):
        return ToolUse(
            FETCH_TOOLS[0], page, page | {"error": f"{address} may not be fetched: its domain is not allowed"}
        )
    words = shortened(f"{MARK}What {address} says. " * _PAGE_SENTENCES, (settings.content_tokens or _PAGE_TOKENS) * 4)
    return ToolUse(FETCH_TOOLS[0], page, page | {"title": f"{MARK}A page", "httpStatus": 200, "content": words})
