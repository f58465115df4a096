"""What only the real OpenRouter can answer: one request each, with the most that it may cost."""

import base64
import io
import wave
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

CEILING = Decimal(1)

CHEAP, GEMINI, CLAUDE, CACHING = (
    "openai/gpt-5-nano",
    "google/gemini-3.1-flash-lite",
    "anthropic/claude-haiku-4.5",
    "openai/gpt-5.6-luna",
)
_LONG = "The ledger of the harbour lists every ship that came in and what it paid. " * 100
_SEARCH = {"type": "openrouter:web_search", "parameters": {"max_uses": 1, "max_results": 1}}
_ONE_STEP = [{"type": "step_count_is", "step_count": 1}]


@dataclass(frozen=True, slots=True)
class Question:
    """One request, why it is made, and the most it may cost in dollars."""

    name: str
    why: str
    most: str
    path: str
    body: dict[str, Any] | None = None
    method: str = "POST"
    # The stream is left when this event has come, and its generation is looked up.
    leave_at: str | None = None
    # It is a job, which is asked for once more.
    later: bool = False

    @property
    def price(self) -> Decimal:
        """The most it may cost."""
        return Decimal(self.most)


def _silence() -> str:
    """Half a second in which nothing is said."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setparams((1, 1, 8_000, 4_000, "NONE", ""))
        sound.writeframes(b"\x80" * 4_000)
    return base64.b64encode(written.getvalue()).decode()


def _said(text: str = "Say yes.") -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def _fusion(panel: list[str], **more: Any) -> dict[str, Any]:
    parameters = {"analysis_models": panel, "model": CHEAP, "tools": [], "max_completion_tokens": 2_000}
    tool = {"type": "openrouter:fusion", "parameters": parameters}
    body = {"model": CHEAP, "input": "Tea or coffee? One sentence.", "tools": [tool], "tool_choice": "required"}
    return body | {"max_tool_calls": 1, "max_output_tokens": 4_000, "stream": True} | more


def _page() -> str:
    """A document of one empty page."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    objects.append("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>")
    written, starts = "%PDF-1.4\n", list[int]()
    for n, each in enumerate(objects, start=1):
        starts.append(len(written))
        written += f"{n} 0 obj{each}endobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    written += f"xref\n0 4\n0000000000 65535 f \n{table}trailer<</Size 4/Root 1 0 R>>\nstartxref\n{len(written)}\n%%EOF"
    return "data:application/pdf;base64," + base64.b64encode(written.encode()).decode()


QUESTIONS: tuple[Question, ...] = (
    Question(
        "fusion-order", "In which order do the events of a panel come?", "0.04", "/responses", _fusion([CHEAP, GEMINI])
    ),
    Question(
        "fusion-all-failed",
        "What status has the item when the whole panel failed, and does completed come?",
        "0.01",
        "/responses",
        _fusion(["no/such-model"]),
    ),
    Question(
        "fusion-plugin-alone",
        "Is the plugin on another model refused?",
        "0.04",
        "/responses",
        {
            "model": CHEAP,
            "input": "Say yes.",
            "max_output_tokens": 64,
            "plugins": [{"id": "fusion", "preset": "general-fast"}],
        },
    ),
    Question(
        "fusion-duplicates",
        "Are duplicates and variants of a model let into a panel?",
        "0.04",
        "/responses",
        _fusion([CHEAP, CHEAP, f"{CHEAP}:floor"]),
    ),
    Question(
        "fusion-left",
        "What is charged when the caller leaves while the panel works?",
        "0.04",
        "/responses",
        _fusion([CHEAP, GEMINI]),
        leave_at="response.fusion_call.panel.added",
    ),
    Question(
        "fusion-chat",
        "Does the record on chat name models or give responses?",
        "0.04",
        "/chat/completions",
        {name: value for name, value in _fusion([CHEAP, GEMINI]).items() if name not in ("input", "max_tool_calls")}
        | {"messages": _said("Tea or coffee?"), "stop_server_tools_when": _ONE_STEP, "stream": False},
    ),
    Question(
        "responses-id",
        "How does the id of a response begin, and what is echoed?",
        "0.002",
        "/responses",
        {"model": CHEAP, "input": "Say yes.", "max_output_tokens": 512, "reasoning": {"effort": "low"}},
    ),
    Question("credits", "Does an ordinary key see the credits?", "0", "/credits", method="GET"),
    Question("key", "What does the key tell of its budgets?", "0", "/key", method="GET"),
    Question("tools", "What do the server tools cost?", "0", "/tools", method="GET"),
    Question(
        "rerank-rows", "Do reranking rows still list nothing?", "0", "/models?output_modalities=rerank", method="GET"
    ),
    Question(
        "rerank-endpoints",
        "Do their endpoints list unit prices?",
        "0",
        "/models/cohere/rerank-v3.5/endpoints",
        method="GET",
    ),
    Question(
        "rerank-chunks",
        "How many units are sixty long documents?",
        "0.01",
        "/rerank",
        {"model": "cohere/rerank-v3.5", "query": "harbour", "documents": [_LONG[:5_000]] * 60, "top_n": 1},
    ),
    Question(
        "cache-unasked",
        "Is the writing of a prompt charged that nobody asked to keep?",
        "0.005",
        "/chat/completions",
        {"model": CACHING, "messages": _said(_LONG), "max_completion_tokens": 64},
    ),
    Question(
        "cache-explicit",
        "Does mode explicit prevent it?",
        "0.005",
        "/chat/completions",
        {"model": CACHING, "messages": _said(_LONG[::-1]), "max_completion_tokens": 64}
        | {"prompt_cache_options": {"mode": "explicit"}},
    ),
    Question(
        "cache-marked",
        "What does Claude charge for a marked prompt?",
        "0.02",
        "/chat/completions",
        {"model": CLAUDE, "messages": _said(_LONG), "max_tokens": 16, "cache_control": {"type": "ephemeral"}},
    ),
    Question(
        "search-native",
        "What does one search cost where the provider searches, and which item tells of it?",
        "0.1",
        "/responses",
        {"model": CACHING, "input": "What is the news today?", "tools": [_SEARCH], "max_output_tokens": 800}
        | {"stop_server_tools_when": _ONE_STEP},
    ),
    Question(
        "search-exa",
        "What does one cost at Exa, and do citations carry content?",
        "0.05",
        "/chat/completions",
        {"model": CHEAP, "messages": _said("What is the news today?"), "max_completion_tokens": 1_500}
        | {"tools": [_SEARCH | {"parameters": {"engine": "exa", "max_uses": 1, "max_results": 2}}]}
        | {"stop_server_tools_when": _ONE_STEP},
    ),
    Question(
        "search-messages",
        "Which blocks tell of a search on messages?",
        "0.05",
        "/messages",
        {"model": CLAUDE, "messages": _said("What is the news today? Search once."), "max_tokens": 400}
        | {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}]},
    ),
    Question(
        "max-price",
        "How is a request refused that no endpoint is cheap enough for?",
        "0.001",
        "/chat/completions",
        {"model": CHEAP, "messages": _said(), "max_tokens": 16, "provider": {"max_price": {"prompt": "0.000001"}}},
    ),
    Question(
        "orphan-responses",
        "Is a call without its output refused on responses?",
        "0.002",
        "/responses",
        {
            "model": CHEAP,
            "max_output_tokens": 64,
            "input": [
                {"role": "user", "content": "Look."},
                {
                    "type": "function_call",
                    "id": "fc_1",
                    "call_id": "c1",
                    "name": "look",
                    "arguments": "{}",
                    "status": "completed",
                },
                {"role": "user", "content": "Well?"},
            ],
        },
    ),
    Question(
        "orphan-messages",
        "Is an output without its call refused on messages?",
        "0.002",
        "/messages",
        {
            "model": CLAUDE,
            "max_tokens": 16,
            "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "out"}]}],
        },
    ),
    Question(
        "forged-reasoning",
        "Is reasoning that nobody sealed refused on responses?",
        "0.002",
        "/responses",
        {
            "model": CHEAP,
            "max_output_tokens": 64,
            "input": [
                {"role": "user", "content": "Think."},
                {
                    "type": "reasoning",
                    "id": "rs_1",
                    "summary": [],
                    "encrypted_content": "Zm9yZ2Vk",
                    "format": "openai-responses-v1",
                },
                {"role": "user", "content": "Well?"},
            ],
        },
    ),
    Question(
        "modalities",
        "How is a model refused a sound it cannot make?",
        "0.002",
        "/chat/completions",
        {"model": CHEAP, "messages": _said(), "modalities": ["text", "audio"], "stream": True, "max_tokens": 64},
    ),
    Question(
        "unknown-tool",
        "How is a tool refused that does not exist?",
        "0.002",
        "/responses",
        {"model": CHEAP, "input": "Say yes.", "max_output_tokens": 64, "tools": [{"type": "openrouter:no_such_tool"}]},
    ),
    Question(
        "gemini-seals",
        "Which places have the seals of parallel calls?",
        "0.002",
        "/chat/completions",
        {"model": GEMINI, "messages": _said("Use get_weather and get_time for Oslo."), "reasoning": {"effort": "low"}}
        | {
            "max_tokens": 1_000,
            "tools": [
                {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
                for name in ("get_weather", "get_time")
            ],
        },
    ),
    Question(
        "flex",
        "Is a tier told and priced?",
        "0.002",
        "/chat/completions",
        {"model": CHEAP, "messages": _said(), "max_completion_tokens": 400, "service_tier": "flex"},
    ),
    Question("image-models", "How are pictures priced?", "0", "/images/models", method="GET"),
    Question("video-models", "How are films priced?", "0", "/videos/models", method="GET"),
    Question(
        "discount", "Is a discount already in the listed price?", "0", "/models/z-ai/glm-5.2/endpoints", method="GET"
    ),
    Question(
        "discounted",
        "Is a discounted model billed at its listed price, or below it?",
        "0.005",
        "/chat/completions",
        {"model": "z-ai/glm-5.2", "messages": _said(), "max_tokens": 500, "reasoning": {"enabled": False}},
    ),
    Question(
        "picture",
        "What does a drawn picture cost, and in what form does it come?",
        "0.08",
        "/images",
        {"model": "openai/gpt-image-2", "prompt": "A grey square", "quality": "low", "n": 1},
    ),
    Question(
        "batch",
        "What does a batch say when it is sent?",
        "0.002",
        "/batches",
        {"endpoint": "/v1/chat/completions", "model": CHEAP}
        | {"requests": [{"custom_id": "one", "body": {"messages": _said(), "max_completion_tokens": 400}}]},
        later=True,
    ),
    Question(
        "drawn-in-chat",
        "How does a picture come in chat, and what does it cost?",
        "0.06",
        "/chat/completions",
        {"model": "google/gemini-3.1-flash-image", "messages": _said("Draw a grey square."), "max_tokens": 1_500},
    ),
    Question(
        "spoken-in-chat",
        "In which pieces does sound come in chat, and which tokens are counted?",
        "0.02",
        "/chat/completions",
        {"model": "openai/gpt-audio", "messages": _said(), "modalities": ["text", "audio"], "max_tokens": 200}
        | {"audio": {"voice": "alloy", "format": "pcm16"}, "stream": True},
    ),
    Question(
        "speech",
        "In what form does a spoken text come?",
        "0.01",
        "/audio/speech",
        {"model": "openai/gpt-4o-mini-tts-2025-12-15", "input": "Yes.", "voice": "alloy", "response_format": "mp3"},
    ),
    Question(
        "transcript",
        "What comes with a transcript, and is it counted by the second or by the token?",
        "0.005",
        "/audio/transcriptions",
        {"model": "openai/whisper-1", "input_audio": {"data": _silence(), "format": "wav"}},
    ),
    Question(
        "speech-models", "How is sound priced?", "0", "/models?output_modalities=speech,transcription", method="GET"
    ),
    Question(
        "document",
        "What does a page cost that is read for a model which takes no documents, and where is it told?",
        "0.005",
        "/chat/completions",
        {"model": "deepseek/deepseek-v3.2", "max_tokens": 64, "reasoning": {"enabled": False}}
        | {"plugins": [{"id": "file-parser", "pdf": {"engine": "mistral-ocr"}}]}
        | {
            "messages": [
                {"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": _page()}}]}
            ]
        },
    ),
    Question(
        "both-domains",
        "Is a search refused that names domains to look at and others to leave out?",
        "0.02",
        "/chat/completions",
        {"model": CHEAP, "messages": _said(), "max_completion_tokens": 400, "stop_server_tools_when": _ONE_STEP}
        | {
            "tools": [
                {
                    "type": "openrouter:web_search",
                    "parameters": {
                        "engine": "exa",
                        "max_uses": 1,
                        "allowed_domains": ["example.org"],
                        "excluded_domains": ["example.com"],
                    },
                }
            ]
        },
    ),
    Question(
        "decisions",
        "What shape have answers to typed questions now?",
        "0.001",
        "/systemone",
        {"model": "typesafe/jev-1", "state": "It rains."}
        | {"questions": {"wet": {"type": "noul", "instructions": "Is it wet outside?"}}},
    ),
)
