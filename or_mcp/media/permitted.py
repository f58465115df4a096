"""The operator's rules for providers, as far as each kind can be sent them; what cannot be sent is not loosened."""

from __future__ import annotations

from collections.abc import Iterable

from or_mcp.media.kinds import Kind
from or_mcp.openrouter.errors import InvalidRequest, ModelUnavailable
from or_mcp.openrouter.wire.endpoints import Endpoint
from or_mcp.openrouter.wire.media import MediaProvider
from or_mcp.openrouter.wire.routing import Provider


def needs_endpoints(kind: Kind, rules: Provider | None) -> bool:
    """Whether who serves the model must be known first."""
    return rules is not None and kind != "image" and bool(rules.only or rules.ignore)


def needs_keepers(kind: Kind, rules: Provider | None) -> bool:
    """Whether it must be known who keeps nothing."""
    return kind == "image" and _is_private(rules)


def permitted(
    kind: Kind, model: str, rules: Provider | None, endpoints: Iterable[Endpoint], keepers: Iterable[Endpoint]
) -> MediaProvider | None:
    """The rules as they are sent.

    Raises:
        InvalidRequest: Upstream keeps every video, and the operator lets nothing be kept.
        ModelUnavailable: The rules cannot be sent, and somebody might serve the model whom they shut out.
    """
    if rules is None:
        return None
    if kind == "video" and _is_private(rules):
        demand = "OR_MCP_ZDR=on" if rules.zdr else "OR_MCP_DATA_COLLECTION=deny"
        raise InvalidRequest(
            f"kind was video, which {demand} does not allow here: a video is a job whose prompt and result are kept "
            "by provider and upstream until it is fetched; kind takes image, speech or transcript"
        )
    if kind != "image":
        _check_served(model, rules, endpoints)
        return MediaProvider(zdr=rules.zdr, data_collection=rules.data_collection) if kind != "video" else None
    if not _is_private(rules):
        return MediaProvider(only=rules.only, ignore=rules.ignore)
    # Pictures take no such rule: those who keep nothing are asked for by name.
    names = [name for each in keepers if each.model_id == model and (name := _name(each)) and _serves(name, rules)]
    if not names:
        raise ModelUnavailable(f"{model} is served by nobody who keeps nothing, and whom the operator's rules allow")
    return MediaProvider(only=tuple(dict.fromkeys(names)), ignore=rules.ignore)


def _is_private(rules: Provider | None) -> bool:
    return rules is not None and (bool(rules.zdr) or rules.data_collection == "deny")


def _check_served(model: str, rules: Provider, endpoints: Iterable[Endpoint]) -> None:
    if not (rules.only or rules.ignore):
        return
    served = [_name(each) for each in endpoints]
    shut_out = sorted({name for name in served if not _serves(name, rules)})
    if shut_out or not served:
        by = ", ".join(shut_out) or "nobody knows whom"
        raise ModelUnavailable(
            f"{model} may be served by {by}, which the operator's rules shut out (OR_MCP_PROVIDERS_ONLY, "
            "OR_MCP_PROVIDERS_IGNORE), and upstream takes no such rule for sound and videos, so nothing was sent"
        )


def _serves(name: str, rules: Provider) -> bool:
    return (not rules.only or name in _names(rules.only)) and name not in _names(rules.ignore or ())


def _names(given: Iterable[str]) -> set[str]:
    return {name.lower().partition("/")[0] for name in given}


def _name(endpoint: Endpoint) -> str:
    return (endpoint.tag or endpoint.provider_name).lower().partition("/")[0]
