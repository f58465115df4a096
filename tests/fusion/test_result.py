"""What a fusion became, told honestly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from or_mcp.fusion.plan import FusionChoices
from or_mcp.fusion.result import FusionResult, WriterUsage, read_result
from or_mcp.fusion.state import FusionState
from or_mcp.fusion.telling import Clock, short, steps, tell
from or_mcp.openrouter.wire.responses import ResponseEvent

ANALYSIS = {"consensus": ["agreed"]}


def ended(
    *output: dict[str, Any], planned: tuple[str, ...] = (), status: str = "completed", **more: Any
) -> FusionResult:
    state = FusionState(planned)
    response = {"status": status, "output": list(output), **more}
    state.apply(ResponseEvent.model_validate({"type": f"response.{status}", "response": response}))
    return read_result(state)


def fusion(*answered: tuple[str, str], failed: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    item = {
        "type": "openrouter:fusion",
        "status": "completed",
        "responses": [{"model": model, "content": text} for model, text in answered],
        "failed_models": [{"model": model, "error": f"reason {number}"} for number, model in enumerate(failed)],
    }
    return item | more


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text}]}


def test_a_model_that_sits_on_the_panel_twice_is_counted_twice_even_in_the_same_words():
    result = ended(fusion(("a/b", "4"), ("a/b", "4"), analysis=ANALYSIS), message("4"), planned=("a/b", "a/b"))
    assert result.outcome == "fused"
    assert [(each.status, each.text) for each in result.panel] == [("answered", "4"), ("answered", "4")]


def test_a_model_that_failed_twice_failed_for_both_reasons():
    result = ended(fusion(failed=("a/b", "a/b")), message("alone"), planned=("a/b", "a/b"))
    assert result.outcome == "not_fused"
    assert [each.error for each in result.failed] == ["reason 0", "reason 1"]


def test_a_panelist_nobody_heard_of_again_has_failed():
    result = ended(fusion(("a/b", "x"), analysis=ANALYSIS), message("y"), planned=("a/b", "c/d"))
    assert result.outcome == "partial_panel"
    assert [(each.model, each.error) for each in result.failed] == [("c/d", "no reply was recorded")]
    assert result.notes == ('Partial panel: 1/2 panelists answered. Failed: c/d ("no reply was recorded").',)


def heard(*events: dict[str, Any], output: tuple[dict[str, Any], ...] = ()) -> FusionResult:
    state = FusionState()
    completed = {"type": "response.completed", "response": {"status": "completed", "output": list(output)}}
    for event in (*events, completed):
        state.apply(ResponseEvent.model_validate(event))
    return read_result(state)


def panel(name: str, model: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.fusion_call.panel.{name}", "model": model, **fields}


PANELIST = (panel("added", "a/b"), panel("completed", "a/b", content="x"))


def test_a_panelist_whose_end_was_not_heard_is_ended_by_the_record():
    began = (panel("added", "a/b"), panel("delta", "a/b", delta="It is"))
    result = heard(*began, output=(fusion(("a/b", "It is so."), analysis=ANALYSIS), message("y")))
    assert [(each.model, each.status, each.text) for each in result.panel] == [("a/b", "answered", "It is so.")]
    assert result.outcome == "fused"


def test_the_words_of_a_panelist_that_was_cut_off_are_kept():
    result = heard(panel("added", "a/b"), panel("delta", "a/b", delta="It is"), output=(message("y"),))
    (member,) = result.panel
    assert (member.status, member.text, member.error) == ("failed", "It is", "cut off after 5 characters")


def test_a_whole_fusion_needs_no_note_and_one_that_runs_has_none_yet():
    result = heard(*PANELIST, output=(fusion(("a/b", "x"), analysis=ANALYSIS), message("y")))
    assert (result.outcome, result.notes) == ("fused", ())
    state = FusionState(("a/b",))
    for event in PANELIST:
        state.apply(ResponseEvent.model_validate(event))
    running = read_result(state)
    assert (running.outcome, running.notes) == (None, ())
    assert [each.status for each in running.panel] == ["answered"]


def test_a_text_that_the_record_lacks_is_kept_beside_its_twins():
    said = [
        panel(name, "a/b", **more)
        for text in ("x", "y")
        for name, more in (("added", {}), ("completed", {"content": text}))
    ]
    result = heard(*said, output=(fusion(("a/b", "y"), analysis=ANALYSIS), message("z")))
    assert [(each.status, each.text) for each in result.panel] == [("answered", "x"), ("answered", "y")]


@pytest.mark.parametrize(
    ("item", "note"),
    [
        (fusion(("a/b", "x"), ("c/d", "y")), "No analysis: 2/2 panelists answered, but the analyst failed"),
        (fusion(("a/b", "x"), failed=("c/d",)), "No analysis: 1/2 panelists answered, but the analyst failed"),
        (fusion(failed=("a/b",), failure_reason="all_panels_failed"), "Not fused: every panelist failed"),
        (fusion(failure_reason="unexpected_error"), "Not fused: the panel failed (unexpected_error)"),
        (None, "Not fused: the panel was never convened; one model wrote this answer alone."),
    ],
)
def test_an_answer_without_a_whole_panel_says_so_first(item: dict[str, Any] | None, note: str):
    result = ended(*([item] if item else []), message("z"))
    assert result.outcome == ("no_analysis" if note.startswith("No analysis") else "not_fused")
    assert result.notes[0].startswith(note)
    assert ("one model wrote this answer alone" in result.notes[0]) is (result.outcome == "not_fused")


def test_a_panel_that_was_planned_and_never_convened_is_no_panel_of_failures():
    result = ended(message("z"), planned=("a/b", "c/d"))
    assert (result.outcome, result.panel) == ("not_fused", ())
    assert result.notes[0].startswith("Not fused: the panel was never convened")


def test_a_refused_second_call_is_not_the_record():
    capped = {"type": "openrouter:fusion", "status": "incomplete", "failure_reason": "fusion_invocation_capped"}
    result = ended(fusion(("a/b", "x"), analysis=ANALYSIS), capped, message("y"))
    assert (result.outcome, result.failure_reason) == ("fused", None)


def test_a_panel_whose_writer_wrote_nothing_is_told():
    result = ended(fusion(("a/b", "x"), analysis=ANALYSIS))
    assert (result.outcome, result.answer) == ("fused", "")
    assert "The writer wrote nothing; what the panel wrote is kept." in result.notes


@pytest.mark.parametrize(
    ("details", "told"), [({"reason": "max_output_tokens"}, "max_output_tokens"), (None, "no reason")]
)
def test_an_answer_that_was_cut_off_says_why(details: Any, told: str):
    result = ended(message("half"), status="incomplete", incomplete_details=details)
    assert any(note.startswith(f"The answer is cut off ({told}") for note in result.notes)


def test_the_cost_is_the_whole_runs_and_what_the_provider_bills_stands_beside_it():
    usage = {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
        "server_tool_use_details": {"web_search_requests": 3},
        "cost": 0.0015,
        "is_byok": True,
        "cost_details": {"upstream_inference_cost": 0.03},
    }
    result = ended(fusion(("a/b", "x"), analysis=ANALYSIS), message("y"), usage=usage)
    assert (result.cost_usd, result.provider_cost_usd) == (Decimal("0.0015"), Decimal("0.03"))
    assert result.usage == WriterUsage(input_tokens=7, cached_tokens=1, cache_write_tokens=2, web_searches=3)


def test_sources_are_pages_each_told_once():
    sources = [
        {"url": "https://a.example", "title": "A\nB"},
        {"url": "https://a.example", "title": "again"},
        {"url": "javascript:alert(1)", "title": "no page"},
        {"url": None},
    ]
    result = ended(fusion(("a/b", "x"), sources=sources))
    assert [(source.url, source.title) for source in result.sources] == [("https://a.example", "A B")]


def test_a_failure_without_words_is_told_as_such():
    item = {
        "type": "openrouter:fusion",
        "status": "incomplete",
        "failed_models": [{"model": "a/b", "status_code": 429}],
    }
    result = ended(item | {"error": "all panel models failed"}, message("alone"))
    assert result.error == "all panel models failed"
    assert 'Failed: a/b (429 "failed without a reason").' in result.notes[0]


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def apply(state: FusionState, name: str, **fields: Any) -> None:
    state.apply(ResponseEvent.model_validate({"type": f"response.fusion_call.{name}", **fields}))


def test_a_run_is_told_step_by_step_and_never_backwards():
    state, time = FusionState(("a/slow", "~b/fast-latest", "c/dead")), Time()
    clock = Clock(time)
    told: list[str] = []
    done = [steps(state)[0]]

    def look(seconds: float = 0) -> None:
        time.now += seconds
        told.append(tell(state, clock))
        done.append(steps(state)[0])

    look()
    for model in state.planned:
        apply(state, "panel.added", model=model)
    look(1)
    apply(state, "panel.reasoning.delta", model="a/slow", delta="hm")
    apply(state, "panel.delta", model="~b/fast-latest", delta="x" * 1234)
    look(9)
    apply(state, "panel.completed", model="~b/fast-latest", content="x" * 1234)
    apply(state, "panel.failed", model="c/dead", error="gone")
    look(2)
    apply(state, "panel.completed", model="a/slow", content="y")
    apply(state, "analysis.in_progress", analyst_model="d/analyst")
    look()
    look(50)
    apply(state, "analysis.completed", analysis=ANALYSIS)
    look()
    state.apply(ResponseEvent(type="response.output_text.delta", delta="z" * 20))
    look()
    assert told == [
        "convening the panel",
        "0/3 answered · slow waiting 0 s · fast waiting 0 s · dead waiting 0 s",
        "0/3 answered · slow thinking 9 s · fast writing 1.2k chars · dead waiting 9 s",
        "1/3 answered, 1 failed · slow thinking 11 s · fast ✓ 11 s · dead ✗ failed",
        "2/3 answered, 1 failed · analyst analyst comparing 0 s",
        "2/3 answered, 1 failed · analyst analyst comparing 50 s",
        "2/3 answered, 1 failed · analysis done",
        "2/3 answered, 1 failed · the writer writing 20 chars",
    ]
    assert done == sorted(done)
    assert done[-1] < steps(state)[1]


def test_a_line_about_eight_long_names_stays_short():
    state = FusionState()
    for number in range(8):
        apply(state, "panel.added", model=f"author/{'long-name-' * 6}{number}")
    line = tell(state, Clock(Time()))
    assert len(line) < 200
    assert line.endswith(" · …")


@pytest.mark.parametrize(
    ("model", "name"), [("~a/opus-latest", "opus"), ("a/gpt-5", "gpt-5"), ("bare", "bare"), ("", "")]
)
def test_a_name_is_short(model: str, name: str):
    assert short(model) == name


def test_a_plan_knows_its_models_once_and_warns_of_starving_limits():
    choices = FusionChoices(analysis_models=("a/b", "c/d"), analyst_model="a/b", max_completion_tokens=1999)
    assert choices.models == ("a/b", "c/d")
    assert len(choices.warnings()) == 1
    assert not FusionChoices(max_completion_tokens=2000).warnings()
