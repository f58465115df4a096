"""Batches: many requests at half the price, answered when they have been asked for often enough."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

from or_mcp.simulator.api import inference, vectors
from or_mcp.simulator.delivery.framing import Document, EventStream, Reply, Settlement
from or_mcp.simulator.delivery.refusals import Refused, error_object
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call, Job, State
from or_mcp.simulator.wire import JsonObject, as_list, as_object, compact, objects

_ENDPOINTS: dict[str, Callable[[State, Call], Reply]] = {
    "/v1/chat/completions": lambda state, call: inference.answer(state, call, "chat"),
    "/v1/responses": lambda state, call: inference.answer(state, call, "responses"),
    "/v1/messages": lambda state, call: inference.answer(state, call, "messages"),
    "/v1/embeddings": vectors.embed,
}
_DAY_SECONDS = 86_400
_LARGEST_PAGE = 100


def submit(state: State, call: Call) -> Document:
    """POST /batches."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    _check(body)
    identity = f"batch_{state.random_part(24)}"
    state.jobs[identity] = job = Job(identity, account.fingerprint, int(time.time()), call.fault, call)
    return Document(_told(job, "validating"), 202)


def _check(body: JsonObject) -> None:
    if body.get("endpoint") not in tuple(_ENDPOINTS):
        raise invalid(f'Invalid option: expected one of {"|".join(_ENDPOINTS)} at "endpoint"', field="endpoint")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise invalid('Invalid input: expected string at "model"', field="model")
    requests = objects(body.get("requests"))
    if not requests or len(requests) != len(as_list(body.get("requests"))):
        raise invalid('Invalid input: expected a non-empty array of objects at "requests"', field="requests")
    names = list(body)
    if names.index("requests") < max(names.index("endpoint"), names.index("model")):
        raise invalid('"endpoint" and "model" must come before "requests"', field="requests")
    ids = [request.get("custom_id") for request in requests]
    if len(set(map(str, ids))) < len(ids) or not all(isinstance(each, str) and each for each in ids):
        raise invalid("Every request needs a custom_id of its own", field="requests")
    if body.get("completion_window") not in (None, "24h"):
        raise invalid('Invalid option: expected "24h" at "completion_window"', field="completion_window")


def show(state: State, call: Call) -> Document:
    """GET /batches/{id}."""
    job = _batch(state, call)
    if job.result is None and job.due:
        job.result = _finish(state, job)
    return Document(job.result or _told(job, "in_progress", request_counts=_so_far(job)))


def _so_far(job: Job) -> JsonObject:
    """As many have been answered as it has been asked for often enough."""
    total = len(objects(as_object(job.request.request.body)["requests"]))
    return {"total": total, "completed": min(total * job.polls // (job.polls_wanted or 1), total), "failed": 0}


def _batch(state: State, call: Call) -> Job:
    job = state.job(call, call.params["batch"])
    if not job.id.startswith("batch_"):
        raise Refused(404, f"{job.id} not found")
    return job


def _finish(state: State, job: Job) -> JsonObject:
    if job.fault.job_failure is not None:
        return _told(job, "failed", error={"message": job.fault.job_failure})
    if job.fault.job_expires:
        return _told(job, "expired")
    results = [_result(state, job, request) for request in objects(as_object(job.request.request.body)["requests"])]
    failed = sum(result["error"] is not None or result["response"]["status_code"] != 200 for result in results)
    counts = {"total": len(results), "completed": len(results) - failed, "failed": failed}
    return _told(job, "completed", results=results, request_counts=counts, usage=_sum(results))


def _result(state: State, job: Job, request: JsonObject) -> JsonObject:
    """One request, answered as it would be alone, rules of scripted trouble included."""
    batch = as_object(job.request.request.body)
    body = as_object(request.get("body")) | {"model": batch["model"], "stream": False}
    if batch.get("provider"):
        body["provider"] = batch["provider"]
    path = str(batch["endpoint"]).removeprefix("/v1")
    noted = replace(job.request.request, path=path, body=body)
    fault = state.rules.take(path, str(batch["model"]), compact(body))
    call = replace(job.request, request=noted, fault=fault, batched=True)
    answered = {"id": f"batch_req_{state.random_part(20)}", "custom_id": request["custom_id"], "error": None}
    try:
        if fault.status is not None:
            raise Refused(fault.status, fault.message or "Provider returned error", error_type=fault.error_type)
        reply = _ENDPOINTS[batch["endpoint"]](state, call)
    except Refused as refused:
        failed = {"status_code": refused.status, "request_id": None, "body": {"error": error_object(refused)}}
        return answered | {"response": failed}
    if isinstance(reply, EventStream):
        raise TypeError("a batched request is never streamed")
    reply.settle(Settlement())
    told = json.loads(reply.encoded())
    return answered | {"response": {"status_code": 200, "request_id": call.origin.request_id, "body": told}}


def _sum(results: list[JsonObject]) -> JsonObject:
    usages = [as_object(as_object(as_object(each["response"])["body"]).get("usage")) for each in results]

    def total(*names: str) -> float:
        return sum(next((usage[name] for name in names if usage.get(name) is not None), 0) for usage in usages)

    prompt, completion = total("prompt_tokens", "input_tokens"), total("completion_tokens", "output_tokens")
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return counts | {"cost": total("cost")}


def _told(job: Job, status: str, **more: object) -> JsonObject:
    body = as_object(job.request.request.body)
    over = status not in ("validating", "in_progress")
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": body["endpoint"],
        "model": body["model"],
        "provider": None,
        "status": status,
        "completion_window": "24h",
        "created_at": job.created,
        "expires_at": job.created + _DAY_SECONDS,
        "finalized_at": int(time.time()) if over else None,
        "request_counts": {"total": len(objects(body["requests"])), "completed": 0, "failed": 0},
        "error": None,
        "results": None,
        "usage": None,
        **more,
    }


def list_all(state: State, call: Call) -> Document:
    """GET /batches, the newest first, without their results."""
    owner = state.account_of(call).fingerprint
    jobs = [job for job in state.jobs.values() if job.owner == owner and job.id.startswith("batch_")]
    rows = [(job.result or _told(job, "in_progress")) | {"results": None} for job in reversed(jobs)][:_LARGEST_PAGE]
    ends = {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
    return Document({"object": "list", "data": rows, "has_more": len(jobs) > len(rows)} | ends)


def delete(state: State, call: Call) -> Document:
    """DELETE /batches/{id}: what is not done yet never will be."""
    job = _batch(state, call)
    del state.jobs[job.id]
    return Document({"id": job.id, "object": "batch", "deletion": {"openrouter": "deleted"}})
