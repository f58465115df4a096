"""Functions that a model may call, and whether it must."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from or_mcp.conversation.thread import Message
from or_mcp.openrouter.errors import InvalidRequest, shorten

# As many as any provider takes.
MOST_FUNCTIONS = 128

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# As MCP and Anthropic spell it.
_PARAMETERS = ("parameters", "inputSchema", "input_schema")


def read_functions(tools: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Function definitions as the API takes them, given flat or in its envelope.

    Raises:
        InvalidRequest: One is no function, or two have the same name.
    """
    functions = tuple(_function(tool, place) for place, tool in enumerate(tools))
    [(twice, times)] = Counter(each["function"]["name"] for each in functions).most_common(1) or [("", 0)]
    if times > 1:
        raise InvalidRequest(f"tools has {twice!r} twice; each function needs a name of its own")
    return functions


def read_choice(choice: str, functions: Sequence[Message]) -> str | Message | None:
    """The tool choice as the API takes it.

    Raises:
        InvalidRequest: It names nothing that can be called.
    """
    names = [each["function"]["name"] for each in functions]
    if not choice or (choice == "none" and not names):
        return None
    if not names:
        raise InvalidRequest(f"tool_choice is {shorten(choice, 80)!r}, but tools is empty")
    if choice in ("auto", "none", "required"):
        return choice
    if choice not in names:
        known = f"it takes auto, none, required or one of the tools: {', '.join(names)}"
        raise InvalidRequest(f"tool_choice is {shorten(choice, 80)!r}; {known}")
    return {"type": "function", "function": {"name": choice}}


def _function(tool: Mapping[str, Any], place: int) -> Message:
    kind = tool.get("type", "function")
    if kind != "function":
        raise InvalidRequest(
            f"tools[{place}] is of type {shorten(str(kind), 60)!r}; it takes functions only (for the web, set web)"
        )
    inner: Any = tool.get("function", {name: value for name, value in tool.items() if name != "type"})
    function = cast("Message", inner) if isinstance(inner, dict) else {}
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"tools[{place}] has no name; each of tools takes {{name, description, parameters}}")
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"tools[{place}] is named {shorten(name, 80)!r}; a name is 1 to 64 of A-Z, a-z, 0-9, _ and -"
        )
    return {"type": "function", "function": _with_parameters(function, place)}


def _with_parameters(function: Message, place: int) -> Message:
    spelled = [spelling for spelling in _PARAMETERS if function.get(spelling) is not None]
    rest = {name: value for name, value in function.items() if name not in _PARAMETERS}
    if not spelled:
        return rest
    parameters = function[spelled[0]]
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"tools[{place}].{spelled[0]} takes a JSON Schema (an object)")
    return rest | {"parameters": parameters}
