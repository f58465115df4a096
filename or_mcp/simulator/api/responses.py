"""POST /responses: a run spelled as items and events."""

import base64
from decimal import Decimal
from typing import Any

from or_mcp.simulator.api.fusion_events import FusionEvents
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Document, EventStream, Frame
from or_mcp.simulator.run.history import reasoning_item
from or_mcp.simulator.run.outcomes import FusionRun, Outcome, ToolCall
from or_mcp.simulator.run.texts import dice_for, pieces
from or_mcp.simulator.run.tools import ToolUse
from or_mcp.simulator.run.web import SEARCH_TOOLS
from or_mcp.simulator.wire import JsonObject, as_object, dollars, objects

_ECHOED: dict[str, Any] = {
    "parallel_tool_calls": True,
    "max_output_tokens": None,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "max_tool_calls": None,
    "metadata": {},
    "background": False,
    "previous_response_id": None,
    "service_tier": "auto",
    "truncation": "disabled",
    "store": False,
    "instructions": None,
    "text": {"format": {"type": "text"}},
    "reasoning": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
    "prompt_cache_options": None,
}
_ERROR_CODES = {"rate_limit_exceeded": "rate_limit_exceeded", "invalid_prompt": "invalid_prompt"}
COMMENT = ":\n\n"
# A run that was billed for very many searches tells of the first few.
_SEARCHES_TOLD = 5


class Script:
    """The events of one run, numbered, each with what has been spent when it is sent."""

    def __init__(self, outcome: Outcome, fault: Fault) -> None:
        self.outcome = outcome
        self.frames: list[Frame] = []
        self.output: list[JsonObject] = []
        self.spent = Decimal(0)
        self.sunk = Decimal(0)
        self._fault = fault
        self._number = 0
        self._dice = dice_for("pieces", outcome.model.slug, outcome.ask.question)

    def emit(self, kind: str, *, ends_panelist: bool = False, **fields: Any) -> None:
        """Add one event."""
        event: JsonObject = {"type": kind, **fields, "sequence_number": self._number}
        if self._fault.unknown_events and self._number % 3 == 1:
            event["x_simulated_extra"] = {"nobody": ["knows", self._number]}
            self._append({"type": "response.x_simulated.telemetry", "sequence_number": self._number, "load": 0.5})
            event["sequence_number"] = self._number
        self._append(event, ends_panelist=ends_panelist)

    def _append(self, event: JsonObject, *, ends_panelist: bool = False) -> None:
        self.frames.append(Frame(event, self.spent, self.sunk, ends_panelist))
        self._number += 1

    def pay(self, amount: Decimal, *, sunk: bool = False) -> None:
        """Count a cost as incurred; sunk costs stay charged whatever happens later."""
        self.spent += amount
        if sunk:
            self.sunk += amount

    def cut(self, text: str) -> list[str]:
        """A text in the fragments to stream."""
        return pieces(text, self._dice)

    def add_item(self, opened: JsonObject) -> int:
        """Announce an output item; its index."""
        index = len(self.output)
        self.output.append(opened)
        self.emit("response.output_item.added", output_index=index, item=opened)
        return index

    def finish_item(self, index: int, item: JsonObject) -> None:
        """Send an output item in full."""
        self.output[index] = item
        self.emit("response.output_item.done", output_index=index, item=item)


def response_object(outcome: Outcome, status: str, output: list[JsonObject], usage: JsonObject | None) -> JsonObject:
    """The response with every key upstream sends."""
    body = outcome.ask.body
    over = status in ("completed", "incomplete")
    echoed = {name: body.get(name) if body.get(name) is not None else default for name, default in _ECHOED.items()}
    if outcome.ask.effort is not None:
        echoed["reasoning"] = {"effort": outcome.ask.effort, "summary": as_object(body.get("reasoning")).get("summary")}
    echoed["text"] = _ECHOED["text"] | as_object(body.get("text"))
    return {
        "id": outcome.id,
        "object": "response",
        "created_at": outcome.created,
        "model": outcome.model.slug,
        "status": status,
        "completed_at": outcome.created + 1 if over else None,
        "output": output,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        # Server tools are not echoed.
        "tools": [tool for tool in objects(body.get("tools")) if tool.get("type") == "function"],
        "tool_choice": body.get("tool_choice") or "auto",
        **echoed,
        "service_tier": outcome.tier if over else echoed["service_tier"],
        "store": False,
        "usage": usage,
    }


def usage_object(outcome: Outcome) -> JsonObject:
    """`usage`: the whole run's cost, the outer model's tokens."""
    tokens, bill = outcome.tokens, outcome.bill
    return {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.written},
        "output_tokens": tokens.completion,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.prompt + tokens.completion,
        "cost": dollars(outcome.cost),
        "is_byok": outcome.byok,
        "cost_details": {
            "upstream_inference_cost": dollars(bill.inference),
            "upstream_inference_input_cost": dollars(bill.prompt),
            "upstream_inference_output_cost": dollars(bill.completion),
            **({"server_tool_cost": dollars(bill.tools)} if bill.tools else {}),
        },
        "server_tool_use_details": outcome.tool_use,
    }


def play(outcome: Outcome, fault: Fault) -> Script:
    """Every event of a run, in upstream's order."""
    script = Script(outcome, fault)
    for kind in ("response.created", "response.in_progress"):
        script.emit(kind, response=response_object(outcome, "in_progress", [], None))
    if outcome.reasoning:
        _reasoning(script)
    if outcome.preamble:
        _message(script, outcome.preamble, phase="commentary")
    if outcome.fusion is not None:
        FusionEvents(script, outcome.fusion).play()
        if outcome.fusion.capped:
            _capped_call(script, outcome.fusion)
    _play_answer(script, fault)
    script.spent = outcome.cost
    status = "incomplete" if outcome.truncated else "completed"
    script.emit(f"response.{status}", response=response_object(outcome, status, script.output, usage_object(outcome)))
    return script


def _play_answer(script: Script, fault: Fault) -> None:
    """The tools the outer model used, its calls, and what it says and shows."""
    outcome = script.outcome
    if fault.unknown_events:
        strange = {"id": "x_1", "type": "openrouter:x_simulated", "status": "completed", "load": 0.5}
        script.finish_item(script.add_item(strange), strange)
    for number in range(min(outcome.searches, _SEARCHES_TOLD)):
        _web_search(script, number)
    for number, use in enumerate(outcome.uses):
        _tool_use(script, use, number)
    for call in outcome.tool_calls:
        _function_call(script, call)
    if outcome.text or outcome.refusal or outcome.empty:
        _message(script, outcome.text)
    for number, picture in enumerate(outcome.images):
        _picture(script, picture, number)


def _capped_call(script: Script, run: FusionRun) -> None:
    opened: JsonObject = {"id": f"{run.id}_2", "type": "openrouter:fusion", "status": "in_progress"}
    index = script.add_item(opened)
    script.emit("response.fusion_call.in_progress", output_index=index, item_id=opened["id"])
    script.emit("response.fusion_call.completed", output_index=index, item_id=opened["id"])
    refused: JsonObject = {
        "failure_reason": "fusion_invocation_capped",
        "error": "Fusion can be invoked once per request.",
    }
    script.finish_item(index, opened | {"status": "incomplete"} | refused)


def _reasoning(script: Script) -> None:
    outcome = script.outcome
    item = reasoning_item(outcome.reasoning, outcome.model.author, outcome.model.slug)
    item = {"id": f"rs_{outcome.id[-12:]}"} | item
    index = script.add_item({"id": item["id"], "type": "reasoning", "summary": [], "status": "in_progress"})
    where: JsonObject = {"output_index": index, "item_id": item["id"]}
    (_summary if item["summary"] else _open_thought)(script, where, outcome.reasoning)
    script.finish_item(index, item | {"status": "completed"})


def _summary(script: Script, where: JsonObject, text: str) -> None:
    where = where | {"summary_index": 0}
    script.emit("response.reasoning_summary_part.added", **where, part={"type": "summary_text", "text": ""})
    for delta in script.cut(text):
        script.emit("response.reasoning_summary_text.delta", **where, delta=delta)
    script.emit("response.reasoning_summary_text.done", **where, text=text)
    script.emit("response.reasoning_summary_part.done", **where, part={"type": "summary_text", "text": text})


def _open_thought(script: Script, where: JsonObject, text: str) -> None:
    where = where | {"content_index": 0}
    script.emit("response.content_part.added", **where, part={"type": "reasoning_text", "text": ""})
    for delta in script.cut(text):
        script.emit("response.reasoning_text.delta", **where, delta=delta)
    script.emit("response.reasoning_text.done", **where, text=text)
    script.emit("response.content_part.done", **where, part={"type": "reasoning_text", "text": text})


def _web_search(script: Script, number: int) -> None:
    outcome = script.outcome
    asked = [str(tool.get("type")) for tool in outcome.ask.server_tools]
    # OpenAI's own spellings of the tool are answered with OpenAI's own item.
    own = any(kind in SEARCH_TOOLS and not kind.startswith("openrouter:") for kind in asked)
    kind, prefix = ("web_search_call", "ws") if own else ("openrouter:web_search", "st_tmp")
    item: JsonObject = {"id": f"{prefix}_{outcome.id[-10:]}{number or ''}", "type": kind}
    index = script.add_item(item | {"status": "in_progress"})
    where: JsonObject = {"output_index": index, "item_id": item["id"]}
    for stage in ("in_progress", "searching", "completed"):
        script.emit(f"response.web_search_call.{stage}", **where)
    sources = [{"type": "url", "url": citation.url} for citation in outcome.citations]
    action = {"type": "search", "query": outcome.ask.question[:120], "sources": sources}
    script.finish_item(index, item | {"status": "completed", "action": action})


def _tool_use(script: Script, use: ToolUse, number: int) -> None:
    item: JsonObject = {"id": f"st_tmp_{script.outcome.id[-8:]}t{number}", "type": use.kind}
    if use.kind == "image_generation":
        item["type"] = "image_generation_call"
    result = use.result
    if use.picture:
        result = result | {"result": base64.b64encode(use.picture).decode()}
    _whole_item(script, item, result)


def _picture(script: Script, picture: bytes, number: int) -> None:
    item: JsonObject = {"id": f"ig_{script.outcome.id[-10:]}{number}", "type": "image_generation_call"}
    _whole_item(script, item, {"result": base64.b64encode(picture).decode()})


def _whole_item(script: Script, item: JsonObject, result: JsonObject) -> None:
    """An item that is there at once."""
    pending = {name: value for name, value in result.items() if name in ("datetime", "timezone")}
    index = script.add_item(item | pending | {"status": "in_progress"})
    script.finish_item(index, item | result | {"status": "completed"})


def _function_call(script: Script, call: ToolCall) -> None:
    item: JsonObject = {"id": f"fc_{call.id[5:]}", "type": "function_call", "call_id": call.id, "name": call.name}
    index = script.add_item(item | {"status": "in_progress", "arguments": ""})
    where: JsonObject = {"output_index": index, "item_id": item["id"]}
    for delta in script.cut(call.arguments):
        script.emit("response.function_call_arguments.delta", **where, delta=delta)
    done: JsonObject = {"name": call.name, "arguments": call.arguments}
    script.emit("response.function_call_arguments.done", **where, **done)
    script.finish_item(index, item | {"status": "completed", "arguments": call.arguments})


def _message(script: Script, text: str, phase: str | None = None) -> None:
    outcome = script.outcome
    identity = f"msg_tmp_{outcome.id[-10:]}{'_0' if phase else ''}"
    item: JsonObject = {"id": identity, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    if phase or outcome.model.author == "openai":
        item["phase"] = phase or "final_answer"
    index = script.add_item(item)
    where: JsonObject = {"output_index": index, "item_id": identity, "content_index": 0}
    part = _refusal_part(script, where) if outcome.refusal and not phase else _text_part(script, where, text, phase)
    script.emit("response.content_part.done", **where, part=part)
    status = "incomplete" if outcome.truncated and not phase else "completed"
    script.finish_item(index, item | {"status": status, "content": [part]})


def _text_part(script: Script, where: JsonObject, text: str, phase: str | None) -> JsonObject:
    empty: JsonObject = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    script.emit("response.content_part.added", **where, part=empty)
    parts = script.cut(text)
    rest = script.outcome.charged / max(len(parts), 1)
    for delta in parts:
        script.pay(rest if phase is None else Decimal(0))
        script.emit("response.output_text.delta", **where, delta=delta, logprobs=[])
    annotations = [] if phase else [citation.flat() for citation in script.outcome.citations]
    for number, annotation in enumerate(annotations):
        added: JsonObject = {"annotation_index": number, "annotation": annotation}
        script.emit("response.output_text.annotation.added", **where, **added)
    script.emit("response.output_text.done", **where, text=text, logprobs=[])
    return empty | {"text": text, "annotations": annotations}


def _refusal_part(script: Script, where: JsonObject) -> JsonObject:
    refusal = script.outcome.refusal or ""
    script.emit("response.content_part.added", **where, part={"type": "refusal", "refusal": ""})
    for delta in script.cut(refusal):
        script.emit("response.refusal.delta", **where, delta=delta)
    script.emit("response.refusal.done", **where, refusal=refusal)
    return {"type": "refusal", "refusal": refusal}


def _error_event(sent: int, error: JsonObject) -> JsonObject:
    code = as_object(error.get("metadata")).get("error_type", "server")
    event = {"type": "error", "code": code, "message": error["message"], "param": None}
    return event | {"sequence_number": sent}


def render(outcome: Outcome, fault: Fault) -> Document | EventStream:
    """The reply to POST /responses."""
    script = play(outcome, fault)
    if not outcome.ask.stream:
        return Document(script.frames[-1].event["response"], padded=outcome.fusion is not None)

    def failed(sent: int, error: JsonObject) -> JsonObject:
        kind = as_object(error.get("metadata")).get("error_type", "server")
        done = [frame.event for frame in script.frames[:sent]]
        output = [event["item"] for event in done if event["type"] == "response.output_item.done"]
        response = response_object(outcome, "failed", output, None) | {"error_type": kind}
        response["error"] = {"code": _ERROR_CODES.get(kind, "server_error"), "message": error["message"]}
        return {"type": "response.failed", "response": response, "sequence_number": sent}

    keepalives = 4 if outcome.fusion else 2
    return EventStream(script.frames, _error_event, failed, comment=COMMENT, keepalives=keepalives)
