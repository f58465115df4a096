"""What people type, and the model they mean. Written before the ranking was tuned."""

from __future__ import annotations

import pytest

from or_mcp.catalogue.search import Query, search
from or_mcp.catalogue.snapshot import Snapshot

OPUS = "anthropic/claude-opus-5"
SONNET = "anthropic/claude-sonnet-5"
SOL = "openai/gpt-5.6-sol"
GEMINI = "google/gemini-3.1-pro-preview"
FLASH = "google/gemini-3-flash-preview"
LLAMA = "meta-llama/llama-3.3-70b-instruct"
R1 = "deepseek/deepseek-r1-0528"
V3 = "deepseek/deepseek-v3.2"
GPT_OSS = "openai/gpt-oss-120b"
EMBEDDINGS = "openai/text-embedding-3-small openai/text-embedding-3-large google/gemini-embedding-001"

PHRASES = {
    # Families and makers
    "opus": OPUS,
    "claude": OPUS,
    "claude sonnet": SONNET,
    "sonnet": SONNET,
    "haiku": "anthropic/claude-haiku-4.5",
    "anthropic": OPUS,
    "gpt": SOL,
    "chatgpt": SOL,
    "openai": SOL,
    "gemini": GEMINI,
    "gemini pro": GEMINI,
    "gemini flash": FLASH,
    "google": GEMINI,
    "llama": LLAMA,
    "deepseek": V3,
    "qwen": "qwen/qwen3.6-plus",
    "qwen max": "qwen/qwen3-max",
    "grok": "x-ai/grok-4.5",
    "xai": "x-ai/grok-4.5",
    "grok fast": "x-ai/grok-4.1-fast",
    "mistral": "mistralai/mistral-large-2512",
    "mixtral": "mistralai/mixtral-8x7b-instruct",
    "kimi": "moonshotai/kimi-k3",
    "moonshot": "moonshotai/kimi-k3",
    "glm": "z-ai/glm-5.2",
    "z.ai": "z-ai/glm-5.2",
    "minimax": "minimax/minimax-m2",
    "amazon nova": "amazon/nova-premier-v1",
    "nemotron": "nvidia/nemotron-3-nano-30b-a3b:free",
    "perplexity": "perplexity/sonar-pro",
    "gemma": "google/gemma-3-27b-it",
    "gpt oss": GPT_OSS,
    "auto router": "openrouter/auto",
    "fusion": "openrouter/fusion",
    "body builder": "openrouter/bodybuilder",
    # Versions and sizes
    "gpt-5": SOL,
    "gpt5": SOL,
    "gpt5 mini": "openai/gpt-5-mini",
    "gpt-5-nano": "openai/gpt-5-nano",
    "gpt5nano": "openai/gpt-5-nano",
    "GPT 5.2": "openai/gpt-5.2",
    "gpt 4": "openai/gpt-4.1",
    "4.1": "openai/gpt-4.1",
    "gpt4o": "openai/gpt-4o-mini",
    "o4": "openai/o4-mini",
    "claude opus 4.8": "anthropic/claude-opus-4.8",
    "claude-opus-4-8": "anthropic/claude-opus-4.8",
    "opus 4": "anthropic/claude-opus-4.8",
    "claude sonnet 4.5": SONNET,
    "kimi k2": "moonshotai/kimi-k3",
    "r1": R1,
    "deepseek r1": R1,
    "deepseek 3.2": V3,
    "gemini 2.5": "google/gemini-2.5-flash",
    "llama 70b": LLAMA,
    "llama-3.1": "meta-llama/llama-3.1-8b-instruct",
    "oss 120b": GPT_OSS,
    # Exact names
    "openai/gpt-4o-mini": "openai/gpt-4o-mini",
    "anthropic/claude-opus-5-fast": "anthropic/claude-opus-5-fast",
    "~openai/gpt-latest": "~openai/gpt-latest",
    "google/gemma-3-27b-it:free": "google/gemma-3-27b-it:free",
    "anthropic/claude-4.8-opus-20260418": "anthropic/claude-opus-4.8",
    # Aliases and free variants, asked for
    "sonnet latest": "~anthropic/claude-sonnet-latest",
    "latest gpt": "~openai/gpt-latest",
    "free llama": "meta-llama/llama-3.3-70b-instruct:free",
    "r1 free": "deepseek/deepseek-r1-0528:free",
    "gpt-oss:free": "openai/gpt-oss-120b:free",
    "free vision": "google/gemma-3-27b-it:free",
    # Purposes
    "cheap vision": "google/gemma-3-27b-it",
    "fast coder": "qwen/qwen3-coder-flash",
    "qwen coder": "qwen/qwen3-coder-flash",
    "best model for coding": SOL,
    "smartest": SOL,
    "cheapest": "meta-llama/llama-3.1-8b-instruct",
    "cheap claude": "anthropic/claude-haiku-4.5",
    "cheap tools": GPT_OSS,
    "cheap reasoning model": GPT_OSS,
    "small llama": "meta-llama/llama-3.1-8b-instruct",
    "long context": "x-ai/grok-4.1-fast",
    "claude fast": "anthropic/claude-opus-5-fast",
    "vision": f"{OPUS} {SOL}",
    "audio": GEMINI,
    # Other kinds of model
    "embedding": EMBEDDINGS,
    "openai embeddings": "openai/text-embedding-3-small openai/text-embedding-3-large",
    "qwen embedding": "qwen/qwen3-embedding-8b",
    "cheap embedding": "qwen/qwen3-embedding-8b",
    "rerank": "cohere/rerank-v3.5",
    "cohere": "cohere/rerank-v3.5",
    "whisper": "openai/whisper-1",
    "speech to text": "openai/whisper-1",
    "text to speech": "openai/gpt-4o-mini-tts-2025-12-15",
    "image generation": "openai/gpt-image-2",
    "gpt image": "openai/gpt-image-2",
    "veo": "google/veo-3.1",
    # Typos
    "clade opus": OPUS,
    "sonet": SONNET,
    "gemni": GEMINI,
    "gemini flsh": FLASH,
    "deepsek": V3,
    "antropic": OPUS,
    "mistrl": "mistralai/mistral-large-2512",
    "lama 70b": LLAMA,
    "gork": "x-ai/grok-4.5",
    "qwn max": "qwen/qwen3-max",
    "perplexty": "perplexity/sonar-pro",
    "embeding": EMBEDDINGS,
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_first_result_is_the_model_a_person_means(catalogue: Snapshot, phrase: str):
    found = search(catalogue.models, Query(text=phrase))
    assert found.rows, f"nothing found; closest: {found.closest}"
    assert found.rows[0].id in PHRASES[phrase].split()
