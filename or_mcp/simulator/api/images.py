"""POST /images, and the models that draw."""

import base64
import time
from decimal import Decimal
from typing import cast

from or_mcp.simulator.api.paying import (
    Served,
    charging,
    check_affordable,
    costs,
    named_model,
    new_identity,
)
from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint, find_model
from or_mcp.simulator.delivery.framing import Document, EventStream, Frame, Reply
from or_mcp.simulator.money.pricing import Bill, Rates, Tokens, bill
from or_mcp.simulator.run.counting import Counter
from or_mcp.simulator.run.media import PICTURES
from or_mcp.simulator.run.validation import Rule, invalid, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_list, as_object, objects

# What OpenAI's square picture of medium quality has in tokens, and one that is sent along.
_IMAGE_TOKENS, _REFERENCE_TOKENS = 1_056, 258
_MOST_PICTURES, _MOST_REFERENCES = 10, 16
_PARAMETERS: JsonObject = {
    "n": {"type": "range", "min": 1, "max": _MOST_PICTURES},
    "output_format": {"type": "enum", "values": list(PICTURES)},
}


def generate(state: State, call: Call) -> Reply:
    """The reply to POST /images."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "image")
    prompt, count, form = _asked(body)
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    references = len(objects(body.get("input_references")))
    read = Counter(call.fault.tokens_per_char).text(prompt) + references * _REFERENCE_TOKENS
    drawn = count * _IMAGE_TOKENS
    tokens = Tokens(read, drawn, images=references, image_out=drawn)
    by_picture = Bill(completion=count * model.unlisted.get("unit", Decimal(0)))
    served = Served("image", model, endpoint, tokens, bill(endpoint.row["pricing"], tokens) + by_picture)
    check_affordable(account, served, byok=call.byok)
    usage: JsonObject = {"prompt_tokens": read, "completion_tokens": drawn, "total_tokens": read + drawn}
    usage |= costs(served, byok=call.byok) | {"completion_tokens_details": {"image_tokens": drawn}}
    pictures = [_picture(form, state.seed, prompt, number) for number in range(count)]
    created, identity = int(time.time()), new_identity(state, served)
    keep, headers = charging(call, account, served, identity), {"X-Generation-Id": identity}
    if body.get("stream"):
        frames = _frames(pictures, PICTURES[form][0], created, usage, served.bill.charged(byok=call.byok))
        return EventStream(frames, _broken, _broken, headers=headers, settle=keep)
    data = [{"b64_json": each, "media_type": PICTURES[form][0]} for each in pictures]
    return Document({"created": created, "data": data, "usage": usage}, headers=headers, settle=keep)


def _picture(form: str, *about: object) -> str:
    return base64.b64encode(PICTURES[form][1](*about)).decode()


def _asked(body: JsonObject) -> tuple[str, int, str]:
    prompt, count, form = body.get("prompt"), body.get("n"), body.get("output_format") or "png"
    if not isinstance(prompt, str) or not prompt:
        raise invalid('Invalid input: expected a non-empty string at "prompt"', field="prompt")
    fits = count is None or (isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= _MOST_PICTURES)
    if not fits:
        raise invalid(f'Invalid input: expected integer between 1 and {_MOST_PICTURES} at "n"', field="n")
    if form not in tuple(PICTURES):
        raise invalid(f'Invalid option: expected one of {"|".join(PICTURES)} at "output_format"', field="output_format")
    if len(as_list(body.get("input_references"))) > _MOST_REFERENCES:
        raise invalid(f"At most {_MOST_REFERENCES} input_references are allowed", field="input_references")
    Rule("boolean", lambda value: isinstance(value, bool)).check(body, "stream")
    return prompt, cast("int | None", count) or 1, str(form)


def _frames(pictures: list[str], media_type: str, created: int, usage: JsonObject, cost: Decimal) -> list[Frame]:
    frames: list[Frame] = []
    for number, picture in enumerate(pictures):
        partial = {"type": "image_generation.partial_image", "partial_image_index": number, "b64_json": picture}
        done: JsonObject = {"type": "image_generation.completed", "b64_json": picture, "media_type": media_type}
        done["created"] = created
        if number == len(pictures) - 1:
            done["usage"] = usage
        spent = cost * (number + 1) / len(pictures)
        frames += [Frame(partial, spent), Frame(done, spent)]
    return frames


def _broken(_sent: int, error: JsonObject) -> JsonObject:
    detail = {"code": str(error["code"]), "message": error["message"], "param": None, "type": None}
    return {"type": "error", "error": detail}


def list_models(state: State, _call: Call) -> Document:
    """GET /images/models."""
    return Document({"data": [_row(model) for model in _drawing(state)]})


def _drawing(state: State) -> list[Model]:
    return [model for model in state.catalogue.models if "image" in model.gives and not model.alias_of]


def _row(model: Model) -> JsonObject:
    shape = {name: model.row["architecture"][name] for name in ("input_modalities", "output_modalities")}
    told = {name: model.row[name] for name in ("id", "name", "description", "created")}
    able = {"supported_parameters": _PARAMETERS, "supports_streaming": True}
    return told | {"architecture": shape} | able | {"endpoints": f"/api/v1/images/models/{model.slug}/endpoints"}


def show_endpoints(state: State, call: Call) -> Document:
    """GET /images/models/{author}/{slug}/endpoints."""
    model = find_model(state.catalogue, f"{call.params['author']}/{call.params['slug']}", "image")
    return Document(
        {"id": model.slug, "endpoints": [_endpoint(model, offer.row) for offer in state.catalogue.offers(model)]}
    )


def _endpoint(model: Model, row: JsonObject) -> JsonObject:
    rate = Rates(row["pricing"])
    prices = [("input_text", "token", rate("prompt")), ("output_image", "token", rate("image_output"))]
    if "unit" in model.unlisted:
        prices = [("output_image", "image", model.unlisted["unit"])]
    return {
        "provider_name": row["provider_name"],
        "provider_slug": str(row["tag"]).split("/")[0],
        "provider_tag": row["tag"],
        "supported_parameters": _PARAMETERS,
        "allowed_passthrough_parameters": [],
        "supports_streaming": True,
        "pricing": [{"billable": billable, "unit": unit, "cost_usd": float(price)} for billable, unit, price in prices],
    }
