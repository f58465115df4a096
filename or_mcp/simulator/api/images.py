"""POST /images, and the models that draw."""

import base64
import math
import time
from dataclasses import dataclass
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
from or_mcp.simulator.run.media import PICTURES, sides
from or_mcp.simulator.run.shapes import RATIOS, TIERS, Shape, read_shape
from or_mcp.simulator.run.validation import Rule, invalid, one_of, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_list, as_object, objects

# What OpenAI's picture of a million pixels has in tokens, and one that is sent along, however closely it is looked at.
_TOKENS = {"low": 272, "medium": 1_056, "high": 4_160}
_REFERENCE_TOKENS, _DETAILED_REFERENCE_TOKENS = 258, 1_600
# What is drawn unasked: a square of one tier; or, where models take all they may, half as much again.
_USUAL, _LARGEST_USUAL = Shape(1_024, 1_024), Shape(1_536, 1_024)
_MOST_PICTURES, _MOST_REFERENCES = 10, 16
_BACKGROUNDS = ("auto", "opaque", "transparent")
_PARAMETERS: JsonObject = {
    "n": {"type": "range", "min": 1, "max": _MOST_PICTURES},
    "output_format": {"type": "enum", "values": list(PICTURES)},
    "resolution": {"type": "enum", "values": list(TIERS)},
    "aspect_ratio": {"type": "enum", "values": list(RATIOS)},
    "quality": {"type": "enum", "values": ["auto", *_TOKENS]},
    "background": {"type": "enum", "values": list(_BACKGROUNDS)},
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """Pictures as they are asked for."""

    prompt: str
    count: int
    form: str
    quality: str
    shape: Shape | None
    references: int

    def tokens(self, call: Call) -> Tokens:
        """What is read and drawn for them."""
        greedy = call.fault.greedy
        quality = self.quality if self.quality in _TOKENS else "high" if greedy else "medium"
        each = math.ceil(_TOKENS[quality] * max(self.drawn(greedy=greedy).megapixels / _USUAL.megapixels, Decimal(1)))
        read = Counter(call.fault.tokens_per_char, greedy).text(self.prompt)
        read += self.references * (_DETAILED_REFERENCE_TOKENS if greedy else _REFERENCE_TOKENS)
        return Tokens(read, self.count * each, images=self.references, image_out=self.count * each)

    def drawn(self, *, greedy: bool) -> Shape:
        """The shape they have, asked or unasked."""
        return self.shape or (_LARGEST_USUAL if greedy else _USUAL)

    def by_picture(self, model: Model, *, greedy: bool) -> Bill:
        """What they cost by the picture, or by the million pixels."""
        shape = self.drawn(greedy=greedy)
        sized = shape.megapixels * model.unlisted.get("megapixel", Decimal(0))
        return Bill(completion=self.count * (model.unit_price(shape.tier) + sized))


def generate(state: State, call: Call) -> Reply:
    """The reply to POST /images."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "image")
    asked = _asked(body)
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    tokens = asked.tokens(call)
    cost = bill(endpoint.row["pricing"], tokens) + asked.by_picture(model, greedy=call.fault.greedy)
    served = Served("image", model, endpoint, tokens, cost)
    check_affordable(account, served, byok=call.byok)
    usage = _usage(tokens) | costs(served, byok=call.byok)
    pictures, media_type = (
        [_picture(asked, state.seed, number) for number in range(asked.count)],
        PICTURES[asked.form][0],
    )
    created, identity = int(time.time()), new_identity(state, served)
    keep, headers = charging(call, account, served, identity), {"X-Generation-Id": identity}
    if body.get("stream"):
        frames = _frames(pictures, media_type, created, usage, served.bill.charged(byok=call.byok))
        return EventStream(frames, _broken, _broken, headers=headers, settle=keep)
    data = [{"b64_json": each, "media_type": media_type} for each in pictures]
    return Document({"created": created, "data": data, "usage": usage}, headers=headers, settle=keep)


def _usage(tokens: Tokens) -> JsonObject:
    counts = {"prompt_tokens": tokens.prompt, "completion_tokens": tokens.completion}
    total = {"total_tokens": tokens.prompt + tokens.completion}
    return counts | total | {"completion_tokens_details": {"image_tokens": tokens.image_out}}


def _picture(asked: _Asked, seed: int, number: int) -> str:
    drawn = PICTURES[asked.form][1](seed, asked.prompt, number, **sides(asked.shape))
    return base64.b64encode(drawn).decode()


def _asked(body: JsonObject) -> _Asked:
    prompt, count, form = body.get("prompt"), body.get("n"), body.get("output_format") or "png"
    if not isinstance(prompt, str) or not prompt:
        raise invalid('Invalid input: expected a non-empty string at "prompt"', field="prompt")
    fits = count is None or (isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= _MOST_PICTURES)
    if not fits:
        raise invalid(f'Invalid input: expected integer between 1 and {_MOST_PICTURES} at "n"', field="n")
    if form not in tuple(PICTURES):
        raise invalid(f'Invalid option: expected one of {"|".join(PICTURES)} at "output_format"', field="output_format")
    one_of("auto", *_TOKENS).check(body, "quality")
    one_of(*_BACKGROUNDS).check(body, "background")
    if body.get("background") == "transparent" and form == "jpeg":
        raise invalid("A transparent background needs png or webp", field="background")
    if len(as_list(body.get("input_references"))) > _MOST_REFERENCES:
        raise invalid(f"At most {_MOST_REFERENCES} input_references are allowed", field="input_references")
    Rule("boolean", lambda value: isinstance(value, bool)).check(body, "stream")
    references, quality = len(objects(body.get("input_references"))), str(body.get("quality") or "auto")
    return _Asked(prompt, cast("int | None", count) or 1, str(form), quality, read_shape(body), references)


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
    return {
        "provider_name": row["provider_name"],
        "provider_slug": str(row["tag"]).split("/")[0],
        "provider_tag": row["tag"],
        "supported_parameters": _PARAMETERS,
        "allowed_passthrough_parameters": [],
        "supports_streaming": True,
        "pricing": [
            {"billable": billable, "unit": unit, "cost_usd": float(price)} | ({"variant": size} if size else {})
            for billable, unit, price, size in _prices(model, Rates(row["pricing"]))
        ],
    }


def _prices(model: Model, rate: Rates) -> list[tuple[str, str, Decimal, str]]:
    if "megapixel" in model.unlisted:
        return [("output_image", "megapixel", model.unlisted["megapixel"], "")]
    if "unit" not in model.unlisted:
        return [("input_text", "token", rate("prompt"), ""), ("output_image", "token", rate("image_output"), "")]
    tiers = TIERS if model.sizes else ("",)
    return [("output_image", "image", model.unit_price(tier), tier.lower()) for tier in tiers]
