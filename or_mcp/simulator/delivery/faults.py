"""Scripted trouble: a list of rules that decide which requests go wrong, and how."""

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from or_mcp.simulator.wire import JsonObject

Count: TypeAlias = Annotated[int, Field(ge=0)]
Number: TypeAlias = Annotated[float, Field(ge=0)]
Model = TypeVar("Model", bound=BaseModel)
Status: TypeAlias = Annotated[int, Field(ge=200, le=599)]


class FaultError(ValueError):
    """A rule that makes no sense; the message names the field."""


def _says(description: str, default: Any = None) -> Any:
    return Field(default=default, description=description)


def _flag(description: str) -> Any:
    return Field(default=False, description=description)


class PanelFailure(BaseModel):
    """What became of a panelist."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    error: str
    status_code: int | None = None


class Called(BaseModel):
    """A function that the model calls; arguments that are a text are sent as they are, JSON or not."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str
    arguments: JsonObject | str = Field(default_factory=dict[str, Any])


class Match(BaseModel):
    """Which requests: inside `match`, or beside the effects."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    path: str = _says(
        '`"/responses"`, relative to `/api/v1`; a glob: `"/videos/*"`, `"*"` is any, the GETs included', "*"
    )
    model: str | None = _says('glob over the requested model, e.g. `"openai/*"`')
    contains: str | None = _says("text that must occur in the request body")
    skip: Count = _says("let this many matching requests through first", 0)
    times: Count | None = _says("how many requests it hits; null is every one")


class Instead(BaseModel):
    """Instead of a reply."""

    status: Status | None = _says("answer with this HTTP status and upstream's error envelope")
    error_type: str | None = _says("the `error_type` of that envelope")
    message: str | None = _says("its message")
    availability: JsonObject | None = _says("its `availability` object")
    retry_after: Number | None = _says("sent as `Retry-After`, and in `availability`")
    headers: dict[str, str] = _says("headers of the reply, whatever it is", {})
    body: Any = _says("any JSON, or raw text, instead of the envelope")
    content_type: str | None = _says("the type of `body`")
    html: bool = _flag("the edge network's HTML page, with `status` (502)")
    reset: bool = _flag("TCP reset before any reply; the run is charged all the same")
    error_in_200: bool = _flag("200, whitespace, then an error body, with `status` (502) as its code")
    malformed_json: bool = _flag("a body that breaks off in the middle")


class Pace(BaseModel):
    """When."""

    latency_ms: Number = _says("before the first byte of headers", 0)
    event_delay_ms: Number = _says("before each event", 0)
    chunk_latency_ms: Number = _says("between two network writes", 0)
    chunk_size: Annotated[int, Field(ge=1)] | None = _says("bytes per network write")
    duration_s: Number = _says("spread the whole reply over this long, with keep-alives or whitespace", 0)
    keepalives: Count | None = _says("keep-alive comments before the first event")


class Break(BaseModel):
    """In a stream, N counting data events (0 = before the first).

    On a reply that is not a stream, `cut_at_event` and `reset_at_event` break it off in the middle of its body.
    """

    cut_at_event: Count | None = _says("close cleanly after N events; no `[DONE]`")
    panel_cut_at: Count | None = _says("close cleanly after N panelists finished; no `[DONE]`")
    reset_at_event: Count | None = _says("TCP reset")
    stall_at_event: Count | None = _says("silence from there on")
    never_ends: bool = _flag("keep-alives for ever, from the start or from `stall_at_event`")
    error_at_event: Count | None = _says("the API's in-band error (with `status`, `message`), then the end")
    failed_at_event: Count | None = _says(
        "`response.failed`, then `[DONE]` (chat and messages: the in-band error)",
    )
    malformed_at_event: Count | None = _says("a data line that is not JSON, then the stream goes on")
    no_done: bool = _flag("everything but `[DONE]`")
    unknown_events: bool = _flag("event types and fields nobody knows, sprinkled in")


class Words(BaseModel):
    """In what is said."""

    empty_completion: bool = _flag("nothing generated, finish reason stop, nothing charged")
    truncated: bool = _flag("cut short: finish reason length, or incomplete with `max_output_tokens`")
    refusal: str | bool = _flag("true, or the words of the refusal")
    preamble: bool = _flag("a commentary message before the fusion item")
    answer_chars: Count | None = _says("length of the answer")
    panel_chars: Count | None = _says("length of each panelist's text")
    answer: str | None = _says("the answer, verbatim")
    calls: list[Called] | None = _says(
        '`[{"name": "...", "arguments": {}}]`: functions the model calls at once, whether they are offered or not; '
        "a rule with `times` 1 for each step scripts several"
    )
    panel_texts: dict[str, str] = _says('`{"<model as sent, or index>": "its text, verbatim"}`', {})
    panel_failures: dict[str, PanelFailure] = _says(
        '`{"<model as sent, or index>": {"error": "...", "status_code": 429}}`', {}
    )
    analyst_failure: str | None = _says('a `failure_reason`, e.g. `"judge_not_valid_json"`')
    analysis: JsonObject | None = _says("an object sent as the analysis, verbatim")
    not_convened: bool = _flag("the outer model answers without its panel")


class Later(BaseModel):
    """In batches and films, which take their time. Their requests obey the other rules too."""

    job_polls: Count | None = _says("how often one has to ask until it is done; null is 2")
    job_failure: str | None = _says("it was accepted, and fails with this message")
    job_unpaid: bool = _flag("a batch is done, and its results are withheld (402) until there is credit for them")
    job_expires: bool = _flag("it was accepted, and has expired when it is asked for")


class Greed(BaseModel):
    """In what is billed. The texts stay short, so that thousands of calls are quick; usage and cost do not."""

    greedy: bool = _flag(
        "every model takes all that the request and its own limits allow: the longest answer, every search and step, "
        "the whole prompt written to its cache, rerank units for documents of twice their length",
    )
    tokens_per_char: Number | None = _says(
        "tokens billed for each ASCII character, and up to three times that for wider ones; null is one for four"
    )
    step_tokens: Count | None = _says(
        "tokens that the results of one web step add to every later prompt; null is 2,500, or 4,000 when greedy"
    )
    dearest: bool = _flag("of the endpoints a request leaves open, and a router's models, the dearest serves it")
    byok: bool = _flag("billed to the caller's own key at the provider; `cost` is the fee alone")


class Fault(Match, Instead, Pace, Break, Words, Later, Greed):
    """One rule; a rule that sets nothing changes nothing."""

    @property
    def slow(self) -> bool:
        """Whether a reply that is not a stream has to be padded while the caller waits."""
        return bool(self.duration_s or self.keepalives or self.never_ends or self.error_in_200)

    @property
    def replaces_reply(self) -> bool:
        """Whether the request is answered by the rule alone, without being carried out."""
        inside = self.error_in_200 or self.error_at_event is not None or self.failed_at_event is not None
        return self.html or self.body is not None or (self.status is not None and not inside)


NO_FAULT = Fault()
SECTIONS: tuple[type[BaseModel], ...] = (Match, Instead, Pace, Break, Words, Later, Greed)


def rules_schema() -> JsonObject:
    """The JSON Schema of a list of rules."""
    rule = Fault.model_json_schema()
    definitions = rule.pop("$defs") | {"Match": Match.model_json_schema()}
    rule["properties"]["match"] = {"$ref": "#/$defs/Match"}
    return {"type": "array", "items": rule, "$defs": definitions}


def parse_fault(rule: Mapping[str, object]) -> Fault:
    """A rule as written, checked; a FaultError names the field that is wrong."""
    fields: dict[str, object] = dict(rule)
    match = fields.pop("match", {})
    if not isinstance(match, dict):
        raise FaultError(f"match: expected an object, got {match!r}")
    _checked(Match, cast(JsonObject, match), "match.")
    return _checked(Fault, fields | cast(JsonObject, match))


def _checked(model: type[Model], fields: Mapping[str, object], where: str = "") -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name = where + ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        raise FaultError(f"{name}: unknown field; known are {', '.join(sorted(model.model_fields))}")
    complaint = first["msg"].replace("Input should be", "expected")
    raise FaultError(f"{name}: {complaint}, got {first['input']!r}")


def parse_faults(rules: object) -> list[Fault]:
    """A list of rules, checked; a FaultError says which rule and which field is wrong."""
    if not isinstance(rules, (list, tuple)):
        raise FaultError(f"expected a list of rules, got {rules!r}")
    return [_numbered(number, rule) for number, rule in enumerate(cast(Iterable[object], rules))]


def _numbered(number: int, rule: object) -> Fault:
    if isinstance(rule, Fault):
        return rule
    if not isinstance(rule, Mapping):
        raise FaultError(f"rule {number}: expected an object, got {rule!r}")
    try:
        return parse_fault(cast(Mapping[str, object], rule))
    except FaultError as error:
        raise FaultError(f"rule {number}: {error}") from None


def load_faults(path: str | Path) -> list[Fault]:
    """The rules in a JSON file; a FaultError names the file and what is wrong with it."""
    try:
        return parse_faults(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, FaultError) as error:
        raise FaultError(f"{path}: {error}") from None


class FaultBook:
    """The rules in force and how often each was met."""

    def __init__(self, rules: Sequence[Fault]) -> None:
        self.replace(rules)

    def replace(self, rules: Sequence[Fault]) -> None:
        """Put these rules in force, all of them fresh."""
        self._rules = list(rules)
        self._met = [0] * len(self._rules)

    def take(self, path: str, model: str, text: str) -> Fault:
        """The rule that hits this request, counted as used; NO_FAULT if there is none."""
        for index, rule in enumerate(self._rules):
            if not _matches(rule, path, model, text):
                continue
            self._met[index] += 1
            nth = self._met[index] - rule.skip
            if nth > 0 and (rule.times is None or nth <= rule.times):
                return rule
        return NO_FAULT


def _matches(rule: Fault, path: str, model: str, text: str) -> bool:
    return (
        fnmatchcase(path, rule.path)
        and (rule.model is None or fnmatchcase(model, rule.model))
        and (rule.contains is None or rule.contains in text)
    )
