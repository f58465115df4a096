"""What people type into a catalogue that nothing was tuned on: the plain model first, and the kind that was named."""

from __future__ import annotations

import pytest

from or_mcp.catalogue.search import Query, search
from tests.catalogue.unseen import unseen

PHRASES = {
    # The plain model before its variants
    "gpt 5.6": "openai/gpt-5.6",
    "gpt-5.6": "openai/gpt-5.6",
    "gpt5.6": "openai/gpt-5.6",
    "openai gpt 5.6": "openai/gpt-5.6",
    "gpt-5": "openai/gpt-5",
    "gpt 5": "openai/gpt-5",
    "gpt-4o": "openai/gpt-4o",
    "gpt 4o": "openai/gpt-4o",
    "gpt4o": "openai/gpt-4o",
    "4o": "openai/gpt-4o",
    "gpt 4": "openai/gpt-4",
    "gpt-4.1": "openai/gpt-4.1",
    "o3": "openai/o3",
    "o1": "openai/o1",
    "o4 mini": "openai/o4-mini",
    "o3 mini": "openai/o3-mini",
    "grok 4": "x-ai/grok-4",
    "grok 3": "x-ai/grok-3",
    "kimi k2": "moonshotai/kimi-k2",
    "glm 4.6": "z-ai/glm-4.6",
    "glm-4.5": "z-ai/glm-4.5",
    "deepseek v3.2": "deepseek/deepseek-v3.2",
    "deepseek 3.2": "deepseek/deepseek-v3.2",
    "r1": "deepseek/deepseek-r1",
    "claude 3.7 sonnet": "anthropic/claude-3.7-sonnet",
    "sonnet 3.7": "anthropic/claude-3.7-sonnet",
    "opus 4": "anthropic/claude-opus-4",
    "claude sonnet 4": "anthropic/claude-sonnet-4",
    "gemini 2.5 pro": "google/gemini-2.5-pro",
    "gemini 2.5 flash": "google/gemini-2.5-flash",
    "qwen3 coder": "qwen/qwen3-coder",
    "qwen3 max": "qwen/qwen3-max",
    "sonar": "perplexity/sonar",
    "sonar pro": "perplexity/sonar-pro",
    "phi 4": "microsoft/phi-4",
    "mercury": "inception/mercury",
    # What was named
    "kimi thinking": "moonshotai/kimi-k2-thinking",
    "kimi k2 thinking": "moonshotai/kimi-k2-thinking",
    "qwen max thinking": "qwen/qwen3-max-thinking",
    "qwen thinking": "qwen/qwen3-max-thinking",
    "sonnet thinking": "anthropic/claude-3.7-sonnet:thinking",
    "gpt 5.6 pro": "openai/gpt-5.6-pro",
    "gpt 5.6 mini": "openai/gpt-5.6-mini",
    "gpt 5 codex": "openai/gpt-5-codex",
    "codex": "openai/gpt-5.6-codex",
    "gpt 4o mini": "openai/gpt-4o-mini",
    "gpt 4o audio": "openai/gpt-4o-audio-preview",
    "4o search": "openai/gpt-4o-search-preview",
    "gpt audio": "openai/gpt-audio",
    "gemini image": "google/gemini-3-pro-image-preview",
    "gpt 5 image": "openai/gpt-5-image",
    "flash lite": "google/gemini-2.5-flash-lite",
    "grok fast": "x-ai/grok-4.1-fast",
    "grok code": "x-ai/grok-code-fast-1",
    "qwen vl": "qwen/qwen3-vl-235b-a22b-instruct qwen/qwen3-vl-235b-a22b-thinking",
    "glm vision": "z-ai/glm-4.6v",
    "deepseek r1 distill llama": "deepseek/deepseek-r1-distill-llama-70b",
    "sonar reasoning": "perplexity/sonar-reasoning-pro",
    "phi reasoning": "microsoft/phi-4-reasoning-plus",
    "o3 deep research": "openai/o3-deep-research",
    "deep research": "openai/o3-deep-research openai/o4-mini-deep-research perplexity/sonar-deep-research",
    "gpt turbo": "openai/gpt-4-turbo",
    "chatgpt 3.5": "openai/gpt-3.5-turbo",
    "oss 20b": "openai/gpt-oss-20b",
    "llama guard": "meta-llama/llama-guard-4-12b",
    "llama 405b": "meta-llama/llama-3.1-405b-instruct",
    "llama 4": "meta-llama/llama-4-maverick meta-llama/llama-4-scout",
    "llama vision": "meta-llama/llama-3.2-11b-vision-instruct",
    "hermes": "nousresearch/hermes-4-405b",
    "mistral large": "mistralai/mistral-large-2512",
    "codestral": "mistralai/codestral-2508",
    "command r+": "cohere/command-r-plus-08-2024",
    "command r": "cohere/command-r-08-2024",
    "nova lite": "amazon/nova-lite-v1",
    # Typed in a hurry
    "cluade opus": "anthropic/claude-opus-4.5",
    "gemni pro": "google/gemini-3-pro-preview",
    "deepseak r1": "deepseek/deepseek-r1",
    "GPT-OSS-120B": "openai/gpt-oss-120b",
    "claude-sonnet-4-5": "anthropic/claude-sonnet-4.5",
    "kimi2": "moonshotai/kimi-k2 moonshotai/kimi-k2.5",
    "haiku 4.5": "anthropic/claude-haiku-4.5",
    "ada embedding": "openai/text-embedding-ada-002",
    "free coder": "qwen/qwen3-coder:free",
}

CATALOGUE = unseen()


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_model_that_was_meant_is_found_first(phrase: str):
    found = search(CATALOGUE.models, Query(text=phrase))
    assert found.rows, found
    assert found.rows[0].id in PHRASES[phrase].split(), [model.id for model in found.rows[:4]]
