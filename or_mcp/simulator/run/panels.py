"""Fusion: what a request asks for, whether the panel is convened, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass

from or_mcp.simulator.catalogue import Catalogue, Model
from or_mcp.simulator.catalogue.routing import dearest
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.money.pricing import Tokens
from or_mcp.simulator.run.asks import Ask, must_use_tools, named_tool
from or_mcp.simulator.run.outcomes import FusionRun, Panelist
from or_mcp.simulator.run.settling import Loop, dearest_answer, longest_answer
from or_mcp.simulator.run.texts import Writer, dice_for, token_count
from or_mcp.simulator.run.tools import FUSION
from or_mcp.simulator.run.validation import check_fusion, invalid
from or_mcp.simulator.run.web import Stops, WebTools, read_stops, read_web_tools
from or_mcp.simulator.wire import JsonObject, as_object, compact, objects

SLUGS = {"openrouter/fusion": "general-high", "openrouter/fusion-flash": "general-fast"}
PRESETS: dict[str, tuple[str, ...]] = {
    "general-high": ("~anthropic/claude-opus-latest", "~openai/gpt-sol-latest", "~google/gemini-pro-latest"),
    "general-budget": ("moonshotai/kimi-k3", "z-ai/glm-5.2", "deepseek/deepseek-v3.2"),
    "general-fast": ("~google/gemini-flash-latest", "openai/gpt-5.6-luna", "x-ai/grok-4.1-fast"),
}
DEFAULT_COMPLETION_TOKENS = 16_000
_DEFAULT_STEPS = 4
# Below this a panelist that always reasons spends everything before its first visible word.
_REASONING_STARVES_BELOW = 2000
_STARVED = "Stream completed without producing any text"
_WEB_TOOLS: list[JsonObject] = [{"type": "openrouter:web_search"}, {"type": "openrouter:web_fetch"}]


@dataclass(frozen=True, slots=True)
class FusionPlan:
    """The settings of one fusion, checked and complete."""

    panel: tuple[str, ...]
    analyst: str
    writer: str
    steps: int
    web: WebTools
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
    tool = next((each for each in ask.server_tools if each.get("type") == FUSION), None)
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
    tools: list[JsonObject] = settings["tools"] if settings.get("tools") is not None else _WEB_TOOLS
    forced = _forced(ask)
    return FusionPlan(
        panel=tuple(settings.get("analysis_models") or preset),
        analyst=settings.get("model") or writer,
        writer=writer,
        steps=settings.get("max_tool_calls") or _DEFAULT_STEPS,
        web=read_web_tools(tools),
        completion_tokens=settings.get("max_completion_tokens") or DEFAULT_COMPLETION_TOKENS,
        reasons=bool(as_object(settings.get("reasoning"))),
        forced=forced,
        convened=as_object(plugin).get("enabled") is not False and _convened(ask, by_slug=by_slug, forced=forced),
        calls_allowed=read_stops(ask.body, (FUSION,)).steps > 1,
        by_slug=by_slug,
    )


def _forced(ask: Ask) -> bool:
    choice = ask.tool_choice
    if must_use_tools(choice):
        # A model that must use some tool takes the first one it is offered.
        first = next(iter(objects(ask.body.get("tools"))), {"type": FUSION})
        return first.get("type") == FUSION or as_object(choice).get("type") == "allowed_tools"
    return named_tool(choice) == FUSION


def _convened(ask: Ask, *, by_slug: bool, forced: bool) -> bool:
    if forced:
        return True
    if ask.tool_choice == "none" or named_tool(ask.tool_choice):
        return False
    return by_slug or "use fusion" in f"{ask.instructions}\n{ask.question}".lower()


@dataclass(frozen=True, slots=True)
class Hall:
    """Where a panel meets: the catalogue its members come from, and what all of them share."""

    catalogue: Catalogue
    plan: FusionPlan
    ask: Ask
    seed: int
    fault: Fault

    def loop(self, model: Model) -> Loop:
        """An empty loop for a member, or the analyst."""
        offers = self.catalogue.offers(model)
        offer = dearest(offers) if self.fault.dearest else offers[0]
        return Loop(model, offer.row["pricing"], self.plan.web, Stops(self.plan.steps), self.fault)

    def longest(self, loop: Loop, prompt: int) -> Tokens:
        """The dearest answer a member may give."""
        model, reasons = loop.model, self.plan.reasons or loop.model.must_reason
        tokens = longest_answer(model, prompt, self.plan.completion_tokens)
        wants = frozenset({"reasoning"} if reasons and "reasoning" in model.row else set[str]())
        return dearest_answer(loop.prices, tokens, prompt, wants)


def convene(hall: Hall, run_id: str) -> FusionRun:
    """Run the panel and the analyst."""
    plan, ask = hall.plan, hall.ask
    panel = [_panelist(hall, index) for index in range(len(plan.panel))]
    run = FusionRun(run_id, ask.question, panel, plan.analyst)
    dice = dice_for(hall.seed, "sources", ask.question)
    if run.replies and plan.web.any:
        count = min(dice.randint(2, 4), plan.web.results)
        run.sources = Writer(dice, ask.question).sources(count, plan.web)
    _analyse(hall, run)
    run.capped = plan.forced and plan.calls_allowed and not _cost_stops(ask, run)
    return run


def _cost_stops(ask: Ask, run: FusionRun) -> bool:
    stops = read_stops(ask.body, (FUSION,))
    used = sum(each.tokens.prompt + each.tokens.completion for each in run.panel)
    return (stops.cost is not None and run.cost > stops.cost) or (stops.tokens is not None and used > stops.tokens)


def _panelist(hall: Hall, index: int) -> Panelist:
    plan, fault, ask, slug = hall.plan, hall.fault, hall.ask, hall.plan.panel[index]
    scripted = fault.panel_failures.get(slug) or fault.panel_failures.get(str(index))
    if scripted is not None:
        return Panelist(slug, error=scripted.error, status_code=scripted.status_code)
    known = hall.catalogue.find(slug)
    if known is None or "text" not in known.gives:
        return Panelist(slug, error=f"{slug} is not a valid model ID", status_code=400)
    loop = hall.loop(hall.catalogue.concrete(known))
    starved = loop.model.must_reason and plan.completion_tokens < _REASONING_STARVES_BELOW
    if starved and not fault.greedy:
        return Panelist(slug, error=_STARVED)
    dice = dice_for(hall.seed, "panel", index, slug, ask.question)
    writer = Writer(dice, ask.question)
    most = plan.completion_tokens * 4
    chars = fault.panel_chars if fault.panel_chars is not None else min(dice.randint(420, 900), most)
    reply = fault.panel_texts.get(slug) or fault.panel_texts.get(str(index)) or writer.text(chars)
    reasoning = writer.thought() if loop.model.must_reason or plan.reasons else ""
    thought = token_count(reasoning) * 6
    first = Tokens(ask.prompt_tokens)
    if fault.greedy:
        loop.run_greedily(first, hall.longest(loop, ask.prompt_tokens))
    else:
        said = Tokens(completion=ask.counter.text(reply) + thought, reasoning=thought)
        loop.run(first, said, dice.randint(1, min(plan.steps, 2)) if plan.web.searches else 0)
    if starved:
        return Panelist(slug, error=_STARVED, tokens=loop.tokens, bill=loop.bill)
    return Panelist(slug, reply, reasoning, tokens=loop.tokens, bill=loop.bill)


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


def _analyse(hall: Hall, run: FusionRun) -> None:
    ask, fault = hall.ask, hall.fault
    if not run.replies:
        run.failure_reason = _failure_reason(run.failures)
        broke = run.failure_reason == "insufficient_credits"
        run.error = "Insufficient credits" if broke else "all panel models failed"
        return
    known = hall.catalogue.find(run.analyst)
    if fault.analyst_failure or known is None:
        run.failure_reason = fault.analyst_failure or "judge_upstream_error"
        run.error = _ANALYST_ERRORS.get(run.failure_reason, "The analysis failed.")
    else:
        dice = dice_for(hall.seed, "analysis", run.analyst, ask.question)
        made = Writer(dice, ask.question).analysis([each.model for each in run.replies])
        run.analysis = made if fault.analysis is None else fault.analysis
    if known is not None:
        _bill_analyst(hall, run, hall.loop(hall.catalogue.concrete(known)))


def _bill_analyst(hall: Hall, run: FusionRun, loop: Loop) -> None:
    ask = hall.ask
    if not hall.fault.greedy:
        read = ask.prompt_tokens + sum(ask.counter.text(each.reply) for each in run.replies)
        written = ask.counter.text(compact(run.analysis)) if run.analysis is not None else 0
        loop.run(Tokens(read), Tokens(completion=written))
    else:
        limit = hall.plan.completion_tokens
        read = ask.prompt_tokens + sum(min(limit, each.tokens.completion) for each in run.replies)
        loop.run_greedily(Tokens(read), hall.longest(loop, read))
        run.written = read - ask.prompt_tokens + min(limit, loop.tokens.completion)
    run.analyst_tokens, run.analyst_bill = loop.tokens, loop.bill
