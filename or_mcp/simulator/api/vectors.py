"""POST /embeddings and POST /rerank."""

import base64
import math
import random
import re
import struct
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from or_mcp.simulator.catalogue.models import CATALOGUE, Model
from or_mcp.simulator.catalogue.routing import choose_endpoint, find_model
from or_mcp.simulator.delivery.framing import Document, Settlement
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.pricing import Tokens, bill
from or_mcp.simulator.run.asks import text_of
from or_mcp.simulator.run.records import record_call
from or_mcp.simulator.run.texts import token_count
from or_mcp.simulator.run.validation import MAX_EMBEDDING_INPUTS, Rule, invalid, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonList, JsonObject, as_list, as_object, compact, dollars, objects

_IMAGE_TOKENS = 258
_WORD = re.compile(r"\w+")


def embed(state: State, call: Call) -> Document:
    """The reply to POST /embeddings."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = _model(body, "embeddings")
    inputs = _inputs(body)
    dimensions = _dimensions(body, model)
    endpoint = choose_endpoint(model, read_preferences(body))
    tokens = Tokens(prompt=sum(_tokens(item) for item in inputs))
    cost = bill(endpoint.row["pricing"], tokens).total
    _afford(account.remaining, cost)
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _spelled(vector_of(item, dimensions), as_base64=as_base64)}
        for index, item in enumerate(inputs)
    ]
    identity = state.new_id("gen-emb")
    usage = {"prompt_tokens": tokens.prompt, "total_tokens": tokens.prompt, "cost": dollars(cost), "is_byok": False}
    payload: JsonObject = {"id": identity, "object": "list", "model": model.slug, "data": data, "usage": usage}

    def settle(_settlement: Settlement) -> None:
        made = record_call(identity, model, endpoint, tokens, cost, call.origin, "embeddings")
        account.record(made)

    return Document(payload, headers={"X-Generation-Id": identity}, settle=settle)


def _model(body: JsonObject, output: str) -> Model:
    Rule("string", lambda value: isinstance(value, str)).check(body, "model")
    if not body.get("model"):
        raise invalid('Invalid input: expected string, received undefined at "model"', field="model")
    return CATALOGUE.concrete(find_model(body["model"], output))


def _afford(remaining: Decimal, cost: Decimal) -> None:
    if cost > remaining:
        raise Refused(402, f"This request requires more credits: it costs {cost}, {remaining} are left.")


def _inputs(body: JsonObject) -> JsonList:
    given = body.get("input")
    if given is None or given in ("", []):
        raise invalid('Invalid input: expected a non-empty string or array at "input"', field="input")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise invalid('Invalid input: expected string or array at "input"', field="input")
    inputs = as_list(cast(object, given))
    if all(isinstance(item, int) for item in inputs):
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


def _tokens(item: object) -> int:
    if isinstance(item, list):
        return len(as_list(cast(object, item)))
    images = sum(1 for part in objects(as_object(item).get("content")) if part.get("type") != "text")
    return max(token_count(_text(item)), 1) + images * _IMAGE_TOKENS


def vector_of(item: object, dimensions: int) -> list[float]:
    """A unit vector that lies near those of inputs sharing words with this one."""
    words = _WORD.findall(_text(item).lower()) or [compact(item)]
    total: Counter[int] = Counter()
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
    model = _model(body, "rerank")
    query, documents = _rerank_input(body)
    endpoint = choose_endpoint(model, read_preferences(body))
    units = -(-len(documents) // 100)
    tokens = Tokens(prompt=token_count(query) + sum(token_count(each.get("text", "")) for each in documents))
    cost = bill(endpoint.row["pricing"], Tokens()).total * units
    _afford(account.remaining, cost)
    scored = [(relevance(query, each.get("text", "")), index) for index, each in enumerate(documents)]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    results = [
        {"index": index, "relevance_score": score, "document": documents[index]}
        for score, index in scored[: body.get("top_n") or len(scored)]
    ]
    identity = state.new_id("gen-rerank")
    usage = {"search_units": units, "total_tokens": tokens.prompt, "cost": dollars(cost)}
    payload: JsonObject = {"id": identity, "model": model.slug, "provider": endpoint.provider.name}

    def settle(_settlement: Settlement) -> None:
        made = record_call(identity, model, endpoint, tokens, cost, call.origin, "rerank")
        account.record(made)

    payload |= {"results": results, "usage": usage}
    return Document(payload, headers={"X-Generation-Id": identity}, settle=settle)


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
        if not document:
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
