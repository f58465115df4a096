"""Batches: many requests at half the price, answered when they have been asked for often enough."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

from or_mcp.simulator.api import inference, vectors
from or_mcp.simulator.api.filtering import number
from or_mcp.simulator.api.submitting import check_submitted, found_wrong
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import Document, EventStream, Reply, Settlement
from or_mcp.simulator.delivery.refusals import Refused, error_object
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call, Job, State
from or_mcp.simulator.wire import JsonObject, as_object, compact, objects

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
    check_submitted(body, tuple(_ENDPOINTS))
    identity = f"batch_{state.random_part(24)}"
    state.jobs[identity] = job = Job(identity, account.fingerprint, int(time.time()), call.fault, call)
    return Document(_told(job, "validating"), 202)


def show(state: State, call: Call) -> Document:
    """GET /batches/{id}."""
    job = _batch(state, call)
    wrong = found_wrong(as_object(job.request.request.body)) if job.result is None else None
    if wrong is not None:
        job.result = _told(job, "failed", error={"message": wrong})
    elif job.result is None and job.due:
        job.result = _finish(state, job)
    if job.result is not None and call.fault.job_unpaid:
        withheld = {"code": 402, "message": "Add credits to unlock the results of this batch"}
        return Document(job.result | {"results": None, "error": withheld}, 402)
    # Results are put together when everything is answered, which takes a moment.
    status = "finalizing" if 1 < job.polls == job.polls_wanted - 1 else "in_progress"
    return Document(job.result or _told(job, status, request_counts=_so_far(job)))


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
        if fault.replaces_reply:
            raise _scripted(fault)
        reply = _ENDPOINTS[batch["endpoint"]](state, call)
    except Refused as refused:
        told = {"error": error_object(refused)} if fault.body is None else fault.body
        failed = {"status_code": refused.status, "request_id": None, "body": told}
        return answered | {"response": failed}
    if isinstance(reply, EventStream):
        raise TypeError("a batched request is never streamed")
    reply.settle(Settlement())
    told = json.loads(reply.encoded())
    return answered | {"response": {"status_code": 200, "request_id": call.origin.request_id, "body": told}}


def _scripted(fault: Fault) -> Refused:
    return Refused(fault.status or 502, fault.message or "Provider returned error", error_type=fault.error_type)


def _sum(results: list[JsonObject]) -> JsonObject:
    usages = [as_object(as_object(as_object(each["response"])["body"]).get("usage")) for each in results]

    def total(*names: str) -> float:
        return sum(next((usage[name] for name in names if usage.get(name) is not None), 0) for usage in usages)

    prompt, completion = total("prompt_tokens", "input_tokens"), total("completion_tokens", "output_tokens")
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return counts | {"cost": total("cost"), "is_byok": any(usage.get("is_byok") for usage in usages)}


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
    """GET /batches, the newest first, without their results; `after` is the last id of the page before."""
    owner, wanted = state.account_of(call).fingerprint, parse_qs(call.request.query).get("status")
    asked = number(call.query, "limit")
    limit = _LARGEST_PAGE if asked is None else int(asked)
    if not 1 <= limit <= _LARGEST_PAGE:
        raise invalid(f'Invalid input: expected integer between 1 and {_LARGEST_PAGE} at "limit"', field="limit")
    jobs = [job for job in reversed(state.jobs.values()) if job.owner == owner and job.id.startswith("batch_")]
    rows = [(job.result or _told(job, "in_progress")) | {"results": None} for job in jobs]
    rows = [row for row in rows if not wanted or row["status"] in wanted]
    ids = [row["id"] for row in rows]
    rows = rows[ids.index(call.query["after"]) + 1 :] if call.query.get("after") in ids else rows
    page = rows[:limit]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return Document({"object": "list", "data": page, "has_more": len(rows) > len(page)} | ends)


def delete(state: State, call: Call) -> Document:
    """DELETE /batches/{id}: what is not done yet never will be."""
    job = _batch(state, call)
    del state.jobs[job.id]
    return Document({"id": job.id, "object": "batch", "deletion": {"openrouter": "deleted"}})
