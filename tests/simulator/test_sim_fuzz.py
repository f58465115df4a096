"""Whatever is sent, the simulator answers; it never crashes."""

import copy
import random
from typing import Any, cast

from tests.simulator.calls import SAMPLES, Caller

JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    3.5,
    10**30,
    "",
    "x",
    "openai/gpt-5.2",
    [],
    [1],
    [{}],
    {},
    {"type": "x"},
    {"a": []},
]


BESIDE: list[tuple[str, dict[str, Any]]] = [
    ("/images", {"model": "openai/gpt-image-2", "prompt": "a", "n": 2, "output_format": "png", "stream": False}),
    ("/videos", {"model": "google/veo-3.1", "prompt": "x", "duration": 4, "aspect_ratio": "16:9"}),
    ("/audio/speech", {"model": "openai/gpt-4o-mini-tts-2025-12-15", "input": "hi", "response_format": "mp3"}),
    ("/audio/transcriptions", {"model": "openai/whisper-1", "input_audio": {"data": "UklGRiQA", "format": "wav"}}),
    ("/rerank", {"model": "cohere/rerank-v3.5", "query": "a", "documents": ["b", {"text": "c"}], "top_n": 1}),
    (
        "/systemone",
        {"model": "typesafe/jev-1", "state": 1, "questions": {"q": {"type": "noul", "instructions": "?"}}},
    ),
    (
        "/batches",
        {
            "endpoint": "/v1/chat/completions",
            "model": "openai/gpt-5.6-luna",
            "requests": [{"custom_id": "a", "body": {"messages": []}}],
        },
    ),
]
MEDIA: list[dict[str, Any]] = [{"path": path, "body": body} for path, body in BESIDE]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a body."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        inside = list(cast("dict[str, Any]", node).items())
    elif isinstance(node, list):
        inside = list(enumerate(cast("list[Any]", node)))
    found = [path] if path else []
    for name, value in inside:
        found += places(value, (*path, name))
    return found


def damaged(body: Any, dice: random.Random) -> Any:
    """A body with one or two values replaced by junk."""
    body = copy.deepcopy(body)
    for _ in range(dice.randint(1, 2)):
        *way, last = dice.choice(places(body))
        node = body
        for step in way:
            node = node[step]
        node[last] = copy.deepcopy(dice.choice(JUNK))
    return body


async def test_damaged_requests_are_answered_or_refused_but_never_crash(caller: Caller) -> None:
    dice = random.Random(7)
    statuses: set[int] = set()
    for _ in range(1400):
        sample = dice.choice([*SAMPLES.values(), *MEDIA])
        body = damaged(sample["body"], dice)
        reply = await caller.post(sample["path"], body)
        statuses.add(reply.status_code)
        assert reply.status_code in (200, 202, 400, 402, 404, 413), (sample["path"], body, reply.text)
    assert {200, 400} <= statuses
