"""`make`: a picture, speech, a video, a transcript."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from or_mcp.attachments.attach import Attachment, digest_of
from or_mcp.attachments.paths import COUNT_LIMIT
from or_mcp.calls.arguments import Amount, Arguments, Question
from or_mcp.calls.attaching import read_attachments
from or_mcp.calls.call import Call
from or_mcp.calls.choosing import choose, known_models
from or_mcp.calls.keepsake import Keepsake, Shown
from or_mcp.calls.paid import Offer, place
from or_mcp.calls.reply import Reply
from or_mcp.calls.tool import Tool
from or_mcp.catalogue.drawn import Drawing, Film, estimate_images, estimate_video
from or_mcp.catalogue.prices import Estimate
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.spoken import Length, estimate_speech, estimate_transcript
from or_mcp.catalogue.tokens import count_tokens, most_tokens
from or_mcp.files.measured import measure
from or_mcp.media import plan, work
from or_mcp.media.filming import Filming
from or_mcp.media.kinds import MODALITY, Kind, current
from or_mcp.media.permitted import needs_endpoints, needs_keepers, permitted
from or_mcp.media.result import result_of
from or_mcp.openrouter.errors import Failure, InvalidRequest
from or_mcp.openrouter.wire.media import MediaProvider
from or_mcp.tools.answers.make import MakeAnswer, full_text, show

DESCRIPTION = """
Make pictures, speech or video, or a transcript of a sound. Paths of files come back, never bytes.

Costs money: cents, a video dollars; checked before it is sent. A video takes minutes: call `run`.
To talk about a picture use `ask`.
"""

# Speech and music are hardly ever sent with fewer bytes a second than this.
_LEAST_BYTES_A_SECOND = 750
_NAMES = ("count", "size", "aspect_ratio", "seconds", "voice", "format", "seed", "attachments", "prompt")


class MakeArguments(Arguments):
    """What `make` takes."""

    kind: Kind
    model: str = Field("", description="Default: a current one.")
    count: int = Field(1, ge=1, le=10)
    size: str = Field("", description="2K, 720p")
    aspect_ratio: str = ""
    seconds: Annotated[int, Field(ge=1, le=600)] | SkipJsonSchema[None] = None
    voice: str = ""
    format: str = Field("", description="png, jpeg, webp, svg; wav, mp3; text, srt, json")
    seed: int | SkipJsonSchema[None] = None
    attachments: tuple[str, ...] = Field(
        (), max_length=COUNT_LIMIT, description="Pictures to go by; the sound to transcribe."
    )
    max_cost_usd: Amount | SkipJsonSchema[None] = None
    wait_seconds: Annotated[float, Field(ge=0, le=3600)] | SkipJsonSchema[None] = None
    prompt: Question = ""


async def make(arguments: MakeArguments, call: Call) -> Reply:
    """Choose, check, carry out, show."""
    call.require_key()
    kind = arguments.kind
    model = arguments.model or await _current(kind, call)
    choice = await choose(call, (model,), MODALITY[kind])
    media = await _attachments(arguments, model, call)
    wish = _wish(arguments, model, media)
    given = [name for name in _NAMES if getattr(arguments, name) != MakeArguments.model_fields[name].default]
    plan.check(wish, given)
    provider = await _permitted(kind, model, call)
    offer, notes = await _offer(wish, provider, choice.snapshot, call)
    chosen = () if arguments.model else (f"No model was named: {model} was taken.",)
    return await place(
        call,
        "make",
        arguments,
        lambda _: offer,
        models=(model,),
        prompt=arguments.prompt,
        attached=digest_of(media),
        shown=Shown(notes=(*chosen, *notes, *choice.notes)),
        wait_seconds=arguments.wait_seconds,
    )


async def _current(kind: Kind, call: Call) -> str:
    snapshot = await known_models(call)
    if snapshot.problem is not None and not snapshot.is_read:
        raise InvalidRequest("model is missing, and the catalogue that it would be taken from could not be read")
    return current(kind, snapshot, lambda model: call.parts.policy.allows(snapshot, model.id))


async def _attachments(arguments: MakeArguments, model: str, call: Call) -> tuple[Attachment, ...]:
    if not arguments.attachments:
        return ()
    accepts = frozenset({"audio"} if arguments.kind == "transcript" else {"image"})
    media = await read_attachments(arguments.attachments, call, accepts, model)
    if arguments.kind == "transcript" and len(media) > 1:
        raise InvalidRequest(f"attachments has {len(media)} entries; kind transcript takes one sound a call")
    return media


def _wish(arguments: MakeArguments, model: str, media: tuple[Attachment, ...]) -> plan.Wish:
    sound = next((each for each in media if each.kind == "audio"), None)
    return plan.Wish(
        kind=arguments.kind,
        model=model,
        prompt=arguments.prompt,
        count=arguments.count,
        size=arguments.size,
        aspect_ratio=arguments.aspect_ratio,
        seconds=arguments.seconds,
        voice=arguments.voice,
        format=arguments.format,
        seed=arguments.seed,
        images=tuple(each.content for each in media if each.kind == "image"),
        sound=sound.content if sound else "",
        sound_format=sound.format if sound else "",
    )


async def _permitted(kind: Kind, model: str, call: Call) -> MediaProvider | None:
    rules, catalogue = call.parts.provider, call.parts.catalogue
    endpoints = (await catalogue.endpoints(model)).endpoints if needs_endpoints(kind, rules) else ()
    keepers = await catalogue.zdr_endpoints() if needs_keepers(kind, rules) else ()
    return permitted(kind, model, rules, endpoints, keepers)


async def _offer(
    wish: plan.Wish, provider: MediaProvider | None, snapshot: Snapshot, call: Call
) -> tuple[Offer, tuple[str, ...]]:
    """What is to be sent, what it costs by its kind's own prices, and what to know of it."""
    upstream, shelf = call.upstream, call.parts.shelf
    match wish.kind:
        case "image":
            estimate = await _of_images(wish, provider, call)
            return work.Drawing(plan.image_request(wish, provider), estimate, upstream, shelf), ()
        case "speech":
            tokens = await anyio.to_thread.run_sync(count_tokens, wish.prompt)
            estimate = estimate_speech(snapshot, wish.model, tokens, len(wish.prompt.encode()))
            return work.Speaking(plan.speech_request(wish, provider), estimate, upstream, shelf), ()
        case "transcript":
            length = await anyio.to_thread.run_sync(_length, wish.sound)
            estimate = estimate_transcript(snapshot, wish.model, length)
            asked = plan.transcript_request(wish, provider, speakers="diarize" in snapshot.able(wish.model))
            return work.Transcribing(asked, wish.form, estimate, upstream, shelf), ()
        case "video":
            return await _of_video(wish, call)


async def _of_images(wish: plan.Wish, provider: MediaProvider | None, call: Call) -> Estimate:
    count, at_most = await anyio.to_thread.run_sync(lambda: [count_tokens(wish.prompt), most_tokens(wish.prompt)])
    drawing = Drawing(wish.count, wish.size, len(wish.images), count, at_most)
    try:
        endpoints = await call.parts.catalogue.image_endpoints(wish.model)
    except Failure as failure:
        return Estimate.of_nobody(f"the price list of {wish.model} could not be read ({failure.kind})")
    only = provider.only if provider else None
    names = {name.partition("/")[0] for name in only or ()}
    return estimate_images([each for each in endpoints if not only or each.provider_slug in names], wish.model, drawing)


async def _of_video(wish: plan.Wish, call: Call) -> tuple[Offer, tuple[str, ...]]:
    reason = f"{wish.model}: it is not in the price list of videos"
    try:
        model = await call.parts.catalogue.video_model(wish.model)
    except Failure as failure:
        model, reason = None, f"the price list of videos could not be read ({failure.kind})"
    seconds, size = plan.settle(wish, model)
    request = plan.video_request(wish, seconds, size)
    film = Film(seconds, size, len(wish.images))
    estimate = Estimate.of_nobody(reason) if model is None else estimate_video(model, wish.model, film)
    notes = () if wish.seconds else (f"seconds was not given: {seconds} s were asked for.",)
    return Filming.asked(request, estimate, call.upstream, call.parts.shelf), notes


def _length(sound: str) -> Length:
    data = b64decode(sound)
    seconds = measure(data).seconds
    if seconds is None:
        return Length(None, Decimal(len(data)) / _LEAST_BYTES_A_SECOND)
    return Length(Decimal(str(seconds)), Decimal(str(seconds)))


TOOL = Tool(
    name="make",
    title="Make a picture, speech, a video, a transcript",
    kind="spend",
    description=DESCRIPTION,
    arguments=MakeArguments,
    answer=MakeAnswer,
    handle=make,
    keepsake=Keepsake(
        read=result_of,
        show=show,
        words=full_text,
        files=lambda result: result.files,
        resume=lambda record, means: Filming.resumed(record, means.upstream, means.shelf),
    ),
)
