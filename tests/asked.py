"""Requests as people send them who follow OpenRouter's documents, and what has to come back.

Each is sent as it stands by clients in several languages; they differ only in base URL and key.
"""

import json
from pathlib import Path
from typing import Any, cast

FILE = Path(__file__).parent / "data" / "asked.json"
ASKED: dict[str, dict[str, Any]] = {each["name"]: each for each in json.loads(FILE.read_text(encoding="utf-8"))}
_KINDS: dict[str, type | tuple[type, ...]] = {"<text>": str, "<number>": (int, float)}


def fits(shape: Any, value: Any) -> bool:
    """Whether a reply has this shape: an object has all its members, a list all its items, in this order."""
    if isinstance(shape, dict):
        held = cast("dict[str, Any]", value if isinstance(value, dict) else {})
        return all(name in held and fits(each, held[name]) for name, each in cast("dict[str, Any]", shape).items())
    if isinstance(shape, list):
        rest = iter(cast("list[Any]", value if isinstance(value, list) else []))
        return isinstance(value, list) and all(
            any(fits(each, item) for item in rest) for each in cast("list[Any]", shape)
        )
    if shape in tuple(_KINDS):
        return isinstance(value, _KINDS[shape]) and value != ""
    return value == shape


def check(name: str, status: int, reply: Any) -> None:
    """The reply, a body or the events of a stream, is the one that was to come."""
    wanted = ASKED[name]
    assert (status, fits(wanted["shape"], reply)) == (wanted["status"], True), (name, reply)
