"""A request for words in one form, whichever of the three APIs it came through."""

from dataclasses import dataclass, field
from typing import Any, Literal

from or_mcp.simulator.run.history import check_tool_messages
from or_mcp.simulator.run.texts import token_count
from or_mcp.simulator.run.validation import check_shape, invalid, read_preferences
from or_mcp.simulator.wire import JsonObject, as_list, as_object, compact, objects

Api = Literal["responses", "chat", "messages"]

_MEDIA_TOKENS = {"image": 258, "file": 400, "audio": 320, "video": 1200}
_PART_KINDS = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "input_file": "file",
    "file": "file",
    "document": "file",
    "input_audio": "audio",
    "video_url": "video",
    "input_video": "video",
}


@dataclass(slots=True)
class Ask:
    """What is asked of which model, and how."""

    api: Api
    body: JsonObject
    models: list[str]
    question: str = ""
    instructions: str = ""
    prompt_tokens: int = 0
    media: set[str] = field(default_factory=set[str])
    answers_tool: bool = False
    functions: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    server_tools: list[JsonObject] = field(default_factory=list[JsonObject])
    preferences: JsonObject = field(default_factory=dict[str, Any])

    @property
    def stream(self) -> bool:
        """Whether events are wanted."""
        return bool(self.body.get("stream"))

    @property
    def max_tokens(self) -> int | None:
        """The longest completion the caller accepts, reasoning included."""
        names = ("max_output_tokens", "max_completion_tokens", "max_tokens")
        return next((self.body[name] for name in names if self.body.get(name) is not None), None)

    @property
    def tool_choice(self) -> Any:
        """The tool choice as sent, or auto."""
        return self.body.get("tool_choice") or "auto"

    @property
    def effort(self) -> str | None:
        """The reasoning effort asked for; None when nothing was said."""
        reasoning = as_object(self.body.get("reasoning"))
        thinking = as_object(self.body.get("thinking"))
        if reasoning.get("enabled") is False or thinking.get("type") == "disabled":
            return "none"
        effort = reasoning.get("effort") or self.body.get("reasoning_effort")
        if effort is None and (reasoning.get("max_tokens") or reasoning.get("enabled") or thinking):
            return "medium"
        return effort

    @property
    def output_format(self) -> JsonObject:
        """`{type, schema?}` of the wanted output."""
        form = as_object(self.body.get("response_format")) or as_object(as_object(self.body.get("text")).get("format"))
        if form.get("type") == "json_schema":
            schema = as_object(form.get("json_schema")).get("schema", form.get("schema"))
            return {"type": "json_schema", "schema": as_object(schema)}
        return {"type": form.get("type", "text")}

    @property
    def searches_web(self) -> bool:
        """Whether the model may search."""
        kinds = [tool.get("type") for tool in self.server_tools]
        plugins = [plugin.get("id") for plugin in objects(self.body.get("plugins"))]
        return "openrouter:web_search" in kinds or "web" in plugins

    @property
    def wanted_parameters(self) -> frozenset[str]:
        """The parameters an endpoint must support for `require_parameters`."""
        wanted = {name for name in _PARAMETERS if self.body.get(name) is not None}
        wanted |= {_RENAMED[name] for name in _RENAMED if self.body.get(name) is not None}
        if self.functions:
            wanted |= {"tools"}
        kind = self.output_format["type"]
        return frozenset(wanted | ({"structured_outputs"} if kind == "json_schema" else set()))


_PARAMETERS = ("temperature", "top_p", "top_k", "min_p", "seed", "stop", "logprobs", "reasoning", "response_format")
_RENAMED = {"max_output_tokens": "max_tokens", "max_completion_tokens": "max_tokens"}


def read_ask(api: Api, body: JsonObject) -> Ask:
    """The request in one form; refuses what upstream's schema refuses."""
    check_shape(api, body)
    if api == "chat":
        check_tool_messages(body)
    models = [body["model"]] if body.get("model") else []
    ask = Ask(api, body, models + [slug for slug in as_list(body.get("models")) if slug not in models])
    ask.preferences = read_preferences(body)
    ask.instructions = text_of(body.get("instructions") or body.get("system") or "")
    ask.prompt_tokens = token_count(ask.instructions)
    content = body["input"] if api == "responses" else body["messages"]
    for item in [{"role": "user", "content": content}] if isinstance(content, str) else objects(content):
        _read_item(ask, item)
    _read_tools(ask)
    return ask


def text_of(content: object) -> str:
    """The words in a message's content, whether a string or parts."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part["text"]) for part in objects(content) if isinstance(part.get("text"), str))


def _read_item(ask: Ask, item: JsonObject) -> None:
    role, kind = item.get("role"), item.get("type")
    content = item.get("content", "")
    text = text_of(content)
    if kind == "function_call_output" or role == "tool":
        ask.answers_tool = True
        ask.prompt_tokens += token_count(compact(item))
        return
    parts = objects(content)
    if role == "user" and any(part.get("type") == "tool_result" for part in parts):
        ask.answers_tool = True
    elif role == "user":
        ask.answers_tool = False
        ask.question = text or ask.question
    elif role in ("system", "developer"):
        ask.instructions = f"{ask.instructions}\n{text}".strip()
    ask.prompt_tokens += token_count(text) + 4
    for part in parts:
        _read_part(ask, part)


def _read_part(ask: Ask, part: JsonObject) -> None:
    medium = _PART_KINDS.get(str(part.get("type")))
    if medium is None:
        return
    url = part.get("image_url")
    address = as_object(url).get("url", url)
    if medium == "image" and isinstance(address, str) and not address.startswith(("http://", "https://", "data:")):
        raise invalid("Invalid image URL: expected an http(s) or data: URL", error_type="invalid_image")
    ask.media.add(medium)
    ask.prompt_tokens += _MEDIA_TOKENS[medium]


def _read_tools(ask: Ask) -> None:
    for tool in objects(ask.body.get("tools")):
        kind = str(tool.get("type", "custom"))
        if kind in ("function", "custom"):
            detail = as_object(tool.get("function")) or tool
            schema = as_object(detail.get("parameters") or detail.get("input_schema"))
            ask.functions[str(detail.get("name"))] = schema
            ask.prompt_tokens += token_count(compact(tool))
        else:
            ask.server_tools.append(tool)


def named_tool(choice: object) -> str | None:
    """The tool a tool_choice object names, function or server tool."""
    chosen = as_object(choice)
    kind = chosen.get("type")
    if kind in ("function", "tool", "custom"):
        return as_object(chosen.get("function")).get("name") or chosen.get("name")
    return kind if isinstance(kind, str) and ":" in kind else None


def must_use_tools(choice: object) -> bool:
    """Whether a tool_choice forces some tool, without naming one."""
    chosen = as_object(choice)
    return choice == "required" or chosen.get("type") == "any" or chosen.get("mode") == "required"
