"""Runs as they can happen: a request and what goes wrong with it, drawn from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from or_mcp.fusion.plan import FusionCaps, FusionChoices
from or_mcp.fusion.work import request_for

MODELS = (
    "~anthropic/claude-opus-latest",
    "~openai/gpt-sol-latest",
    "~google/gemini-pro-latest",
    "anthropic/claude-sonnet-5",
    "openai/gpt-5-mini",
    "openai/gpt-5-nano:nitro",
    "openai/gpt-5.2",
    "google/gemini-3.1-pro-preview",
    "x-ai/grok-4.5",
    "z-ai/glm-5.2",
    "deepseek/deepseek-v3.2:floor",
    "nobody/made-this",
)
WORDS = (
    "Größenordnung",
    "Datenbankmodell",
    "微服务架构设计",
    "данные",
    "résumé",
    "🦜papagei",
    "monolith",
    "billing",
    "microservices",
    "latency",
)
ERRORS = (
    {"error": "Provider overloaded", "status_code": 503},
    {"error": "Provider returned error: rate limited upstream", "status_code": 429},
    {"error": "Insufficient credits", "status_code": 402},
    {"error": "Stream completed without producing any text"},
)
REASONS = ("judge_not_valid_json", "judge_schema_mismatch", "judge_upstream_error", "judge_empty_completion")
BREAKS = ("cut_at_event", "reset_at_event", "error_at_event", "failed_at_event", "malformed_at_event", "panel_cut_at")


@dataclass
class Drawn:
    """One run before it happens."""

    prompt: str
    choices: FusionChoices
    fault: dict[str, Any] = field(default_factory=dict[str, Any])
    asks_twice: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """What is sent; a writer that asks for its panel twice is refused the second time, and leaves two records."""
        body = request_for(self.prompt, "", self.choices, FusionCaps.chosen(self.choices), None).body()
        if self.asks_twice:
            del body["stop_server_tools_when"]
        return body


def draw(seed: int) -> Drawn:
    """The run of a seed."""
    dice = random.Random(seed)
    panel = tuple(
        dice.choices(MODELS, k=dice.randint(1, 8)) if dice.random() < 0.3 else dice.sample(MODELS, 1 + seed % 8)
    )
    prompt = f"{seed}: {' '.join(dice.sample(WORDS, 4))}?"
    asked = () if dice.random() < 0.1 else panel
    if dice.random() < 0.1:
        preset = dice.choice(("general-fast", "general-budget"))
        choices = FusionChoices(preset=preset, analysis_models=asked, writer_model=dice.choice(("", MODELS[4])))
    else:
        choices = FusionChoices(
            analysis_models=asked,
            analyst_model=dice.choice(("", "", "openai/gpt-5.2", "nobody/judges")),
            reasoning_effort=dice.choice(("", "low", "high")),
            max_completion_tokens=dice.choice((None, None, 500)),
            web=dice.random() < 0.7,
        )
    return Drawn(prompt, choices, _fault(dice, len(panel)), asks_twice=dice.random() < 0.2)


def _fault(dice: random.Random, size: int) -> dict[str, Any]:
    fault: dict[str, Any] = {"path": "/responses", "panel_chars": dice.choice((0, 1, 90, 300))}
    failing = dice.choice((0, 0, 0, 1, dice.randint(0, size), size))
    fault["panel_failures"] = {str(place): dice.choice(ERRORS) for place in dice.sample(range(size), failing)}
    for name, chance in {
        "preamble": 0.2,
        "unknown_events": 0.3,
        "no_done": 0.2,
        "truncated": 0.1,
        "not_convened": 0.05,
        "empty_completion": 0.05,
    }.items():
        fault[name] = dice.random() < chance
    if dice.random() < 0.15:
        fault["analyst_failure"] = dice.choice(REASONS)
    if dice.random() < 0.4:
        kind = dice.choice(BREAKS)
        fault[kind] = dice.randint(0, size) if kind == "panel_cut_at" else dice.randint(0, 30 + 12 * size)
        if kind in ("error_at_event", "failed_at_event"):
            fault["status"] = dice.choice((429, 502, 503))
    if dice.random() < 0.3:
        fault["chunk_size"] = dice.choice((7, 61, 1000))
    return fault
