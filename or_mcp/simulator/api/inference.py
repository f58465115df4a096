"""The three APIs for words: from a request body to a finished run and its reply."""

import time
from decimal import Decimal

from or_mcp.simulator.api import chat, messages, responses
from or_mcp.simulator.catalogue import Catalogue, Model
from or_mcp.simulator.catalogue.endpoints import Endpoint
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint, dearest, find_model
from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.delivery.framing import EventStream, Reply, Settlement
from or_mcp.simulator.delivery.refusals import Refused, unavailable
from or_mcp.simulator.money.accounts import Account
from or_mcp.simulator.money.pricing import Tokens, bill
from or_mcp.simulator.run.asks import Api, Ask, read_ask
from or_mcp.simulator.run.counting import Counter
from or_mcp.simulator.run.history import check_served_as_before, check_thoughts
from or_mcp.simulator.run.media import SOUNDS
from or_mcp.simulator.run.outcomes import Outcome
from or_mcp.simulator.run.panels import SLUGS, FusionPlan, Hall, convene, read_plan
from or_mcp.simulator.run.records import record_outcome
from or_mcp.simulator.run.settling import settle
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.run.writing import write
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_object

_RENDER = {"responses": responses.render, "chat": chat.render, "messages": messages.render}
_RESERVED_BY_DEFAULT = 4096
# The second is what the first was called before.
_METADATA_HEADERS = ("x-openrouter-metadata", "x-openrouter-experimental-metadata")
_STRATEGIES = {"openrouter/fusion": "fusion", "openrouter/fusion-flash": "fusion", "openrouter/free": "free"}


def answer(state: State, call: Call, api: Api) -> Reply:
    """The reply to a POST that asks for words."""
    account = state.inference_account(call)
    fault = call.fault
    ask = read_ask(api, as_object(call.request.body), Counter(fault.tokens_per_char, fault.greedy))
    plan = read_plan(ask)
    outcome = _route(state, ask, plan, fault, state.new_id("gen-batch" if call.batched else "gen"))
    outcome.byok, outcome.batched = call.byok, call.batched
    _reserve(state.catalogue, account, outcome, plan)
    _run(state, account, outcome, plan, fault)
    reply = _RENDER[api](outcome, fault)
    if fault.unknown_events and not isinstance(reply, EventStream):
        as_object(reply.payload)["x_simulated_extra"] = {"nobody": ["knows"]}

    def keep(settlement: Settlement) -> None:
        account.record(record_outcome(state.catalogue, outcome, call.origin, settlement))

    reply.settle = keep
    told = {"completion": outcome.text or None, "reasoning": outcome.reasoning or None}
    state.told[outcome.id] = {"input": _asked(ask), "output": told, "error": None}
    reply.headers["X-Generation-Id"] = outcome.id
    if any(call.request.headers.get(name, "").lower() == "enabled" for name in _METADATA_HEADERS):
        _add_metadata(reply, outcome, state.catalogue)
    return reply


def _asked(ask: Ask) -> JsonObject:
    content = ask.body["input"] if ask.api == "responses" else ask.body["messages"]
    return {"prompt": content} if isinstance(content, str) else {"messages": content}


def _run(state: State, account: Account, outcome: Outcome, plan: FusionPlan | None, fault: Fault) -> None:
    """Say what is said, and count it."""
    ask = outcome.ask
    if plan is not None and plan.convened and not fault.not_convened:
        hall = Hall(state.catalogue, plan, ask, state.seed, fault)
        outcome.fusion = convene(hall, f"st_tmp_{state.random_part(10).lower()}")
        outcome.fusion.byok = outcome.byok
    write(outcome, state.seed, fault, state.files_of(account))
    owner = (account.fingerprint, outcome.model.slug, outcome.endpoint.tag)
    prices, marked = outcome.endpoint.row["pricing"], ask.caches_only_marked
    cache = state.cache.use(owner, outcome.model, prices, ask.segments, marked=marked)
    settle(outcome, cache, fault)
    if ask.api == "responses" and _too_long(ask, outcome.model):
        _overflow(outcome)


def _route(state: State, ask: Ask, plan: FusionPlan | None, fault: Fault, identity: str) -> Outcome:
    """The first of the requested models that can serve this; the first one's refusal if none can."""
    refusals: list[Refused] = []
    route = Route(ask.preferences, ask.wanted_parameters, fault.dearest)
    for attempt, slug in enumerate(ask.models, start=1):
        try:
            requested = find_model(state.catalogue, slug, "text")
            writer = plan.writer if plan is not None and slug in SLUGS else slug
            model, endpoint = _serving(state.catalogue, ask, find_model(state.catalogue, writer, "text"), route)
        except Refused as refused:
            refusals.append(refused)
            continue
        return Outcome(ask, identity, int(time.time()), requested, endpoint, model, attempts=attempt)
    raise refusals[0]


def _serving(catalogue: Catalogue, ask: Ask, requested: Model, route: Route) -> tuple[Model, Endpoint]:
    """Who answers in a model's place: itself, or the first of a router's models that can, or the dearest."""
    refusals: list[Refused] = []
    able: list[tuple[Model, Endpoint]] = []
    for model in catalogue.answering(requested):
        try:
            _check_input(ask, model)
            endpoint = choose_endpoint(catalogue, model, route)
            check_served_as_before(ask.body, endpoint.provider.name)
            able.append((model, endpoint))
        except Refused as refused:
            refusals.append(refused)
            continue
        if not route.dearest:
            break
    if not able:
        raise refusals[0] if refusals else unavailable(404, "no_endpoints", "No endpoints found", [requested.slug])
    taken = dearest([endpoint for _, endpoint in able])
    return next(pair for pair in able if pair[1] is taken)


def _too_long(ask: Ask, model: Model) -> bool:
    return model.context is not None and ask.prompt_tokens > model.context


def _check_input(ask: Ask, model: Model) -> None:
    check_thoughts(ask.body, model.author)
    for medium in sorted(ask.media - model.takes - ask.parsed_media):
        raise invalid(f"No endpoints found that support {medium} input", model=model.slug)
    for medium in ask.modalities:
        if medium not in model.gives:
            wanted = ", ".join(map(str, ask.modalities))
            message = f"No endpoints found that support the requested output modalities: {wanted}"
            raise unavailable(404, "no_endpoints", message, [model.slug])
    if "audio" in ask.modalities and not ask.stream:
        raise invalid("Audio output requires stream: true", field="stream")
    if "audio" in ask.modalities and ask.sound_form not in SOUNDS:
        raise Refused(501, f"The simulator imitates sound as {', '.join(SOUNDS)}, not as {ask.sound_form}")
    # On /responses upstream answers an incomplete success instead.
    if _too_long(ask, model) and ask.api != "responses":
        raise Refused(
            400,
            f"This endpoint's maximum context length is {model.context} tokens. "
            f"However, you requested about {ask.prompt_tokens} tokens.",
            error_type="context_length_exceeded",
        )


def _overflow(outcome: Outcome) -> None:
    outcome.text, outcome.truncated = "", True
    outcome.tool_calls, outcome.citations, outcome.searches, outcome.fetches = [], [], 0, 0
    outcome.uses, outcome.images, outcome.sound = [], [], b""
    outcome.tokens, outcome.bill = Tokens(outcome.ask.prompt_tokens), bill(outcome.endpoint.row["pricing"], Tokens())


def _reserve(catalogue: Catalogue, account: Account, outcome: Outcome, plan: FusionPlan | None) -> None:
    """Refuse what the account could not pay for if every token asked for were used."""
    pricing = outcome.endpoint.row["pricing"]
    wanted = min(outcome.ask.max_tokens or _RESERVED_BY_DEFAULT, outcome.model.max_output)
    needed = bill(pricing, Tokens(outcome.ask.prompt_tokens, wanted)).total
    if plan is not None:
        for slug in (*plan.panel, plan.analyst):
            known = catalogue.find(slug)
            if known is not None:
                inner = catalogue.concrete(known).row["pricing"]
                needed += bill(inner, Tokens(outcome.ask.prompt_tokens, plan.completion_tokens)).total
                wanted += plan.completion_tokens
    available = account.remaining
    if account.limit_remaining is not None:
        available = min(available, account.limit_remaining)
    if needed > available:
        affordable = int(wanted * max(available, Decimal(0)) / needed)
        raise Refused(
            402,
            "This request requires more credits, or fewer max_tokens. "
            f"You requested up to {wanted} tokens, but can only afford {affordable}. "
            "To increase, visit https://openrouter.ai/settings/credits and add more credits",
        )


def _metadata(outcome: Outcome, catalogue: Catalogue) -> JsonObject:
    requested = outcome.ask.models[0]
    strategy = _STRATEGIES.get(requested, "auto" if outcome.requested.is_router else "direct")
    if outcome.requested.alias_of:
        strategy = "alias"
    if outcome.attempts > 1:
        strategy = "fallback"
    available = [
        {
            "provider": each.provider.name,
            "model": outcome.model.slug,
            "selected": each is outcome.endpoint,
        }
        for each in catalogue.offers(outcome.model)
    ]
    return {
        "requested": requested,
        "strategy": strategy,
        "region": None,
        "summary": f"[simulated] {outcome.provider} served {outcome.model.slug}",
        "attempt": outcome.attempts,
        "is_byok": outcome.byok,
        "endpoints": {"total": len(available), "available": available},
    }


def _add_metadata(reply: Reply, outcome: Outcome, catalogue: Catalogue) -> None:
    metadata = _metadata(outcome, catalogue)
    if isinstance(reply, EventStream):
        last = reply.frames[-1].event
        last.get("response", last)["openrouter_metadata"] = metadata
    else:
        as_object(reply.payload)["openrouter_metadata"] = metadata
