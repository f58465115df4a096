"""What a caller chooses of a fusion, and the limits that it is sent with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.openrouter.errors import InvalidRequest

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


@dataclass(frozen=True, slots=True)
class FusionChoices:
    """What the caller chose; empty and None leave the choice to upstream."""

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

    @property
    def models(self) -> tuple[str, ...]:
        """Every model the caller named, each once."""
        named = (*self.analysis_models, self.analyst_model, self.writer_model)
        return tuple(dict.fromkeys(name for name in named if name))

    def warnings(self) -> list[str]:
        """What the caller should know before it happens."""
        warnings: list[str] = []
        preset, limit = self.preset, self.max_completion_tokens
        if preset and preset not in PRESETS:
            warnings.append(f"Preset {preset!r} was passed on as it is; known are {', '.join(PRESETS)}.")
        if limit is not None and limit < STARVING_TOKENS:
            low = f"max_completion_tokens {limit} includes reasoning: below {STARVING_TOKENS}, "
            warnings.append(low + "panelists that reason often end without text.")
        return warnings


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


def check(choices: FusionChoices) -> None:
    """Refuse what cannot be.

    Raises:
        InvalidRequest: The choices contradict each other or upstream's limits.
    """
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
