"""Words that say what a model is for rather than what it is called, as one table.

An intent keeps models (a filter that is dropped when nothing would be left), ranks them (best first), or says what
should come out (when the caller left that at text).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from or_mcp.catalogue.rates import MILLION, is_free, mixed_price
from or_mcp.catalogue.words import words, words_of
from or_mcp.openrouter.wire.models import ArtificialAnalysis, Model

_UNKNOWN = float("inf")
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)b")
_FAST_WORDS = (
    frozenset({"fast", "turbo", "instant"}),
    frozenset({"flash"}),
    frozenset({"lite", "nano", "mini", "haiku"}),
)
_CHEAP = "cheap|cheapest|cheaper|inexpensive|affordable|low cost|budget"
_LONG = "long context|large context|big context|longest context|context|1m"
_SMALL_WORDS = frozenset({"mini", "nano", "lite", "small", "tiny", "micro", "haiku"})


def takes(modality: str) -> Callable[[Model], bool]:
    """Whether a model reads this."""
    return lambda model: model.architecture is not None and modality in model.architecture.input_modalities


def gives(modality: str) -> Callable[[Model], bool]:
    """Whether a model writes this; `all` is anything."""
    if modality == "all":
        return lambda _: True
    return lambda model: model.architecture is not None and modality in model.architecture.output_modalities


def supports(parameter: str) -> Callable[[Model], bool]:
    """Whether some provider of a model honours this parameter."""
    return lambda model: parameter in model.supported_parameters


def by_price(model: Model) -> float:
    """Cheapest first, unknown last."""
    price = mixed_price(model)
    return _UNKNOWN if price is None else float(price * MILLION)


def by_context(model: Model) -> float:
    """Longest first, unknown last."""
    return -float(model.context_length) if model.context_length else _UNKNOWN


def by_index(read: Callable[[ArtificialAnalysis], float | None]) -> Callable[[Model], float]:
    """Highest benchmark index first, unmeasured last."""

    def rank(model: Model) -> float:
        figures = model.benchmarks.artificial_analysis if model.benchmarks else None
        figure = read(figures) if figures else None
        return _UNKNOWN if figure is None else -figure

    return rank


by_intelligence = by_index(lambda figures: figures.intelligence_index)
by_coding = by_index(lambda figures: figures.coding_index)
by_agentic = by_index(lambda figures: figures.agentic_index)


def _by_speed(model: Model) -> float:
    known = set(words_of(model))
    return next((float(place) for place, named in enumerate(_FAST_WORDS) if known & named), float(len(_FAST_WORDS)))


def _by_size(model: Model) -> float:
    known = words_of(model)
    sizes = [float(match[1]) for word in known if (match := _PARAMETERS.fullmatch(word))]
    if sizes:
        return sizes[0]
    # Billions of parameters: a name that only says small stands behind those that say how small.
    return 20.0 if _SMALL_WORDS & set(known) else _UNKNOWN


@dataclass(frozen=True, slots=True)
class Intent:
    """What some words ask for. `instead` is tried when nothing gives `modality`.

    With `any_edition` a mini, a lite or a fast model is as good as the plain one; without, the plain one is meant.
    """

    name: str
    phrases: str
    keep: Callable[[Model], bool] | None = None
    rank: Callable[[Model], float] | None = None
    modality: str = ""
    instead: Callable[[Model], bool] | None = None
    any_edition: bool = False


# In order of weight: where several rank, the first decides.
INTENTS = (
    Intent("free", "free|for free|gratis", keep=is_free),
    Intent("latest", "latest|alias"),
    Intent("cheap", _CHEAP, keep=lambda model: mixed_price(model) is not None, rank=by_price, any_edition=True),
    Intent("fast", "fast|fastest|quick|low latency", rank=_by_speed, any_edition=True),
    Intent("small", "small|smallest|tiny|lightweight", rank=_by_size, any_edition=True),
    Intent("context", _LONG, rank=by_context, any_edition=True),
    Intent("coding", "coding|code|programming|software engineering|for developers", rank=by_coding),
    Intent("agentic", "agentic|agent|agents", keep=supports("tools"), rank=by_agentic),
    Intent("smart", "smart|smartest|intelligent|strongest|best|frontier|sota|most capable", rank=by_intelligence),
    Intent("reasoning", "reasoning|thinking|thinker|reasoner", keep=supports("reasoning")),
    Intent("tools", "tools|tool use|tool calling|function calling|functions", keep=supports("tools")),
    Intent("json", "json|structured|structured output|structured outputs", keep=supports("structured_outputs")),
    Intent("vision", "vision|visual|multimodal|image input|images|photos|screenshots|ocr", keep=takes("image")),
    Intent("files", "pdf|pdfs|documents|files", keep=takes("file")),
    Intent("audio", "audio|audio input|listening", keep=takes("audio")),
    Intent("watching", "video input|video understanding|videos", keep=takes("video")),
    Intent("web", "web search|search|browsing", keep=supports("web_search_options")),
    Intent("embedding", "embedding|embed|vectors|vector", modality="embeddings"),
    Intent("rerank", "rerank|reranking|reranker", modality="rerank"),
    Intent("drawing", "image generation|text to image|generate images|drawing", modality="image"),
    Intent("image", "image", modality="image", instead=takes("image")),
    Intent("filming", "video generation|text to video|generate videos", modality="video"),
    Intent("video", "video", modality="video", instead=takes("video")),
    Intent("speaking", "text to speech|tts|speech|voice", modality="speech"),
    Intent("transcription", "speech to text|stt|transcription|transcribe|transcript", modality="transcription"),
)

BY_NAME = {intent.name: intent for intent in INTENTS}
BY_PHRASE = {words(phrase): intent for intent in INTENTS for phrase in intent.phrases.split("|")}
INTENT_WORDS = frozenset(word for phrase in BY_PHRASE for word in phrase)
LONGEST_PHRASE = max(map(len, BY_PHRASE))
