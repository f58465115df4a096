"""Whether a model can take what a conversation holds: told before anything is spent, with models that can."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.costs import Media
from or_mcp.catalogue.policy import Policy
from or_mcp.catalogue.prices import Prompt
from or_mcp.catalogue.rates import Cache
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, author
from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.conversation.thread import Message, Thread
from or_mcp.conversation.turn import Turn
from or_mcp.conversation.unpriced import Sizes
from or_mcp.openrouter.errors import ModelUnavailable
from or_mcp.openrouter.wire.errors import Availability
from or_mcp.openrouter.wire.models import Model

_MEDIUM_OF = {"image_url": "image", "file": "file", "input_audio": "audio"}
_WORDS_FOR = {"image": "an image", "file": "a PDF (file)", "audio": "audio"}
# What a provider's template puts around a message, and around the functions and tools of a request.
_MESSAGE_TOKENS, _TOOLS_TOKENS = 16, 1_000
# Enough to choose from, and few enough to read.
_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model must be able to do to answer."""

    sizes: Sizes
    takes: frozenset[str]
    parameters: frozenset[str]

    @property
    def tokens(self) -> int:
        """About how long the prompt is."""
        return self.sizes.usual.tokens


@dataclass(frozen=True, slots=True)
class _Weights:
    """What media come to, in tokens."""

    image: int
    link: int
    bytes_per_token: Mapping[str, int]
    longest_document: int | None = None


# Most models cut an image down to this; a scan is large and says little.
_USUAL = _Weights(1_600, 5_000, {"file": 40, "audio": 600}, 60_000)
# Some look closer. Text in a PDF is compressed about four times; speech at 32 kbit/s is heard with 32 tokens a second.
_AT_MOST = _Weights(5_000, 200_000, {"file": 1, "audio": 100})


def needs_of(thread: Thread, turn: Turn) -> Needs:
    """What this conversation asks of the next model. A long one takes time: call it in a thread."""
    media = {_MEDIUM_OF[part["type"]] for part in thread.parts() if part["type"] in _MEDIUM_OF}
    parameters = {
        *(("tools",) if thread.functions else ()),
        *(("structured_outputs",) if turn.json_schema is not None else ()),
    }
    return Needs(_sizes(thread, turn), frozenset(media), frozenset(parameters))


def _sizes(thread: Thread, turn: Turn) -> Sizes:
    said = [part for message in thread.messages for part in _said(message)]
    media = [part for part in said if not isinstance(part, str)]
    shapes = [*thread.functions, *([turn.json_schema] if turn.json_schema is not None else [])]
    texts = [*(part for part in said if isinstance(part, str)), *(json.dumps(shape) for shape in shapes)]
    around = _MESSAGE_TOKENS * len(thread.messages) + (_TOOLS_TOKENS if shapes or turn.web else 0)
    return Sizes(
        _prompt(sum(map(count_tokens, texts)), media, _USUAL, turn.cache),
        _prompt(sum(map(most_tokens, texts)) + around, media, _AT_MOST, turn.cache),
    )


def _prompt(text: int, media: list[Message], weights: _Weights, cache: Cache) -> Prompt:
    by_kind: Counter[str] = Counter()
    for part in media:
        by_kind[_MEDIUM_OF[part["type"]]] += _media_tokens(part, weights)
    images = sum(part["type"] == "image_url" for part in media)
    return Prompt(text + by_kind.total(), Media(images, by_kind["image"], by_kind["audio"]), cache)


def check_fits(snapshot: Snapshot, turn: Turn, needs: Needs, policy: Policy) -> None:
    """One of the models must be able to answer; upstream goes on to the next when the first is not.

    Raises:
        ModelUnavailable: None is. It names models that are.
    """
    problems = [_problem(model, needs) for slug in turn.models if (model := snapshot.find(slug)) is not None]
    if not problems or None in problems:
        return
    others = tuple(_others(snapshot, turn.model, needs, policy))
    advice = "" if others else ". No model that may be used here can; begin a new conversation without continue_run"
    raise ModelUnavailable(
        f"{turn.model} {problems[0]}, so nothing was sent{advice}",
        availability=Availability(requested_models=turn.models, fallback_models=others or None),
    )


def _problem(model: Model, needs: Needs) -> str | None:
    takes = frozenset(model.architecture.input_modalities) if model.architecture else frozenset[str]()
    if takes and (foreign := sorted(needs.takes - takes)):
        return f"takes only {', '.join(sorted(takes))}, and this conversation holds {_WORDS_FOR[foreign[0]]}"
    if model.context_length and needs.tokens > model.context_length:
        return f"reads {model.context_length:,} tokens at once, and this conversation has about {needs.tokens:,}"
    able = frozenset(model.supported_parameters)
    if able and (missing := sorted(needs.parameters - able)):
        what = {"tools": "call functions (tools)", "structured_outputs": "be held to a json_schema"}[missing[0]]
        return f"cannot {what}"
    return None


def _others(snapshot: Snapshot, slug: str, needs: Needs, policy: Policy) -> list[str]:
    """Models that can, the same maker's first, then by price."""
    fitting = [
        model
        for model in snapshot.models
        if model.alias_target is None
        and author(model.id) != ROUTER_AUTHOR
        and model.architecture is not None
        and tuple(model.architecture.output_modalities) == ("text",)
        and _problem(model, needs) is None
        and policy.allows(snapshot, model.id)
    ]
    fitting.sort(key=lambda model: (author(model.id) != author(slug), model.id.endswith(":free"), _price(model)))
    return [model.id for model in fitting[:_SUGGESTED]]


def _price(model: Model) -> Decimal:
    price = model.pricing.prompt if model.pricing else None
    return price if price is not None and price >= 0 else Decimal("Infinity")


def _said(node: Any) -> Iterator[str | Message]:
    """Every text in it, and every attachment as a whole."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | tuple):
        for each in node:  # pyright: ignore[reportUnknownVariableType]
            yield from _said(each)
    elif isinstance(node, dict) and node.get("type") in _MEDIUM_OF:  # pyright: ignore[reportUnknownMemberType]
        yield node  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(node, dict):
        for name, each in node.items():  # pyright: ignore[reportUnknownVariableType]
            # What was read from a document is kept for upstream; the model reads the document.
            if name != "annotations":
                yield from _said(each)


def _media_tokens(part: Message, weights: _Weights) -> int:
    medium = _MEDIUM_OF[part["type"]]
    if medium == "image":
        return weights.image
    size = _bytes(part)
    if size is None:
        return weights.link
    tokens = max(weights.image, size // weights.bytes_per_token[medium])
    return min(tokens, weights.longest_document or tokens) if medium == "file" else tokens


def _bytes(part: Message) -> int | None:
    """How large an attachment is; None where only its address is sent."""
    inner = part[part["type"]]
    content = str(inner.get("file_data") or inner.get("data") or "")
    return None if content.startswith("https://") else len(content) * 3 // 4
