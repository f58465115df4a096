"""What upstream checks about the shape of a request before it looks for a model."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.wire import JsonObject, as_object, objects

EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
MAX_PANEL = 8
MAX_EMBEDDING_INPUTS = 2048


def invalid(message: str, **metadata: object) -> Refused:
    """A 400 for a request that makes no sense."""
    return Refused(400, message, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field may hold."""

    expected: str
    fits: Callable[[Any], bool]

    def check(self, body: JsonObject, name: str) -> None:
        """Refuse a body whose field does not fit; null means not set."""
        value = body.get(name)
        if value is not None and not self.fits(value):
            got = _kind(value)
            raise invalid(f'Invalid input: expected {self.expected}, received {got} at "{name}"', field=name)


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
    }
    kind = next((name for known, name in names.items() if type(value) is known), "unknown")
    return f"{kind} {value}" if kind == "number" else kind


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _number(low: float, high: float) -> Rule:
    number = _is(int, float)
    return Rule(f"number between {low:g} and {high:g}", lambda value: number(value) and low <= value <= high)


def _whole(low: int, high: float = float("inf")) -> Rule:
    limit = f" and at most {high:g}" if high != float("inf") else ""
    integer = _is(int)
    return Rule(f"integer of at least {low}{limit}", lambda value: integer(value) and low <= value <= high)


def one_of(*names: str) -> Rule:
    """One of these words."""
    return Rule(f"one of {'|'.join(names)}", lambda value: value in names)


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def _metadata(value: object) -> bool:
    entries = as_object(value)
    return (
        isinstance(value, dict)
        and len(entries) <= 16
        and all(isinstance(item, str) and len(item) <= 512 and len(name) <= 64 for name, item in entries.items())
    )


def _typed_objects(value: object) -> bool:
    return isinstance(value, list) and len(objects(cast(object, value))) == len(cast("list[object]", value))


_TEXT = Rule("string", _is(str))
_FLAG = Rule("boolean", _is(bool))
_OBJECT = Rule("object", _is(dict))

_SHARED: dict[str, Rule] = {
    "model": _TEXT,
    "models": Rule("array of strings", _strings),
    "stream": _FLAG,
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "top_k": _whole(0),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "top_logprobs": _whole(0, 20),
    "tools": Rule("array of objects", _typed_objects),
    "tool_choice": Rule("string or object", _is(str, dict)),
    "parallel_tool_calls": _FLAG,
    "max_tool_calls": _whole(1),
    "stop_server_tools_when": Rule("array of objects", _typed_objects),
    "plugins": Rule("array of objects", _typed_objects),
    "provider": _OBJECT,
    "reasoning": _OBJECT,
    "metadata": Rule("object of at most 16 short strings", _metadata),
    "session_id": Rule("string of at most 256 characters", lambda value: isinstance(value, str) and len(value) <= 256),
    "user": _TEXT,
}
_BY_API: dict[str, dict[str, Rule]] = {
    "responses": {
        "input": Rule("string or array of objects", lambda value: isinstance(value, str) or _typed_objects(value)),
        "instructions": _TEXT,
        "max_output_tokens": _whole(1),
        "text": _OBJECT,
        "store": _FLAG,
        "background": _FLAG,
    },
    "chat": {
        "messages": Rule("array of objects", _typed_objects),
        "max_tokens": _whole(1),
        "max_completion_tokens": _whole(1),
        "response_format": _OBJECT,
        "reasoning_effort": one_of(*EFFORTS),
        "seed": _whole(-(2**63)),
        "min_p": _number(0, 1),
        "top_a": _number(0, 1),
        "repetition_penalty": _number(0, 2),
    },
    "messages": {
        "messages": Rule("array of objects", _typed_objects),
        "max_tokens": _whole(1),
        "system": Rule("string or array", _is(str, list)),
        "thinking": _OBJECT,
    },
}
_WEB_LIMITS = ("max_results", "max_uses", "max_total_results", "max_characters", "max_content_tokens")
_WEB: dict[str, Rule] = {
    "engine": one_of("auto", "native", "openrouter", "exa", "parallel", "perplexity", "firecrawl"),
    "mode": _TEXT,
    "search_context_size": one_of("low", "medium", "high"),
    **dict.fromkeys(_WEB_LIMITS, _whole(1)),
    **dict.fromkeys(("allowed_domains", "excluded_domains", "blocked_domains"), Rule("array of strings", _strings)),
}
_FUSION: dict[str, Rule] = {
    "analysis_models": Rule("array of strings", _strings),
    "model": _TEXT,
    "max_tool_calls": _whole(1, 16),
    "max_completion_tokens": _whole(1),
    "temperature": _number(0, 2),
    "reasoning": _OBJECT,
    "preset": _TEXT,
    "enabled": _FLAG,
    "tools": Rule(
        "array of at most 8 objects with a type",
        lambda value: _typed_objects(value) and len(value) <= 8 and all("type" in tool for tool in value),
    ),
}


def check_shape(api: str, body: JsonObject) -> None:
    """Refuse a body with a missing, mistyped or out-of-range field."""
    for name, rule in (_SHARED | _BY_API[api]).items():
        rule.check(body, name)
    if not body.get("model") and not body.get("models"):
        raise invalid('Invalid input: expected string, received undefined at "model"', field="model")
    content = "input" if api == "responses" else "messages"
    if not body.get(content):
        raise invalid(_MISSING_CONTENT[content], field=content)
    if api == "messages" and body.get("max_tokens") is None:
        raise invalid('Invalid input: expected number, received undefined at "max_tokens"', field="max_tokens")
    if api == "responses" and (body.get("store") or body.get("previous_response_id") is not None):
        field = "store" if body.get("store") else "previous_response_id"
        raise invalid(f'"{field}" is not supported: the Responses API is stateless', field=field)
    check_effort(as_object(body.get("reasoning")).get("effort"), "reasoning.effort")
    for condition in objects(body.get("stop_server_tools_when")):
        for name, rule in _STOPS.items():
            rule.check(condition, name)
    _check_tools(api, body)


_MISSING_CONTENT = {
    "input": 'Input required: specify "input"',
    "messages": 'Input required: specify "prompt" or "messages"',
}


def _prices(value: object) -> bool:
    limits = as_object(value)
    return isinstance(value, dict) and all(
        re.fullmatch(r"[0-9]+(\.[0-9]+)?(e-?[0-9]+)?", str(limit)) for limit in limits.values() if limit is not None
    )


_STOPS: dict[str, Rule] = {
    "max_cost_in_dollars": _number(0, float("inf")),
    "max_tokens": _whole(1),
    "step_count": _whole(1),
}
_PROVIDER: dict[str, Rule] = {
    **dict.fromkeys(("order", "only", "ignore", "quantizations"), Rule("array of strings", _strings)),
    **dict.fromkeys(("zdr", "require_parameters", "allow_fallbacks", "enforce_distillable_text"), _FLAG),
    "data_collection": one_of("allow", "deny"),
    "sort": Rule("string or object", _is(str, dict)),
    "max_price": Rule("object of numbers", _prices),
}


def read_preferences(body: JsonObject) -> JsonObject:
    """The `provider` member of a body; refuses one that makes no sense."""
    _OBJECT.check(body, "provider")
    preferences = as_object(body.get("provider"))
    for name, rule in _PROVIDER.items():
        rule.check(preferences, name)
    return preferences


def check_effort(effort: object, field: str) -> None:
    """Refuse a reasoning effort nobody knows."""
    if effort is not None and effort not in EFFORTS:
        raise invalid(f'Invalid option: expected one of {"|".join(EFFORTS)} at "{field}"', field=field)


def _check_tools(api: str, body: JsonObject) -> None:
    for index, tool in enumerate(objects(body.get("tools"))):
        kind = tool.get("type", "function" if api == "messages" else None)
        if not isinstance(kind, str):
            raise invalid(f'Invalid input: expected string at "tools[{index}].type"', field="tools")
        named = as_object(tool.get("function")) if api == "chat" else tool
        if kind == "function" and not isinstance(named.get("name"), str):
            raise invalid(f'Invalid input: expected string at "tools[{index}].name"', field="tools")
    if body.get("tool_choice") == "required" and not body.get("tools") and not body.get("plugins"):
        slug = str(body.get("model"))
        if not slug.startswith("openrouter/fusion"):
            raise invalid('"tool_choice" is only allowed when "tools" are specified', field="tool_choice")


def check_web(settings: JsonObject) -> None:
    """Refuse settings of a web tool that upstream refuses."""
    for name, rule in _WEB.items():
        rule.check(settings, name)
    if settings.get("allowed_domains") and (settings.get("excluded_domains") or settings.get("blocked_domains")):
        raise invalid('"allowed_domains" cannot be used with "excluded_domains"', field="allowed_domains")


def check_fusion(settings: JsonObject) -> None:
    """Refuse fusion settings upstream refuses: sizes, ranges, a panel that contains fusion itself."""
    for name, rule in _FUSION.items():
        rule.check(settings, name)
    check_effort(as_object(settings.get("reasoning")).get("effort"), "reasoning.effort")
    panel: list[str] | None = settings.get("analysis_models")
    if panel is not None and not 1 <= len(panel) <= MAX_PANEL:
        raise invalid(
            f'Too big: expected array to have 1 to {MAX_PANEL} items at "analysis_models", received {len(panel)}',
            field="analysis_models",
        )
    for slug in [*(panel or []), settings.get("model")]:
        if isinstance(slug, str) and slug.startswith("openrouter/fusion"):
            raise invalid(f"{slug} cannot be used inside a fusion run", field="analysis_models")
