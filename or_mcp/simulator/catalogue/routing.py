"""Which endpoint serves a request: the model it names, and what its provider preferences leave."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.simulator.catalogue.catalogue import Catalogue
from or_mcp.simulator.catalogue.endpoints import Endpoint
from or_mcp.simulator.catalogue.models import Model
from or_mcp.simulator.delivery.refusals import Refused, unavailable
from or_mcp.simulator.money.pricing import Rates
from or_mcp.simulator.wire import JsonObject, as_list, as_object

_MILLION = Decimal(1_000_000)

Keeps = Callable[[Endpoint], bool]


@dataclass(frozen=True, slots=True)
class _Filter:
    """One preference: what to call it when it excludes something, which field asked, what it keeps."""

    reason: str
    field: str
    keeps: Keeps


_RIGHT_PATHS = {
    "text": "/api/v1/chat/completions",
    "embeddings": "/api/v1/embeddings",
    "rerank": "/api/v1/rerank",
    "image": "/api/v1/images",
    "video": "/api/v1/videos",
    "speech": "/api/v1/audio/speech",
    "transcription": "/api/v1/audio/transcriptions",
    "decisions": "/api/alpha/decisions",
}


def find_model(catalogue: Catalogue, slug: str, output: str | None = None) -> Model:
    """The model named in a request; refuses one that does not exist, with the closest names."""
    model = catalogue.find(slug)
    if model is None:
        message = f"{slug} is not a valid model ID"
        raise unavailable(404, "model_not_found", message, [slug], fallback_models=catalogue.closest(slug))
    if output is not None and output not in model.gives:
        raise wrong_endpoint(catalogue, model, output)
    return model


def wrong_endpoint(catalogue: Catalogue, model: Model, output: str) -> Refused:
    """The refusal of a model that does not do what this endpoint is for."""
    path = next((path for kind, path in _RIGHT_PATHS.items() if kind in model.gives), "its own endpoint")
    others = [other.slug for other in catalogue.models if output in other.gives][:3]
    return unavailable(
        400,
        "wrong_endpoint",
        f"Model {model.slug} does not support {output} output",
        [model.slug],
        fallback_models=others,
        constraint={"field": "model", "detail": f"Use {path} with {model.slug}"},
    )


@dataclass(frozen=True, slots=True)
class Route:
    """How a request wants to be served."""

    preferences: JsonObject
    # The parameters it uses, which matter with `require_parameters`.
    wanted: frozenset[str] = frozenset()
    # Whether the dearest endpoint left is taken, instead of the usual one.
    dearest: bool = False


def dearest(offers: Sequence[Endpoint]) -> Endpoint:
    """The endpoint whose tokens cost most, read and written."""

    def price(offer: Endpoint) -> Decimal:
        rate = Rates(offer.row["pricing"])
        return (rate("prompt") + rate("completion")) * rate.kept + rate("request") / _MILLION

    return max(offers, key=price)


def choose_endpoint(catalogue: Catalogue, model: Model, route: Route) -> Endpoint:
    """The endpoint that serves a concrete model this way; refuses when none is left."""
    preferences, wanted = route.preferences, route.wanted
    offers = list(catalogue.offers(model))
    excluding: list[_Filter] = []
    for each in _filters(preferences, wanted):
        kept = [offer for offer in offers if each.keeps(offer)]
        if len(kept) < len(offers):
            excluding.append(each)
        offers = kept
    if not offers:
        raise _nothing_left(catalogue, model, preferences, excluding)
    return dearest(offers) if route.dearest else _preferred(offers, preferences)


def _filters(preferences: JsonObject, wanted: frozenset[str]) -> Iterator[_Filter]:
    ignore: list[str] = preferences.get("ignore") or []
    only: list[str] | None = preferences.get("only")
    if preferences.get("allow_fallbacks") is False:
        only = only or preferences.get("order")
    grades: list[str] = preferences.get("quantizations") or []
    if preferences.get("zdr"):
        yield _Filter("data_policy:zdr", "provider.zdr", lambda offer: offer.provider.zdr)
    if preferences.get("data_collection") == "deny":
        yield _Filter("data_policy:training", "provider.data_collection", lambda offer: not offer.provider.trains)
    if only:
        yield _Filter("allowed_providers", "provider.only", lambda offer: any(map(offer.answers_to, only)))
    if ignore:
        yield _Filter("ignored_providers", "provider.ignore", lambda offer: not any(map(offer.answers_to, ignore)))
    if grades:
        yield _Filter("quantization", "provider.quantizations", lambda offer: offer.row["quantization"] in grades)
    for name, limit in as_object(preferences.get("max_price")).items():
        if limit is not None:
            yield _Filter("max_price", f"provider.max_price.{name}", _cheap_enough(name, Decimal(str(limit))))
    if preferences.get("require_parameters"):
        yield _Filter(
            "require_parameters",
            "provider.require_parameters",
            lambda offer: wanted <= set(offer.row["supported_parameters"]),
        )


def _cheap_enough(name: str, limit: Decimal) -> Keeps:
    # Token prices are compared per million, the others per unit.
    scale = _MILLION if name in ("prompt", "completion", "audio") else Decimal(1)
    return lambda offer: Rates(offer.row["pricing"])(name) * scale <= limit


def _nothing_left(catalogue: Catalogue, model: Model, preferences: JsonObject, excluding: list[_Filter]) -> Refused:
    privacy = any(each.reason.startswith("data_policy") for each in excluding)
    message = (
        "No endpoints found matching your data policy"
        if privacy
        else f"No allowed providers are available for the selected model {model.slug}"
    )
    last = excluding[-1] if excluding else None
    return unavailable(
        404,
        "privacy_restricted" if privacy else "constraint_filtered" if excluding else "no_endpoints",
        message,
        [model.slug],
        excluded_by=list(dict.fromkeys(each.reason for each in excluding)),
        affected_providers=[offer.provider.name for offer in catalogue.offers(model)],
        fallback_models=_others_that_pass(catalogue, model, preferences),
        constraint=last and {"field": last.field, "detail": f"No endpoint of {model.slug} satisfies {last.field}"},
    )


def _others_that_pass(catalogue: Catalogue, model: Model, preferences: JsonObject) -> list[str]:
    found: list[str] = []
    for other in catalogue.models:
        if other.gives != model.gives or other.alias_of or other.is_router or other.slug == model.slug:
            continue
        offers = catalogue.offers(other)
        if any(all(each.keeps(offer) for each in _filters(preferences, frozenset())) for offer in offers):
            found.append(other.slug)
        if len(found) == 3:
            break
    return found


def _preferred(offers: list[Endpoint], preferences: JsonObject) -> Endpoint:
    for name in as_list(preferences.get("order")):
        for offer in offers:
            if offer.answers_to(name):
                return offer
    sort = preferences.get("sort")
    by = as_object(sort).get("by") or sort
    if by == "throughput":
        return max(offers, key=lambda offer: offer.row["throughput_last_30m"]["p50"])
    if by == "latency":
        return min(offers, key=lambda offer: offer.row["latency_last_30m"]["p50"])
    if by == "price":
        return min(offers, key=lambda offer: Decimal(offer.row["pricing"]["prompt"]))
    return next((offer for offer in offers if offer.healthy), offers[0])
