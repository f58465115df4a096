"""The cache of whole replies, for callers who ask for it: the same body sent again costs nothing."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from or_mcp.simulator.delivery.framing import Document, EventStream, Reply, Settlement
from or_mcp.simulator.money.accounts import Account, Generation
from or_mcp.simulator.state import Call, KeptReply, State
from or_mcp.simulator.wire import JsonObject, compact

_HEADER = "X-OpenRouter-Cache"
_SECONDS, _MOST_SECONDS = 300, 86_400
Handler = Callable[[State, Call], Reply]


def replaying(handler: Handler) -> Handler:
    """The same handler, for callers who may want to have their replies kept."""

    def answer(state: State, call: Call) -> Reply:
        headers = call.request.headers
        if headers.get(_HEADER.lower(), "").lower() != "true":
            return handler(state, call)
        account, seconds = state.inference_account(call), _seconds(headers.get(f"{_HEADER}-TTL".lower(), ""))
        # By the bytes of the body: the same members in another order are another request.
        key = (account.fingerprint, call.request.path, hashlib.sha256(call.raw).hexdigest())
        if headers.get(f"{_HEADER}-Clear".lower(), "").lower() == "true":
            state.kept_replies.pop(key, None)
        kept = state.kept_replies.get(key)
        if kept is not None and time.time() < kept.until:
            return _again(state, account, kept)
        reply = handler(state, call)
        _keep(state, key, reply, seconds)
        return reply

    return answer


def _seconds(given: str) -> int:
    return max(min(int(given), _MOST_SECONDS), 1) if given.isdecimal() else _SECONDS


def _keep(state: State, key: tuple[str, str, str], reply: Reply, seconds: int) -> None:
    """Remember a reply as soon as it has been delivered whole."""
    charge, now = reply.settle, time.time()

    def settle(settlement: Settlement) -> None:
        charge(settlement)
        if settlement == Settlement():
            state.kept_replies[key] = KeptReply(reply, now, now + seconds)

    reply.settle = settle
    reply.headers |= {f"{_HEADER}-Status": "MISS", f"{_HEADER}-TTL": str(seconds)}


def _again(state: State, account: Account, kept: KeptReply) -> Reply:
    """A kept reply with an id of its own, as new and free of charge."""
    source = kept.reply.headers["X-Generation-Id"]
    identity = state.new_id(source.rsplit("-", 2)[0])

    def renewed(payload: object) -> Any:
        return _unpaid(json.loads(compact(payload).replace(source, identity)))

    def settle(_settlement: Settlement) -> None:
        account.record(_record(account, source, identity))

    age, ttl = time.time() - kept.at, kept.until - kept.at
    told = {"Status": "HIT", "Age": f"{age:.0f}", "TTL": f"{ttl:.0f}", "Source-Id": source}
    headers = {f"{_HEADER}-{name}": value for name, value in told.items()} | {"X-Generation-Id": identity}
    if isinstance(kept.reply, EventStream):
        frames = [replace(frame, event=renewed(frame.event), spent=0 * frame.spent) for frame in kept.reply.frames]
        return replace(kept.reply, frames=frames, headers=headers, settle=settle)
    return Document(renewed(kept.reply.payload), headers=headers, settle=settle)


def _unpaid(value: Any, *, within: bool = False) -> Any:
    """The same with nothing but zeros in its usage."""
    if isinstance(value, dict):
        members = cast("JsonObject", value).items()
        return {name: _unpaid(each, within=within or name == "usage") for name, each in members}
    if isinstance(value, list):
        return [_unpaid(each, within=within) for each in cast("list[Any]", value)]
    return 0 if within and isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _record(account: Account, source: str, identity: str) -> Generation:
    paid = next(each for each in account.generations if each.id == source)
    unpaid: JsonObject = {"total_cost": 0, "usage": 0, "upstream_inference_cost": 0}
    return Generation(
        identity, time.time(), (), paid.details | unpaid | {"id": identity, "response_cache_source_id": source}
    )
