"""POST /responses: a run spelled as items and events."""

from typing import Any

from or_mcp.simulator.api import items
from or_mcp.simulator.api.fusion_events import FusionEvents
from or_mcp.simulator.api.script import Script
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Document, EventStream
from or_mcp.simulator.run.outcomes import Outcome
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
        items.reasoning(script)
    if outcome.preamble:
        items.message(script, outcome.preamble, phase="commentary")
    if outcome.fusion is not None:
        FusionEvents(script, outcome.fusion).play()
        if outcome.fusion.capped:
            items.capped_call(script, outcome.fusion)
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
        items.web_search(script, number)
    for number, use in enumerate(outcome.uses):
        items.tool_use(script, use, number)
    for call in outcome.tool_calls:
        items.function_call(script, call)
    if outcome.text or outcome.refusal or outcome.empty:
        items.message(script, outcome.text)
    for number, picture in enumerate(outcome.images):
        items.picture(script, picture, number)


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
