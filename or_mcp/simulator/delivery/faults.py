"""Scripted trouble: a list of rules that decide which requests go wrong, and how.

A rule is a JSON object. The first rule that matches a request, and is not used up, decides alone.

Which requests (inside `match`, or beside the effects):

    path            "/responses", relative to /api/v1; "*" (default) is any, the GETs included
    model           glob over the requested model, e.g. "openai/*"
    contains        text that must occur in the request body
    skip            let this many matching requests through first
    times           how many requests it hits; null (default) = every one

Instead of a reply:

    status          answer with this HTTP status and upstream's error envelope
    error_type, message, availability, retry_after (also sent as Retry-After), headers
    body            any JSON, or raw text, instead of the envelope; content_type for its type
    html            the edge network's HTML page, with `status` (502)
    reset           TCP reset before any reply; the run is charged all the same
    error_in_200    200, whitespace, then an error body, with `status` (502) as its code
    malformed_json  a body that breaks off in the middle

When:

    latency_ms        before the first byte of headers
    event_delay_ms    before each event
    chunk_latency_ms  between two network writes
    chunk_size        bytes per network write
    duration_s        spread the whole reply over this long (with keep-alives, or whitespace)
    keepalives        keep-alive comments before the first event

In a stream, N counting data events (0 = before the first). On a reply that is not a stream,
cut_at_event and reset_at_event break it off in the middle of its body:

    cut_at_event, panel_cut_at   close cleanly after N events, or after N panelists finished; no [DONE]
    reset_at_event               TCP reset
    stall_at_event               silence from there on
    never_ends                   keep-alives for ever, from the start or from stall_at_event
    error_at_event               the API's in-band error (with `status`, `message`), then the end
    failed_at_event              response.failed, then [DONE] (chat and messages: the in-band error)
    malformed_at_event           a data line that is not JSON, then the stream goes on
    no_done                      everything but [DONE]
    unknown_events               event types and fields nobody knows, sprinkled in

In what is said:

    empty_completion  nothing generated, finish reason stop, nothing charged
    truncated         cut short: finish reason length, or incomplete with max_output_tokens
    refusal           true, or the words of the refusal
    preamble          a commentary message before the fusion item
    answer_chars      length of the answer
    panel_chars       length of each panelist's text
    answer            the answer, verbatim
    panel_texts       {"<model as sent, or index>": "its text, verbatim"}
    panel_failures    {"<model as sent, or index>": {"error": "...", "status_code": 429}}
    analyst_failure   a failure_reason, e.g. "judge_not_valid_json"
    analysis          an object sent as the analysis, verbatim
    not_convened      the outer model answers without its panel
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from or_mcp.simulator.wire import JsonObject


class FaultError(ValueError):
    """A rule that makes no sense; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule, checked. The module's docstring says what each field does."""

    path: str = "*"
    model: str | None = None
    contains: str | None = None
    skip: int = 0
    times: int | None = None

    status: int | None = None
    error_type: str | None = None
    message: str | None = None
    availability: JsonObject | None = None
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    content_type: str | None = None
    html: bool = False
    reset: bool = False
    error_in_200: bool = False
    malformed_json: bool = False

    latency_ms: float = 0
    event_delay_ms: float = 0
    chunk_latency_ms: float = 0
    chunk_size: int | None = None
    duration_s: float = 0
    keepalives: int | None = None

    cut_at_event: int | None = None
    panel_cut_at: int | None = None
    reset_at_event: int | None = None
    stall_at_event: int | None = None
    never_ends: bool = False
    error_at_event: int | None = None
    failed_at_event: int | None = None
    malformed_at_event: int | None = None
    no_done: bool = False
    unknown_events: bool = False

    empty_completion: bool = False
    truncated: bool = False
    refusal: str | bool = False
    preamble: bool = False
    answer_chars: int | None = None
    panel_chars: int | None = None
    answer: str | None = None
    panel_texts: Mapping[str, str] = field(default_factory=dict[str, str])
    panel_failures: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    analyst_failure: str | None = None
    analysis: JsonObject | None = None
    not_convened: bool = False

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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_panel_failures(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entry, dict) and isinstance(cast(JsonObject, entry).get("error"), str)
        for entry in cast(JsonObject, value).values()
    )


_Check = tuple[str, Callable[[object], bool]]
_TEXT: _Check = ("a string", lambda value: isinstance(value, str))
_FLAG: _Check = ("true or false", lambda value: isinstance(value, bool))
_COUNT: _Check = ("a whole number >= 0", _is_count)
_NUMBER: _Check = ("a number >= 0", _is_number)
_OBJECT: _Check = ("an object", lambda value: isinstance(value, dict))
_STRINGS: _Check = (
    "an object of strings",
    lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in cast(JsonObject, value).values()),
)

FIELDS: dict[str, _Check] = {
    **dict.fromkeys(["path", "model", "contains", "error_type", "message", "content_type"], _TEXT),
    **dict.fromkeys(["analyst_failure", "answer"], _TEXT),
    **dict.fromkeys(["skip", "keepalives", "answer_chars", "panel_chars"], _COUNT),
    **dict.fromkeys(["cut_at_event", "panel_cut_at", "reset_at_event", "stall_at_event"], _COUNT),
    **dict.fromkeys(["error_at_event", "failed_at_event", "malformed_at_event"], _COUNT),
    **dict.fromkeys(["latency_ms", "event_delay_ms", "chunk_latency_ms", "duration_s", "retry_after"], _NUMBER),
    **dict.fromkeys(["html", "reset", "error_in_200", "malformed_json", "never_ends", "no_done"], _FLAG),
    **dict.fromkeys(["unknown_events", "empty_completion", "truncated", "preamble", "not_convened"], _FLAG),
    **dict.fromkeys(["availability", "analysis"], _OBJECT),
    "times": ("a whole number >= 0, or null", lambda value: value is None or _is_count(value)),
    "status": ("an HTTP status from 200 to 599", lambda value: _is_count(value) and 200 <= cast(int, value) <= 599),
    "chunk_size": ("a whole number >= 1", lambda value: _is_count(value) and value != 0),
    "headers": _STRINGS,
    "panel_texts": _STRINGS,
    "body": ("any JSON", lambda value: value is not None),
    "refusal": ("true, false or a string", lambda value: isinstance(value, (bool, str))),
    "panel_failures": ('an object of {"error": string, "status_code": number}', _is_panel_failures),
}

_MATCH_FIELDS = ("path", "model", "contains", "skip", "times")


def parse_fault(rule: Mapping[str, object]) -> Fault:
    """A rule as written, checked; a FaultError names the field that is wrong."""
    fields: dict[str, object] = dict(rule)
    match = fields.pop("match", {})
    if not isinstance(match, dict):
        raise FaultError(f"match: expected an object, got {match!r}")
    for name in cast(JsonObject, match):
        if name not in _MATCH_FIELDS:
            raise FaultError(f"match.{name}: unknown field; match knows {', '.join(_MATCH_FIELDS)}")
    fields |= cast(JsonObject, match)
    for name, value in fields.items():
        _check_field(name, value)
    return Fault(**cast(JsonObject, fields))


def _check_field(name: str, value: object) -> None:
    if name not in FIELDS:
        raise FaultError(f"{name}: unknown field; a rule knows match, {', '.join(sorted(FIELDS))}")
    expected, fits = FIELDS[name]
    if not fits(value):
        raise FaultError(f"{name}: expected {expected}, got {value!r}")


def parse_faults(rules: object) -> list[Fault]:
    """A list of rules, checked; a FaultError says which rule and which field is wrong."""
    if not isinstance(rules, (list, tuple)):
        raise FaultError(f"expected a list of rules, got {rules!r}")
    faults: list[Fault] = []
    for number, rule in enumerate(cast(Iterable[object], rules)):
        if isinstance(rule, Fault):
            faults.append(rule)
            continue
        if not isinstance(rule, Mapping):
            raise FaultError(f"rule {number}: expected an object, got {rule!r}")
        try:
            faults.append(parse_fault(cast(Mapping[str, object], rule)))
        except FaultError as error:
            raise FaultError(f"rule {number}: {error}") from None
    return faults


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
        rule.path in ("*", path)
        and (rule.model is None or fnmatchcase(model, rule.model))
        and (rule.contains is None or rule.contains in text)
    )
