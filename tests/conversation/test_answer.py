"""An answer is put together from its chunks, whatever they hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from or_mcp.conversation.state import AnswerState, Citation
from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.chat import ChatChunk


def hear(*chunks: dict[str, Any]) -> AnswerState:
    state = AnswerState()
    for chunk in chunks:
        state.apply(ChatChunk.model_validate(chunk))
    return state


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": finish}]}


def details(*fragments: Any) -> tuple[Any, ...]:
    return hear(*(delta(reasoning_details=[fragment]) for fragment in fragments)).said().reasoning_details


def ending(state: AnswerState) -> Failure:
    with pytest.raises(Failure) as caught:
        state.check_ended()
    assert caught.value.may_be_billed
    return caught.value


def test_text_comes_as_words_or_as_parts():
    state = hear(delta(content="a"), delta(content=[{"type": "text", "text": "b"}, {"text": None}, "odd"]), delta())
    assert state.said().text == "ab"


def test_tool_calls_are_joined_by_their_index():
    state = hear(
        delta(tool_calls=[{"index": 1, "id": "two", "function": {"name": "g", "arguments": '{"'}}]),
        delta(tool_calls=[{"index": 0, "id": "one", "function": {"name": "f", "arguments": "{}"}}]),
        delta(tool_calls=[{"index": 1, "function": {"arguments": 'a":1}'}}, {"index": 1}]),
        delta("tool_calls"),
    )
    state.check_ended()
    assert {(call.call_id, call.name, call.arguments) for call in state.said().tool_calls} == {
        ("one", "f", "{}"),
        ("two", "g", '{"a":1}'),
    }


def test_tool_calls_of_a_whole_reply_need_no_index():
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("f", "g")]
    state = hear({"choices": [{"message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}]})
    assert [call.call_id for call in state.said().tool_calls] == ["f", "g"]
    message = state.said().message(whole=True)
    assert message is not None
    assert message["content"] is None
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["f", "g"]


@pytest.mark.parametrize(
    ("fragments", "kept"),
    [
        (
            [{"type": "reasoning.text", "index": 0, "text": "a"}, {"type": "reasoning.text", "index": 0, "text": "b"}],
            [{"type": "reasoning.text", "index": 0, "text": "ab"}],
        ),
        (
            [
                {"type": "reasoning.text", "index": 0, "text": "a", "signature": None},
                {"type": "reasoning.text", "index": 0, "text": None, "signature": "S"},
                {"type": "reasoning.text", "index": 0, "text": "b", "signature": None},
            ],
            [{"type": "reasoning.text", "index": 0, "text": "ab", "signature": "S"}],
        ),
        (
            [
                {"type": "reasoning.summary", "index": 0, "summary": "a"},
                {"type": "reasoning.text", "index": 0, "text": "b"},
            ],
            [
                {"type": "reasoning.summary", "index": 0, "summary": "a"},
                {"type": "reasoning.text", "index": 0, "text": "b"},
            ],
        ),
        (
            [
                {"type": "reasoning.encrypted", "index": 0, "data": "a"},
                {"type": "reasoning.encrypted", "index": 1, "data": "b"},
            ],
            [
                {"type": "reasoning.encrypted", "index": 0, "data": "a"},
                {"type": "reasoning.encrypted", "index": 1, "data": "b"},
            ],
        ),
        ([{"type": "x", "data": {"a": 1}}, {"type": "x", "data": {"a": 1}}], [{"type": "x", "data": {"a": 1}}] * 2),
        (
            [{"type": "x", "index": 0, "data": {"a": 1}}, {"type": "x", "index": 0, "data": 7}],
            [{"type": "x", "index": 0, "data": {"a": 1}}, {"type": "x", "index": 0, "data": 7}],
        ),
        (
            [{"type": "reasoning.encrypted", "index": 0, "data": "a"}] * 2,
            [{"type": "reasoning.encrypted", "index": 0, "data": "a"}] * 2,
        ),
        (
            [
                {"type": "reasoning.encrypted", "index": 0, "id": "call_a", "data": "a"},
                {"type": "reasoning.encrypted", "index": 0, "id": "call_b", "data": "b"},
            ],
            [
                {"type": "reasoning.encrypted", "index": 0, "id": "call_a", "data": "a"},
                {"type": "reasoning.encrypted", "index": 0, "id": "call_b", "data": "b"},
            ],
        ),
        (
            [
                {"type": "reasoning.text", "index": 0, "text": "a", "signature": "A"},
                {"type": "reasoning.text", "index": 0, "text": "b", "signature": "B"},
            ],
            [
                {"type": "reasoning.text", "index": 0, "text": "a", "signature": "A"},
                {"type": "reasoning.text", "index": 0, "text": "b", "signature": "B"},
            ],
        ),
        (
            [
                {"type": "reasoning.summary", "index": 0, "id": "rs_1", "summary": "a"},
                {"type": "reasoning.summary", "index": 0, "id": None, "summary": "b"},
                {"type": "reasoning.summary", "index": 0, "id": "rs_2", "summary": "c"},
            ],
            [
                {"type": "reasoning.summary", "index": 0, "id": "rs_1", "summary": "ab"},
                {"type": "reasoning.summary", "index": 0, "id": "rs_2", "summary": "c"},
            ],
        ),
        ([{"index": 0, "text": "a"}, {"type": "x", "index": 0, "text": "b"}],) * 2,
        (["odd", None, "odd"], ["odd", None, "odd"]),
    ],
)
def test_fragments_of_reasoning_are_joined_and_everything_else_is_kept_as_it_came(
    fragments: list[Any], kept: list[Any]
):
    assert list(details(*fragments)) == kept


def test_reasoning_goes_back_unmodified_and_is_told_in_short():
    state = hear(
        delta(reasoning="think " * 500, reasoning_details=[{"type": "reasoning.text", "text": "t"}]),
        delta("stop", content="a"),
    )
    message = state.said().message(whole=True)
    assert message is not None
    assert message["reasoning_details"] == [{"type": "reasoning.text", "text": "t"}]
    assert len(state.said().reasoning_summary or "") == 1000


def test_a_message_says_who_wrote_it_and_a_broken_one_is_taken_up_by_its_text_alone():
    call = {"index": 0, "id": "one", "function": {"name": "f", "arguments": '{"a'}}
    state = hear({"model": "a/b", **delta(content="half", reasoning_details=[{"type": "reasoning.text"}])})
    state.apply(ChatChunk.model_validate(delta(tool_calls=[call])))
    assert state.said().message(whole=False) == {"role": "assistant", "content": "half", "model": "a/b"}
    assert hear(delta(tool_calls=[call])).said().message(whole=False) is None


def test_a_tool_call_cut_off_at_the_limit_cannot_be_answered_and_one_without_arguments_can():
    calls = [{"id": "one", "function": {"name": "f"}}, {"id": "two", "function": {"name": "g", "arguments": '{"a'}}]
    said = hear({"choices": [{"message": {"tool_calls": calls}, "finish_reason": "length"}]}).said()
    assert [call.call_id for call in said.tool_calls] == ["one", "two"]
    message = said.message(whole=True)
    assert message is not None
    assert [call["function"] for call in message["tool_calls"]] == [{"name": "f", "arguments": "{}"}]


def test_tool_calls_without_ids_get_ids_that_no_other_answer_has():
    calls = [{"index": 0, "function": {"name": "f"}}, {"index": 1, "function": {"name": "g"}}]
    ids = [
        call.call_id
        for generation in ("gen-1", "gen-2")
        for call in hear({"id": generation, **delta("tool_calls", tool_calls=calls)}).said().tool_calls
    ]
    assert len(set(ids)) == 4


def test_what_upstream_read_from_a_document_goes_back_once():
    note = {"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": [{"type": "text", "text": "words"}]}}
    message = hear(delta(annotations=[note]), delta("stop", content="a", annotations=[note])).said().message(whole=True)
    assert message is not None
    assert message["annotations"] == [note]


def test_citations_are_pages_each_told_once():
    def cite(url: Any, title: Any = None) -> dict[str, Any]:
        return {"type": "url_citation", "url_citation": {"url": url, "title": title}}

    notes = [
        cite("https://a.example", "A"),
        cite("https://a.example", "B"),
        cite("ftp://x"),
        cite(None),
        {"type": "file"},
    ]
    state = hear(delta(annotations=notes), delta(annotations=[cite("http://b.example")]))
    assert state.said().citations == (
        Citation("https://a.example", "A"),
        Citation("http://b.example", "http://b.example"),
    )


def test_a_citation_says_for_which_characters_and_in_whose_words():
    cited = {"url": "https://a.example", "title": "A", "start_index": 3, "end_index": 9, "content": "So\nit is."}
    odd = {"url": "https://b.example", "start_index": 9, "end_index": 3, "content": 7}
    half = {"url": "https://c.example", "start_index": -1, "end_index": 3, "content": "x" * 400}
    notes = [{"type": "url_citation", "url_citation": each} for each in (cited, odd, half)]
    whole, none, long = hear(delta(annotations=notes)).said().citations
    assert (whole.start, whole.end, whole.quote) == (3, 9, "So it is.")
    assert (none.start, none.end, none.quote) == (None, None, None)
    assert (long.start, long.end, len(long.quote or "")) == (None, None, 300)


def test_usage_is_read_with_and_without_its_details():
    short: dict[str, Any] = {
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": "0.5"},
    }
    long = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 5}}
    usage = hear(short).said().usage
    assert usage is not None
    assert (usage.total_tokens, usage.reasoning_tokens, usage.cached_tokens) == (3, None, None)
    usage = hear(short | {"usage": short["usage"] | long}).said().usage
    assert usage is not None
    assert (usage.reasoning_tokens, usage.cached_tokens) == (5, 4)
    own = {"is_byok": True, "cost_details": {"upstream_inference_cost": 0.03}}
    said = hear(short | {"usage": short["usage"] | own}).said()
    assert (said.cost_usd, said.provider_cost_usd) == (Decimal("0.5"), Decimal("0.03"))
    assert hear(short).said().provider_cost_usd is None
    assert AnswerState().said().usage is None


@pytest.mark.parametrize(
    ("chunks", "kind", "words"),
    [
        ([delta(content="half")], "stream_broken", "without saying that the answer is complete"),
        ([], "stream_broken", "without saying"),
        ([delta("stop", content="")], "upstream_failed", "The answer is empty"),
        ([delta("length", reasoning="all of it")], "upstream_failed", "raise max_output_tokens"),
        ([delta("content_filter")], "refused", "declined"),
        ([delta("stop", refusal="I will not.")], "refused", "declined"),
    ],
)
def test_what_is_no_answer_is_a_failure(chunks: list[dict[str, Any]], kind: str, words: str):
    failure = ending(hear(*chunks))
    assert failure.kind == kind
    assert words in failure.message


def test_the_words_of_a_refusal_are_quoted():
    assert ending(hear(delta(refusal="I will "), delta("stop", refusal="not."))).quote == "I will not."


@pytest.mark.parametrize(
    ("chunk", "kind"),
    [
        ({"error": {"code": 429, "message": "slow"}}, "rate_limited"),
        ({"choices": [{"error": {"code": 402, "message": "pay"}, "finish_reason": "error"}]}, "no_credit"),
        (delta("error"), "upstream_failed"),
    ],
)
def test_an_error_inside_the_stream_is_a_failure_and_what_came_before_is_kept(chunk: dict[str, Any], kind: str):
    state = hear({"id": "gen-7", **delta(content="half")})
    with pytest.raises(Failure) as caught:
        state.apply(ChatChunk.model_validate(chunk))
    assert (caught.value.kind, caught.value.generation_id) == (kind, "gen-7")
    assert caught.value.may_be_billed
    assert state.said().text == "half"


def test_only_the_first_of_several_choices_is_heard():
    state = hear(
        {"choices": [{"delta": {"content": "one"}}, {"delta": {"content": "two"}}]},
        {"choices": [{"finish_reason": "stop"}]},
    )
    assert (state.said().text, state.said().finish_reason) == ("one", "stop")
