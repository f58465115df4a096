"""POST /embeddings and POST /rerank."""

import base64
import math
import random
import re
import struct
from collections import Counter as Tally
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from or_mcp.simulator.api.paying import Served, named_model, paid_reply
from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.pricing import TIERS, Tokens, bill
from or_mcp.simulator.money.reranking import RerankWork
from or_mcp.simulator.run.asks import text_of
from or_mcp.simulator.run.counting import Counter
from or_mcp.simulator.run.validation import MAX_EMBEDDING_INPUTS, invalid, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonList, JsonObject, as_list, as_object, compact, objects

_IMAGE_TOKENS = 258
_WORD = re.compile(r"\w+")


def embed(state: State, call: Call) -> Document:
    """The reply to POST /embeddings."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "embeddings")
    inputs = _inputs(body)
    dimensions = _dimensions(body, model)
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    counter = Counter(call.fault.tokens_per_char, call.fault.greedy)
    images = sum(_images(item) for item in inputs)
    tokens = Tokens(prompt=sum(_tokens(item, counter) for item in inputs), images=images)
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _spelled(vector_of(item, dimensions), as_base64=as_base64)}
        for index, item in enumerate(inputs)
    ]
    counted: JsonObject = {"prompt_tokens": tokens.prompt, "total_tokens": tokens.prompt}
    payload: JsonObject = {"object": "list", "model": model.slug, "data": data, "usage": counted}
    paid = bill(endpoint.row["pricing"], tokens, tier=TIERS["batch"] if call.batched else Decimal(1))
    return paid_reply(state, call, account, Served("embeddings", model, endpoint, tokens, paid), payload)


def _inputs(body: JsonObject) -> JsonList:
    given = body.get("input")
    if given is None or given in ("", []):
        raise invalid('Invalid input: expected a non-empty string or array at "input"', field="input")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise invalid('Invalid input: expected string or array at "input"', field="input")
    inputs = as_list(cast(object, given))
    # The official Python package spells token ids as floats.
    if all(isinstance(item, (int, float)) for item in inputs):
        return [inputs]
    for item in inputs:
        if not isinstance(item, (str, list, dict)) or not item:
            raise invalid('Invalid input: expected non-empty strings at "input"', field="input")
    if len(inputs) > MAX_EMBEDDING_INPUTS:
        raise Refused(413, f"Too many inputs: {len(inputs)}, at most {MAX_EMBEDDING_INPUTS} are allowed")
    return inputs


def _dimensions(body: JsonObject, model: Model) -> int:
    most = model.dimensions or 1024
    wanted = body.get("dimensions")
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise invalid('Invalid option: expected one of "float"|"base64" at "encoding_format"', field="encoding_format")
    if wanted is None:
        return most
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 1 <= wanted <= most:
        raise invalid(f'Invalid input: expected integer between 1 and {most} at "dimensions"', field="dimensions")
    return wanted


def _text(item: object) -> str:
    return item if isinstance(item, str) else text_of(as_object(item).get("content")) or compact(item)


def _images(item: object) -> int:
    return sum(1 for part in objects(as_object(item).get("content")) if part.get("type") != "text")


def _tokens(item: object, counter: Counter) -> int:
    if isinstance(item, list):
        return len(as_list(cast(object, item)))
    return max(counter.text(_text(item)), 1) + _images(item) * _IMAGE_TOKENS


def vector_of(item: object, dimensions: int) -> list[float]:
    """A unit vector that lies near those of inputs sharing words with this one."""
    words = _WORD.findall(_text(item).lower()) or [compact(item)]
    total: Tally[int] = Tally()
    for word in words:
        # A few signed places per word: shared words mean a shared direction, and it is quick.
        dice = random.Random(word)
        for _ in range(8):
            total[dice.randrange(dimensions)] += dice.choice((-1, 1))
    length = math.hypot(*total.values()) or 1.0
    vector = [0.0] * dimensions
    for place, value in total.items():
        vector[place] = round(value / length, 7)
    return vector


def _spelled(vector: Sequence[float], *, as_base64: bool) -> Sequence[float] | str:
    if not as_base64:
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def rerank(state: State, call: Call) -> Document:
    """The reply to POST /rerank."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "rerank")
    query, documents = _rerank_input(body)
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    scored = [(relevance(query, each.get("text", "")), index) for index, each in enumerate(documents)]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    results = [
        {"index": index, "relevance_score": score, "document": documents[index]}
        for score, index in scored[: body.get("top_n") or len(scored)]
    ]
    counter = Counter(call.fault.tokens_per_char, call.fault.greedy)
    read = [counter.text(each.get("text", "")) + (_IMAGE_TOKENS if each.get("image") else 0) for each in documents]
    work = RerankWork(counter.text(query), tuple(read), greedy=call.fault.greedy)
    paid = work.bill(endpoint.row["pricing"], model.unlisted)
    usage: JsonObject = {"total_tokens": work.tokens.prompt}
    if "unit" in model.unlisted:
        usage["search_units"] = work.units
    payload: JsonObject = {"model": model.slug, "provider": endpoint.provider.name, "results": results, "usage": usage}
    return paid_reply(state, call, account, Served("rerank", model, endpoint, work.tokens, paid), payload)


def _rerank_input(body: JsonObject) -> tuple[str, list[JsonObject]]:
    query, given = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not query:
        raise invalid('Invalid input: expected string at "query"', field="query")
    if not isinstance(given, list) or not given:
        raise invalid('Invalid input: expected a non-empty array at "documents"', field="documents")
    top_n = body.get("top_n")
    if top_n is not None and (not isinstance(top_n, int) or top_n < 1):
        raise invalid('Invalid input: expected integer of at least 1 at "top_n"', field="top_n")
    documents: list[JsonObject] = []
    for item in as_list(cast(object, given)):
        document: JsonObject = {"text": item} if isinstance(item, str) else as_object(item)
        if not document or not isinstance(document.get("text", ""), str):
            raise invalid('Invalid input: expected strings or objects at "documents"', field="documents")
        documents.append(document)
    return query, documents


def relevance(query: str, text: str) -> float:
    """How much of a query a text covers, between 0 and 1, with shorter texts ahead of equal longer ones."""
    wanted, found = set(_WORD.findall(query.lower())), _WORD.findall(text.lower())
    if not wanted or not found:
        return 0.001
    covered = len(wanted & set(found)) / len(wanted)
    return round(0.01 + 0.95 * covered + 0.03 / (1 + len(found)), 6)
