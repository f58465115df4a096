"""POST /messages: a run spelled as Anthropic does."""

import json
from base64 import b64encode

from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Document, EventStream, Frame, named_event
from or_mcp.simulator.run.history import signature_of
from or_mcp.simulator.run.outcomes import Citation, Outcome
from or_mcp.simulator.run.texts import dice_for, pieces
from or_mcp.simulator.run.tools import ToolUse
from or_mcp.simulator.run.web import FETCH_TOOLS
from or_mcp.simulator.wire import JsonObject, as_object, dollars, objects

_SEARCHES_TOLD = 5
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def _usage(outcome: Outcome, *, final: bool) -> JsonObject:
    tokens = outcome.tokens
    usage: JsonObject = {
        "input_tokens": tokens.prompt - tokens.cached - tokens.written,
        "output_tokens": tokens.completion if final else 1,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning if final else 0},
        "cache_creation_input_tokens": tokens.written,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.written - tokens.written_1h,
            "ephemeral_1h_input_tokens": tokens.written_1h,
        },
        "inference_geo": None,
        "server_tool_use": {"web_search_requests": outcome.searches, "web_fetch_requests": outcome.fetches},
        "service_tier": "standard",
    }
    if final:
        usage |= {
            "cost": dollars(outcome.cost),
            "is_byok": outcome.byok,
            "cost_details": outcome.bill.details(),
        }
    return usage


def _blocks(outcome: Outcome) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    if outcome.reasoning:
        signature = signature_of(outcome.reasoning, outcome.model.author)
        blocks.append({"type": "thinking", "thinking": outcome.reasoning, "signature": signature})
    if outcome.fusion:
        call = {"type": "server_tool_use", "id": f"srvtoolu_{outcome.fusion.id[-10:]}", "name": "openrouter:fusion"}
        blocks.append(call | {"input": {"prompt": outcome.fusion.prompt}})
    blocks += _searches(outcome)
    for number, use in enumerate(outcome.uses):
        blocks += _tool_use(use, f"srvtoolu_{outcome.id[-8:]}{number}")
    if outcome.text or outcome.refusal:
        cited = [_citation(outcome, each) for each in outcome.citations]
        blocks.append({"type": "text", "text": outcome.text or outcome.refusal, "citations": cited or None})
    for call in outcome.tool_calls:
        used = {"type": "tool_use", "id": f"toolu_{call.id[5:]}", "caller": {"type": "direct"}, "name": call.name}
        blocks.append(used | {"input": json.loads(call.arguments)})
    return blocks


def _tool_use(use: ToolUse, identity: str) -> list[JsonObject]:
    """A call of a server tool, and the page it read; Anthropic's form has no results of the others."""
    asked: JsonObject = {"type": "server_tool_use", "id": identity, "name": use.kind, "input": use.arguments}
    if use.kind not in FETCH_TOOLS:
        return [asked]
    result = {"type": "web_fetch_tool_result", "tool_use_id": identity, "caller": {"type": "direct"}}
    return [asked | {"name": "web_fetch"}, result | {"content": _page(use.result)}]


def _page(result: JsonObject) -> JsonObject:
    if "error" in result:
        return {"type": "web_fetch_tool_result_error", "error_code": "url_not_allowed"}
    source = {"type": "text", "media_type": "text/plain", "data": result["content"]}
    document = {"type": "document", "source": source, "title": result["title"], "citations": None}
    return {"type": "web_fetch_result", "url": result["url"], "retrieved_at": None, "content": document}


def _searches(outcome: Outcome) -> list[JsonObject]:
    """Each search as it was asked for, and what it found."""
    found = [
        {
            "type": "web_search_result",
            "url": each.url,
            "title": each.title,
            "page_age": None,
            "encrypted_content": b64encode(each.content.encode()).decode(),
        }
        for each in outcome.citations
    ]
    blocks: list[JsonObject] = []
    # A run that was billed for very many tells of the first few.
    for number in range(min(outcome.searches, _SEARCHES_TOLD)):
        identity = f"srvtoolu_{outcome.id[-10:]}{number}"
        asked = {"type": "server_tool_use", "id": identity, "name": "web_search"}
        blocks.append(asked | {"input": {"query": outcome.ask.question[:120]}})
        result = {"type": "web_search_tool_result", "tool_use_id": identity, "caller": {"type": "direct"}}
        blocks.append(result | {"content": found})
    return blocks


def _citation(outcome: Outcome, source: Citation) -> JsonObject:
    return {
        "type": "web_search_result_location",
        "url": source.url,
        "title": source.title,
        "cited_text": outcome.text[source.start : source.end],
        "encrypted_index": "c2ltdWxhdGVk",
    }


def _message(outcome: Outcome, content: list[JsonObject], *, final: bool) -> JsonObject:
    return {
        "id": outcome.id,
        "type": "message",
        "role": "assistant",
        "container": None,
        "content": content,
        "model": outcome.model.slug,
        "stop_reason": _STOP_REASONS[outcome.finish_reason] if final else None,
        "stop_details": None,
        "stop_sequence": None,
        "usage": _usage(outcome, final=final),
        "provider": outcome.provider,
    }


_DELTAS = {"text": "text_delta", "thinking": "thinking_delta"}


def _block_events(block: JsonObject, index: int, outcome: Outcome) -> list[JsonObject]:
    dice = dice_for("pieces", index, outcome.model.slug, outcome.ask.question)
    kind = block["type"]
    opened, whole, name = dict(block), "", ""
    if kind in ("text", "thinking"):
        whole, name = block[kind], kind
        opened = block | {kind: ""} | ({"citations": None} if kind == "text" else {"signature": ""})
    elif kind in ("tool_use", "server_tool_use"):
        whole, name = json.dumps(block["input"]), "partial_json"
        opened["input"] = {}
    events: list[JsonObject] = [{"type": "content_block_start", "index": index, "content_block": opened}]
    deltas: list[JsonObject] = [
        {"type": _DELTAS.get(kind, "input_json_delta"), name: part} for part in pieces(whole, dice)
    ]
    deltas += [{"type": "citations_delta", "citation": each} for each in objects(block.get("citations"))]
    if kind == "thinking":
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*events, {"type": "content_block_stop", "index": index}]


def _frames(outcome: Outcome, fault: Fault) -> list[Frame]:
    start = {"type": "message_start", "message": _message(outcome, [], final=False)}
    events: list[JsonObject] = [start, {"type": "ping"}]
    for index, block in enumerate(_blocks(outcome)):
        events += _block_events(block, index, outcome)
    if fault.unknown_events:
        events.insert(2, {"type": "x_simulated_telemetry", "load": 0.5})
    delta = {"container": None, "stop_details": None, "stop_reason": _STOP_REASONS[outcome.finish_reason]}
    usage = _usage(outcome, final=True)
    events.append({"type": "message_delta", "delta": delta | {"stop_sequence": None}, "usage": usage})
    events.append({"type": "message_stop"})
    sunk = outcome.fusion.cost if outcome.fusion else outcome.cost * 0
    step = outcome.charged / len(events)
    return [Frame(event, sunk + step * number, sunk) for number, event in enumerate(events, start=1)]


def render(outcome: Outcome, fault: Fault) -> Document | EventStream:
    """The reply to POST /messages."""
    if not outcome.ask.stream:
        return Document(_message(outcome, _blocks(outcome), final=True), padded=outcome.fusion is not None)

    def broken(_sent: int, error: JsonObject) -> JsonObject:
        kind = as_object(error.get("metadata")).get("error_type", "server")
        return {"type": "error", "error": {"type": "api_error", "message": error["message"], "error_type": kind}}

    frames = _frames(outcome, fault)
    return EventStream(frames, broken, broken, encode=named_event, last_line="")
