"""Films: a job that is asked for until it is done, then a file that needs the key."""

import time
from decimal import Decimal

from or_mcp.simulator.api.paying import Served, charging, check_affordable, named_model, new_identity
from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint
from or_mcp.simulator.delivery.framing import Document, Settlement
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.pricing import NO_TOKENS, Bill, bill
from or_mcp.simulator.run.media import mp4
from or_mcp.simulator.run.shapes import pixels
from or_mcp.simulator.run.validation import Rule, invalid, one_of, read_preferences
from or_mcp.simulator.state import Call, Job, State
from or_mcp.simulator.wire import JsonObject, as_object, dollars

_DURATIONS = [4, 6, 8]
_USUAL_SECONDS = 8
_RATIOS = ["16:9", "9:16"]
_RESOLUTIONS = ("720p", "1080p")
_SIZES = ["1280x720", "720x1280", "1920x1080", "1080x1920"]


def start(state: State, call: Call) -> Document:
    """POST /videos: the job, which is charged when it is done."""
    account = state.inference_account(call)
    served = _served(state, call)
    check_affordable(account, served, byok=call.byok)
    identity = state.new_id("gen-vid")
    job = Job(identity, account.fingerprint, int(time.time()), call.fault, call)
    state.jobs[identity] = job
    return Document(_told(job, call, "pending"), 202, {"X-Generation-Id": identity})


def _served(state: State, call: Call) -> Served:
    body = as_object(call.request.body)
    model = named_model(state, body, "video")
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise invalid('Invalid input: expected a non-empty string at "prompt"', field="prompt")
    Rule("integer of at least 1", lambda value: type(value) is int and value >= 1).check(body, "duration")
    one_of(*_RATIOS).check(body, "aspect_ratio")
    Rule("boolean", lambda value: isinstance(value, bool)).check(body, "generate_audio")
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    seconds = body.get("duration") or _USUAL_SECONDS
    by_second = seconds * _price_of_a_second(model, body, greedy=call.fault.greedy)
    return Served("video", model, endpoint, NO_TOKENS, bill(endpoint.row["pricing"], NO_TOKENS) + Bill(by_second))


def _price_of_a_second(model: Model, body: JsonObject, *, greedy: bool) -> Decimal:
    """By the resolution; where none is asked for, the first, or the dearest there is."""
    one_of(*_RESOLUTIONS).check(body, "resolution")
    one_of(*_SIZES).check(body, "size")
    shape = pixels(body.get("size"))
    if shape is not None and body.get("resolution") not in (None, shape.lines):
        raise invalid('"resolution" must agree with the pixels of "size"', field="resolution")
    asked = shape.lines if shape else body.get("resolution")
    possible = [asked] if asked else _RESOLUTIONS if greedy else _RESOLUTIONS[:1]
    return max(model.unit_price(str(each)) for each in possible)


def _told(job: Job, call: Call, status: str, **more: object) -> JsonObject:
    return {"id": job.id, "polling_url": f"{call.base}/videos/{job.id}", "status": status, **more}


def show(state: State, call: Call) -> Document:
    """GET /videos/{id}."""
    job = state.job(call, call.params["job"])
    if job.result is None and not job.due:
        return Document(_told(job, call, "pending" if job.polls == 1 else "in_progress"))
    if job.result is None:
        job.result = _finish(state, job, call)
    return Document(job.result)


def _finish(state: State, job: Job, call: Call) -> JsonObject:
    if job.fault.job_failure is not None:
        return _told(job, call, "failed", error=job.fault.job_failure)
    if job.fault.job_expires:
        return _told(job, call, "expired")
    served = _served(state, job.request)
    generation = new_identity(state, served)
    charging(job.request, state.account_of(call), served, generation)(Settlement())
    usage = {"cost": dollars(served.bill.charged(byok=job.request.byok)), "is_byok": job.request.byok}
    urls = [f"{call.base}/videos/{job.id}/content?index=0"]
    return _told(job, call, "completed", generation_id=generation, unsigned_urls=urls, usage=usage)


def download(state: State, call: Call) -> Document:
    """GET /videos/{id}/content."""
    job = state.job(call, call.params["job"])
    if as_object(job.result).get("status") != "completed" or call.query.get("index", "0") != "0":
        raise Refused(404, f"Video {job.id} has no such content")
    return Document(mp4(state.seed, as_object(job.request.request.body)["prompt"]), content_type="video/mp4")


def list_models(state: State, _call: Call) -> Document:
    """GET /videos/models."""
    return Document({"data": [_row(model) for model in state.catalogue.models if "video" in model.gives]})


def _row(model: Model) -> JsonObject:
    told = {name: model.row[name] for name in ("id", "canonical_slug", "name", "description", "created")}
    price = {"duration_seconds": format(model.unit_price(), "f")}
    price |= {f"duration_seconds_{size}": format(model.unit_price(size), "f") for size in model.sizes}
    unknown = dict.fromkeys(("upscale_factor", "creativity", "hugging_face_id"))
    return (
        told
        | unknown
        | {
            "supported_resolutions": list(_RESOLUTIONS),
            "supported_sizes": _SIZES,
            "supported_aspect_ratios": _RATIOS,
            "supported_durations": _DURATIONS,
            "supported_frame_images": ["first_frame"],
            "generate_audio": True,
            "seed": True,
            "allowed_passthrough_parameters": [],
            "pricing_skus": price,
        }
    )
