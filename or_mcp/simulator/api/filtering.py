"""Which models a query asks for, and in which order."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from or_mcp.simulator.catalogue import Catalogue, Model
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.run.texts import dice_for
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import as_object, objects

_MILLION = Decimal(1_000_000)
_DAY_SECONDS = 86_400

Query = Mapping[str, str]
Keeps = Callable[[Model], bool]
Figure = Callable[[Catalogue, Model], Decimal | float | None]


def _parts(given: str) -> set[str]:
    return {part.strip() for part in given.split(",") if part.strip()}


def number(query: Query, name: str) -> Decimal | None:
    """A number of a query, None if there is none; refuses what is none."""
    given = query.get(name)
    if not given:
        return None
    try:
        return Decimal(given)
    except InvalidOperation:
        raise invalid(f'Invalid input: expected number, received "{given}" at "{name}"', field=name) from None


def _price(model: Model, name: str) -> Decimal:
    return Decimal(model.row["pricing"][name]) * _MILLION


def _index(model: Model, name: str) -> float | None:
    measured = as_object(as_object(model.row.get("benchmarks")).get("artificial_analysis"))
    return measured.get(f"{name}_index")


def _elo(model: Model) -> float | None:
    arena = objects(as_object(model.row.get("benchmarks")).get("design_arena"))
    return max((entry["elo"] for entry in arena), default=None)


def _measured(catalogue: Catalogue, model: Model, figure: str) -> float | None:
    offers = catalogue.offers(model)
    return offers[0].row[figure]["p50"] if offers else None


# As upstream's rankings divide what people use models for.
_CATEGORIES = """
    programming roleplay marketing marketing/seo technology science translation legal finance health trivia academia
"""
_REGIONS = {"eu": frozenset({"BE", "DE", "FR", "IE", "NL", "SE"}), "us": frozenset({"US"})}
_CHOICES = {"category": tuple(_CATEGORIES.split()), "region": tuple(_REGIONS), "distillable": ("true", "false")}


def _is_used_for(model: Model, category: str) -> bool:
    """Whether people use it for this: nobody does here, so each category has its half of the models."""
    return dice_for("category", category, model.slug).random() < 0.5


def _served_in(catalogue: Catalogue, model: Model, places: frozenset[str]) -> bool:
    return any(places & set(offer.provider.datacenters) for offer in catalogue.offers(model))


def _tool_success(model: Model) -> float | None:
    """The share of requests that end in a call of a tool; made up for models that can call any."""
    dice = dice_for("tool success", model.slug)
    return dice.uniform(0.6, 1) if "tools" in model.row["supported_parameters"] else None


_RANGES: dict[str, Callable[[Model], Decimal | float | None]] = {
    "price": lambda model: _price(model, "prompt"),
    "output_price": lambda model: _price(model, "completion"),
    "age_days": lambda model: (time.time() - model.row["created"]) / _DAY_SECONDS,
    "intelligence_index": lambda model: _index(model, "intelligence"),
    "coding_index": lambda model: _index(model, "coding"),
    "agentic_index": lambda model: _index(model, "agentic"),
    "tool_success_rate": _tool_success,
}

_ORDERS: dict[str, Figure] = {
    "most-popular": lambda catalogue, model: -len(catalogue.offers(model)),
    "top-weekly": lambda catalogue, model: -len(catalogue.offers(model)),
    "newest": lambda _, model: -model.row["created"],
    "pricing-low-to-high": lambda _, model: _price(model, "prompt") + _price(model, "completion"),
    "pricing-high-to-low": lambda _, model: -_price(model, "prompt") - _price(model, "completion"),
    "context-high-to-low": lambda _, model: -(model.context or 0),
    "throughput-high-to-low": lambda catalogue, model: _negative(_measured(catalogue, model, "throughput_last_30m")),
    "latency-low-to-high": lambda catalogue, model: _measured(catalogue, model, "latency_last_30m"),
    "intelligence-high-to-low": lambda _, model: _negative(_index(model, "intelligence")),
    "coding-high-to-low": lambda _, model: _negative(_index(model, "coding")),
    "agentic-high-to-low": lambda _, model: _negative(_index(model, "agentic")),
    "design-arena-elo-high-to-low": lambda _, model: _negative(_elo(model)),
}


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _within(query: Query, name: str) -> Keeps | None:
    low, high = number(query, f"min_{name}"), number(query, f"max_{name}")
    if low is None and high is None:
        return None

    def keeps(model: Model) -> bool:
        value = _RANGES[name](model)
        # A price of -1 means "depends", which no bound can be compared with.
        if value is None or value < 0:
            return False
        return (low is None or value >= low) and (high is None or value <= high)

    return keeps


def _served_by(catalogue: Catalogue, model: Model, providers: set[str]) -> bool:
    return any(offer.answers_to(each) for each in providers for offer in catalogue.offers(model))


_FILTERS: dict[str, Callable[[Catalogue, Model, str], bool]] = {
    "input_modalities": lambda _, model, given: _parts(given) <= model.takes,
    "supported_parameters": lambda _, model, given: _parts(given) <= set(model.row["supported_parameters"]),
    "model_authors": lambda _, model, given: model.author in _parts(given),
    "providers": lambda catalogue, model, given: _served_by(catalogue, model, _parts(given)),
    "q": lambda _, model, given: all(
        word in f"{model.slug} {model.row['name']}".lower() for word in given.lower().split()
    ),
    "arch": lambda _, model, given: model.row["architecture"]["tokenizer"].lower() == given.lower(),
    "zdr": lambda catalogue, model, given: (
        given != "true" or any(offer.provider.zdr for offer in catalogue.offers(model))
    ),
    "category": lambda _, model, given: _is_used_for(model, given),
    "region": lambda catalogue, model, given: _served_in(catalogue, model, _REGIONS[given]),
    "distillable": lambda _, model, given: bool(model.row["hugging_face_id"]) == (given == "true"),
}


def _filter(catalogue: Catalogue, query: Query, name: str) -> Keeps | None:
    given, choices = query.get(name), _CHOICES.get(name)
    if not given:
        return None
    if choices and given not in choices:
        raise invalid(f'Invalid option: expected one of {"|".join(choices)} at "{name}"', field=name)
    return lambda model: _FILTERS[name](catalogue, model, given)


def _filters(catalogue: Catalogue, query: Query, default_output: str) -> list[Keeps]:
    outputs = _parts(query.get("output_modalities", "")) or {default_output}
    filters: list[Keeps] = [] if "all" in outputs else [lambda model: bool(model.gives & outputs)]
    if (least := number(query, "context")) is not None:
        filters.append(lambda model: (model.context or 0) >= least)
    filters += [keeps for name in _FILTERS if (keeps := _filter(catalogue, query, name))]
    return filters + [keeps for name in _RANGES if (keeps := _within(query, name))]


def selected(catalogue: Catalogue, query: Query, default_output: str) -> list[Model]:
    """The models that pass every filter of a query, sorted as it says."""
    if query.get("use_rss"):
        raise Refused(501, "The simulator does not imitate the list of models as a feed")
    filters = _filters(catalogue, query, default_output)
    found = [model for model in catalogue.models if all(keeps(model) for keeps in filters)]
    sort = query.get("sort")
    if not sort:
        return found
    if sort not in _ORDERS:
        raise invalid(f'Invalid option: expected one of {"|".join(_ORDERS)} at "sort"', field="sort")
    order = _ORDERS[sort]
    scored = [(order(catalogue, model), model) for model in found]
    known = [(score, model) for score, model in scored if score is not None]
    ranked = [model for _, model in sorted(known, key=lambda pair: pair[0])]
    return ranked + [model for score, model in scored if score is None]
