"""The catalogue as a table: what exists here, with invented prices and figures.

`price` is "input output" and `cache` "read write write-1h" in dollars per million tokens, `search` dollars per
thousand searches. What is charged although no list shows it: `unit` in dollars per search unit, song, picture or
second of film, `sizes` the same for single sizes, `megapixel` per million pixels, and `unlisted` per million tokens.
`bench` is the intelligence, coding and agentic index and a Design Arena elo.
"""

from dataclasses import dataclass
from typing import TypeAlias

Override: TypeAlias = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Row:
    """One model as typed here; the catalogue expands it."""

    slug: str
    name: str
    released: str
    family: str
    context: int | None
    output: int | None
    price: str
    takes: str = "text"
    gives: str = "text"
    cache: str = ""
    search: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    overrides: tuple[Override, ...] = ()
    unit: str = ""
    sizes: tuple[tuple[str, str], ...] = ()
    megapixel: str = ""
    unlisted: str = ""
    discount: float = 0
    thinks: str = "no"
    bench: str = ""
    expires_in_days: int | None = None
    hosts: str = ""
    permaslug: str = ""
    voices: tuple[str, ...] = ()
    dimensions: int | None = None


def _long(tokens: int, prompt: str, completion: str, read: str = "") -> tuple[Override, ...]:
    """Other prices above this many prompt tokens."""
    override: Override = {"min_prompt_tokens": tokens, "prompt": prompt, "completion": completion}
    return (override | ({"input_cache_read": read} if read else {}),)


_SEES = "text image file"
_OMNI = "text image file audio video"
_NIGHT: Override = {"utc_start": 1630, "utc_end": 30, "prompt": "0.12", "completion": "0.5"}

# fmt: off
ROWS: tuple[Row, ...] = (
    Row("anthropic/claude-opus-5", "Anthropic: Claude Opus 5", "2026-07-15", "claude", 1_000_000, 128_000,
        "5 25", _SEES, cache="0.5 6.25 10", search="10", thinks="hybrid", bench="71.2 66.4 70.1 1409"),
    Row("anthropic/claude-opus-5-fast", "Anthropic: Claude Opus 5 (Fast)", "2026-07-15", "claude", 1_000_000,
        128_000, "30 150", _SEES, cache="3 37.5", search="10", thinks="hybrid", hosts="anthropic"),
    Row("anthropic/claude-sonnet-5", "Anthropic: Claude Sonnet 5", "2026-06-03", "claude", 1_000_000, 64_000,
        "3 15", _SEES, cache="0.3 3.75 6", search="10", overrides=_long(200_000, "6", "22.5", "0.6"),
        thinks="hybrid", bench="65.3 63.9 64.2 1388"),
    Row("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", "2025-10-01", "claude", 200_000, 64_000,
        "1 5", "text image", cache="0.1 1.25 2", search="10", thinks="hybrid", bench="47.8 45.1 44.6"),
    Row("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", "2025-09-29", "claude", 1_000_000, 64_000,
        "3 15", _SEES, cache="0.3 3.75 6", search="10", thinks="hybrid", bench="49.6 47.1 46.0",
        hosts="anthropic",
        permaslug="anthropic/claude-4.5-sonnet-20250929"),
    Row("anthropic/claude-sonnet-4.6", "Anthropic: Claude Sonnet 4.6", "2026-02-17", "claude", 1_000_000, 64_000,
        "3 15", _SEES, cache="0.3 3.75 6", search="10", thinks="hybrid", bench="57.5 55.2 54.9",
        permaslug="anthropic/claude-4.6-sonnet-20260217"),
    Row("anthropic/claude-sonnet-4", "Anthropic: Claude Sonnet 4", "2025-05-22", "claude", 200_000, 64_000,
        "3 15", _SEES, cache="0.3 3.75 6", search="10", thinks="hybrid", hosts="anthropic",
        permaslug="anthropic/claude-4-sonnet-20250522"),
    Row("anthropic/claude-3.7-sonnet", "Anthropic: Claude 3.7 Sonnet", "2025-02-24", "claude", 200_000, 64_000,
        "3 15", _SEES, cache="0.3 3.75", thinks="hybrid", hosts="anthropic",
        permaslug="anthropic/claude-3-7-sonnet-20250219"),
    Row("anthropic/claude-opus-4.8", "Anthropic: Claude Opus 4.8", "2026-04-18", "claude", 1_000_000, 128_000,
        "5 25", _SEES, cache="0.5 6.25", search="10", thinks="hybrid", bench="66.9 62.0 65.5 1371",
        expires_in_days=55),
    Row("openai/gpt-5.6-sol", "OpenAI: GPT-5.6 Sol", "2026-07-22", "gpt", 1_050_000, 128_000, "2.5 20", _SEES,
        cache="0.25 3.125", search="10", overrides=_long(272_000, "5", "30", "0.5"), thinks="effort",
        bench="72.0 67.7 68.3 1401"),
    Row("openai/gpt-5.6-terra", "OpenAI: GPT-5.6 Terra", "2026-07-22", "gpt", 400_000, 128_000, "0.8 6.4",
        _SEES, cache="0.08 1", search="10", thinks="effort", bench="63.1 59.4 60.2"),
    Row("openai/gpt-5.6-luna", "OpenAI: GPT-5.6 Luna", "2026-07-22", "gpt", 400_000, 128_000, "0.2 1.6", _SEES,
        cache="0.02 0.25", search="10", thinks="effort", bench="52.4 47.2 48.8"),
    Row("openai/gpt-5.2", "OpenAI: GPT-5.2", "2025-12-11", "gpt", 400_000, 128_000, "1.75 14", _SEES,
        cache="0.175", search="10", thinks="effort", bench="61.6 57.7 58.0 1344"),
    Row("openai/gpt-5.4-pro", "OpenAI: GPT-5.4 Pro", "2026-03-05", "gpt", 1_050_000, 128_000, "30 180", _SEES,
        search="10", thinks="always", bench="68.8 64.6 63.0"),
    Row("openai/gpt-5", "OpenAI: GPT-5", "2025-08-07", "gpt", 400_000, 128_000, "1.25 10", _SEES, cache="0.125",
        search="10", thinks="always"),
    Row("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", "2025-08-07", "gpt", 400_000, 128_000, "0.25 2", _SEES,
        cache="0.025", search="10", thinks="always", bench="49.9 44.0 43.7"),
    Row("openai/gpt-5-nano", "OpenAI: GPT-5 Nano", "2025-08-07", "gpt", 400_000, 128_000, "0.05 0.4", _SEES,
        cache="0.005", search="10", thinks="always"),
    Row("openai/gpt-4.1", "OpenAI: GPT-4.1", "2025-04-14", "gpt", 1_047_576, 32_768, "2 8", _SEES, cache="0.5",
        search="10", bench="39.4 36.6 33.1", expires_in_days=40),
    Row("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", "2024-07-18", "gpt", 128_000, 16_384, "0.15 0.6", _SEES,
        cache="0.075", search="10", bench="21.0 18.2 15.9"),
    Row("openai/gpt-4o", "OpenAI: GPT-4o", "2024-05-13", "gpt", 128_000, 16_384, "2.5 10", _SEES, cache="1.25",
        search="10", bench="25.7 22.4 18.8"),
    Row("openai/gpt-4", "OpenAI: GPT-4", "2023-05-28", "gpt", 8_191, 4_096, "30 60", hosts="openai"),
    Row("openai/gpt-audio", "OpenAI: GPT Audio", "2025-08-28", "gpt", 128_000, 16_384, "2.5 10", "text audio",
        "text audio", extra=(("audio", "32"), ("audio_output", "64")), hosts="openai"),
    Row("openai/o4-mini", "OpenAI: o4 Mini", "2025-04-16", "gpt", 200_000, 100_000, "1.1 4.4", _SEES,
        cache="0.275", search="10", thinks="always", bench="46.5 42.3 38.0"),
    Row("openai/gpt-oss-120b", "OpenAI: gpt-oss-120b", "2025-08-05", "open", 131_072, 131_072, "0.04 0.19",
        thinks="oss", bench="42.8 38.5 35.4", hosts="deepinfra novita groq together"),
    Row("openai/gpt-oss-120b:free", "OpenAI: gpt-oss-120b (free)", "2025-08-05", "open", 131_072, None, "0 0",
        thinks="oss", hosts="open-inference novita"),
    Row("google/gemini-3.1-pro-preview", "Google: Gemini 3.1 Pro Preview", "2026-02-19", "gemini", 1_048_576,
        65_536, "2 12", _OMNI, cache="0.2 0.375", extra=(("audio", "2"), ("internal_reasoning", "12")),
        overrides=_long(200_000, "4", "18", "0.4"), thinks="high", bench="69.7 63.3 64.9 1417"),
    Row("google/gemini-3-flash-preview", "Google: Gemini 3 Flash Preview", "2025-12-17", "gemini", 1_048_576,
        65_536, "0.5 3", _OMNI, cache="0.05", extra=(("audio", "1"), ("internal_reasoning", "3")), thinks="budget",
        bench="56.2 50.4 52.7 1359"),
    Row("google/gemini-3.1-flash-lite", "Google: Gemini 3.1 Flash Lite", "2026-04-02", "gemini", 1_048_576,
        65_536, "0.1 0.4", _OMNI, cache="0.01", extra=(("audio", "0.3"), ("internal_reasoning", "0.4")),
        thinks="budget"),
    Row("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "2025-06-17", "gemini", 1_048_576, 65_535,
        "0.3 2.5", _OMNI, cache="0.03 0.0833", extra=(("audio", "1"), ("internal_reasoning", "2.5")),
        thinks="budget", bench="44.1 38.9 36.8", expires_in_days=24),
    Row("google/gemma-3-27b-it", "Google: Gemma 3 27B", "2025-03-12", "open", 96_000, 96_000, "0.08 0.16",
        "text image", hosts="deepinfra novita parasail"),
    Row("google/gemma-3-27b-it:free", "Google: Gemma 3 27B (free)", "2025-03-12", "open", 131_072, 8_192, "0 0",
        "text image", hosts="open-inference chutes"),
    Row("deepseek/deepseek-v3.2", "DeepSeek: DeepSeek V3.2", "2025-12-01", "open", 163_840, 65_536, "0.26 0.38",
        cache="0.13", thinks="switch", bench="53.0 49.7 47.1 1322", hosts="deepseek novita fireworks deepinfra"),
    Row("deepseek/deepseek-r1-0528", "DeepSeek: R1 0528", "2025-05-28", "open", 163_840, 65_536, "0.4 1.75",
        overrides=(_NIGHT,), thinks="must", bench="45.2 41.0 31.6", hosts="deepseek novita together"),
    Row("deepseek/deepseek-r1-0528:free", "DeepSeek: R1 0528 (free)", "2025-05-28", "open", 163_840, None,
        "0 0", thinks="must", expires_in_days=9, hosts="chutes open-inference"),
    Row("deepseek/deepseek-r1", "DeepSeek: R1", "2025-01-20", "open", 163_840, 163_840, "0.7 2.4", thinks="must",
        hosts="novita together"),
    Row("deepseek/deepseek-chat", "DeepSeek: DeepSeek V3", "2024-12-26", "plain", 163_840, None, "0.3 0.85",
        hosts="deepinfra novita"),
    Row("qwen/qwen3-max", "Qwen: Qwen3 Max", "2025-09-23", "tools", 262_144, 32_768, "1.2 6", cache="0.24",
        overrides=_long(32_000, "2.4", "12") + _long(128_000, "3", "15"), bench="50.6 46.1 45.5",
        hosts="alibaba fireworks"),
    Row("qwen/qwen3.6-plus", "Qwen: Qwen3.6 Plus", "2026-05-20", "open", 1_000_000, 65_536, "0.4 2.4",
        "text image video", thinks="switch", bench="57.3 52.9 54.0 1331", hosts="alibaba fireworks"),
    Row("qwen/qwen3-coder-flash", "Qwen: Qwen3 Coder Flash", "2025-09-17", "tools", 1_000_000, 65_536,
        "0.2 0.97", bench="41.3 46.8 42.2", hosts="alibaba novita"),
    Row("qwen/qwen3-235b-a22b:free", "Qwen: Qwen3 235B A22B (free)", "2025-04-28", "open", 131_072, None, "0 0",
        thinks="switch", hosts="chutes open-inference"),
    Row("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", "2024-12-06", "tools", 131_072,
        16_384, "0.1 0.32", bench="28.3 24.0 19.2", hosts="deepinfra groq together sambanova"),
    Row("meta-llama/llama-3.3-70b-instruct:free", "Meta: Llama 3.3 70B Instruct (free)", "2024-12-06", "plain",
        65_536, None, "0 0", hosts="open-inference chutes"),
    Row("meta-llama/llama-3.1-8b-instruct", "Meta: Llama 3.1 8B Instruct", "2024-07-23", "plain", 16_384,
        16_384, "0.02 0.03", hosts="deepinfra novita groq"),
    Row("x-ai/grok-4.5", "xAI: Grok 4.5", "2026-05-07", "grok", 256_000, None, "3 15", "text image",
        cache="0.75", search="5", thinks="must", bench="67.4 61.8 62.6 1366"),
    Row("x-ai/grok-4.1-fast", "xAI: Grok 4.1 Fast", "2025-11-19", "grok", 2_000_000, 30_000, "0.2 0.5",
        "text image", cache="0.05", search="5", overrides=_long(128_000, "0.4", "1"), thinks="switch",
        bench="58.7 49.2 57.0"),
    Row("mistralai/mistral-large-2512", "Mistral: Mistral Large 3", "2025-12-02", "tools", 262_144, None,
        "0.5 1.5", "text image", bench="48.1 42.9 40.4", hosts="mistral amazon-bedrock"),
    Row("mistralai/mixtral-8x7b-instruct", "Mistral: Mixtral 8x7B Instruct", "2023-12-10", "plain", 32_768,
        16_384, "0.54 0.54", hosts="deepinfra together"),
    Row("moonshotai/kimi-k3", "MoonshotAI: Kimi K3", "2026-06-25", "open", 262_144, 262_144, "0.6 2.5",
        "text image", cache="0.15", thinks="switch", bench="62.8 60.3 63.7 1352",
        hosts="moonshotai fireworks together"),
    Row("z-ai/glm-5.2", "Z.AI: GLM 5.2", "2026-06-11", "open", 202_752, 131_072, "0.6 2.2", cache="0.11",
        discount=0.1, thinks="switch", bench="60.9 58.8 59.9 1347", hosts="z-ai novita deepinfra"),
    Row("minimax/minimax-m2", "MiniMax: MiniMax M2", "2025-10-23", "open", 196_608, 65_536, "0.2 1",
        thinks="must", bench="51.7 48.0 50.3", hosts="minimax novita"),
    Row("amazon/nova-premier-v1", "Amazon: Nova Premier 1.0", "2025-10-31", "nova", 1_000_000, 32_000,
        "2.5 12.5", "text image", cache="0.625", hosts="amazon-bedrock amazon-bedrock/us-east-1"),
    Row("nvidia/nemotron-3-nano-30b-a3b:free", "NVIDIA: Nemotron 3 Nano 30B A3B (free)", "2025-12-15", "open",
        256_000, None, "0 0", thinks="switch", hosts="nvidia open-inference"),
    Row("perplexity/sonar-pro", "Perplexity: Sonar Pro", "2025-03-07", "search", 200_000, 8_000, "3 15",
        "text image", search="5", extra=(("request", "0.006"),), hosts="perplexity perplexity/eu"),
    Row("cohere/command-a-2", "Cohere: Command A 2", "2026-01-28", "tools", 256_000, 32_000, "2.5 10",
        bench="43.6 37.4 41.1", hosts="cohere amazon-bedrock"),
    Row("arcee-ai/trinity-large", "Arcee AI: Trinity Large", "2026-02-03", "tools", 131_072, 32_768, "0.45 1.8",
        hosts="together deepinfra"),
    Row("inception/mercury-2", "Inception: Mercury 2", "2026-03-18", "plain", 128_000, 32_000, "0.25 1",
        hosts="inception inception/fast"),
    Row("openrouter/fusion", "OpenRouter: Fusion", "2026-06-02", "router", 1_000_000, None, "-1 -1", _SEES),
    Row("openrouter/fusion-flash", "OpenRouter: Fusion Flash", "2026-08-11", "router", 1_000_000, None, "-1 -1",
        _SEES),
    Row("openrouter/auto", "OpenRouter: Auto Router", "2023-11-08", "router", 2_000_000, None, "-1 -1", _OMNI,
        "text image"),
    Row("openrouter/free", "OpenRouter: Free Models Router", "2026-02-01", "router", 200_000, None, "0 0",
        "text image"),
    Row("openrouter/pareto-code", "OpenRouter: Pareto Code", "2026-05-30", "router", 200_000, None, "-1 -1",
        "text image"),
    Row("openrouter/bodybuilder", "OpenRouter: Body Builder", "2025-12-05", "router", 128_000, None, "-1 -1"),
    Row("openai/text-embedding-3-small", "OpenAI: Text Embedding 3 Small", "2024-01-25", "gpt", 8_192, None,
        "0.02 0", gives="embeddings", dimensions=1536),
    Row("openai/text-embedding-3-large", "OpenAI: Text Embedding 3 Large", "2024-01-25", "gpt", 8_192, None,
        "0.13 0", gives="embeddings", dimensions=3072),
    Row("qwen/qwen3-embedding-8b", "Qwen: Qwen3 Embedding 8B", "2025-06-05", "open", 32_768, None, "0.01 0",
        gives="embeddings", dimensions=4096, hosts="deepinfra fireworks"),
    Row("google/gemini-embedding-001", "Google: Gemini Embedding 001", "2025-07-14", "gemini", 20_000, None,
        "0.15 0", gives="embeddings", dimensions=3072),
    Row("mistralai/mistral-embed-2", "Mistral: Mistral Embed 2", "2026-01-15", "tools", 8_192, None, "0.1 0",
        gives="embeddings", dimensions=1024, hosts="mistral mistral/eu"),
    Row("nvidia/llama-nemotron-embed-vl-1b-v2", "NVIDIA: Llama Nemotron Embed VL 1B V2", "2026-01-06", "open",
        131_072, None, "0.01 0", "text image", "embeddings", dimensions=2048, hosts="deepinfra nvidia"),
    Row("nvidia/llama-nemotron-embed-vl-1b-v2:free", "NVIDIA: Llama Nemotron Embed VL 1B V2 (free)",
        "2026-01-06", "open", 131_072, None, "0 0", "text image", "embeddings", dimensions=2048,
        hosts="nvidia open-inference"),
    Row("voyageai/rerank-2.5-lite", "VoyageAI by MongoDB: rerank-2.5-lite", "2026-07-27", "voyage", 32_000, None,
        "0 0", gives="rerank", unlisted="0.02", hosts="voyage"),
    Row("voyageai/rerank-2.5", "VoyageAI by MongoDB: rerank-2.5", "2026-07-27", "voyage", 32_000, None, "0 0",
        gives="rerank", unlisted="0.05", hosts="voyage"),
    Row("nvidia/llama-nemotron-rerank-vl-1b-v2:free", "NVIDIA: Llama Nemotron Rerank VL 1B V2 (free)", "2026-06-09",
        "voyage", 10_240, None, "0 0", "text image", "rerank", hosts="nvidia"),
    Row("cohere/rerank-4-pro", "Cohere: Rerank 4 Pro", "2026-04-06", "cohere", 32_768, None, "0 0", gives="rerank",
        unit="0.0025", hosts="cohere amazon-bedrock"),
    Row("cohere/rerank-4-fast", "Cohere: Rerank 4 Fast", "2026-04-06", "cohere", 32_768, None, "0 0", gives="rerank",
        unit="0.002", hosts="cohere"),
    Row("cohere/rerank-v3.5", "Cohere: Rerank v3.5", "2026-04-05", "cohere", 4_096, None, "0 0", gives="rerank",
        unit="0.001", hosts="cohere amazon-bedrock"),
    Row("qwen/qwen3-reranker-8b", "Qwen: Qwen3 Reranker 8B", "2026-08-20", "voyage", 32_768, None, "0.2 0",
        gives="rerank", hosts="novita"),
    Row("qwen/qwen3-reranker-0.6b", "Qwen: Qwen3 Reranker 0.6B", "2026-08-20", "voyage", 32_768, None, "0.01 0",
        gives="rerank", hosts="novita"),
    Row("openai/gpt-image-2", "OpenAI: GPT Image 2", "2026-04-21", "gpt", None, None, "5 0", "text image",
        "image", extra=(("image_output", "30"),)),
    Row("openai/gpt-image-1", "OpenAI: GPT Image 1", "2025-04-23", "gpt", None, None, "5 0", "text image", "image",
        extra=(("image_output", "40"),)),
    Row("bytedance-seed/seedream-4.5", "ByteDance Seed: Seedream 4.5", "2025-12-03", "decides", None, None, "0 0",
        "text image", "image", unit="0.04", sizes=(("4K", "0.08"),), hosts="seed"),
    Row("black-forest-labs/flux.2-pro", "Black Forest Labs: FLUX.2 Pro", "2025-11-25", "decides", None, None, "0 0",
        "text image", "image", megapixel="0.03", hosts="together"),
    Row("google/gemini-3.1-flash-image", "Google: Gemini 3.1 Flash Image", "2026-03-26", "gemini", 65_536, None,
        "0.3 2.5", "text image", "text image", extra=(("image_output", "30"),)),
    Row("openai/gpt-4o-mini-tts-2025-12-15", "OpenAI: GPT-4o Mini TTS", "2025-12-15", "gpt", 2_000, None,
        "0.6 0", gives="speech", extra=(("audio_output", "12"),), voices=("alloy", "nova", "verse")),
    Row("openai/whisper-1", "OpenAI: Whisper", "2022-09-21", "gpt", None, None, "0 0", "audio", "transcription",
        extra=(("audio", "6"),)),
    Row("openai/whisper-large-v3", "OpenAI: Whisper Large V3", "2023-11-06", "gpt", None, None, "0 0", "audio",
        "transcription", extra=(("audio", "0.9"),), hosts="groq deepinfra"),
    Row("mistralai/voxtral-mini-tts-2603", "Mistral: Voxtral Mini TTS", "2026-03-23", "tools", 8_192, None, "16 0",
        gives="speech", voices=("en_paul_neutral", "en_jane_neutral", "fr_marie_neutral"), hosts="mistral"),
    Row("google/lyria-3-pro-preview", "Google: Lyria 3 Pro Preview", "2026-03-30", "gemini", 1_048_576, 65_536, "0 0",
        "text image", "text audio", unit="0.08"),
    Row("google/veo-3.1", "Google: Veo 3.1", "2025-10-15", "gemini", None, None, "0 0", "text image", "video",
        unit="0.4", sizes=(("1080p", "0.6"),)),
    Row("google/veo-3.1-lite", "Google: Veo 3.1 Lite", "2025-10-15", "gemini", None, None, "0 0", "text image", "video",
        unit="0.05", sizes=(("1080p", "0.08"),)),
    Row("typesafe/jev-1", "TypeSafe: Jev 1", "2026-09-15", "decides", 65_536, None, "0.042 0", "text image",
        "decisions", hosts="typesafe"),
)
# fmt: on

ALIASES: dict[str, str] = {
    "~anthropic/claude-opus-latest": "anthropic/claude-opus-5",
    "~anthropic/claude-sonnet-latest": "anthropic/claude-sonnet-5",
    "~anthropic/claude-haiku-latest": "anthropic/claude-haiku-4.5",
    "~openai/gpt-latest": "openai/gpt-5.6-sol",
    "~openai/gpt-sol-latest": "openai/gpt-5.6-sol",
    "~openai/gpt-mini-latest": "openai/gpt-5-mini",
    "~google/gemini-pro-latest": "google/gemini-3.1-pro-preview",
    "~google/gemini-flash-latest": "google/gemini-3-flash-preview",
    "~moonshotai/kimi-latest": "moonshotai/kimi-k3",
    "~x-ai/grok-latest": "x-ai/grok-4.5",
}

# What the routers choose here. Fusion's outer model depends on its preset.
ROUTED: dict[str, str] = {
    "openrouter/auto": "openai/gpt-5.6-terra",
    "openrouter/free": "openai/gpt-oss-120b:free",
    "openrouter/pareto-code": "moonshotai/kimi-k3",
    "openrouter/bodybuilder": "openai/gpt-5-nano",
}
