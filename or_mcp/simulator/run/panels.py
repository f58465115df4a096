"""Fusion: what a request asks for, whether the panel is convened, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass

from or_mcp.simulator.catalogue.models import CATALOGUE
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.money.pricing import Tokens, bill
from or_mcp.simulator.run.asks import Ask, must_use_tools, named_tool
from or_mcp.simulator.run.outcomes import FusionRun, Panelist
from or_mcp.simulator.run.texts import Writer, dice_for, token_count
from or_mcp.simulator.run.validation import check_fusion, invalid
from or_mcp.simulator.wire import JsonObject, as_object, compact, objects

TOOL = "openrouter:fusion"
SLUGS = {"openrouter/fusion": "general-high", "openrouter/fusion-flash": "general-fast"}
PRESETS: dict[str, tuple[str, ...]] = {
    "general-high": ("~anthropic/claude-opus-latest", "~openai/gpt-sol-latest", "~google/gemini-pro-latest"),
    "general-budget": ("moonshotai/kimi-k3", "z-ai/glm-5.2", "deepseek/deepseek-v3.2"),
    "general-fast": ("~google/gemini-flash-latest", "openai/gpt-5.6-luna", "x-ai/grok-4.1-fast"),
}
DEFAULT_COMPLETION_TOKENS = 16_000
_DEFAULT_STEPS = 4
_TOKENS_PER_STEP = 2500
# Below this a panelist that always reasons spends everything before its first visible word.
_REASONING_STARVES_BELOW = 2000
_WEB_TOOLS = ("openrouter:web_search", "openrouter:web_fetch")


@dataclass(frozen=True, slots=True)
class FusionPlan:
    """The settings of one fusion, checked and complete."""

    panel: tuple[str, ...]
    analyst: str
    writer: str
    steps: int
    web: bool
    completion_tokens: int
    reasons: bool
    forced: bool
    convened: bool
    calls_allowed: bool
    by_slug: bool


def read_plan(ask: Ask) -> FusionPlan | None:
    """The fusion a request asks for, None if it asks for none; refuses settings upstream refuses."""
    slug = ask.models[0]
    plugin = next((each for each in objects(ask.body.get("plugins")) if each.get("id") == "fusion"), None)
    tool = next((each for each in ask.server_tools if each.get("type") == TOOL), None)
    by_slug = slug in SLUGS
    if not by_slug and tool is None:
        if plugin is not None and plugin.get("enabled") is not False:
            raise invalid('The fusion plugin requires model "openrouter/fusion" or the openrouter:fusion tool')
        return None
    parameters = as_object(as_object(tool).get("parameters"))
    # Plugin values count only when the tool entry has none of its own.
    settings = parameters or as_object(plugin)
    check_fusion(settings)
    preset = PRESETS.get(str(settings.get("preset") or SLUGS.get(slug, "general-high")), PRESETS["general-high"])
    writer = slug
    if by_slug:
        writer = (settings.get("model") if not parameters else None) or preset[0]
    tools: list[JsonObject] | None = settings.get("tools")
    forced = _forced(ask)
    return FusionPlan(
        panel=tuple(settings.get("analysis_models") or preset),
        analyst=settings.get("model") or writer,
        writer=writer,
        steps=settings.get("max_tool_calls") or _DEFAULT_STEPS,
        web=tools is None or any(entry["type"] in _WEB_TOOLS for entry in tools),
        completion_tokens=settings.get("max_completion_tokens") or DEFAULT_COMPLETION_TOKENS,
        reasons=bool(as_object(settings.get("reasoning"))),
        forced=forced,
        convened=as_object(plugin).get("enabled") is not False and _convened(ask, by_slug=by_slug, forced=forced),
        calls_allowed=_steps_allowed(ask) > 1,
        by_slug=by_slug,
    )


def _forced(ask: Ask) -> bool:
    choice = ask.tool_choice
    if must_use_tools(choice):
        # A model that must use some tool takes the first one it is offered.
        first = next(iter(objects(ask.body.get("tools"))), {"type": TOOL})
        return first.get("type") == TOOL or as_object(choice).get("type") == "allowed_tools"
    return named_tool(choice) == TOOL


def _convened(ask: Ask, *, by_slug: bool, forced: bool) -> bool:
    if forced:
        return True
    if ask.tool_choice == "none" or named_tool(ask.tool_choice):
        return False
    return by_slug or "use fusion" in f"{ask.instructions}\n{ask.question}".lower()


def _steps_allowed(ask: Ask) -> int:
    conditions = objects(ask.body.get("stop_server_tools_when"))
    if not conditions:
        return ask.body.get("max_tool_calls") or 30
    for condition in conditions:
        match condition.get("type"):
            case "step_count_is" if condition.get("step_count") == 1:
                return 1
            case "has_tool_call" if condition.get("tool_name") == TOOL:
                return 1
            case "finish_reason_is" if condition.get("reason") == "tool_calls":
                return 1
            case _:
                continue
    return 30


def convene(plan: FusionPlan, ask: Ask, seed: int, run_id: str, fault: Fault) -> FusionRun:
    """Run the panel and the analyst."""
    prompt = ask.question
    panel = [_panelist(plan, ask, seed, index, fault) for index in range(len(plan.panel))]
    run = FusionRun(run_id, prompt, panel, plan.analyst)
    dice = dice_for(seed, "sources", ask.question)
    if run.replies and plan.web:
        run.sources = Writer(dice, ask.question).sources(dice.randint(2, 4))
    _analyse(run, ask, seed, fault)
    run.capped = plan.forced and plan.calls_allowed and not _cost_stops(ask, run)
    return run


def _cost_stops(ask: Ask, run: FusionRun) -> bool:
    used = sum(each.tokens.prompt + each.tokens.completion for each in run.panel)
    for condition in objects(ask.body.get("stop_server_tools_when")):
        if condition.get("type") == "max_cost" and run.cost >= (condition.get("max_cost_in_dollars") or 0):
            return True
        if condition.get("type") == "max_tokens_used" and used >= (condition.get("max_tokens") or 0):
            return True
    return False


def _panelist(plan: FusionPlan, ask: Ask, seed: int, index: int, fault: Fault) -> Panelist:
    slug = plan.panel[index]
    scripted = fault.panel_failures.get(slug) or fault.panel_failures.get(str(index))
    if scripted is not None:
        return Panelist(slug, error=scripted.error, status_code=scripted.status_code)
    known = CATALOGUE.find(slug)
    if known is None or "text" not in known.gives:
        return Panelist(slug, error=f"{slug} is not a valid model ID", status_code=400)
    model = CATALOGUE.concrete(known)
    if model.must_reason and plan.completion_tokens < _REASONING_STARVES_BELOW:
        return Panelist(slug, error="Stream completed without producing any text")
    dice = dice_for(seed, "panel", index, slug, ask.question)
    writer = Writer(dice, ask.question)
    most = plan.completion_tokens * 4
    chars = fault.panel_chars if fault.panel_chars is not None else min(dice.randint(420, 900), most)
    reply = fault.panel_texts.get(slug) or fault.panel_texts.get(str(index)) or writer.text(chars)
    reasoning = writer.thought() if model.must_reason or plan.reasons else ""
    steps = dice.randint(1, min(plan.steps, 2)) if plan.web else 0
    thought = token_count(reasoning) * 6
    tokens = Tokens(ask.prompt_tokens + steps * _TOKENS_PER_STEP, token_count(reply) + thought + steps * 40, thought)
    charged = bill(model.row["pricing"], tokens, searches=steps, fetches=steps // 2)
    return Panelist(slug, reply, reasoning, tokens=tokens, bill=charged)


def _failure_reason(failures: Sequence[Panelist]) -> str:
    codes = [panelist.status_code for panelist in failures]
    if 402 in codes:
        return "insufficient_credits"
    if 429 in codes:
        return "rate_limited"
    return "invalid_model" if all(code == 400 for code in codes) else "all_panels_failed"


_ANALYST_ERRORS = {
    "judge_not_valid_json": "The analyst did not return valid JSON.",
    "judge_schema_mismatch": "The analyst's JSON did not match the expected schema.",
    "judge_upstream_error": "The analyst's provider returned an error.",
    "judge_empty_completion": "The analyst returned an empty completion.",
}


def _analyse(run: FusionRun, ask: Ask, seed: int, fault: Fault) -> None:
    if not run.replies:
        run.failure_reason = _failure_reason(run.failures)
        broke = run.failure_reason == "insufficient_credits"
        run.error = "Insufficient credits" if broke else "all panel models failed"
        return
    known = CATALOGUE.find(run.analyst)
    if fault.analyst_failure or known is None:
        run.failure_reason = fault.analyst_failure or "judge_upstream_error"
        run.error = _ANALYST_ERRORS.get(run.failure_reason, "The analysis failed.")
    else:
        dice = dice_for(seed, "analysis", run.analyst, ask.question)
        made = Writer(dice, ask.question).analysis([each.model for each in run.replies])
        run.analysis = made if fault.analysis is None else fault.analysis
    read = ask.prompt_tokens + sum(token_count(each.reply) for each in run.replies)
    run.analyst_tokens = Tokens(read, token_count(compact(run.analysis)) if run.analysis is not None else 0)
    if known is not None:
        run.analyst_bill = bill(CATALOGUE.concrete(known).row["pricing"], run.analyst_tokens)
