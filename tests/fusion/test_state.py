"""Whatever order upstream's events come in, and wherever they stop, the state tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.fusion.result import FusionResult, read_result
from or_mcp.fusion.state import FusionState
from or_mcp.openrouter.errors import Failure, StreamBroken
from or_mcp.openrouter.wire.responses import ResponseEvent

Event = dict[str, Any]
A, B = "a/one", "b/two"
ANALYSIS = {"consensus": ["agreed"]}


def call(name: str, **fields: Any) -> Event:
    return {"type": f"response.fusion_call.{name}", "output_index": 1, **fields}


def speaking(model: str, text: str) -> list[Event]:
    deltas = [call("panel.delta", model=model, delta=text[at : at + 3]) for at in range(0, len(text), 3)]
    return [
        call("panel.added", model=model),
        call("panel.reasoning.delta", model=model, delta="hm"),
        *deltas,
        call("panel.completed", model=model, content=text),
    ]


def failing(model: str, error: Any, status_code: int | None = 503) -> list[Event]:
    return [call("panel.added", model=model), call("panel.failed", model=model, error=error, status_code=status_code)]


def record(answered: Sequence[tuple[str, str]], failed: Sequence[tuple[str, str]] = (), **more: Any) -> Event:
    return {
        "type": "openrouter:fusion",
        "status": "completed",
        "responses": [{"model": model, "content": text} for model, text in answered],
        "failed_models": [{"model": model, "error": error, "status_code": 503} for model, error in failed],
        "analysis": ANALYSIS,
        **more,
    }


def message(text: str, **more: Any) -> Event:
    return {"type": "message", "content": [{"type": "output_text", "text": text}], **more}


def answering(text: str, index: int = 2) -> list[Event]:
    return [
        {"type": "response.output_item.added", "output_index": index, "item": {"type": "message", "content": []}},
        *({"type": "response.output_text.delta", "output_index": index, "delta": part} for part in text.split("|")),
        {"type": "response.output_text.done", "output_index": index, "text": text.replace("|", "")},
        {"type": "response.output_item.done", "output_index": index, "item": message(text.replace("|", ""))},
    ]


def final(output: list[Event], status: str = "completed", **more: Any) -> Event:
    usage = {"input_tokens": 5, "output_tokens": 7, "cost": 0.25}
    response = {"id": "resp_gen-1", "model": "w/three", "status": status, "output": output, "usage": usage, **more}
    return {"type": f"response.{status}", "response": response}


def play(events: Sequence[Event], planned: tuple[str, ...] = ()) -> FusionState:
    state = FusionState(planned)
    for event in events:
        state.apply(ResponseEvent.model_validate(event))
    return state


PANELISTS = [
    [(A, "first text"), (B, "second text")],
    [(A, "same words"), (A, "same words")],
    [(A, "one text"), (A, "another"), (B, "third")],
]


def whole(
    order: Sequence[Event], answered: Sequence[tuple[str, str]], failed: Sequence[tuple[str, str]]
) -> list[Event]:
    item = record(answered, failed)
    return [
        {"type": "response.created", "response": {"id": "resp_gen-1", "status": "in_progress", "output": []}},
        *order,
        call("analysis.in_progress", analyst_model="an/alyst"),
        call("analysis.completed", analysis=ANALYSIS),
        {"type": "response.output_item.done", "output_index": 1, "item": item},
        *answering("The |answer."),
        final([item, message("The answer.")]),
    ]


def comparable(result: FusionResult) -> Any:
    """Two panelists of one name may be told in either order."""
    return sorted((each.model, each.status, each.text, each.error or "") for each in result.panel), (
        result.outcome,
        result.answer,
        result.analysis,
        result.analyst_model,
        result.cost_usd,
        result.generation_id,
        result.notes,
    )


@given(st.sampled_from(PANELISTS), st.sampled_from([0, 1, 2]), st.data())
def test_any_interleaving_of_the_panel_gives_the_same_result(
    answered: list[tuple[str, str]], failures: int, data: st.DataObject
):
    failed = [("c/dead", f"reason {number}") for number in range(failures)]
    queues = [speaking(*each) for each in answered] + [failing(*each) for each in failed]
    straight = [event for queue in queues for event in queue]
    planned = tuple(model for model, _ in [*answered, *failed])
    expected = read_result(play(whole(straight, answered, failed), planned))
    turns = [place for place, queue in enumerate(queues) for _ in queue]
    waiting = [list(queue) for queue in queues]
    mixed = [waiting[place].pop(0) for place in data.draw(st.permutations(turns))]
    assert comparable(read_result(play(whole(mixed, answered, failed), planned))) == comparable(expected)
    assert [each.model for each in expected.answered] == [model for model, _ in answered]
    assert [each.error for each in expected.failed] == [error for _, error in failed]


def test_a_stream_that_stops_anywhere_before_its_end_is_broken_and_keeps_what_came():
    events = whole([*speaking(A, "first text"), *failing(B, "no")], [(A, "first text")], [(B, "no")])
    for stop in range(len(events)):
        state = play(events[:stop], (A, B))
        with pytest.raises(StreamBroken) as broken:
            state.check_ended()
        assert broken.value.may_be_billed
        result = read_result(state)
        assert result.outcome is None
        assert {each.model for each in result.panel} == {A, B}
    state = play(events, (A, B))
    state.check_ended()
    assert read_result(state).outcome == "partial_panel"


@pytest.mark.parametrize(
    ("event", "kind", "quote"),
    [
        ({"type": "error", "code": "server", "message": "it broke"}, "upstream_failed", "it broke"),
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow"}, "rate_limited", "slow"),
        ({"type": "error", "code": 402, "message": "pay"}, "no_credit", "pay"),
        ({"type": "error", "error": {"code": 429, "message": "slow"}}, "rate_limited", "slow"),
        ({"type": "error", "error": "bare words"}, "upstream_failed", "bare words"),
        ({"type": "error"}, "upstream_failed", ""),
        ({"type": "response.error", "error": {"message": "old"}}, "upstream_failed", "old"),
        ({"error": {"code": 401, "message": "no type at all"}}, "not_authorized", "no type at all"),
        (
            final([], "failed", error={"code": "server_error", "message": "m"}, error_type="payment_required"),
            "no_credit",
            "m",
        ),
        (final([], "failed"), "upstream_failed", ""),
        ({"type": "response.failed"}, "upstream_failed", ""),
        ({"type": "response.failed", "error": {"code": 429, "message": "beside"}}, "rate_limited", "beside"),
    ],
)
def test_every_shape_of_error_event_is_its_failure_and_may_be_billed(event: Event, kind: str, quote: str):
    state = play([*speaking(A, "text")])
    with pytest.raises(Failure) as caught:
        state.apply(ResponseEvent.model_validate(event))
    assert (caught.value.kind, caught.value.quote) == (kind, quote)
    assert caught.value.may_be_billed
    assert state.panel[0].text == "text"


@pytest.mark.parametrize("error", ["words", {"message": "words"}])
def test_a_panelists_error_is_read_as_words_or_as_an_object(error: Any):
    state = play(failing(A, error))
    assert (state.panel[0].status, state.panel[0].error, state.panel[0].status_code) == ("failed", "words", 503)


def test_a_panelist_nobody_announced_is_taken_in():
    state = play([call("panel.delta", model=A, delta="hi"), call("panel.failed", model=B)])
    assert [(each.model, each.status, each.text) for each in state.panel] == [(A, "pending", "hi"), (B, "failed", "")]
    assert state.panel[1].error == "failed without a reason"


def test_late_words_of_a_panelist_that_ended_change_nobody_else():
    state = play([*speaking(A, "done"), call("panel.reasoning.delta", model=A, delta="x"), *speaking(B, "b")])
    assert [each.text for each in state.panel] == ["done", "b"]


def test_a_completion_without_content_keeps_what_was_streamed():
    state = play([call("panel.delta", model=A, delta="streamed"), call("panel.completed", model=A)])
    assert (state.panel[0].status, state.panel[0].text) == ("answered", "streamed")


def test_the_analyst_is_read_by_its_old_name_too():
    assert play([call("analysis.in_progress", judge_model="an/alyst")]).analyst == "an/alyst"


def test_what_nobody_knows_changes_nothing():
    strange = [call("something.new"), {"type": "response.web_search_call.searching"}, {"type": "ping"}, {}]
    assert read_result(play(strange)) == read_result(FusionState())


def test_a_record_and_an_answer_that_only_the_stream_tells_are_kept():
    done = {"type": "response.output_item.done"}
    item, answer = record([(A, "text")]), message("The answer.")
    events = [done | {"output_index": 1, "item": item}, done | {"output_index": 2, "item": answer}, final([])]
    result = read_result(play(events))
    assert (result.outcome, result.answer) == ("fused", "The answer.")
    assert [each.text for each in result.answered] == ["text"]


def test_words_of_a_model_that_sits_twice_stay_with_the_one_that_still_writes():
    two = [call("panel.added", model=A), call("panel.added", model=A)]
    other = [call("panel.added", model=B), call("panel.delta", model=B, delta="Mine.")]
    said = [call("panel.delta", model=A, delta="It is "), call("panel.failed", model=A, error="gone")]
    later = [call("panel.delta", model=A, delta="so."), call("panel.completed", model=A)]
    failed, answered, third = play([*other, *two, *said, *later]).panel[1:] + play(other).panel
    assert (failed.status, failed.text) == ("failed", "")
    assert (answered.status, answered.text) == ("answered", "It is so.")
    assert third.text == "Mine."


def test_the_generation_is_the_one_of_the_headers_or_else_of_the_response():
    known = FusionState(generation_id="gen-header")
    known.apply(ResponseEvent.model_validate(final([])))
    assert known.generation_id == "gen-header"
    assert play([final([])]).generation_id == "gen-1"
    assert play([final([], id=None)]).generation_id is None


def test_that_the_answer_begins_is_told_once_and_never_of_a_commentary():
    state = FusionState()
    commentary = {"type": "response.output_item.added", "output_index": 0, "item": message("", phase="commentary")}
    preamble = {"type": "response.output_text.delta", "output_index": 0, "delta": "Let me ask a panel."}
    told = [
        milestone.step
        for event in [
            commentary,
            preamble,
            *answering("The |answer |is here."),
            final([message("The answer is here.")]),
        ]
        for milestone in state.apply(ResponseEvent.model_validate(event))
    ]
    assert told == ["answer_started", "finished"]


def test_citations_are_taken_from_the_final_message_or_else_from_the_stream():
    added = {"type": "response.output_text.annotation.added", "annotation": {"url": "https://a.example", "title": "A"}}
    streamed = read_result(play([added, final([message("x")])]))
    cited = {"type": "message", "content": [{"text": "x", "annotations": [{"url": "https://b.example"}]}]}
    told = read_result(play([added, final([cited])]))
    assert [source.url for source in streamed.sources] == ["https://a.example"]
    assert [source.title for source in told.sources] == ["https://b.example"]


def test_an_answer_the_final_response_lacks_is_kept_from_the_stream():
    empty: Event = {"type": "message", "content": []}
    assert read_result(play([*answering("All |of it."), final([empty])])).answer == "All of it."
    assert read_result(play([*answering("All |of it."), final([])])).answer == "All of it."


def test_a_commentary_is_the_answer_only_when_there_is_nothing_else():
    spoken = {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": message("Let me ask.", phase="commentary"),
    }
    item = message("Let me ask.", phase="commentary")
    assert play([spoken]).answer == ""
    assert play([spoken, *answering("The answer.")]).answer == "The answer."
    assert play([spoken, final([item])]).answer == "Let me ask."
    broken = final([item], "failed", error={"message": "gone", "code": "server_error"})
    state = play([spoken, *answering("The ans")[:2]])
    with pytest.raises(Failure):
        state.apply(ResponseEvent.model_validate(broken))
    assert state.answer == "The ans"


def test_a_refusal_is_the_answer():
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}
    assert read_result(play([final([refusal])])).answer == "I will not."
