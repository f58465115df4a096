"""Choices become a checked request: everything that is decided before any money is spent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.openrouter.wire.responses import FusionParameters, FusionPlugin, FusionTool, ResponsesRequest
from or_mcp.openrouter.wire.routing import Provider, Reasoning, StopWhen

SLUG = "openrouter/fusion"
FLASH_SLUG = "openrouter/fusion-flash"
PRESETS = ("general-high", "general-budget", "general-fast")
# Upstream's documented limit.
PANEL_LIMIT = 8
# Upstream's documented panel. Never sent: leaving the panel out gets whatever it is today.
DEFAULT_PANEL = ("~anthropic/claude-opus-latest", "~openai/gpt-sol-latest", "~google/gemini-pro-latest")
# Upstream's documented defaults: sent, so that they are limits.
DEFAULT_STEPS = 4
DEFAULT_COMPLETION_TOKENS = 16_000
# Pages that one panelist may read in full, beside what its searches show of them.
_FETCHES = 2
# The writer's own limit includes its reasoning: too little cuts the answer after a panel that was paid in full.
ANSWER_TOKENS = 16_000
# Below this, panelists that reason end without having written anything.
STARVING_TOKENS = 2_000

_OPENING = "Use Fusion."


@dataclass(frozen=True, slots=True)
class FusionChoices:
    """What the caller chose; empty and None leave the choice to upstream."""

    prompt: str
    instructions: str = ""
    preset: str = ""
    analysis_models: tuple[str, ...] = ()
    analyst_model: str = ""
    writer_model: str = ""
    reasoning_effort: str = ""
    max_tool_calls: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    web: bool = True

    @property
    def writer(self) -> str:
        """The model that writes the answer, if the caller named it: under a preset the analyst writes too."""
        return self.writer_model or (self.analyst_model if self.preset else "")


@dataclass(frozen=True, slots=True)
class FusionCaps:
    """The limits that are sent, so that a fusion costs no more than what is set aside for it."""

    steps: int = DEFAULT_STEPS
    completion_tokens: int = DEFAULT_COMPLETION_TOKENS
    answer_tokens: int = ANSWER_TOKENS
    stop_usd: Decimal | None = None

    @classmethod
    def chosen(cls, choices: FusionChoices) -> FusionCaps:
        """As the caller chose, and as upstream would where the caller did not."""
        return cls(choices.max_tool_calls or DEFAULT_STEPS, choices.max_completion_tokens or DEFAULT_COMPLETION_TOKENS)

    def web(self, choices: FusionChoices) -> WebUse:
        """What each panelist, and the analyst, may look up."""
        return WebUse(self.steps, min(self.steps, _FETCHES)) if choices.web else NO_WEB


@dataclass(frozen=True, slots=True)
class FusionPlan:
    """A request that can be sent, and what it was made from."""

    choices: FusionChoices
    caps: FusionCaps
    request: ResponsesRequest

    @property
    def panel(self) -> tuple[str, ...]:
        """The models asked, where the caller named them."""
        return self.choices.analysis_models

    @property
    def models(self) -> tuple[str, ...]:
        """Every model the caller named, each once."""
        chosen = self.choices
        named = (*chosen.analysis_models, chosen.analyst_model, chosen.writer_model)
        return tuple(dict.fromkeys(name for name in named if name))

    def warnings(self) -> list[str]:
        """What the caller should know before it happens."""
        told: list[str] = []
        preset, limit = self.choices.preset, self.choices.max_completion_tokens
        if preset and preset not in PRESETS:
            told.append(f"Preset {preset!r} was passed on as it is; known are {', '.join(PRESETS)}.")
        if limit is not None and limit < STARVING_TOKENS:
            low = f"max_completion_tokens {limit} includes reasoning: below {STARVING_TOKENS}, "
            told.append(low + "panelists that reason often end without text.")
        return told


def plan_fusion(choices: FusionChoices, provider: Provider | None = None, caps: FusionCaps | None = None) -> FusionPlan:
    """Check the choices and build the one request that carries them.

    Raises:
        InvalidRequest: The choices contradict each other or upstream's limits.
    """
    _check(choices)
    build = _with_preset if choices.preset else _with_tool
    caps = caps or FusionCaps.chosen(choices)
    return FusionPlan(choices, caps, build(choices, caps, provider))


def _check(choices: FusionChoices) -> None:
    if not choices.prompt.strip():
        raise InvalidRequest("prompt is blank; it takes the whole question, self-contained")
    if len(choices.analysis_models) > PANEL_LIMIT:
        raise InvalidRequest(
            f"analysis_models has {len(choices.analysis_models)} models; a panel has 1 to {PANEL_LIMIT}"
        )
    for name in (*choices.analysis_models, choices.analyst_model):
        if name.split(":")[0] in (SLUG, FLASH_SLUG):
            raise InvalidRequest(f"{name} cannot sit on its own panel; name the models themselves")
    if choices.writer_model.split(":")[0] == FLASH_SLUG:
        raise InvalidRequest(f"writer_model {FLASH_SLUG} brings a panel of its own; use preset 'general-fast' for that")
    if choices.preset:
        _check_preset(choices)


def _check_preset(choices: FusionChoices) -> None:
    tool_only = {
        "reasoning_effort": choices.reasoning_effort,
        "max_completion_tokens": choices.max_completion_tokens,
        "temperature": choices.temperature,
    }
    given = [name for name, value in tool_only.items() if value not in ("", None)]
    if given:
        raise InvalidRequest(
            f"{' and '.join(given)} cannot be combined with preset {choices.preset!r}: "
            "upstream takes a preset or these settings. Leave one of them out"
        )
    if choices.writer_model and choices.analyst_model not in ("", choices.writer_model):
        raise InvalidRequest(
            "Under a preset one model is both analyst and writer: "
            f"analyst_model {choices.analyst_model!r} and writer_model {choices.writer_model!r} differ"
        )


def _with_preset(choices: FusionChoices, caps: FusionCaps, provider: Provider | None) -> ResponsesRequest:
    plugin = FusionPlugin(
        preset=choices.preset,
        analysis_models=choices.analysis_models or None,
        model=choices.writer or None,
        max_tool_calls=caps.steps,
        tools=caps.web(choices).tools(),
    )
    return _request(SLUG, choices, caps, provider, plugins=(plugin,))


def _with_tool(choices: FusionChoices, caps: FusionCaps, provider: Provider | None) -> ResponsesRequest:
    parameters = FusionParameters(
        analysis_models=choices.analysis_models or None,
        model=choices.analyst_model or None,
        max_tool_calls=caps.steps,
        max_completion_tokens=caps.completion_tokens,
        reasoning=Reasoning(effort=choices.reasoning_effort) if choices.reasoning_effort else None,
        temperature=choices.temperature,
        # Left out, panelists would get upstream's search and fetch; an empty list means no tools at all.
        tools=caps.web(choices).tools(),
    )
    tool = FusionTool(parameters=parameters)
    return _request(choices.writer or SLUG, choices, caps, provider, tools=(tool,))


def _request(
    model: str,
    choices: FusionChoices,
    caps: FusionCaps,
    provider: Provider | None,
    *,
    tools: tuple[FusionTool, ...] | None = None,
    plugins: tuple[FusionPlugin, ...] | None = None,
) -> ResponsesRequest:
    """The panel is forced, and capped to one invocation: left to itself a model may answer alone, or ask twice."""
    # These conditions replace max_tool_calls, so the cap is among them.
    stop = (StopWhen(type="step_count_is", step_count=1),)
    if caps.stop_usd is not None:
        stop += (StopWhen(type="max_cost", max_cost_in_dollars=float(caps.stop_usd)),)
    return ResponsesRequest(
        model=model,
        input=choices.prompt,
        instructions=" ".join(part for part in (_OPENING, choices.instructions) if part),
        tools=tools,
        plugins=plugins,
        tool_choice="required",
        stop_server_tools_when=stop,
        max_output_tokens=caps.answer_tokens,
        provider=provider,
    )
