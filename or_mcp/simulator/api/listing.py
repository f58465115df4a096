"""The GETs that need no key: models and their filters, endpoints, providers."""

from urllib.parse import urlencode

from or_mcp.simulator.api.filtering import number, selected
from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.catalogue.endpoints import provider_rows, public
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused, unavailable
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject

_PAGE, _LARGEST_PAGE = 500, 1000


def list_models(state: State, call: Call, default_output: str = "text") -> Document:
    """GET /models and GET /embeddings/models."""
    query = call.query
    found = selected(state.catalogue, query, default_output)
    rows = [model.row for model in found]
    following = None
    if "offset" in query or "limit" in query:
        offset = int(number(query, "offset") or 0)
        asked = number(query, "limit")
        limit = _PAGE if asked is None else int(asked)
        if offset < 0 or not 1 <= limit <= _LARGEST_PAGE:
            raise invalid(f'Invalid input: expected 1 to {_LARGEST_PAGE} at "limit", offset of at least 0')
        rows = rows[offset : offset + limit]
        if offset + limit < len(found):
            rest = dict(query) | {"offset": str(offset + limit), "limit": str(limit)}
            following = f"/api/v1{call.request.path}?{urlencode(rest)}"
    return Document({"data": rows, "total_count": len(found), "links": {"next": following}})


def list_users_models(state: State, call: Call) -> Document:
    """GET /models/user: every account here may use all models."""
    state.account_of(call)
    return list_models(state, call)


def list_embedding_models(state: State, call: Call) -> Document:
    """GET /embeddings/models."""
    return list_models(state, call, "embeddings")


def count_models(state: State, call: Call) -> Document:
    """GET /models/count."""
    return Document({"data": {"count": len(selected(state.catalogue, call.query, "text"))}})


def _known(state: State, slug: str) -> Model:
    model = state.catalogue.find(slug)
    if model is None:
        message = f"Model {slug} not found"
        raise unavailable(404, "model_not_found", message, [slug], fallback_models=state.catalogue.closest(slug))
    return model


def _slug(call: Call) -> str:
    return f"{call.params['author']}/{call.params['slug']}"


def show_model(state: State, call: Call) -> Document:
    """GET /model/{author}/{slug}."""
    return Document({"data": _known(state, _slug(call)).row})


def show_endpoints(state: State, call: Call) -> Document:
    """GET /models/{author}/{slug}/endpoints."""
    model = _known(state, _slug(call))
    row = {name: model.row[name] for name in ("id", "name", "created", "description", "architecture")}
    offers = [public(offer, with_performance=bool(call.key)) for offer in state.catalogue.offers(model)]
    return Document({"data": row | {"endpoints": offers}})


def show_parameters(state: State, call: Call) -> Document:
    """GET /parameters/{author}/{slug}: what a model takes, or one provider's offer of it."""
    state.account_of(call)
    model = _known(state, _slug(call))
    taken: list[str] = model.row["supported_parameters"]
    if provider := call.query.get("provider"):
        offers = [offer for offer in state.catalogue.offers(model) if offer.answers_to(provider)]
        if not offers:
            raise Refused(404, f"Provider {provider} does not serve {model.slug}")
        taken = offers[0].row["supported_parameters"]
    return Document({"data": {"model": model.slug, "supported_parameters": taken}})


def list_zdr_endpoints(state: State, call: Call) -> Document:
    """GET /endpoints/zdr."""
    rows: list[JsonObject] = [
        public(offer, with_performance=bool(call.key))
        for model in state.catalogue.models
        if not model.alias_of
        for offer in state.catalogue.offers(model)
        if offer.provider.zdr
    ]
    return Document({"data": rows})


def list_providers(_state: State, _call: Call) -> Document:
    """GET /providers."""
    return Document({"data": provider_rows()})
