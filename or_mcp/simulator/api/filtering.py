"""Which models a query asks for, and in which order."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from or_mcp.simulator.catalogue import Catalogue, Model
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import as_object, objects

_MILLION = Decimal(1_000_000)
_DAY_SECONDS = 86_400

Query = Mapping[str, str]
Keeps = Callable[[Model], bool]
Figure = Callable[[Catalogue, Model], Decimal | float | None]


def _names(query: Query, name: str) -> set[str]:
    return {part.strip() for part in query.get(name, "").split(",") if part.strip()}


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


_RANGES: dict[str, Callable[[Model], Decimal | float | None]] = {
    "price": lambda model: _price(model, "prompt"),
    "output_price": lambda model: _price(model, "completion"),
    "age_days": lambda model: (time.time() - model.row["created"]) / _DAY_SECONDS,
    "intelligence_index": lambda model: _index(model, "intelligence"),
    "coding_index": lambda model: _index(model, "coding"),
    "agentic_index": lambda model: _index(model, "agentic"),
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


def _filters(catalogue: Catalogue, query: Query, default_output: str) -> list[Keeps]:
    outputs = _names(query, "output_modalities") or {default_output}
    filters: list[Keeps] = [] if "all" in outputs else [lambda model: bool(model.gives & outputs)]
    if inputs := _names(query, "input_modalities"):
        filters.append(lambda model: inputs <= model.takes)
    if parameters := _names(query, "supported_parameters"):
        filters.append(lambda model: parameters <= set(model.row["supported_parameters"]))
    if authors := _names(query, "model_authors"):
        filters.append(lambda model: model.author in authors)
    if providers := _names(query, "providers"):
        filters.append(lambda model: _served_by(catalogue, model, providers))
    if words := query.get("q", "").lower().split():
        filters.append(lambda model: all(word in f"{model.slug} {model.row['name']}".lower() for word in words))
    if arch := query.get("arch", "").lower():
        filters.append(lambda model: model.row["architecture"]["tokenizer"].lower() == arch)
    if query.get("zdr") == "true":
        filters.append(lambda model: any(offer.provider.zdr for offer in catalogue.offers(model)))
    if (least := number(query, "context")) is not None:
        filters.append(lambda model: (model.context or 0) >= least)
    return filters + [keeps for name in _RANGES if (keeps := _within(query, name))]


def selected(catalogue: Catalogue, query: Query, default_output: str) -> list[Model]:
    """The models that pass every filter of a query, sorted as it says."""
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
