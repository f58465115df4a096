"""What a person may start from a host's menu."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import MCPError
from mcp_types import PromptReference

from tests.conftest import Connect

QUESTION = "Monolith or microservices for five people?"


def words(result: Any) -> str:
    (message,) = result.messages
    assert message.role == "user"
    return message.content.text


async def test_three_prompts_say_what_they_need(connect: Connect):
    async with connect() as client:
        prompts = (await client.list_prompts()).prompts
    assert {prompt.name: [(each.name, each.required) for each in prompt.arguments or ()] for prompt in prompts} == {
        "ask_a_panel": [("question", True), ("preset", False), ("max_cost_usd", False)],
        "second_opinion": [("subject", False), ("model", False)],
        "choose_model": [("job", True), ("budget", False)],
    }
    assert all(prompt.title and prompt.description for prompt in prompts)
    assert all(each.description for prompt in prompts for each in prompt.arguments or ())


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("ask_a_panel", {"question": QUESTION}, [QUESTION, "`fuse`.", "self-contained", "`running`"]),
        ("ask_a_panel", {"question": QUESTION, "preset": "general-fast"}, ["preset 'general-fast'"]),
        ("ask_a_panel", {"question": QUESTION, "max_cost_usd": "0.5"}, ["at most 0.5 USD", "max_cost_usd"]),
        ("second_opinion", {}, ["your last answer", "list_models", "`ask`"]),
        ("second_opinion", {"subject": "This plan.", "model": "x-ai/grok-4"}, ["This plan.", "from x-ai/grok-4 with"]),
        ("choose_model", {"job": "Sort mail"}, ["this job: Sort mail.", "`endpoints`"]),
        ("choose_model", {"job": "Sort mail", "budget": "a cent each"}, ["My limit: a cent each."]),
    ],
)
async def test_a_prompt_is_filled_in(connect: Connect, name: str, given: dict[str, str], said: list[str]):
    async with connect() as client:
        text = words(await client.get_prompt(name, given))
    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("ask_a_panel", {}, "needs question"),
        ("ask_a_panel", {"question": "  "}, "needs question"),
        ("choose_model", {"budget": "1"}, "needs job"),
        ("fuze", {}, "there are ask_a_panel, second_opinion, choose_model"),
    ],
)
async def test_what_is_missing_is_named(connect: Connect, name: str, given: dict[str, str], said: str):
    async with connect() as client:
        with pytest.raises(MCPError, match=said):
            await client.get_prompt(name, given)


@pytest.mark.parametrize(
    ("prompt", "argument", "typed", "first"),
    [
        ("ask_a_panel", "preset", "general-b", "general-budget"),
        ("second_opinion", "model", "openai/gpt-5.6-s", "openai/gpt-5.6-sol"),
    ],
)
async def test_arguments_are_completed(connect: Connect, prompt: str, argument: str, typed: str, first: str):
    async with connect() as client:
        reference = PromptReference(type="ref/prompt", name=prompt)
        found = await client.complete(reference, {"name": argument, "value": typed})
    assert found.completion.values[0] == first
