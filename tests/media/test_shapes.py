"""Whatever we send, OpenRouter's own SDK and document accept; whatever they describe of replies, we read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openrouter import components

from or_mcp.openrouter.wire.media import ImageEndpoints, ImagesReply, Transcript, VideoJob, VideoModels
from or_mcp.simulator.run.media import png, wav
from tests.conftest import Connect, Upstream
from tests.oracle import request_problems
from tests.simulator.test_sim_contract import sdk_problems

REQUESTS = {
    "/images": components.ImageGenerationRequest,
    "/audio/speech": components.SpeechRequest,
    "/audio/transcriptions": components.STTRequest,
    "/videos": components.VideoGenerationRequest,
    "/chat/completions": components.ChatRequest,
}


async def test_the_sdk_and_the_document_accept_every_request_of_ours(
    connect: Connect, upstream: Upstream, tmp_path: Path
):
    (tmp_path / "a.png").write_bytes(png("a"))
    (tmp_path / "a.wav").write_bytes(wav("x" * 45))
    picture, sound = str(tmp_path / "a.png"), str(tmp_path / "a.wav")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("make", {"kind": "image", "prompt": "x", "count": 2, "size": "2K", "aspect_ratio": "16:9", "seed": 7}),
        ("make", {"kind": "image", "prompt": "x", "format": "webp", "attachments": [picture]}),
        ("make", {"kind": "speech", "prompt": "x", "voice": "nova"}),
        ("make", {"kind": "speech", "prompt": "y", "format": "mp3"}),
        ("make", {"kind": "transcript", "attachments": [sound]}),
        ("make", {"kind": "video", "prompt": "x", "seconds": 4, "aspect_ratio": "9:16", "seed": 7}),
        ("make", {"kind": "video", "prompt": "y", "size": "1280x720", "attachments": [picture]}),
        ("ask", {"model": "google/gemini-3.1-flash-image", "prompt": "x"}),
        ("ask", {"model": "openai/gpt-audio", "prompt": "x"}),
    ]
    async with connect() as client:
        for tool, given in calls:
            answered = await client.call_tool(tool, given)
            assert not answered.is_error, answered.content
        first = (await client.call_tool("ask", {"model": calls[-2][1]["model"], "prompt": "y"})).structured_content
        going_on = {"model": "openai/gpt-5-mini", "prompt": "And?", "continue_run": first["run_id"]}
        assert not (await client.call_tool("ask", going_on)).is_error
    async with connect(OR_MCP_ZDR="on", OR_MCP_DATA_COLLECTION="deny") as client:
        await client.call_tool("make", {"kind": "speech", "prompt": "z"})
        await client.call_tool("make", {"kind": "transcript", "attachments": [sound]})
    posts = upstream.posts()
    assert {post.path for post in posts} == set(REQUESTS)
    problems = [
        (post.path, problem)
        for post in posts
        for problem in (*request_problems(post.path, post.body), *sdk_problems(REQUESTS[post.path], post.body))
    ]
    assert problems == []


# As providers behind upstream have been seen to answer: fields that are left out, others that nobody described.
IMAGES: list[dict[str, Any]] = [
    {
        "created": 1,
        "data": [{"b64_json": "aGk="}],
        "usage": {
            "prompt_tokens": 4,
            "completion_tokens": 1056,
            "total_tokens": 1060,
            "cost": 0.0317,
            "is_byok": False,
        },
    },
    {"created": 1, "data": [{"b64_json": "aGk=", "media_type": "image/svg+xml", "revised_prompt": "x"}], "usage": None},
    {"created": 1, "data": [{"b64_json": "aGk=", "media_type": None}, {"url": "https://example.com/a.png"}]},
]
JOBS: list[dict[str, Any]] = [
    {"id": "gen-vid-1751400000-abcdefghijklmnopqrst", "polling_url": "/api/v1/videos/x", "status": "pending"},
    {
        "id": "job-abc",
        "generation_id": "gen-vid-123",
        "polling_url": "https://x/y",
        "status": "completed",
        "unsigned_urls": ["https://x/y/content?index=0"],
        "usage": {"cost": 0.6048, "is_byok": False},
    },
    {"id": "job-abc", "polling_url": "https://x/y", "status": "failed", "error": "Content was blocked"},
    {"id": "job-abc", "polling_url": "https://x/y", "status": "queued", "usage": {"cost": None}},
]
TRANSCRIPTS: list[dict[str, Any]] = [
    {
        "text": "Hello.",
        "usage": {"seconds": 9.2, "total_tokens": 113, "input_tokens": 83, "output_tokens": 30, "cost": 0.000508},
    },
    {
        "text": "Hello.",
        "task": "transcribe",
        "language": "english",
        "duration": 1.5,
        "segments": [
            {
                "id": 0,
                "seek": 0,
                "start": 0.0,
                "end": 1.5,
                "text": " Hello.",
                "tokens": [1, 2],
                "temperature": 0.0,
                "avg_logprob": -0.2,
                "compression_ratio": 1.1,
                "no_speech_prob": 0.01,
            }
        ],
    },
    {
        "text": "Hi. Yes.",
        "words": [
            {"word": "Hi.", "start": 0, "end": 1, "speaker": 0},
            {"word": "Yes.", "start": 1, "end": 2, "speaker": 1, "type": "word"},
        ],
    },
]


def test_we_read_every_reply_of_theirs():
    for reply in IMAGES:
        assert ImagesReply.model_validate(reply).data[0].b64_json == "aGk="
    assert [VideoJob.model_validate(reply).status for reply in JOBS] == ["pending", "completed", "failed", "queued"]
    done = VideoJob.model_validate(JOBS[1])
    assert done.usage is not None
    assert (done.usage.cost, len(done.unsigned_urls)) == (Decimal("0.6048"), 1)
    read = [Transcript.model_validate(reply) for reply in TRANSCRIPTS]
    assert [len(each.segments) for each in read] == [0, 1, 0]
    assert [word.speaker for word in read[2].words] == [0, 1]


@pytest.mark.parametrize(
    ("shape", "replies"),
    [
        (components.ImageGenerationResponse, IMAGES[:1]),
        (components.VideoGenerationResponse, JOBS[:3]),
        (components.STTResponse, TRANSCRIPTS),
    ],
)
def test_what_we_read_is_what_the_sdk_reads(shape: Any, replies: list[dict[str, Any]]):
    assert [problem for reply in replies for problem in sdk_problems(shape, reply)] == []


def test_price_lists_are_read_whatever_their_lines_are_called():
    lines = [
        {"billable": "output_image", "unit": "image", "cost_usd": 0.03, "variant": "1k"},
        {"billable": "input_image", "unit": "image", "cost_usd": 0.003},
        {"billable": "input_text", "unit": "token", "cost_usd": 5.275e-06},
        {"billable": "output_image", "unit": "furlong", "cost_usd": 1},
    ]
    listed = {"id": "a/b", "endpoints": [{"provider_name": "X", "provider_slug": "x", "pricing": lines}]}
    (endpoint,) = ImageEndpoints.model_validate(listed).endpoints
    assert [line.cost_usd for line in endpoint.pricing] == [Decimal(str(line["cost_usd"])) for line in lines]
    skus = {"duration_seconds_without_audio_720p": "0.03", "cents_per_second_output": "12", "video_tokens": "0.0000012"}
    (model,) = VideoModels.model_validate({"data": [{"id": "a/b", "pricing_skus": skus}]}).data
    assert model.pricing_skus == {name: Decimal(price) for name, price in skus.items()}
