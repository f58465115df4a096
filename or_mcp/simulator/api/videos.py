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
from or_mcp.simulator.run.validation import Rule, invalid, read_preferences
from or_mcp.simulator.state import Call, Job, State
from or_mcp.simulator.wire import JsonObject, as_object, dollars

_DURATIONS = [4, 6, 8]
_USUAL_SECONDS = 8
_RATIOS = ["16:9", "9:16"]


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
    if body.get("aspect_ratio") not in (None, *_RATIOS):
        raise invalid(f'Invalid option: expected one of {"|".join(_RATIOS)} at "aspect_ratio"', field="aspect_ratio")
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    seconds = body.get("duration") or _USUAL_SECONDS
    by_second = seconds * model.unlisted.get("unit", Decimal(0))
    return Served("video", model, endpoint, NO_TOKENS, bill(endpoint.row["pricing"], NO_TOKENS) + Bill(by_second))


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
    price = {"duration_seconds": format(model.unlisted.get("unit", Decimal(0)), "f")}
    unknown = dict.fromkeys(("supported_sizes", "upscale_factor", "creativity", "hugging_face_id"))
    return (
        told
        | unknown
        | {
            "supported_resolutions": ["720p", "1080p"],
            "supported_aspect_ratios": _RATIOS,
            "supported_durations": _DURATIONS,
            "supported_frame_images": ["first_frame"],
            "generate_audio": True,
            "seed": True,
            "allowed_passthrough_parameters": [],
            "pricing_skus": price,
        }
    )
