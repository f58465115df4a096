"""The mechanics of `python -m evals`, with a model that says what it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import pytest

from evals.rules import NONE, Called, Task, grade
from evals.tasks import TASKS
from or_mcp.calls.schemas import input_schema
from or_mcp.simulator import Simulator
from or_mcp.tools import ALL_TOOLS
from tests.conftest import Upstream
from tests.serving.programs import ROOT

PATH = "/chat/completions"
MODEL = "openai/gpt-5-mini"
COST = 0.001
# What a right call has where it says more than that something must stand in an argument.
RIGHT: Mapping[str, Mapping[str, Any]] = {
    "panel-named": {"analysis_models": ["a/a", "b/b", "c/c"], "prompt": "float"},
    "rows": {"rows": [{"company": "Siemens"}] * 3, "prompt": "In which country is {company}?"},
    "duplicates": {"output": "similarity", "input": ["a", "b", "c"]},
    "rerank": {"documents": ["a", "b", "c"], "query": "tax"},
    "decide-rows": {"rows": ["a", "b", "c"]},
    "panel-ceiling": {"max_cost_usd": 0.3},
    "vision": {"input_modality": "image", "max_input_price": 1},
    "long": {"min_context": 1_000_000},
    "effort": {"reasoning_effort": "high"},
    "free": {"free": True},
    "zdr": {"zdr": True},
    "panel-offline": {"web": False},
}


def right(task: Task) -> Called:
    """A call that is right: where a rule wants words, these words."""
    given = dict(RIGHT.get(task.name, {}))
    for name, rule in task.arguments.items():
        if name not in given and not rule.holds(None):
            words = rule.words.removeprefix("with ")
            given[name] = words if words != rule.words else json.loads(words.replace("'", '"'))
    return Called(task.tools[0], given)


def reply(called: Called, cost: float = COST) -> dict[str, Any]:
    """A model's whole answer."""
    function = {"name": called.tool, "arguments": json.dumps(called.arguments)}
    calls = [{"id": "call_1", "type": "function", "function": function}] if called.tool else None
    message = {"role": "assistant", "content": None if calls else "By myself.", "tool_calls": calls}
    choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message}
    usage = {"prompt_tokens": 3_000, "completion_tokens": 20, "total_tokens": 3_020, "cost": cost}
    return {"id": "gen-1", "model": MODEL, "object": "chat.completion", "choices": [choice], "usage": usage}


def script(upstream: Simulator, **calls: Called) -> None:
    """What the model does for each task; what is not named it does right."""
    done = {task.said: calls.get(task.name, right(task)) for task in TASKS}
    upstream.script(*({"match": {"path": PATH, "contains": said}, "body": reply(call)} for said, call in done.items()))


def run(upstream: Upstream, *arguments: str, key: str = "sk-or-test") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "OPENROUTER_BASE_URL": upstream.base_url, "OPENROUTER_API_KEY": key}
    command = [sys.executable, "-m", "evals", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


async def evals(upstream: Upstream, *arguments: str, key: str = "sk-or-test") -> subprocess.CompletedProcess[str]:
    return await anyio.to_thread.run_sync(lambda: run(upstream, *arguments, key=key))


def test_there_are_sixty_tasks_for_every_tool_and_for_none():
    assert len(TASKS) == len({task.name for task in TASKS}) == 60
    assert {tool for task in TASKS for tool in task.tools} == {NONE, *ALL_TOOLS}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_names_arguments_that_there_are_and_only_a_right_call_passes(task: Task):
    for tool in task.tools:
        assert not tool or task.arguments.keys() <= input_schema(ALL_TOOLS[tool].arguments)["properties"].keys()
    assert not grade(task, right(task))
    assert grade(task, Called("account" if task.tools != ("account",) else "run", right(task).arguments))
    wanted = [name for name, rule in task.arguments.items() if not rule.holds(None)]
    for name in wanted:
        given = {key: value for key, value in right(task).arguments.items() if key != name}
        assert name in grade(task, Called(task.tools[0], given))


async def test_a_model_that_does_all_right_is_told_so_and_shown_the_tools_as_hosts_show_them(upstream: Upstream):
    script(upstream)
    done = await evals(upstream)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{MODEL}: 60 of 60 right, ${60 * COST:.4f}" in done.stdout
    sent = upstream.posts(PATH)[0].body
    assert [tool["function"]["name"] for tool in sent["tools"]] == list(ALL_TOOLS)
    assert sent["messages"][0]["role"] == "system"
    assert all("batch" not in tool["function"]["parameters"]["properties"] for tool in sent["tools"])


async def test_what_was_wrong_is_told(upstream: Upstream):
    script(
        upstream, capital=Called("ask", {"prompt": "?"}), short=Called("ask", {"max_output_tokens": 20}), spent=Called()
    )
    done = await evals(upstream)
    assert "57 of 60 right" in done.stdout
    assert "✗ capital called ask, not nothing" in done.stdout
    assert "✗ short max_output_tokens was 20, not 200" in done.stdout
    assert "✗ spent called nothing, not account" in done.stdout
    assert (await evals(upstream, "--least", "0.99")).returncode == 1


@pytest.mark.parametrize("ceiling", ["0.5", "99"])
async def test_it_ends_before_it_costs_more_than_its_ceiling_and_never_more_than_a_dollar(
    upstream: Upstream, ceiling: str
):
    upstream.script({"path": PATH, "body": reply(Called(), 0.06)})
    done = await evals(upstream, "anthropic/claude-opus-5", "--max-cost", ceiling)
    assert done.returncode == 1
    assert "ended early: " in done.stdout
    spent = float(done.stdout.rsplit("$", 3)[1].split("\n")[0])
    assert spent <= min(float(ceiling), 1)
    assert 1 < len(upstream.posts(PATH)) < 60


async def test_what_has_no_price_is_not_asked(upstream: Upstream):
    done = await evals(upstream, "openrouter/auto")
    assert "nobody knows what it costs" in done.stdout
    assert not upstream.posts(PATH)


async def test_without_a_key_it_says_so(upstream: Upstream):
    done = await evals(upstream, key="")
    assert done.returncode == 2
    assert "OPENROUTER_API_KEY is not set" in done.stderr
