"""Pictures, sound and film: valid files, labelled, billed, and told of by their own lists."""

import base64
import io
import struct
import wave
import zlib
from decimal import Decimal
from typing import Any

import pytest
from openrouter import components

from or_mcp.simulator import Simulator
from or_mcp.simulator.run.media import mp4, wav
from tests.oracle import request_problems, validate
from tests.simulator.calls import KEY, Caller, ask, chat
from tests.simulator.test_sim_contract import check_both_ways, sdk_problems

PAINTER, SPEAKER = "google/gemini-3.1-flash-image", "openai/gpt-audio"
VOICE = "openai/gpt-4o-mini-tts-2025-12-15"


def check_png(data: bytes) -> None:
    """A picture whose every chunk is whole, and that says what it is."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds = 8, dict[bytes, bytes]()
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        kinds[kind], at = body, at + 12 + size
    width, height = struct.unpack(">II", kinds[b"IHDR"][:8])
    assert len(zlib.decompress(kinds[b"IDAT"])) == height * (1 + 3 * width)
    assert b"simulated" in kinds[b"tEXt"]


async def test_a_model_that_draws_sends_a_picture_with_its_words_and_bills_it(caller: Caller):
    reply = await caller.result("/chat/completions", chat(model=PAINTER))
    (picture,) = reply["choices"][0]["message"]["images"]
    check_png(base64.b64decode(picture["image_url"]["url"].partition(",")[2]))
    drawn = reply["usage"]["completion_tokens_details"]["image_tokens"]
    details = Decimal(str(reply["usage"]["cost_details"]["upstream_inference_completions_cost"]))
    words = (reply["usage"]["completion_tokens"] - drawn) * Decimal("0.0000025")
    assert details == words + drawn * Decimal("0.00003")
    only_words = await caller.result("/chat/completions", chat(model=PAINTER, modalities=["text"]))
    assert "images" not in only_words["choices"][0]["message"]
    stream = await caller.stream("/chat/completions", chat(model=PAINTER))
    deltas = [choice["delta"] for event in stream.events for choice in event["choices"]]
    assert [each["images"] for each in deltas if "images" in each] == [[picture]]
    response = await caller.result("/responses", ask(model=PAINTER))
    assert [item["type"] for item in response["output"]][-1] == "image_generation_call"
    for path in ("/chat/completions", "/responses"):
        await check_both_ways(caller, path, {"model": PAINTER})


@pytest.mark.parametrize(
    ("config", "drawn"),
    [({"aspect_ratio": "16:9", "image_size": "2K"}, (1_024, 576)), ({"size": "300x200"}, (300, 200)), ({}, (64, 64))],
)
async def test_pictures_in_chat_have_the_shape_that_was_asked_for(
    caller: Caller, config: dict[str, Any], drawn: tuple[int, int]
):
    reply = await caller.result("/chat/completions", chat(model=PAINTER, image_config=config))
    (picture,) = reply["choices"][0]["message"]["images"]
    assert sides(base64.b64decode(picture["image_url"]["url"].partition(",")[2])) == drawn
    wrong = await caller.post("/chat/completions", chat(model=PAINTER, image_config={"aspect_ratio": "5:3"}))
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "openrouter:image_generation", "parameters": {"size": "300x200"}},
        {"type": "image_generation", "size": "300x200"},
    ],
)
async def test_a_tool_draws_in_the_shape_that_was_asked_for(caller: Caller, tool: dict[str, Any]):
    output = (await caller.result("/responses", ask(tools=[tool])))["output"]
    item = next(each for each in output if "result" in each)
    assert sides(base64.b64decode(item["result"])) == (300, 200)
    wrong: dict[str, Any] = {"type": "image_generation", "size": "huge"}
    assert (await caller.post("/responses", ask(tools=[wrong]))).status_code == 400


async def test_a_model_is_refused_what_it_cannot_make(caller: Caller):
    for body in (chat(modalities=["text", "audio"], stream=True), chat(modalities=["image"])):
        assert (await caller.post("/chat/completions", body)).status_code == 404
    silent = chat(model=SPEAKER, modalities=["text", "audio"])
    assert "stream" in (await caller.post("/chat/completions", silent)).json()["error"]["message"]


async def test_spoken_answers_are_streamed_as_sound_with_what_is_said(caller: Caller):
    audio = {"voice": "alloy", "format": "pcm16"}
    body = chat(model=SPEAKER, modalities=["text", "audio"], audio=audio)
    stream = await caller.stream("/chat/completions", body)
    assert [problem for event in stream.events for problem in validate("ChatStreamChunk", event)] == []
    parts = [choice["delta"].get("audio", {}) for event in stream.events for choice in event["choices"]]
    sound = b"".join(base64.b64decode(part.get("data", "")) for part in parts)
    said = "".join(part.get("transcript", "") for part in parts)
    assert len(sound) % 2 == 0
    assert len(sound) >= 48_000
    assert said.startswith("[simulated]")
    assert stream.events[-1]["usage"]["completion_tokens_details"]["audio_tokens"] > 0


@pytest.mark.parametrize(("form", "start"), [("wav", b"RIFF"), ("mp3", b"ID3")])
async def test_spoken_answers_come_in_the_form_that_was_asked_for(caller: Caller, form: str, start: bytes):
    body = chat(model=SPEAKER, modalities=["text", "audio"], audio={"voice": "alloy", "format": form})
    stream = await caller.stream("/chat/completions", body)
    parts = [choice["delta"].get("audio", {}) for event in stream.events for choice in event["choices"]]
    # Joined as text, as the pieces of one base64.
    assert base64.b64decode("".join(part.get("data", "") for part in parts)).startswith(start)


async def test_a_form_of_sound_that_is_not_imitated_says_so(caller: Caller):
    body = chat(model=SPEAKER, modalities=["text", "audio"], audio={"voice": "alloy", "format": "opus"}, stream=True)
    reply = await caller.post("/chat/completions", body)
    assert (reply.status_code, "pcm16, wav, mp3" in reply.text) == (501, True)


async def test_images_are_drawn_and_billed_by_the_token(caller: Caller):
    body: dict[str, Any] = {"model": "openai/gpt-image-2", "prompt": "A harbour", "n": 2}
    assert request_problems("/images", body) == []
    reply = await caller.result("/images", body)
    assert validate("/images", reply) + sdk_problems(components.ImageGenerationResponse, reply) == []
    assert len({each["b64_json"] for each in reply["data"]}) == 2
    check_png(base64.b64decode(reply["data"][0]["b64_json"]))
    expected = reply["usage"]["completion_tokens"] * Decimal("0.00003")
    expected += reply["usage"]["prompt_tokens"] * Decimal("0.000005")
    assert Decimal(str(reply["usage"]["cost"])) == expected
    assert (await caller.data("/key"))["usage"] == reply["usage"]["cost"]
    stream = await caller.stream("/images", body)
    assert [event["type"].split(".")[1] for event in stream.events] == ["partial_image", "completed"] * 2
    assert [problem for event in stream.events for problem in validate("ImageStreamingResponse", {"data": event})] == []
    assert stream.events[-1]["usage"]["cost"] == reply["usage"]["cost"]
    svg = await caller.result("/images", body | {"output_format": "svg"})
    assert base64.b64decode(svg["data"][0]["b64_json"]).startswith(b"<svg")


async def test_pictures_come_in_the_form_that_was_asked_for(caller: Caller):
    made: dict[str, bytes] = {}
    for form in ("png", "jpeg", "webp", "svg"):
        body = {"model": "openai/gpt-image-2", "prompt": "A harbour", "output_format": form}
        (drawn,) = (await caller.result("/images", body))["data"]
        made[form] = base64.b64decode(drawn["b64_json"])
        assert drawn["media_type"] == ("image/svg+xml" if form == "svg" else f"image/{form}")
    check_png(made["png"])
    check_jpeg(made["jpeg"])
    check_webp(made["webp"])
    assert all(b"simulated" in each for each in made.values())


async def test_every_form_has_the_sides_that_were_asked_for(caller: Caller):
    made: dict[str, bytes] = {}
    for form in ("jpeg", "webp", "svg"):
        body = {"model": "openai/gpt-image-2", "prompt": "x", "output_format": form, "size": "200x100"}
        made[form] = base64.b64decode((await caller.result("/images", body))["data"][0]["b64_json"])
    frame = made["jpeg"].index(b"\xff\xc0")
    assert struct.unpack(">HH", made["jpeg"][frame + 5 : frame + 9]) == (100, 200)
    head = int.from_bytes(made["webp"][made["webp"].index(b"VP8L") + 8 :][:5], "little")
    assert (head >> 8 & 0x3FFF, head >> 22 & 0x3FFF) == (199, 99)
    assert b'width="200" height="100"' in made["svg"]


def check_jpeg(data: bytes) -> None:
    """Segments follow one another to the scan, whose bits hold exactly three colours and then none that differ."""
    assert (data[:2], data[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    at, kinds = 2, list[int]()
    while not kinds or kinds[-1] != 0xDA:
        kinds.append(data[at + 1])
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    assert kinds == [0xE0, 0xFE, 0xDB, 0xC0, 0xC4, 0xC4, 0xDA]
    scan = data[at:-2].replace(b"\xff\0", b"\xff")
    bits = f"{int.from_bytes(scan, 'big'):0{len(scan) * 8}b}"
    colours, rest = bits[: 3 * 12], bits[3 * 12 :]
    assert all(colours[n : n + 4] == "0111" and colours[n + 11] == "0" for n in (0, 12, 24))
    assert rest.rstrip("1") == "0" * 5 * 3 * 63


def check_webp(data: bytes) -> None:
    """Chunks fill the file, and the picture's own begins with its size."""
    assert (data[:4], data[8:12], struct.unpack("<I", data[4:8])[0]) == (b"RIFF", b"WEBP", len(data) - 8)
    at, chunks = 12, dict[bytes, bytes]()
    while at < len(data):
        kind, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        chunks[kind], at = data[at + 8 : at + 8 + size], at + 8 + size + size % 2
    assert (at, list(chunks)) == (len(data), [b"VP8X", b"VP8L", b"XMP "])
    head = int.from_bytes(chunks[b"VP8L"][:5], "little")
    assert (head & 0xFF, head >> 8 & 0x3FFF, head >> 22 & 0x3FFF) == (0x2F, 63, 63)


def sides(data: bytes) -> tuple[int, int]:
    """The width and height that a PNG says it has."""
    check_png(data)
    return struct.unpack(">II", data[16:24])


@pytest.mark.parametrize(
    ("asked", "drawn", "tokens"),
    [
        ({}, (64, 64), 1_056),
        ({"quality": "low"}, (64, 64), 272),
        ({"quality": "high", "size": "1024x1536"}, (683, 1_024), 6_240),
        ({"resolution": "512"}, (512, 512), 1_056),
        ({"size": "2K", "aspect_ratio": "16:9"}, (1_024, 576), 4_225),
        ({"aspect_ratio": "1:2"}, (512, 1_024), 1_056),
        ({"size": "2048x2048", "resolution": "2K", "aspect_ratio": "1:1"}, (1_024, 1_024), 4_224),
    ],
)
async def test_pictures_have_the_shape_and_the_quality_that_were_asked_for(
    caller: Caller, asked: dict[str, Any], drawn: tuple[int, int], tokens: int
):
    reply = await caller.result("/images", {"model": "openai/gpt-image-2", "prompt": "A harbour"} | asked)
    assert sides(base64.b64decode(reply["data"][0]["b64_json"])) == drawn
    assert reply["usage"]["completion_tokens"] == tokens


@pytest.mark.parametrize(
    ("model", "asked", "usd"),
    [
        ("bytedance-seed/seedream-4.5", {}, 0.04),
        ("bytedance-seed/seedream-4.5", {"resolution": "4K", "n": 2}, 0.16),
        ("black-forest-labs/flux.2-pro", {"size": "1000x1000"}, 0.03),
        ("black-forest-labs/flux.2-pro", {"size": "2000x1000"}, 0.06),
    ],
)
async def test_pictures_cost_by_their_size_as_their_lists_say(
    caller: Caller, model: str, asked: dict[str, Any], usd: float
):
    body = {"model": model, "prompt": "A harbour"} | asked
    assert (await caller.result("/images", body))["usage"]["cost"] == usd
    (offer,) = (await caller.get(f"/images/models/{model}/endpoints")).json()["endpoints"]
    tier = str(asked.get("resolution", "1K")).lower()
    (price,) = [each for each in offer["pricing"] if each.get("variant", tier) == tier]
    assert price["unit"] == ("megapixel" if "size" in asked else "image")
    assert price["cost_usd"] == (0.03 if "size" in asked else usd / asked.get("n", 1))


async def test_greedy_models_draw_the_dearest_that_was_left_open(simulator: Simulator, caller: Caller):
    simulator.script({"greedy": True})
    body = {"model": "openai/gpt-image-2", "prompt": "A harbour"}
    assert (await caller.result("/images", body))["usage"]["completion_tokens"] == 6_240
    assert (await caller.result("/images", body | {"quality": "low"}))["usage"]["completion_tokens"] == 408
    assert (await caller.result("/images", body | {"size": "512"}))["usage"]["completion_tokens"] == 4_160


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "huge"},
        {"resolution": "8K"},
        {"aspect_ratio": "5:3"},
        {"size": "1024x1024", "aspect_ratio": "16:9"},
        {"size": "1024x1024", "resolution": "4K"},
        {"quality": "best"},
        {"background": "transparent", "output_format": "jpeg"},
        {"background": "pink"},
    ],
)
async def test_shapes_that_make_no_sense_or_disagree_are_refused(caller: Caller, wrong: dict[str, Any]):
    reply = await caller.post("/images", {"model": "openai/gpt-image-2", "prompt": "x"} | wrong)
    assert (reply.status_code, next(iter(wrong)) in reply.text) == (400, True)


@pytest.mark.parametrize(
    ("asked", "greedy", "usd"),
    [
        ({}, False, 1.6),
        ({"resolution": "1080p"}, False, 2.4),
        ({"size": "1080x1920"}, False, 2.4),
        ({"size": "1280x720", "resolution": "720p"}, True, 1.6),
        ({}, True, 2.4),
    ],
)
async def test_films_cost_by_their_resolution(
    simulator: Simulator, caller: Caller, asked: dict[str, Any], greedy: bool, usd: float
):
    simulator.script({"greedy": greedy, "job_polls": 1})
    job = (await caller.post("/videos", {"model": "google/veo-3.1", "prompt": "x", "duration": 4} | asked)).json()
    assert (await caller.get(f"/videos/{job['id']}")).json()["usage"]["cost"] == usd


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/videos", {"model": "google/veo-3.1", "prompt": "x", "resolution": "8K"}, "resolution"),
        ("/videos", {"model": "google/veo-3.1", "prompt": "x", "size": "1x1"}, "size"),
        ("/videos", {"model": "google/veo-3.1", "prompt": "x", "size": "1280x720", "resolution": "1080p"}, "agree"),
        ("/images", {"model": "openai/gpt-image-2"}, "prompt"),
        ("/images", {"model": "openai/gpt-image-2", "prompt": "x", "n": 11}, "n"),
        ("/images", {"model": "openai/gpt-image-2", "prompt": "x", "output_format": "gif"}, "output_format"),
        ("/images", {"model": "openai/gpt-5-mini", "prompt": "x"}, "image"),
        ("/audio/speech", {"model": VOICE}, "input"),
        ("/audio/speech", {"model": VOICE, "input": "x", "voice": "nobody"}, "voice"),
        ("/audio/transcriptions", {"model": "openai/whisper-1"}, "input_audio"),
        ("/videos", {"model": "google/veo-3.1"}, "prompt"),
        ("/videos", {"model": "google/veo-3.1", "prompt": "x", "duration": 0}, "duration"),
        ("/chat/completions", chat(model="typesafe/jev-1"), "/api/alpha/decisions"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(caller: Caller, path: str, body: dict[str, Any], told: str):
    reply = await caller.post(path, body)
    assert (reply.status_code, told in reply.text) == (400, True)


async def test_a_text_is_spoken(caller: Caller):
    body = {"model": VOICE, "input": "The harbour opens at six.", "voice": "nova"}
    raw = await caller.post("/audio/speech", body)
    assert (raw.status_code, raw.headers["content-type"]) == (200, "audio/pcm")
    assert len(raw.content) == 2 * 24_000 * 2
    mp3 = await caller.post("/audio/speech", body | {"response_format": "mp3"})
    assert mp3.content[:3] == b"ID3"
    assert b"simulated" in mp3.content[:64]
    record = await caller.data("/generation", id=raw.headers["x-generation-id"])
    assert (record["api_type"], record["total_cost"] > 0) == ("tts", True)


async def test_sound_is_transcribed_from_json_and_from_a_form(caller: Caller):
    sound = wav("x" * 45)
    with wave.open(io.BytesIO(sound)) as opened:
        assert (opened.getframerate(), opened.getnframes()) == (24_000, 72_000)
    given = {"data": base64.b64encode(sound).decode(), "format": "wav"}
    body = {"model": "openai/whisper-1", "input_audio": given}
    assert request_problems("/audio/transcriptions", body) == []
    reply = await caller.result("/audio/transcriptions", body)
    assert validate("/audio/transcriptions", reply) == []
    assert (reply["usage"]["seconds"], reply["usage"]["cost"]) == (3, 3 * 32 * 0.000006)
    form = {"model": "openai/whisper-1", "response_format": "verbose_json"}
    sent = await caller.http.post("/audio/transcriptions", data=form, files={"file": ("a.wav", sound, "audio/wav")})
    assert sent.json()["text"] == reply["text"]
    assert sent.json()["duration"] == 3
    assert validate("/audio/transcriptions", sent.json()) == []


async def test_a_film_is_a_job_that_is_asked_for_until_it_is_done(caller: Caller):
    body = {"model": "google/veo-3.1", "prompt": "A harbour at dawn", "duration": 4}
    assert request_problems("/videos", body) == []
    started = await caller.post("/videos", body)
    job = started.json()
    assert (started.status_code, job["status"]) == (202, "pending")
    assert (await caller.data("/key"))["usage"] == 0
    states = [(await caller.http.get(job["polling_url"])).json() for _ in range(3)]
    assert [state["status"] for state in states] == ["pending", "completed", "completed"]
    assert all(validate("VideoGenerationResponse", state) == [] for state in (job, *states))
    assert states[-1]["usage"]["cost"] == 1.6
    assert (await caller.data("/key"))["usage"] == 1.6
    film = await caller.http.get(states[-1]["unsigned_urls"][0])
    assert (film.headers["content-type"], film.content[4:8]) == ("video/mp4", b"ftyp")
    other = {"authorization": "Bearer sk-or-v1-other"}
    assert (await caller.http.get(job["polling_url"], headers=other)).status_code == 404


@pytest.mark.parametrize(
    ("rule", "status"), [({"job_failure": "The film tore"}, "failed"), ({"job_expires": True}, "expired")]
)
async def test_a_film_that_fails_or_expires_costs_nothing(
    simulator: Simulator, caller: Caller, rule: dict[str, Any], status: str
):
    simulator.script({"match": {"path": "/videos"}, "job_polls": 1, **rule})
    job = (await caller.post("/videos", {"model": "google/veo-3.1", "prompt": "x"})).json()
    state = (await caller.get(f"/videos/{job['id']}")).json()
    assert (state["status"], state.get("error")) == (status, rule.get("job_failure"))
    assert (await caller.get(f"/videos/{job['id']}/content")).status_code == 404
    assert (await caller.data("/key"))["usage"] == 0


def test_a_film_is_made_of_whole_boxes():
    data, at, kinds = mp4("x"), 0, list[bytes]()
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        kinds.append(kind)
        at += size
    assert (at, kinds) == (len(data), [b"ftyp", b"moov", b"free", b"mdat"])
    assert b"simulated" in data


async def test_the_models_that_make_media_have_lists_of_their_own(caller: Caller):
    images = (await caller.get("/images/models")).json()
    assert validate("/images/models", images) + sdk_problems(components.ImageModelsListResponse, images) == []
    assert {row["id"] for row in images["data"]} >= {"openai/gpt-image-2", PAINTER}
    for row in images["data"]:
        offers = (await caller.get(f"/images/models/{row['id']}/endpoints")).json()
        assert validate("/images/models/{author}/{slug}/endpoints", offers) == []
    films = (await caller.get("/videos/models")).json()
    assert validate("/videos/models", films) + sdk_problems(components.VideoModelsListResponse, films) == []
    assert films["data"][0]["pricing_skus"] == {"duration_seconds": "0.4", "duration_seconds_1080p": "0.6"}


async def test_a_song_that_lists_nothing_is_billed_by_the_song(caller: Caller):
    pricing = (await caller.data("/model/google/lyria-3-pro-preview"))["pricing"]
    usage = (await caller.result("/chat/completions", chat(model="google/lyria-3-pro-preview")))["usage"]
    assert (pricing, usage["cost"]) == ({"prompt": "0", "completion": "0"}, 0.08)


async def test_media_obey_the_rules_of_trouble(simulator: Simulator, caller: Caller):
    simulator.script(
        {"match": {"path": "/images"}, "error_at_event": 1}, {"match": {"path": "/audio/*"}, "status": 503}
    )
    stream = await caller.stream("/images", {"model": "openai/gpt-image-2", "prompt": "x"})
    assert stream.types == ["image_generation.partial_image", "error"]
    assert (await caller.data("/key", KEY))["usage"] == 0
