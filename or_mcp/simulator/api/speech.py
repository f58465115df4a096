"""POST /audio/speech and POST /audio/transcriptions."""

import base64
import binascii
from typing import Any

from or_mcp.simulator.api.forms import read_form
from or_mcp.simulator.api.paying import Served, charging, check_affordable, costs, named_model, new_identity
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.money.pricing import Tokens, bill
from or_mcp.simulator.run.counting import TOKENS_A_SECOND, Counter, measured_seconds
from or_mcp.simulator.run.media import mp3, pcm, spoken_seconds
from or_mcp.simulator.run.texts import MARK
from or_mcp.simulator.run.validation import invalid, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_object, objects

_FORMATS = {"pcm": "audio/pcm", "mp3": "audio/mpeg"}


def speak(state: State, call: Call) -> Document:
    """The reply to POST /audio/speech: the sound itself."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "speech")
    text, form = _spoken(body), body.get("response_format") or "pcm"
    if form not in tuple(_FORMATS):
        raise invalid(
            f'Invalid option: expected one of {"|".join(_FORMATS)} at "response_format"', field="response_format"
        )
    voices: list[str] = model.row["supported_voices"] or []
    if voices and body.get("voice") not in (None, *voices):
        raise invalid(f'Invalid option: expected one of {"|".join(voices)} at "voice"', field="voice")
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    said = spoken_seconds(text) * TOKENS_A_SECOND
    tokens = Tokens(Counter(call.fault.tokens_per_char).text(text), said, audio_out=said)
    served = Served("tts", model, endpoint, tokens, bill(endpoint.row["pricing"], tokens))
    check_affordable(account, served, byok=call.byok)
    sound = mp3(text) if form == "mp3" else pcm(text, state.seed, body.get("voice"))
    identity = new_identity(state, served)
    reply = Document(sound, headers={"X-Generation-Id": identity}, content_type=_FORMATS[str(form)])
    reply.settle = charging(call, account, served, identity)
    return reply


def _spoken(body: JsonObject) -> str:
    turns = "\n".join(str(turn.get("text", "")) for turn in objects(body.get("turns")))
    text = body.get("input") or turns
    if not isinstance(text, str) or not text:
        raise invalid('Invalid input: expected a non-empty string at "input"', field="input")
    return text


def transcribe(state: State, call: Call) -> Document:
    """The reply to POST /audio/transcriptions."""
    account = state.inference_account(call)
    body: JsonObject = as_object(call.request.body)
    sound: bytes | None = None
    if not body:
        fields, files = read_form(call)
        body, sound = dict(fields), files["file"].content if "file" in files else None
    model = named_model(state, body, "transcription")
    sound = _sound(body) if sound is None else sound
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    seconds = measured_seconds(sound)
    heard = seconds * TOKENS_A_SECOND
    text = f"{MARK}{seconds} seconds of sound were heard."
    tokens = Tokens(heard, Counter().text(text), audio=heard)
    served = Served("stt", model, endpoint, tokens, bill(endpoint.row["pricing"], tokens))
    check_affordable(account, served, byok=call.byok)
    identity = new_identity(state, served)
    usage = {"seconds": seconds, "input_tokens": heard, "output_tokens": tokens.completion}
    usage |= {"total_tokens": heard + tokens.completion, "cost": costs(served, byok=call.byok)["cost"]}
    payload: JsonObject = {"text": text, "usage": usage}
    if body.get("response_format") == "verbose_json":
        payload |= _in_detail(text, seconds)
    keep = charging(call, account, served, identity)
    return Document(payload, headers={"X-Generation-Id": identity}, settle=keep)


def _in_detail(text: str, seconds: int) -> JsonObject:
    words = text.split()
    step = seconds / len(words)
    timed = [{"word": word, "start": n * step, "end": (n + 1) * step} for n, word in enumerate(words)]
    segment: JsonObject = {"id": 0, "start": 0, "end": seconds, "text": text}
    return {"task": "transcribe", "language": "en", "duration": seconds, "segments": [segment], "words": timed}


def _sound(body: JsonObject) -> bytes:
    given: Any = as_object(body.get("input_audio")).get("data")
    if not isinstance(given, str) or not given:
        raise invalid('Invalid input: expected base64 at "input_audio.data"', field="input_audio")
    if given.startswith(("http://", "https://")):
        # A sound at an address is never fetched: it counts as if it were as long as its address.
        return given.encode()
    try:
        return base64.b64decode(given.rpartition(",")[2], validate=True)
    except binascii.Error:
        raise invalid('Invalid base64 at "input_audio.data"', field="input_audio") from None
