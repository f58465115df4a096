"""Paths beside the three of words: batches, files, decisions, other names of the same, and what is not imitated."""

from collections import Counter
from typing import Any

import pytest
from openrouter import components, errors

from or_mcp.simulator import Simulator
from tests.oracle import validate
from tests.simulator.calls import Caller, ask, chat
from tests.simulator.test_sim_contract import sdk_problems

JEV = "typesafe/jev-1"


async def of_root(caller: Caller, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
    """The reply of a path that does not stand below /api/v1."""
    root = str(caller.http.base_url).removesuffix("/").removesuffix("/api/v1")
    return (await caller.http.request(method, root + path, json=body)).json()


async def test_decisions_are_answered_by_their_type_with_probabilities(caller: Caller):
    questions = {
        "team": {"type": "choice", "instructions": "Which?", "criteria": {"billing": "Money", "other": None}},
        "urgent": {"type": "noul", "instructions": "Is it urgent?"},
        "mood": {"type": "score", "instructions": "How cross?", "criteria": ["calm", "cross", "furious"]},
        "logo": {"type": "box", "instructions": "Where is the logo?"},
    }
    body: dict[str, Any] = {"model": JEV, "state": "My invoice is wrong!", "questions": questions}
    reply = await of_root(caller, "/api/alpha/decisions", body)
    assert sdk_problems(components.DecisionsResponse, reply) == []
    answers = reply["answers"]
    assert answers["team"]["choice"] in ("billing", "other")
    assert abs(sum(answers["team"]["probabilities"].values()) - 1) < 0.001
    assert 0 <= answers["urgent"]["noul"] <= 1
    assert 0 <= answers["mood"]["score"] <= 2
    assert answers["logo"]["box"]["left"] < answers["logo"]["box"]["right"]
    assert reply["usage"]["cost"] == pytest.approx(reply["usage"]["input_tokens"] * 0.042 / 1e6)
    assert (await caller.result("/systemone", body))["answers"] == answers
    guess = {"x": {"type": "guess", "instructions": "?"}}
    wrongs: list[dict[str, Any]] = [{"questions": {}}, {"questions": guess}, {"state": None}]
    for wrong in wrongs:
        assert (await caller.post("/systemone", body | wrong)).status_code == 400


async def test_the_documents_old_address_of_responses_answers_too(simulator: Simulator, caller: Caller):
    reply = await of_root(caller, "/api/beta/responses", ask())
    assert reply["object"] == "response"
    simulator.script({"match": {"path": "/responses"}, "status": 503})
    assert (await of_root(caller, "/api/beta/responses", ask()))["error"]["code"] == 503


async def test_the_old_name_of_the_key_and_the_users_models_answer(caller: Caller):
    assert (await caller.data("/auth/key")) == (await caller.data("/key"))
    mine = (await caller.get("/models/user")).json()
    assert validate("/models/user", mine) == []
    assert mine["data"] == await caller.data("/models")
    assert (await caller.http.get("/models/user", headers={"authorization": ""})).status_code == 401


@pytest.mark.parametrize("path", ["/keys", "/keys/abc", "/presets/x", "/completions", "/generation/feedback"])
async def test_what_is_not_imitated_says_so_instead_of_looking_absent(caller: Caller, path: str):
    reply = await caller.get(path)
    assert (reply.status_code, "does not imitate" in reply.json()["error"]["message"]) == (501, True)
    assert (await caller.post(path, {})).status_code == 501
    assert (await caller.get("/no/such/path")).status_code == 404


async def test_what_stands_beside_the_api_and_is_not_imitated_says_so_too(caller: Caller):
    assert (await of_root(caller, "/api/alpha/extractions", {}))["error"]["code"] == 501


async def test_a_generation_tells_what_was_asked_and_answered(caller: Caller):
    reply = await caller.result("/chat/completions", chat())
    content = (await caller.get("/generation/content", id=reply["id"])).json()
    assert validate("/generation/content", content) == []
    assert content["data"]["output"]["completion"] == reply["choices"][0]["message"]["content"]
    assert content["data"]["input"]["messages"] == chat()["messages"]
    assert (await caller.get("/generation/content", "sk-or-v1-other", id=reply["id"])).status_code == 404


async def test_files_are_kept_for_their_owner(caller: Caller):
    sent = await caller.http.post("/files", files={"file": ("notes.txt", b"one\r\ntwo\n", "text/plain")})
    row = sent.json()
    assert sdk_problems(components.OpenRouterFile, row) == []
    assert (row["filename"], row["size_bytes"], row["mime_type"]) == ("notes.txt", 9, "text/plain")
    assert (await caller.get("/files")).json()["data"] == [row]
    assert sdk_problems(components.OpenRouterFileList, (await caller.get("/files")).json()) == []
    assert (await caller.get(f"/files/{row['id']}/content")).content == b"one\r\ntwo\n"
    assert (await caller.get(f"/files/{row['id']}", "sk-or-v1-other")).status_code == 404
    listed = await caller.result("/responses", ask(tools=[{"type": "openrouter:files"}]))
    assert "notes.txt" in next(item for item in listed["output"] if item["type"] == "openrouter:files")["result"]
    gone = (await caller.http.delete(f"/files/{row['id']}")).json()
    assert sdk_problems(components.OpenRouterFileDeleted, gone) == []
    assert (await caller.get("/files")).json()["data"] == []
    assert (await caller.post("/files", {"file": "x"})).status_code == 400


def batch(count: int = 2, **more: Any) -> dict[str, Any]:
    requests = [{"custom_id": f"r{n}", "body": {"messages": chat(f"Question {n}")["messages"]}} for n in range(count)]
    return {"endpoint": "/v1/chat/completions", "model": "openai/gpt-5.6-luna", "requests": requests} | more


async def test_a_batch_answers_every_request_at_half_the_price(caller: Caller):
    alone = await caller.result("/chat/completions", chat("Question 1"))
    before = (await caller.data("/key"))["usage"]
    submitted = await caller.post("/batches", batch())
    assert (submitted.status_code, submitted.json()["status"]) == (202, "validating")
    path = f"/batches/{submitted.json()['id']}"
    states = [(await caller.get(path)).json() for _ in range(3)]
    assert [state["status"] for state in states] == ["in_progress", "completed", "completed"]
    assert all(sdk_problems(components.BatchObject, state) == [] for state in (submitted.json(), *states))
    first, second = states[-1]["results"]
    assert (first["custom_id"], first["response"]["status_code"]) == ("r0", 200)
    body = second["response"]["body"]
    assert body["choices"][0]["message"]["content"] == alone["choices"][0]["message"]["content"]
    assert body["usage"]["cost"] == pytest.approx(alone["usage"]["cost"] / 2)
    assert (await caller.data("/key"))["usage"] == pytest.approx(before + states[-1]["usage"]["cost"])
    listed = (await caller.get("/batches")).json()
    assert sdk_problems(components.BatchListResponse, listed) == []
    gone = (await caller.http.delete(path)).json()
    assert sdk_problems(components.BatchDeletedObject, gone) == []
    assert (await caller.get(path)).status_code == 404


async def test_batches_stand_at_the_address_of_the_documents_too(simulator: Simulator, caller: Caller):
    simulator.script({"match": {"path": "/batches/*", "times": 1}, "status": 503})
    submitted = await of_root(caller, "/api/beta/batches", batch())
    path = f"/api/beta/batches/{submitted['id']}"
    assert (await of_root(caller, path, method="GET"))["error"]["code"] == 503
    assert (await of_root(caller, path, method="GET"))["status"] == "in_progress"
    assert (await of_root(caller, "/api/beta/batches", method="GET"))["data"][0]["id"] == submitted["id"]
    assert (await of_root(caller, path, method="DELETE"))["deletion"] == {"openrouter": "deleted"}


async def test_a_long_batch_is_finalized_before_it_is_done_and_tells_who_paid(simulator: Simulator, caller: Caller):
    simulator.script({"match": {"path": "/batches"}, "job_polls": 3}, {"byok": True})
    path = f"/batches/{(await caller.post('/batches', batch())).json()['id']}"
    states = [(await caller.get(path)).json() for _ in range(3)]
    assert [state["status"] for state in states] == ["in_progress", "finalizing", "completed"]
    assert states[-1]["usage"]["is_byok"] is True
    assert states[-1]["results"][0]["response"]["body"]["id"].startswith("gen-batch-")


async def test_batches_are_listed_by_pages_and_by_status(caller: Caller):
    ids = [(await caller.post("/batches", batch())).json()["id"] for _ in range(3)]
    for _ in range(2):
        await caller.get(f"/batches/{ids[0]}")
    first = (await caller.get("/batches", limit=2)).json()
    assert ([row["id"] for row in first["data"]], first["has_more"]) == ([ids[2], ids[1]], True)
    rest = (await caller.get("/batches", limit=2, after=first["last_id"])).json()
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == ([ids[0]], False)
    done = (await caller.get("/batches", status="completed")).json()
    assert [row["id"] for row in done["data"]] == [ids[0]]
    assert (await caller.get("/batches", limit=0)).status_code == 400


PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
NOT_TEXT: list[tuple[dict[str, Any], str]] = [
    ({"messages": [{"role": "user", "content": [PICTURE]}]}, "image input"),
    (chat() | {"modalities": ["text", "audio"]}, "modalities audio"),
    (chat() | {"audio": {"voice": "alloy", "format": "pcm16"}}, "audio"),
]


@pytest.mark.parametrize(("body", "what"), NOT_TEXT)
async def test_validation_fails_a_batch_that_is_not_text(caller: Caller, body: dict[str, Any], what: str):
    body = {name: value for name, value in body.items() if name != "model"}
    made = batch(requests=[*batch(1)["requests"], {"custom_id": "seen", "body": body}])
    submitted = await caller.post("/batches", made)
    assert submitted.status_code == 202
    state = (await caller.get(f"/batches/{submitted.json()['id']}")).json()
    assert (state["status"], state["results"]) == ("failed", None)
    assert f'"seen" has {what}' in state["error"]["message"]
    assert (await caller.data("/key"))["usage"] == 0


async def test_a_batch_of_googles_has_one_form_of_answers(caller: Caller):
    formed = [
        each | {"body": each["body"] | {"response_format": {"type": "json_object"}}} for each in batch()["requests"]
    ]
    for model, requests, status in (
        ("google/gemini-2.5-flash", [formed[0], batch()["requests"][1]], "failed"),
        ("google/gemini-2.5-flash", formed, "in_progress"),
        ("openai/gpt-5-mini", [formed[0], batch()["requests"][1]], "in_progress"),
    ):
        submitted = (await caller.post("/batches", batch(model=model, requests=requests))).json()
        assert (await caller.get(f"/batches/{submitted['id']}")).json()["status"] == status


async def test_requests_of_a_batch_fail_one_by_one(simulator: Simulator, caller: Caller):
    simulator.script(
        {"match": {"path": "/chat/completions", "contains": "Question 0"}, "status": 429, "body": {"oh": "dear"}}
    )
    made = batch(requests=[*batch()["requests"], {"custom_id": "bad", "body": {"messages": []}}])
    path = f"/batches/{(await caller.post('/batches', made)).json()['id']}"
    await caller.get(path)
    state = (await caller.get(path)).json()
    assert state["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
    assert [each["response"]["status_code"] for each in state["results"]] == [429, 200, 400]
    assert state["results"][0]["response"]["body"] == {"oh": "dear"}


@pytest.mark.parametrize(("rule", "status"), [({"job_failure": "Lost"}, "failed"), ({"job_expires": True}, "expired")])
async def test_a_batch_can_fail_as_a_whole(simulator: Simulator, caller: Caller, rule: dict[str, Any], status: str):
    simulator.script({"match": {"path": "/batches"}, "job_polls": 1, **rule})
    path = f"/batches/{(await caller.post('/batches', batch())).json()['id']}"
    state = (await caller.get(path)).json()
    told = state["error"]["message"] if state["error"] else None
    assert (state["status"], told) == (status, rule.get("job_failure"))
    assert (await caller.data("/key"))["usage"] == 0


async def test_the_results_of_a_batch_can_be_withheld_until_there_is_credit(simulator: Simulator, caller: Caller):
    simulator.script({"match": {"path": "/batches/*", "times": 3}, "job_unpaid": True})
    path = f"/batches/{(await caller.post('/batches', batch())).json()['id']}"
    replies = [await caller.get(path) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 402, 402, 200]
    withheld, told = replies[1].json(), replies[3].json()
    assert sdk_problems(errors.BatchPaymentRequiredResponseErrorData, withheld) == []
    assert (withheld["results"], withheld["error"]["code"], len(told["results"])) == (None, 402, 2)
    assert withheld["request_counts"] == told["request_counts"]


BAD_BATCHES: list[dict[str, Any]] = [
    {"endpoint": "/v1/rerank"},
    {"model": None},
    {"requests": []},
    {"requests": [{"custom_id": "a", "body": {}}, {"custom_id": "a", "body": {}}]},
    {"completion_window": "1h"},
    {"requests": [{"custom_id": "a", "body": {"model": "openai/gpt-5-mini"}}]},
]


@pytest.mark.parametrize("wrong", BAD_BATCHES)
async def test_a_batch_that_makes_no_sense_is_refused(caller: Caller, wrong: dict[str, Any]):
    assert (await caller.post("/batches", batch() | wrong)).status_code == 400


async def test_a_batch_names_its_model_before_its_requests(caller: Caller):
    body = batch()
    turned = {name: body[name] for name in ("requests", "endpoint", "model")}
    assert "before" in (await caller.post("/batches", turned)).json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("anthropic/claude-4.5-sonnet-20250929", "anthropic/claude-sonnet-4.5"),
        ("anthropic/claude-4.5-sonnet", "anthropic/claude-sonnet-4.5"),
        ("anthropic/claude-3-7-sonnet", "anthropic/claude-3.7-sonnet"),
        ("openai/gpt-5-mini-20250807", "openai/gpt-5-mini"),
    ],
)
async def test_permanent_slugs_resolve_with_and_without_their_date(caller: Caller, name: str, slug: str):
    assert (await caller.result("/chat/completions", chat(model=name)))["model"] == slug
    assert (await caller.data(f"/model/{name}"))["id"] == slug


async def test_benchmarks_tell_what_others_have_measured_and_what_a_task_cost(caller: Caller):
    told = (await caller.get("/benchmarks")).json()
    assert sdk_problems(components.UnifiedBenchmarksResponse, told) == []
    by_source = Counter(row["source"] for row in told["data"])
    assert by_source.keys() == {"artificial-analysis", "design-arena", "openrouter"}
    assert told["meta"]["model_count"] == by_source["openrouter"] > by_source["design-arena"]
    assert (await caller.http.get("/benchmarks", headers={"authorization": ""})).status_code == 401


@pytest.mark.parametrize(
    ("query", "sources"),
    [
        ({"source": "artificial-analysis", "task_type": "coding"}, {"artificial-analysis"}),
        ({"source": "design-arena", "category": "website"}, {"design-arena"}),
        ({"source": "design-arena", "category": "3d"}, set[str]()),
        ({"source": "openrouter", "benchmark_type": "gpqa_diamond"}, {"openrouter"}),
        ({"task_type": "search"}, set[str]()),
        ({"max_results": 1}, {"artificial-analysis"}),
    ],
)
async def test_benchmarks_are_narrowed_down(caller: Caller, query: dict[str, Any], sources: set[str]):
    told = (await caller.get("/benchmarks", None, **query)).json()
    assert {row["source"] for row in told["data"]} == sources
    assert len(told["data"]) <= query.get("max_results", 1_000)
    assert (told["meta"]["source"], told["meta"]["task_type"]) == (query.get("source"), query.get("task_type"))


async def test_a_benchmark_that_nobody_knows_is_refused(caller: Caller):
    assert (await caller.get("/benchmarks", source="crystal-ball")).status_code == 400
