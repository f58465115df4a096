"""Scripted trouble does what the rule says, where it says."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest

from or_mcp.simulator import Fault, FaultError, Simulator, load_faults
from or_mcp.simulator.delivery.faults import rules_schema
from tests.simulator import page
from tests.simulator.calls import Caller, Stream, answer_of, ask, chat, fuse, fusion_items

PANEL = ["~anthropic/claude-opus-latest", "z-ai/glm-5.2"]


async def broken_stream(caller: Caller, path: str, body: dict[str, Any]) -> Stream:
    """A stream whose connection is torn down: what arrived before."""
    async with caller.http.stream("POST", path, json=body | {"stream": True}) as reply:
        stream = Stream(reply.status_code, reply.headers)
        try:
            async for text in reply.aiter_text():
                stream.read(text)
        except (httpx2.ReadError, httpx2.RemoteProtocolError):
            return stream
    raise AssertionError("the connection was not torn down")


async def test_a_rule_hits_only_what_it_matches(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"match": {"path": "/responses", "model": "openai/*", "contains": "billing"}, "status": 503})
    assert (await caller.post("/responses", ask())).status_code == 503
    assert (await caller.post("/chat/completions", chat())).status_code == 200
    assert (await caller.post("/responses", ask(model="z-ai/glm-5.2"))).status_code == 200
    assert (await caller.post("/responses", ask("Something else"))).status_code == 200


async def test_skip_and_times_count_matching_requests(simulator: Simulator, caller: Caller) -> None:
    simulator.script(
        {"match": {"path": "/responses", "skip": 1, "times": 2}, "status": 502}, {"status": 500, "times": 1}
    )
    codes = [(await caller.post("/responses", ask())).status_code for _ in range(5)]
    assert codes == [500, 502, 502, 200, 200]


async def test_an_error_status_comes_in_upstreams_envelope(simulator: Simulator, caller: Caller) -> None:
    availability = {"code": "capacity_exhausted", "retryable": True}
    simulator.script({"status": 429, "retry_after": 7, "message": "Busy", "availability": availability})
    reply = await caller.post("/responses", ask())
    assert reply.headers["retry-after"] == "7"
    error = reply.json()["error"]
    assert (error["code"], error["message"], error["error_type"]) == (429, "Busy", "rate_limit_exceeded")
    assert error["availability"] == availability | {"retry_after": 7}
    simulator.script({"status": 529})
    reply = (await caller.post("/messages", chat(max_tokens=9))).json()
    assert (reply["type"], reply["error"]["type"]) == ("error", "overloaded_error")


async def test_bodies_pages_and_headers_are_sent_as_scripted(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"html": True, "status": 524})
    reply = await caller.get("/models")
    assert (reply.status_code, reply.headers["content-type"][:9]) == (524, "text/html")
    simulator.script({"status": 418, "body": ["any", "json"], "headers": {"X-Odd": "yes"}})
    reply = await caller.post("/rerank", {})
    assert (reply.status_code, reply.json(), reply.headers["x-odd"]) == (418, ["any", "json"], "yes")
    simulator.script({"body": "not json", "content_type": "application/json"})
    reply = await caller.get("/key")
    assert (reply.status_code, reply.text, reply.headers["content-type"]) == (200, "not json", "application/json")


async def test_a_body_can_break_off_and_an_error_can_hide_in_a_200(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"malformed_json": True})
    reply = await caller.post("/chat/completions", chat())
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    simulator.script({"error_in_200": True, "status": 504})
    reply = await caller.post("/chat/completions", chat())
    assert reply.status_code == 200
    assert reply.text.startswith("\n")
    assert reply.json()["error"]["code"] == 504


async def test_a_reset_comes_before_any_reply(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"reset": True, "times": 1})
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await caller.post("/chat/completions", chat())
    assert (await caller.post("/chat/completions", chat())).status_code == 200
    assert simulator.aborted == []


async def test_a_stream_can_be_cut_cleanly_or_torn_down(simulator: Simulator, caller: Caller) -> None:
    whole = await caller.stream("/responses", fuse(PANEL))
    for event in (0, 1, len(whole.events) // 2, len(whole.events)):
        simulator.script({"cut_at_event": event})
        stream = await caller.stream("/responses", fuse(PANEL))
        assert (len(stream.events), stream.done) == (event, False)
        simulator.script({"reset_at_event": event})
        assert len((await broken_stream(caller, "/responses", fuse(PANEL))).events) <= event
    simulator.script({"panel_cut_at": 1})
    types = (await caller.stream("/responses", fuse(PANEL))).types
    assert types.count("response.fusion_call.panel.completed") == 1


async def test_a_document_can_be_cut_or_torn_down_too(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"cut_at_event": 1})
    with pytest.raises(json.JSONDecodeError):
        (await caller.post("/chat/completions", chat())).json()
    simulator.script({"reset_at_event": 1})
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await caller.post("/chat/completions", chat())


async def test_errors_inside_a_stream_have_each_apis_shape(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"error_at_event": 3, "status": 429, "message": "Slow down"})
    stream = await caller.stream("/responses", ask())
    assert stream.events[-1] == {
        "type": "error", "code": "rate_limit_exceeded", "message": "Slow down", "param": None, "sequence_number": 3,
    }  # fmt: skip
    stream = await caller.stream("/chat/completions", chat())
    assert stream.events[-1]["error"]["metadata"]["error_type"] == "rate_limit_exceeded"
    assert stream.events[-1]["choices"][0]["finish_reason"] == "error"
    assert not stream.done
    simulator.script({"failed_at_event": 3, "status": 402})
    stream = await caller.stream("/responses", ask())
    assert (stream.types[-1], stream.done) == ("response.failed", True)
    assert (stream.last["status"], stream.last["error_type"]) == ("failed", "payment_required")


async def test_a_failed_run_keeps_the_items_already_done(simulator: Simulator, caller: Caller) -> None:
    whole = await caller.stream("/responses", fuse(PANEL))
    done = whole.types.index("response.output_item.done")
    simulator.script({"failed_at_event": done + 1})
    stream = await caller.stream("/responses", fuse(PANEL))
    assert [reply["model"] for reply in fusion_items(stream.last)[0]["responses"]] == PANEL


async def test_a_line_can_be_malformed_and_the_end_can_be_missing(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"malformed_at_event": 2, "no_done": True})
    stream = await caller.stream("/chat/completions", chat())
    assert (len(stream.broken_lines), stream.done) == (1, False)
    assert stream.events[-1]["usage"]["cost"] > 0


async def test_strange_events_and_fields_can_be_sprinkled_in(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"unknown_events": True})
    stream = await caller.stream("/responses", fuse(PANEL))
    assert "response.x_simulated.telemetry" in stream.types
    assert [event["sequence_number"] for event in stream.events] == list(range(len(stream.events)))
    assert stream.types[-1] == "response.completed"


async def read_until(caller: Caller, body: dict[str, Any], enough: Callable[[str], bool]) -> str:
    """What has arrived when it is enough, which it has to be before the caller's patience ends."""
    got = ""
    async with asyncio.timeout(60), caller.http.stream("POST", "/responses", json=body) as reply:
        async for text in reply.aiter_text():
            got += text
            if enough(got):
                return got
    raise AssertionError(f"the reply ended: {got}")


async def sent_before_leaving(caller: Caller) -> int:
    """How many events were sent to the caller who left last, once that was noticed."""
    async with asyncio.timeout(60):
        while not (aborted := (await caller.control("GET", "/_sim/stats"))["aborted"]):
            await asyncio.sleep(0.05)
    return aborted[-1]["events_sent"]


async def test_a_stream_can_stall_or_never_end(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"stall_at_event": 2, "keepalives": 0})
    await read_until(caller, ask(stream=True), lambda got: got.count("data:") == 2)
    assert await sent_before_leaving(caller) == 2
    simulator.script({"never_ends": True})
    text = await read_until(caller, ask(stream=True), lambda got: got.count(":") >= 3)
    assert "data:" not in text
    text = await read_until(caller, ask(), lambda got: len(got) >= 4)
    assert text.strip() == ""


async def test_time_is_spent_where_the_rule_says(simulator: Simulator, caller: Caller) -> None:
    async def timed(rule: dict[str, Any], body: dict[str, Any]) -> float:
        simulator.script(rule)
        started = time.monotonic()
        assert (await caller.post("/responses", body)).status_code == 200
        return time.monotonic() - started

    assert await timed({"latency_ms": 120}, ask()) >= 0.12
    assert await timed({"duration_s": 0.25}, ask(stream=True)) >= 0.25
    assert await timed({"duration_s": 0.25}, ask()) >= 0.25
    assert await timed({"event_delay_ms": 4}, ask(stream=True)) >= 0.06
    assert await timed({"chunk_latency_ms": 4}, ask(stream=True)) >= 0.06


async def test_a_slow_reply_keeps_its_caller_awake(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"event_delay_ms": 1100, "keepalives": 3})
    text = await read_until(caller, ask(stream=True), lambda got: "data:" in got)
    # Three at the beginning, and one at least within the wait for the first event.
    assert text.startswith(":\n\n" * 4)


async def test_a_reply_can_arrive_byte_by_byte(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"chunk_size": 1, "answer_chars": 60})
    stream = await caller.stream("/responses", ask("Où est l'été ?"))
    assert stream.types[-1] == "response.completed"
    assert (await caller.result("/chat/completions", chat()))["choices"][0]["finish_reason"] == "stop"


async def test_what_is_said_can_be_scripted(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"panel_chars": 3000, "answer_chars": 1234, "preamble": True})
    response = await caller.result("/responses", fuse(PANEL))
    assert [len(reply["content"]) for reply in fusion_items(response)[0]["responses"]] == [3000, 3000]
    assert len(answer_of(response)) == 1234
    assert (response["output"][0]["type"], response["output"][0]["phase"]) == ("message", "commentary")
    simulator.script({"panel_texts": {"1": "Two."}, "answer": "Both.\n\nTruly."})
    response = await caller.result("/responses", fuse(PANEL))
    assert fusion_items(response)[0]["responses"][1]["content"] == "Two."
    assert answer_of(response) == "Both.\n\nTruly."
    odd = {"consensus": "one string", "unheard_of": [1]}
    simulator.script({"analysis": odd})
    assert fusion_items(await caller.result("/responses", fuse(PANEL)))[0]["analysis"] == odd
    simulator.script({"not_convened": True})
    assert fusion_items(await caller.result("/responses", fuse(PANEL))) == []


async def test_an_answer_can_be_empty_cut_short_or_refused(simulator: Simulator, caller: Caller) -> None:
    simulator.script({"empty_completion": True})
    reply = await caller.result("/chat/completions", chat())
    assert reply["choices"][0]["message"]["content"] == ""
    assert (reply["usage"]["completion_tokens"], reply["usage"]["cost"]) == (0, 0)
    simulator.script({"truncated": True})
    assert (await caller.result("/chat/completions", chat()))["choices"][0]["finish_reason"] == "length"
    response = await caller.result("/responses", ask())
    assert (response["status"], response["incomplete_details"]["reason"]) == ("incomplete", "max_output_tokens")
    simulator.script({"refusal": "No."})
    assert (await caller.result("/chat/completions", chat()))["choices"][0]["message"]["refusal"] == "No."


BAD_RULES: list[tuple[Any, str]] = [
    ({"latency": 3}, "rule 0: latency: unknown field"),
    ({"match": {"paths": "/x"}}, "rule 0: match.paths: unknown field"),
    ({"match": "x"}, "rule 0: match: expected an object"),
    ({"status": "503"}, "rule 0: status: expected a valid integer, got '503'"),
    ({"times": -1}, "rule 0: times: expected greater than or equal to 0"),
    ({"html": 1}, "rule 0: html: expected a valid boolean"),
    ({"chunk_size": 0}, "rule 0: chunk_size: expected"),
    ({"panel_failures": {"a/b": "down"}}, "rule 0: panel_failures.a/b: expected"),
    ("rule", "rule 0: expected an object"),
]


@pytest.mark.parametrize(("rule", "complaint"), BAD_RULES)
def test_a_rule_that_makes_no_sense_is_refused_by_name(rule: Any, complaint: str) -> None:
    with pytest.raises(FaultError, match=complaint):
        Simulator().script(rule)


def test_the_page_about_the_simulator_tells_what_the_rules_are() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.written(), "run make docs"


def test_the_schema_of_the_rules_admits_what_the_simulator_admits() -> None:
    schema = rules_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for rule in ({"match": {"path": "/responses", "times": 2}, "status": 503}, {"refusal": "No."}, {"body": [1]}):
        jsonschema.validate([rule], schema)
        Simulator().script(rule)
    for rule, _complaint in BAD_RULES:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([rule], schema)


def test_rules_can_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text('[{"match": {"path": "/responses"}, "status": 503, "times": 2}]')
    assert load_faults(path) == [Fault(path="/responses", status=503, times=2)]
    path.write_text("[{]")
    with pytest.raises(FaultError, match=r"faults\.json"):
        load_faults(path)


@pytest.mark.parametrize("path", ["/chat/completions", "/messages"])
async def test_chat_and_messages_can_be_strange_and_can_fail_too(
    simulator: Simulator, caller: Caller, path: str
) -> None:
    body = chat(max_tokens=400)
    simulator.script({"unknown_events": True})
    assert "x_simulated" in (await caller.stream(path, body)).raw
    assert "x_simulated_extra" in await caller.result(path, body)
    simulator.script({"failed_at_event": 2, "message": "Gone"})
    assert (await caller.stream(path, body)).events[-1]["error"]["message"] == "Gone"
