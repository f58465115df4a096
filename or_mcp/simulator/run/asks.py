"""A request for words in one form, whichever of the three APIs it came through."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from or_mcp.simulator.run.caching import Segment, keep_of
from or_mcp.simulator.run.counting import PART_KINDS, Counter
from or_mcp.simulator.run.documents import NO_DOCUMENTS, Documents, read_documents
from or_mcp.simulator.run.history import check_thinking_kept, check_tool_messages
from or_mcp.simulator.run.shapes import Shape, read_shape
from or_mcp.simulator.run.tools import check_server_tool, is_callers_own
from or_mcp.simulator.run.validation import check_shape, invalid, read_preferences
from or_mcp.simulator.run.web import WebTools, read_web_tools
from or_mcp.simulator.wire import JsonObject, as_list, as_object, compact, objects

Api = Literal["responses", "chat", "messages"]

# What a message costs beside its words.
_MESSAGE_TOKENS = 4
# Where the three APIs keep the calls a model made.
_CALLS = ("tool_calls", "arguments")


@dataclass(slots=True)
class Ask:
    """What is asked of which model, and how."""

    api: Api
    body: JsonObject
    models: list[str]
    question: str = ""
    instructions: str = ""
    counter: Counter = field(default_factory=Counter)
    segments: list[Segment] = field(default_factory=list[Segment])
    audio_tokens: int = 0
    images: int = 0
    image_tokens: int = 0
    media: set[str] = field(default_factory=set[str])
    documents: Documents = NO_DOCUMENTS
    # The shape that drawn pictures are to have.
    picture_shape: Shape | None = None
    answers_tool: bool = False
    functions: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    server_tools: list[JsonObject] = field(default_factory=list[JsonObject])
    preferences: JsonObject = field(default_factory=dict[str, Any])

    @property
    def prompt_tokens(self) -> int:
        """The tokens of everything that was sent."""
        return sum(segment.tokens for segment in self.segments)

    @property
    def modalities(self) -> list[str]:
        """What the answer is to be made of; empty when nothing was said."""
        return as_list(self.body.get("modalities"))

    @property
    def parsed_media(self) -> set[str]:
        """What is read for a model that cannot take it: documents, unless the model itself is to read them."""
        return set() if self.api == "messages" or self.documents.engine == "native" else {"file"}

    @property
    def sound_form(self) -> str:
        """How a spoken answer is to be coded."""
        return str(as_object(self.body.get("audio")).get("format") or "pcm16")

    @property
    def caches_only_marked(self) -> bool:
        """Whether nothing is to be cached but what is marked."""
        return as_object(self.body.get("prompt_cache_options")).get("mode") == "explicit"

    def add(self, text: str, tokens: int, control: object = None, *, sounds: bool = False) -> None:
        """Count a part of the prompt, with the `cache_control` it came with."""
        self.segments.append(Segment(text, tokens, keep_of(as_object(control)), sounds))

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
        told = as_object(self.body.get("output_config")).get("effort")
        effort = reasoning.get("effort") or self.body.get("reasoning_effort") or (told if thinking else None)
        if effort is None and (reasoning.get("max_tokens") or reasoning.get("enabled") or thinking):
            return "medium"
        return effort

    @property
    def output_format(self) -> JsonObject:
        """`{type, schema?}` of the wanted output."""
        places = [self.body, as_object(self.body.get("text")), as_object(self.body.get("output_config"))]
        forms = [as_object(place.get(name)) for place in places for name in ("response_format", "format")]
        form = next((each for each in forms if each), JsonObject())
        if form.get("type") == "json_schema":
            schema = as_object(form.get("json_schema")).get("schema", form.get("schema"))
            return {"type": "json_schema", "schema": as_object(schema)}
        return {"type": form.get("type", "text")}

    @property
    def web(self) -> WebTools:
        """What the model may look up."""
        online, options = any(slug.endswith(":online") for slug in self.models), self.body.get("web_search_options")
        return read_web_tools(self.server_tools, objects(self.body.get("plugins")), online=online, options=options)

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


def read_ask(api: Api, body: JsonObject, counter: Counter | None = None) -> Ask:
    """The request in one form; refuses what upstream's schema refuses."""
    check_shape(api, body)
    check_tool_messages(api, body)
    models = [body["model"]] if body.get("model") else []
    ask = Ask(api, body, models + [slug for slug in as_list(body.get("models")) if slug not in models])
    ask.counter = counter or ask.counter
    ask.preferences = read_preferences(body)
    ask.documents = read_documents(body)
    ask.picture_shape = _picture_shape(as_object(body.get("image_config")))
    _read_tools(ask)
    _read_instructions(ask, body.get("instructions") or body.get("system") or "")
    content = body["input"] if api == "responses" else body["messages"]
    for item in [{"role": "user", "content": content}] if isinstance(content, str) else objects(content):
        _read_item(ask, item)
    if api == "messages":
        check_thinking_kept(body, thinks=ask.effort not in (None, "none"))
    if keep := keep_of(as_object(body.get("cache_control"))):
        ask.segments[-1] = replace(ask.segments[-1], keep=keep)
    return ask


def _picture_shape(wanted: JsonObject) -> Shape | None:
    return read_shape(wanted | {"size": wanted.get("size") or wanted.get("image_size")})


def text_of(content: object) -> str:
    """The words in a message's content, whether a string or parts."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part["text"]) for part in objects(content) if isinstance(part.get("text"), str))


def _read_instructions(ask: Ask, content: object) -> None:
    ask.instructions = text_of(content)
    marks = [_mark_of(part) for part in objects(content)]
    ask.add(ask.instructions, ask.counter.text(ask.instructions), next(filter(None, marks), None))


def _read_item(ask: Ask, item: JsonObject) -> None:
    role, kind = item.get("role"), item.get("type")
    content = item.get("content", "")
    text = text_of(content)
    if kind == "function_call_output" or role == "tool":
        ask.answers_tool = True
        ask.add(compact(item), ask.counter.text(compact(item)), item.get("cache_control"))
        return
    parts = objects(content)
    if role == "user" and any(part.get("type") == "tool_result" for part in parts):
        ask.answers_tool = True
    elif role == "user":
        ask.answers_tool = False
        ask.question = text or ask.question
    elif role in ("system", "developer"):
        ask.instructions = f"{ask.instructions}\n{text}".strip()
    for part in parts:
        _read_part(ask, part)
    if not parts:
        said = text + "".join(compact(item[name]) for name in _CALLS if item.get(name))
        ask.add(f"{role}:{said}", ask.counter.text(said), item.get("cache_control"))
    ask.segments[-1] = replace(ask.segments[-1], tokens=ask.segments[-1].tokens + _MESSAGE_TOKENS)


def _read_part(ask: Ask, part: JsonObject) -> None:
    kind = str(part.get("type"))
    medium = PART_KINDS.get(kind)
    if medium is None:
        text = str(part.get("text") or "") or (compact(part) if kind in ("tool_use", "tool_result", "thinking") else "")
        ask.add(f"{kind}:{text}", ask.counter.text(text), _mark_of(part))
        return
    url = part.get("image_url")
    address = as_object(url).get("url", url)
    if medium == "image" and isinstance(address, str) and not address.startswith(("http://", "https://", "data:")):
        raise invalid("Invalid image URL: expected an http(s) or data: URL", error_type="invalid_image")
    tokens = ask.counter.part(part)
    ask.media.add(medium)
    ask.images += medium == "image"
    ask.image_tokens += tokens if medium == "image" else 0
    ask.audio_tokens += tokens if medium == "audio" else 0
    ask.add(compact(part), tokens, _mark_of(part), sounds=medium == "audio")


def _read_tools(ask: Ask) -> None:
    for tool in objects(ask.body.get("tools")):
        kind = str(tool.get("type", "custom"))
        if kind in ("function", "custom") or is_callers_own(kind):
            detail = as_object(tool.get("function")) or tool
            schema = as_object(detail.get("parameters") or detail.get("input_schema"))
            ask.functions[str(detail.get("name"))] = schema
            ask.add(compact(tool), ask.counter.text(compact(tool)), tool.get("cache_control"))
        else:
            check_server_tool(tool, ask.models)
            ask.server_tools.append(tool)


def _mark_of(part: JsonObject) -> object:
    return part.get("cache_control") or part.get("prompt_cache_breakpoint")


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
