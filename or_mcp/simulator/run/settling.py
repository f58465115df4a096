"""What a finished run used and costs: its turns, what it read from caches and wrote to them, and what it looked up.

A greedy run is billed for everything that its request, its model and its tools' limits allow.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.money.pricing import NO_BILL, NO_TOKENS, TIERS, Bill, Rates, Tokens, bill
from or_mcp.simulator.run.asks import Ask
from or_mcp.simulator.run.caching import CacheUse
from or_mcp.simulator.run.outcomes import FusionRun, Outcome
from or_mcp.simulator.run.web import FETCH_TOOLS, SEARCH_TOOLS, USUAL_RESULTS, Stops, WebTools, read_stops
from or_mcp.simulator.wire import JsonObject, compact

# What a model writes to ask for a panel, and to ask for one search.
_FUSION_CALL_TOKENS, STEP_CALL_TOKENS = 200, 150
# What the usual results of a search, or a page, add to every later prompt.
_STEP_TOKENS, _GREEDY_STEP_TOKENS = 2_500, 4_000
# The same for results of a length that was asked for, each with its title and its address.
_CHARS_A_TOKEN, _GREEDY_CHARS_A_TOKEN, _HEADING_TOKENS = 4, 2, 40
# They offer other tiers than the default one.
_TIERED = ("openai", "google")
_UNCACHED = dict.fromkeys(("cached", "audio_cached", "written", "written_1h"), 0)


def tier_of(ask: Ask, model: Model) -> str:
    """The service tier a request gets: the one it wants where there is one."""
    wanted = str(ask.body.get("service_tier") or "default")
    wanted = "priority" if wanted == "fast" else wanted
    return wanted if wanted in TIERS.keys() - {"batch"} and model.author in _TIERED else "default"


@dataclass(slots=True)
class Loop:
    """The turns of one model with web tools: each step's results are read again by all later turns."""

    model: Model
    prices: JsonObject
    web: WebTools
    stops: Stops
    fault: Fault
    tier: Decimal = Decimal(1)
    writes: bool = True
    hour: bool = False
    tokens: Tokens = NO_TOKENS
    bill: Bill = NO_BILL
    searches: int = 0
    fetches: int = 0
    # The results of all searches, and the tokens of all that was read.
    found: int = 0
    read: int = 0

    def run(self, first: Tokens, answer: Tokens, searches: int = 0, fetches: int = 0, more: int = 0) -> None:
        """Take this many searches and fetches, a step each, and write the answer in the last turn.

        `more` searches are asked for together with the first.
        """
        for step in range(searches + fetches):
            if self._stopped(step):
                break
            self._turn(first, Tokens(completion=STEP_CALL_TOKENS * (1 + more)))
            for _ in range(1 + more):
                self._look_up(search=step < searches)
            more = 0
        self._turn(first, answer)

    def run_greedily(self, first: Tokens, answer: Tokens) -> None:
        """Take every step that is allowed, at the dearest, and write the answer in the last turn."""
        limit = self.web.uses_allowed(self.prices, self.model.author)
        dear = self.web.price_of_search(self.prices) >= self.web.price_of_fetch()
        uses = limit if self.web.searches and limit is not None else self.stops.steps
        # Several searches can be asked for in one step, as long as their own limit lasts; then come the pages.
        searches = uses if self.web.searches and (dear or not self.web.fetch) else 0
        fetches = self._pages(self.stops.steps - searches)
        more = max(searches + fetches - self.stops.steps, 0)
        self.run(first, answer, searches - more, fetches, more)

    def _pages(self, steps: int) -> int:
        """How many pages are read in so many steps."""
        fetch = self.web.fetch
        most = steps if fetch is None or fetch.max_uses is None else min(steps, fetch.max_uses)
        return max(most, 0) if fetch else 0

    def _stopped(self, step: int) -> bool:
        stops, used = self.stops, self.tokens.prompt + self.tokens.completion
        enough = stops.cost is not None and self.bill.total > stops.cost
        return step >= stops.steps or enough or (stops.tokens is not None and used > stops.tokens)

    def _turn(self, first: Tokens, said: Tokens) -> None:
        grown = self.read
        if self.model.context is not None:
            grown = min(grown, max(self.model.context - first.prompt - said.completion, 0))
        # Only the first turn is looked up in the caches; what follows is read as it is.
        opening = first if self.tokens == NO_TOKENS else replace(first, **_UNCACHED)
        used = replace(opening, prompt=first.prompt + grown) + said
        if self.fault.greedy:
            used = self._all_written(used)
        self.tokens += used
        self.bill += bill(self.prices, used, tier=self.tier)

    def _all_written(self, used: Tokens) -> Tokens:
        if not self.writes or not Rates(self.prices, used.prompt).writing_costs_more:
            return replace(used, **_UNCACHED)
        written = used.prompt - used.audio
        return replace(used, **_UNCACHED | {"written": written, "written_1h": written if self.hour else 0})

    def _look_up(self, *, search: bool) -> None:
        self.searches += search
        self.fetches += not search
        price = self.web.price_of_search(self.prices) if search else self.web.price_of_fetch()
        self.bill += Bill(tools=price)
        self.read += self._read_of_results() if search else self._read_of_a_page()

    @property
    def _usual(self) -> int:
        return _GREEDY_STEP_TOKENS if self.fault.greedy else _STEP_TOKENS

    def _read_of_a_page(self) -> int:
        if self.fault.step_tokens is not None:
            return self.fault.step_tokens
        most = self.web.fetch.content_tokens if self.web.fetch else None
        return min(self._usual, most or self._usual)

    def _read_of_results(self) -> int:
        found = self.web.results_after(self.found, self.prices)
        self.found += found
        if self.fault.step_tokens is not None:
            return self.fault.step_tokens
        chars = self.web.characters_for(self.prices)
        if chars is None:
            return self._usual * found // USUAL_RESULTS
        return found * (chars // (_GREEDY_CHARS_A_TOKEN if self.fault.greedy else _CHARS_A_TOKEN) + _HEADING_TOKENS)


def longest_answer(model: Model, prompt: int, limit: int | None) -> int:
    """The most tokens an answer can have: the caller's limit, the model's, and what the context leaves."""
    longest = min(limit or model.max_output, model.max_output)
    return longest if model.context is None else max(min(longest, model.context - prompt), 1)


def dearest_answer(prices: JsonObject, tokens: int, prompt: int, wants: frozenset[str]) -> Tokens:
    """So many tokens of whatever this model may write that costs most."""
    rate = Rates(prices, prompt)
    kinds = {"completion": rate("completion")}
    if "reasoning" in wants:
        kinds["reasoning"] = rate("internal_reasoning", "completion")
    if "image" in wants:
        kinds["image_out"] = rate("image_output", "completion")
    if "audio" in wants:
        kinds["audio_out"] = rate("audio_output", "completion")
    kind = max(kinds, key=lambda name: kinds[name])
    return Tokens(completion=tokens) if kind == "completion" else replace(Tokens(completion=tokens), **{kind: tokens})


def _wants(outcome: Outcome) -> frozenset[str]:
    """What else than words this run may be made to write."""
    ask, model = outcome.ask, outcome.model
    asked = ask.modalities or sorted(model.gives)
    wants = {medium for medium in ("image", "audio") if medium in model.gives and medium in asked}
    may_reason = "reasoning" in model.row and (model.must_reason or ask.effort not in (None, "none"))
    return frozenset(wants | ({"reasoning"} if may_reason else set[str]()))


def settle(outcome: Outcome, cache: CacheUse, fault: Fault) -> None:
    """Count and price a run whose words are written."""
    ask, prices = outcome.ask, outcome.endpoint.row["pricing"]
    outcome.tier = "batch" if outcome.batched else tier_of(ask, outcome.model)
    if outcome.empty:
        outcome.tokens = Tokens(prompt=ask.prompt_tokens)
        return
    sent = Tokens(ask.prompt_tokens, audio=ask.audio_tokens, images=ask.images, image_in=ask.image_tokens)
    cached = replace(sent, cached=cache.read, audio_cached=min(cache.read_audio, ask.audio_tokens))
    first = replace(cached, written=cache.written, written_1h=cache.written_1h)
    loop = Loop(
        outcome.model,
        prices,
        ask.web,
        read_stops(ask.body, (*SEARCH_TOOLS, *FETCH_TOOLS)),
        fault,
        tier=TIERS.get(outcome.tier, Decimal(1)),
        writes=not ask.caches_only_marked or any(segment.keep for segment in ask.segments),
        hour=any((segment.keep or 0) > 300 for segment in ask.segments),
    )
    answer = outcome.tokens
    if fault.greedy:
        longest = longest_answer(outcome.model, ask.prompt_tokens, ask.max_tokens)
        answer = dearest_answer(prices, longest, ask.prompt_tokens, _wants(outcome))
        outcome.truncated = not outcome.tool_calls
    if outcome.fusion:
        _around_a_panel(outcome.fusion, outcome, loop, first, answer, greedy=fault.greedy)
    elif fault.greedy and ask.web.any and ask.tool_choice != "none":
        loop.run_greedily(first, answer)
    else:
        loop.run(first, answer, outcome.searches, outcome.fetches)
    extra = Bill(
        prompt=outcome.model.unlisted.get("unit", Decimal(0)),
        tools=sum((use.price for use in outcome.uses), ask.documents.price),
    )
    outcome.tokens, outcome.bill = loop.tokens, loop.bill + extra
    outcome.searches, outcome.fetches = loop.searches, loop.fetches


def _around_a_panel(
    fusion: FusionRun, outcome: Outcome, loop: Loop, first: Tokens, answer: Tokens, *, greedy: bool
) -> None:
    """Turn one writes the tool call; turn two reads everything the panel said."""
    loop.run(first, Tokens(completion=_FUSION_CALL_TOKENS))
    read = fusion.written if greedy else outcome.ask.counter.text(compact(fusion.item()))
    loop.run(replace(first, prompt=first.prompt + _FUSION_CALL_TOKENS + read), answer)
