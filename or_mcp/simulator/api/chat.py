"""POST /chat/completions: a run spelled as a message or as chunks."""

import base64
from decimal import Decimal
from random import Random

from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Document, EventStream, Frame
from or_mcp.simulator.run.history import thoughts
from or_mcp.simulator.run.media import RATE, data_url
from or_mcp.simulator.run.outcomes import FusionRun, Outcome
from or_mcp.simulator.run.texts import dice_for, pieces
from or_mcp.simulator.run.tools import ToolUse
from or_mcp.simulator.wire import JsonObject, compact, dollars

# A quarter of a second of sound in a chunk; and how long upstream says that it keeps it.
_SOUND_BYTES, _SOUND_SECONDS_KEPT = RATE // 2, 3_600


def usage_object(outcome: Outcome) -> JsonObject:
    """`usage`: the whole run's cost, the outer model's tokens."""
    tokens = outcome.tokens
    usage: JsonObject = {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.prompt + tokens.completion,
        "cost": dollars(outcome.cost),
        "is_byok": outcome.byok,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.written,
            "audio_tokens": tokens.audio,
            "video_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": tokens.audio_out,
            "image_tokens": tokens.image_out,
        },
        "cost_details": outcome.bill.details(),
    }
    if outcome.tool_use:
        usage["server_tool_use_details"] = outcome.tool_use
    return usage


def _fusion_records(run: FusionRun) -> list[JsonObject]:
    record: JsonObject = {
        "type": "reasoning.server_tool_call",
        "tool_name": "openrouter:fusion",
        "tool_call_id": f"call_{run.id[-10:]}",
        "id": run.id.replace("st_tmp_", "st_fusion_"),
        "index": 0,
        "format": "unknown",
        "arguments": compact({"prompt": run.prompt}),
        "result": compact(run.chat_result()),
    }
    if not run.capped:
        return [record]
    refused = {"status": "error", "failure_reason": "fusion_invocation_capped"}
    refused["error"] = "Fusion can be invoked once per request."
    again = {"id": f"{record['id']}_2", "tool_call_id": f"{record['tool_call_id']}_2", "index": 1}
    return [record, record | again | {"result": compact(refused)}]


def _tool_record(use: ToolUse, identity: str) -> JsonObject:
    return {
        "type": "reasoning.server_tool_call",
        "tool_name": use.kind,
        "tool_call_id": f"call_{identity}",
        "id": f"st_{identity}",
        "format": "unknown",
        "arguments": compact(use.arguments),
        "result": compact(use.result),
    }


def _pictures(outcome: Outcome) -> list[JsonObject]:
    drawn = [*outcome.images, *(use.picture for use in outcome.uses if use.picture)]
    return [
        {"type": "image_url", "index": n, "image_url": {"url": data_url(picture)}} for n, picture in enumerate(drawn)
    ]


def reasoning_details(outcome: Outcome) -> list[JsonObject]:
    """What happened before the answer: server tool calls, then the reasoning."""
    details = _fusion_records(outcome.fusion) if outcome.fusion else []
    details += [_tool_record(use, f"{outcome.id[-8:]}{n}") for n, use in enumerate(outcome.uses)]
    details = [detail | {"index": index} for index, detail in enumerate(details)]
    calls = [call.id for call in outcome.tool_calls]
    told = thoughts(outcome.reasoning, outcome.model.author, outcome.model.slug, outcome.provider, calls)
    # Parts with ids of their own are told apart by those, not by their place.
    return details + [detail | {"index": len(details) + (0 if "id" in detail else n)} for n, detail in enumerate(told)]


def annotations(outcome: Outcome) -> list[JsonObject]:
    """What is cited, and what was read from documents for the first time."""
    return [*(citation.nested() for citation in outcome.citations), *outcome.ask.documents.annotations()]


def _tool_calls(outcome: Outcome) -> list[JsonObject]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in outcome.tool_calls
    ]


def result_object(outcome: Outcome) -> JsonObject:
    """The whole completion."""
    message: JsonObject = {
        "role": "assistant",
        "content": None if outcome.refusal or (outcome.tool_calls and not outcome.text) else outcome.text,
        "refusal": outcome.refusal,
        "reasoning": outcome.reasoning or None,
    }
    if details := reasoning_details(outcome):
        message["reasoning_details"] = details
    if outcome.tool_calls:
        message["tool_calls"] = _tool_calls(outcome)
    if pictures := _pictures(outcome):
        message["images"] = pictures
    if notes := annotations(outcome):
        message["annotations"] = notes
    choice = {
        "index": 0,
        "logprobs": None,
        "finish_reason": outcome.finish_reason,
        "native_finish_reason": outcome.native_finish_reason,
        "message": message,
    }
    head = _head(outcome, "chat.completion")
    return head | {"system_fingerprint": None, "choices": [choice], "usage": usage_object(outcome)}


def _head(outcome: Outcome, kind: str) -> JsonObject:
    named = {"id": outcome.id, "object": kind, "created": outcome.created}
    served = {"model": outcome.model.slug, "provider": outcome.provider, "service_tier": outcome.tier}
    return named | served


def _chunk(outcome: Outcome, delta: JsonObject, finish: str | None = None, native: str | None = None) -> JsonObject:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": native, "logprobs": None}
    return _head(outcome, "chat.completion.chunk") | {"choices": [choice]}


def _deltas(outcome: Outcome) -> list[JsonObject]:
    dice = dice_for("pieces", outcome.model.slug, outcome.ask.question)
    opening: JsonObject = {"role": "assistant", "content": ""}
    details = reasoning_details(outcome)
    calls = [detail for detail in details if detail["type"] == "reasoning.server_tool_call"]
    deltas = [opening | ({"reasoning_details": calls} if calls else {})]
    for detail in details[len(calls) :]:
        deltas += _thinking(detail, dice)
    for index, call in enumerate(_tool_calls(outcome)):
        function = call["function"]
        started = call | {"index": index, "function": {"name": function["name"], "arguments": ""}}
        deltas.append({"content": None, "tool_calls": [started]})
        parts = pieces(function["arguments"], dice)
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": part}}]} for part in parts]
    deltas += _spoken(outcome, dice) if outcome.sound else [{"content": part} for part in pieces(outcome.text, dice)]
    deltas += [{"content": "", "images": [picture]} for picture in _pictures(outcome)]
    if outcome.refusal:
        deltas.append({"refusal": outcome.refusal})
    if notes := annotations(outcome):
        deltas.append({"content": "", "annotations": notes})
    return deltas


def _spoken(outcome: Outcome, dice: Random) -> list[JsonObject]:
    """An answer that is said instead of written: its sound in base64, and what is said."""
    identity = f"audio_{outcome.id[-12:]}"
    sound = outcome.sound
    deltas: list[JsonObject] = [
        {"audio": {"id": identity, "data": base64.b64encode(sound[at : at + _SOUND_BYTES]).decode()}}
        for at in range(0, len(sound), _SOUND_BYTES)
    ]
    deltas += [{"audio": {"id": identity, "transcript": part}} for part in pieces(outcome.text, dice)]
    return [*deltas, {"audio": {"id": identity, "expires_at": outcome.created + _SOUND_SECONDS_KEPT}}]


def _thinking(detail: JsonObject, dice: Random) -> list[JsonObject]:
    """A thought in fragments: its words, then what seals it."""
    spelled = next((name for name in ("text", "summary") if name in detail), None)
    if spelled is None:
        return [{"content": "", "reasoning_details": [detail]}]
    seal = {name: detail[name] for name in ("signature",) if name in detail}
    opened = {name: value for name, value in detail.items() if name not in seal}
    deltas: list[JsonObject] = [
        {"content": "", "reasoning": part, "reasoning_details": [opened | {spelled: part}]}
        for part in pieces(detail[spelled], dice)
    ]
    if seal:
        deltas.append({"content": "", "reasoning_details": [opened | {spelled: ""} | seal]})
    return deltas


def _frames(outcome: Outcome, fault: Fault) -> list[Frame]:
    deltas = _deltas(outcome)
    sunk = outcome.fusion.cost if outcome.fusion else Decimal(0)
    step = outcome.charged / len(deltas)
    frames: list[Frame] = []
    for number, delta in enumerate(deltas, start=1):
        chunk = _chunk(outcome, delta)
        if fault.unknown_events and number % 2:
            chunk["x_simulated_extra"] = {"nobody": ["knows", number]}
        frames.append(Frame(chunk, sunk + step * number, sunk))
    last = _chunk(outcome, {"content": ""}, outcome.finish_reason, outcome.native_finish_reason)
    usage: JsonObject = _head(outcome, "chat.completion.chunk") | {"choices": [], "usage": usage_object(outcome)}
    return [*frames, Frame(last, outcome.cost, sunk), Frame(usage, outcome.cost, sunk)]


def render(outcome: Outcome, fault: Fault) -> Document | EventStream:
    """The reply to POST /chat/completions."""
    if not outcome.ask.stream:
        return Document(result_object(outcome), padded=outcome.fusion is not None)

    def broken(_sent: int, error: JsonObject) -> JsonObject:
        return _chunk(outcome, {"content": ""}, "error", "error") | {"error": error}

    keepalives = 6 if outcome.fusion else 1
    return EventStream(_frames(outcome, fault), broken, broken, keepalives=keepalives)
