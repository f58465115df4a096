"""A model list as long and as wide as upstream's, generated: 400 models."""

from __future__ import annotations

from typing import Any

MODEL = "bench/model-0"
_COUNT = 400
EMBEDDING_MODEL = f"bench/model-{_COUNT - 1}"
PAINTER = f"bench/model-{_COUNT - 2}"
_MAKES = {_COUNT - 1: ["embeddings"], _COUNT - 2: ["text", "image"]}
_PARAMETERS = (
    "max_tokens",
    "reasoning",
    "response_format",
    "stop",
    "structured_outputs",
    "temperature",
    "tools",
    "top_p",
)


_EMBEDDING_PRICE = {"prompt": "0.00000002", "completion": "0"}


def models() -> list[dict[str, Any]]:
    """Every model; the last is an embedding model, and the one before it draws."""
    return [_model(number) for number in range(_COUNT)]


def _model(number: int) -> dict[str, Any]:
    name = f"bench/model-{number}"
    embeds = number == _COUNT - 1
    return {
        "id": name,
        "canonical_slug": f"{name}-20260715",
        "name": f"Bench: Model {number}",
        "created": 1_785_542_400 - number * 86_400,
        "description": "A model that exists to be listed, described in as many words as real ones are. " * 6,
        "context_length": 200_000,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text", "image"],
            "output_modalities": _MAKES.get(number, ["text"]),
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": _EMBEDDING_PRICE if embeds else _price(number),
        "top_provider": {"context_length": 200_000, "max_completion_tokens": 64_000, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": list(_PARAMETERS),
        "default_parameters": {"temperature": 1, "top_p": None, "top_k": None},
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{name}/endpoints"},
        "benchmarks": {"artificial_analysis": {"intelligence_index": 71.4, "coding_index": 66.0}},
    }


def _price(number: int) -> dict[str, str]:
    return {"prompt": f"0.{number + 1:07d}", "completion": f"0.{number + 5:07d}", "web_search": "0.01"}
