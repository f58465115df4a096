"""Prompts: what a person may start from a host's menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mcp_types

from or_mcp.openrouter.errors import InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class Argument:
    """What a person fills in."""

    name: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: its arguments, and the words they become."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    words: Callable[[Mapping[str, str]], str]


def _fuse(given: Mapping[str, str]) -> str:
    preset = f" with preset {given['preset']!r}" if given.get("preset") else ""
    return f"""\
Put this question to a panel of models with the tool `fuse`{preset}:

{given["question"]}

The panel sees only the prompt, so write one self-contained question: add the facts, constraints and code from this \
conversation that matter, and say what a good answer looks like. If the call answers `running`, call `run` with its \
run_id until it has finished.

Then tell me: the answer, where the panel disagrees and what you make of it, what only one model saw, what nobody \
covered, and what it cost. If the outcome is not `fused`, say so first."""


def _second_opinion(given: Mapping[str, str]) -> str:
    model = f" from {given['model']}" if given.get("model") else " from a strong model of another maker than yourself"
    subject = given.get("subject") or "your last answer or plan in this conversation"
    return f"""\
Get a second opinion{model} with the tool `ask` (find the model with `list_models`) on:

{subject}

Write a self-contained prompt: the question, the context, and the answer to examine. Ask for mistakes, missing cases \
and what it would do differently, with reasons. Then compare honestly: what do you keep, what do you change?"""


def _choose_model(given: Mapping[str, str]) -> str:
    budget = f" My limit: {given['budget']}." if given.get("budget") else ""
    return f"""\
Find the best OpenRouter model for this job: {given["job"]}.{budget}

Use `list_models` (filters, sort by intelligence, coding, agentic or price) and `endpoints` (who serves it, how fast, \
who keeps data). Compare two or three candidates in a small table: price per million tokens in and out, context, what \
they support, speed, privacy. Recommend one and say what would change your mind."""


PROMPTS: tuple[Prompt, ...] = (
    Prompt(
        "fuse",
        "Ask a panel of models",
        "One question to several models, compared by an analyst, with one answer.",
        (
            Argument("question", "What the panel should answer", required=True),
            Argument("preset", "general-high, general-budget or general-fast"),
        ),
        _fuse,
    ),
    Prompt(
        "second_opinion",
        "Get a second opinion",
        "Have another model examine an answer or a plan.",
        (Argument("subject", "What to examine; empty: the last answer"), Argument("model", "Whom to ask")),
        _second_opinion,
    ),
    Prompt(
        "choose_model",
        "Choose a model",
        "Find the right model for a job, with prices of today.",
        (Argument("job", "What it should do", required=True), Argument("budget", "What it may cost")),
        _choose_model,
    ),
)


def listed() -> list[mcp_types.Prompt]:
    """The prompts as hosts see them."""
    return [
        mcp_types.Prompt(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=[
                mcp_types.PromptArgument(name=each.name, description=each.description, required=each.required)
                for each in prompt.arguments
            ],
        )
        for prompt in PROMPTS
    ]


def get(name: str, given: Mapping[str, str]) -> mcp_types.GetPromptResult:
    """One prompt with its arguments filled in.

    Raises:
        NotFound: There is no such prompt.
        InvalidRequest: An argument it needs is missing.
    """
    prompt = next((each for each in PROMPTS if each.name == name), None)
    if prompt is None:
        raise NotFound(f"There is no prompt {name!r}; there are {', '.join(each.name for each in PROMPTS)}")
    missing = [each.name for each in prompt.arguments if each.required and not given.get(each.name)]
    if missing:
        raise InvalidRequest(f"The prompt {name!r} needs {', '.join(missing)}")
    message = mcp_types.PromptMessage(role="user", content=mcp_types.TextContent(type="text", text=prompt.words(given)))
    return mcp_types.GetPromptResult(description=prompt.description, messages=[message])
