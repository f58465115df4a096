"""The output items of /responses, each announced, told and finished."""

import base64
from decimal import Decimal

from or_mcp.simulator.api.script import Script
from or_mcp.simulator.run.history import reasoning_item
from or_mcp.simulator.run.outcomes import FusionRun, ToolCall
from or_mcp.simulator.run.tools import ToolUse
from or_mcp.simulator.run.web import SEARCH_TOOLS
from or_mcp.simulator.wire import JsonObject


def capped_call(script: Script, run: FusionRun) -> None:
    """A second fusion, which is refused."""
    opened: JsonObject = {"id": f"{run.id}_2", "type": "openrouter:fusion", "status": "in_progress"}
    index = script.add_item(opened)
    script.emit("response.fusion_call.in_progress", output_index=index, item_id=opened["id"])
    script.emit("response.fusion_call.completed", output_index=index, item_id=opened["id"])
    refused: JsonObject = {
        "failure_reason": "fusion_invocation_capped",
        "error": "Fusion can be invoked once per request.",
    }
    script.finish_item(index, opened | {"status": "incomplete"} | refused)


def reasoning(script: Script) -> None:
    """What the model thought, in the form its author shows."""
    outcome = script.outcome
    item = reasoning_item(outcome.reasoning, outcome.model.author, outcome.model.slug, outcome.provider)
    item = {"id": f"rs_{outcome.id[-12:]}"} | item
    index = script.add_item({"id": item["id"], "type": "reasoning", "summary": [], "status": "in_progress"})
    where: JsonObject = {"output_index": index, "item_id": item["id"]}
    _thought(script, where, outcome.reasoning, summed_up=bool(item["summary"]))
    script.finish_item(index, item | {"status": "completed"})


def _thought(script: Script, where: JsonObject, text: str, *, summed_up: bool) -> None:
    events, part = ("reasoning_summary_part", "summary_text") if summed_up else ("content_part", "reasoning_text")
    texts = "reasoning_summary_text" if summed_up else "reasoning_text"
    where = where | {"summary_index" if summed_up else "content_index": 0}
    script.emit(f"response.{events}.added", **where, part={"type": part, "text": ""})
    for delta in script.cut(text):
        script.emit(f"response.{texts}.delta", **where, delta=delta)
    script.emit(f"response.{texts}.done", **where, text=text)
    script.emit(f"response.{events}.done", **where, part={"type": part, "text": text})


def web_search(script: Script, number: int) -> None:
    """A search of the web."""
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


def tool_use(script: Script, use: ToolUse, number: int) -> None:
    """What a server tool brought."""
    item: JsonObject = {"id": f"st_tmp_{script.outcome.id[-8:]}t{number}", "type": use.kind}
    if use.kind == "image_generation":
        item["type"] = "image_generation_call"
    result = use.result
    if use.picture:
        result = result | {"result": base64.b64encode(use.picture).decode()}
    _whole_item(script, item, result)


def picture(script: Script, picture: bytes, number: int) -> None:
    """A picture that the model shows."""
    item: JsonObject = {"id": f"ig_{script.outcome.id[-10:]}{number}", "type": "image_generation_call"}
    _whole_item(script, item, {"result": base64.b64encode(picture).decode()})


def _whole_item(script: Script, item: JsonObject, result: JsonObject) -> None:
    """An item that is there at once."""
    pending = {name: value for name, value in result.items() if name in ("datetime", "timezone")}
    index = script.add_item(item | pending | {"status": "in_progress"})
    script.finish_item(index, item | result | {"status": "completed"})


def function_call(script: Script, call: ToolCall) -> None:
    """A function that the model wants called."""
    item: JsonObject = {"id": f"fc_{call.id[5:]}", "type": "function_call", "call_id": call.id, "name": call.name}
    index = script.add_item(item | {"status": "in_progress", "arguments": ""})
    where: JsonObject = {"output_index": index, "item_id": item["id"]}
    for delta in script.cut(call.arguments):
        script.emit("response.function_call_arguments.delta", **where, delta=delta)
    done: JsonObject = {"name": call.name, "arguments": call.arguments}
    script.emit("response.function_call_arguments.done", **where, **done)
    script.finish_item(index, item | {"status": "completed", "arguments": call.arguments})


def message(script: Script, text: str, phase: str | None = None) -> None:
    """Something the model says, or refuses to say."""
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
