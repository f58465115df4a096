"""A catalogue of families with many members, as upstream's is: plain models, their variants, siblings of other kinds.

A line is an id, the month it came, and letters: r reasons, i reads images, a reads audio; A, I, E, S, T: it gives audio
beside text, images beside text, embeddings, speech, transcripts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import ModelList

_GIVES = {
    "A": ["text", "audio"],
    "I": ["text", "image"],
    "E": ["embeddings"],
    "S": ["speech"],
    "T": ["transcription"],
}
_TABLE = """
openai/gpt-5.6 2026-07 ri
openai/gpt-5.6-pro 2026-07 ri
openai/gpt-5.6-chat 2026-08 i
openai/gpt-5.6-codex 2026-08 ri
openai/gpt-5.6-codex-mini 2026-08 ri
openai/gpt-5.6-mini 2026-07 ri
openai/gpt-5.5 2026-04 ri
openai/gpt-5 2025-08 ri
openai/gpt-5-mini 2025-08 ri
openai/gpt-5-nano 2025-08 ri
openai/gpt-5-pro 2025-10 ri
openai/gpt-5-codex 2025-09 ri
openai/gpt-5-chat 2025-08 i
openai/gpt-5-image 2025-10 riI
openai/gpt-5-image-mini 2025-10 riI
openai/gpt-4o 2024-05 i
openai/gpt-4o:extended 2024-05 i
openai/gpt-4o-2024-11-20 2024-11 i
openai/gpt-4o-mini 2024-07 i
openai/gpt-4o-mini-search-preview 2025-03
openai/gpt-4o-search-preview 2025-03
openai/gpt-4o-audio-preview 2025-08 aA
openai/gpt-4o-mini-tts 2025-12 S
openai/gpt-4o-transcribe 2025-12 T
openai/gpt-audio 2026-01 aA
openai/gpt-audio-mini 2026-01 aA
openai/gpt-4.1 2025-04 i
openai/gpt-4.1-mini 2025-04 i
openai/gpt-4.1-nano 2025-04 i
openai/gpt-4-turbo 2024-04 i
openai/gpt-4 2023-05
openai/gpt-3.5-turbo 2023-05
openai/gpt-3.5-turbo-instruct 2023-09
openai/o1 2024-12 ri
openai/o1-pro 2025-03 ri
openai/o3 2025-04 ri
openai/o3-pro 2025-06 ri
openai/o3-mini 2025-01 r
openai/o3-mini-high 2025-02 r
openai/o3-deep-research 2025-10 ri
openai/o4-mini 2025-04 ri
openai/o4-mini-high 2025-04 ri
openai/o4-mini-deep-research 2025-10 ri
openai/gpt-oss-120b 2025-08 r
openai/gpt-oss-20b 2025-08 r
openai/gpt-oss-20b:free 2025-08 r
openai/gpt-oss-safeguard-20b 2025-10 r
anthropic/claude-opus-4.5 2025-11 ri
anthropic/claude-opus-4.1 2025-08 ri
anthropic/claude-opus-4 2025-05 ri
anthropic/claude-sonnet-4.5 2025-09 ri
anthropic/claude-sonnet-4 2025-05 ri
anthropic/claude-haiku-4.5 2025-10 ri
anthropic/claude-3.7-sonnet 2025-02 ri
anthropic/claude-3.7-sonnet:thinking 2025-02 ri
anthropic/claude-3.5-haiku 2024-11 i
anthropic/claude-3-haiku 2024-03 i
google/gemini-3-pro-preview 2025-11 ria
google/gemini-3-pro-image-preview 2025-11 riI
google/gemini-2.5-pro 2025-06 ria
google/gemini-2.5-pro-preview 2025-06 ria
google/gemini-2.5-flash 2025-06 ria
google/gemini-2.5-flash-preview-09-2025 2025-09 ria
google/gemini-2.5-flash-lite 2025-07 ria
google/gemini-2.5-flash-image 2025-10 iI
google/gemini-2.0-flash-001 2025-02 ia
google/gemma-3-27b-it 2025-03 i
google/gemma-3-27b-it:free 2025-03 i
google/gemma-3-12b-it 2025-03 i
google/gemma-3n-e4b-it 2025-05
deepseek/deepseek-v3.2 2025-12 r
deepseek/deepseek-v3.2-speciale 2025-12 r
deepseek/deepseek-v3.2-exp 2025-09 r
deepseek/deepseek-chat-v3.1 2025-08 r
deepseek/deepseek-chat-v3-0324 2025-03
deepseek/deepseek-r1 2025-01 r
deepseek/deepseek-r1-0528 2025-05 r
deepseek/deepseek-r1-distill-llama-70b 2025-01 r
deepseek/deepseek-r1-distill-qwen-32b 2025-01 r
qwen/qwen3-max 2025-09
qwen/qwen3-max-thinking 2026-02 r
qwen/qwen3-coder 2025-07
qwen/qwen3-coder:free 2025-07
qwen/qwen3-coder-plus 2025-09
qwen/qwen3-coder-flash 2025-09
qwen/qwen3-next-80b-a3b-instruct 2025-09
qwen/qwen3-next-80b-a3b-thinking 2025-09 r
qwen/qwen3-vl-235b-a22b-instruct 2025-09 i
qwen/qwen3-vl-235b-a22b-thinking 2025-09 ri
qwen/qwen3-235b-a22b-2507 2025-07
qwen/qwen3-235b-a22b-thinking-2507 2025-07 r
qwen/qwen3-32b 2025-04 r
qwen/qwen3-14b 2025-04 r
qwen/qwq-32b 2025-03 r
qwen/qwen-2.5-72b-instruct 2024-09
qwen/qwen-2.5-coder-32b-instruct 2024-11
moonshotai/kimi-k2 2025-07
moonshotai/kimi-k2-0905 2025-09
moonshotai/kimi-k2-thinking 2025-11 r
moonshotai/kimi-k2.5 2026-01 ri
moonshotai/kimi-dev-72b 2025-06 r
z-ai/glm-4.7 2025-12 r
z-ai/glm-4.6 2025-09 r
z-ai/glm-4.6v 2025-12 ri
z-ai/glm-4.5 2025-07 r
z-ai/glm-4.5-air 2025-07 r
z-ai/glm-4.5v 2025-08 ri
x-ai/grok-4 2025-07 ri
x-ai/grok-4-fast 2025-09 ri
x-ai/grok-4.1-fast 2025-11 ri
x-ai/grok-code-fast-1 2025-08 r
x-ai/grok-3 2025-06
x-ai/grok-3-mini 2025-06 r
meta-llama/llama-4-maverick 2025-04 i
meta-llama/llama-4-scout 2025-04 i
meta-llama/llama-3.3-70b-instruct 2024-12
meta-llama/llama-3.3-70b-instruct:free 2024-12
meta-llama/llama-3.1-405b-instruct 2024-07
meta-llama/llama-3.1-70b-instruct 2024-07
meta-llama/llama-3.1-8b-instruct 2024-07
meta-llama/llama-3.2-11b-vision-instruct 2024-09 i
meta-llama/llama-guard-4-12b 2025-04 i
mistralai/mistral-large-2512 2025-12 i
mistralai/mistral-large-2411 2024-11
mistralai/mistral-medium-3.1 2025-08 i
mistralai/mistral-small-3.2-24b-instruct 2025-06 i
mistralai/mistral-nemo 2024-07
mistralai/devstral-medium 2025-07
mistralai/devstral-small 2025-07
mistralai/codestral-2508 2025-08
mistralai/magistral-medium-2506 2025-06 r
mistralai/ministral-8b 2024-10
mistralai/voxtral-small-24b-2507 2025-10 a
amazon/nova-pro-v1 2024-12 i
amazon/nova-lite-v1 2024-12 i
amazon/nova-micro-v1 2024-12
cohere/command-r-plus-08-2024 2024-08
cohere/command-r-08-2024 2024-08
cohere/command-a 2025-03
microsoft/phi-4 2025-01
microsoft/phi-4-reasoning-plus 2025-05 r
nousresearch/hermes-4-405b 2025-08 r
nousresearch/hermes-3-llama-3.1-405b 2024-08
nvidia/llama-3.3-nemotron-super-49b-v1.5 2025-10 r
perplexity/sonar 2025-01 i
perplexity/sonar-pro 2025-03 i
perplexity/sonar-pro-search 2025-10 ri
perplexity/sonar-reasoning-pro 2025-03 ri
perplexity/sonar-deep-research 2025-03 r
minimax/minimax-m2 2025-10 r
minimax/minimax-m1 2025-06 r
inception/mercury 2025-06
inception/mercury-coder 2025-04
openrouter/auto 2023-11 i
~openai/gpt-latest 2026-07 ri
~anthropic/claude-opus-latest 2025-11 ri
openai/text-embedding-3-small 2025-10 E
openai/text-embedding-3-large 2025-10 E
openai/text-embedding-ada-002 2025-10 E
google/gemini-embedding-001 2025-10 E
qwen/qwen3-embedding-8b 2025-10 E
mistralai/codestral-embed-2505 2025-10 E
"""
_MAKERS = {"openai": "OpenAI", "google": "Google", "z-ai": "Z.AI", "x-ai": "xAI", "meta-llama": "Meta", "qwen": "Qwen"}


def _row(line: str) -> dict[str, Any]:
    name, month, *letters = line.split()
    kinds = "".join(letters)
    maker, _, own = name.removeprefix("~").partition("/")
    takes = ["text", *(["image"] if "i" in kinds else []), *(["audio"] if "a" in kinds else [])]
    gives = next((outputs for letter, outputs in _GIVES.items() if letter in kinds), ["text"])
    return {
        "id": name,
        "name": f"{_MAKERS.get(maker, maker.title())}: {own.replace('-', ' ').title()}",
        "created": int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp()),
        "context_length": 128_000,
        "architecture": {"input_modalities": takes, "output_modalities": gives},
        "pricing": {"prompt": "0", "completion": "0"}
        if name.endswith(":free")
        else {"prompt": "0.000001", "completion": "0.000004"},
        "supported_parameters": ["tools", "max_tokens", *(["reasoning"] if "r" in kinds else [])],
    }


def unseen() -> Snapshot:
    """The catalogue, as it is read."""
    rows = {"data": [_row(line) for line in _TABLE.split("\n") if line]}
    return Snapshot.of(ModelList.model_validate(rows).data, datetime(2026, 8, 15, tzinfo=UTC))
