"""GET /benchmarks: what others have measured of the models here, and what a task cost."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from or_mcp.simulator.api.filtering import number
from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.run.validation import one_of
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_object, objects

# What a task of the benchmark takes, in tokens, and when it was last run.
_TASK_IN, _TASK_OUT, _MEASURED_AT = 400, 6_000, "2026-11-01T00:00:00Z"
_BENCHMARK = "gpqa_diamond"
_TASKS = ("coding", "intelligence", "agentic", "search")
_PLACES = ("first_place", "second_place", "third_place", "fourth_place", "total")


def list_all(state: State, call: Call) -> Document:
    """GET /benchmarks, of all sources or of one."""
    state.account_of(call)
    query = dict(call.query)
    one_of(*_SOURCES).check(query, "source")
    one_of(*_TASKS).check(query, "task_type")
    source, most = query.get("source"), number(query, "max_results")
    measured = [model for model in state.catalogue.models if model.row.get("benchmarks") and not model.alias_of]
    chosen = [rows_of for name, rows_of in _SOURCES.items() if source in (None, name)]
    rows = [row for rows_of in chosen for model in measured for row in rows_of(model, query)]
    rows = rows if most is None else rows[: int(most)]
    told = {"as_of": _MEASURED_AT, "citation": None, "source": source, "source_url": None, "version": "v1"}
    counted = {"model_count": len({row["model_permaslug"] for row in rows}), "task_type": query.get("task_type")}
    return Document({"data": rows, "meta": told | counted})


def _named(model: Model, source: str) -> JsonObject:
    return {"source": source, "model_permaslug": model.row["canonical_slug"], "display_name": model.row["name"]}


def _priced(model: Model) -> JsonObject:
    return {"pricing": {name: model.row["pricing"][name] for name in ("prompt", "completion")}}


def _indices(model: Model, query: dict[str, str]) -> Iterator[JsonObject]:
    """Artificial Analysis: only models that have the index of the task that is asked for."""
    figures = as_object(as_object(model.row["benchmarks"]).get("artificial_analysis"))
    indices = {f"{task}_index": figures.get(f"{task}_index") for task in _TASKS[:3]}
    task = query.get("task_type")
    if any(indices.values()) and (task is None or indices.get(f"{task}_index") is not None):
        yield _named(model, "artificial-analysis") | _priced(model) | indices


def _duels(model: Model, query: dict[str, str]) -> Iterator[JsonObject]:
    """Design Arena: who won against whom."""
    for entry in objects(as_object(model.row["benchmarks"]).get("design_arena")):
        wanted = all(query.get(name) in (None, entry[name]) for name in ("arena", "category"))
        if wanted and query.get("task_type") in (None, "coding"):
            figures = {name: entry[name] for name in ("arena", "category", "elo", "win_rate")}
            unknown = {"avg_generation_time_ms": None, "tournament_stats": dict.fromkeys(_PLACES)}
            yield _named(model, "design-arena") | _priced(model) | figures | unknown


def _tasks(model: Model, query: dict[str, str]) -> Iterator[JsonObject]:
    """OpenRouter itself: what a task cost by the model's usual prices. No search was measured here."""
    if query.get("benchmark_type") not in (None, _BENCHMARK) or query.get("task_type") not in (None, "intelligence"):
        return
    prices = as_object(model.row["pricing"])
    cost = _TASK_IN * Decimal(str(prices["prompt"])) + _TASK_OUT * Decimal(str(prices["completion"]))
    yield _named(model, "openrouter") | {
        "benchmark_type": _BENCHMARK,
        "accuracy": 0.7,
        "accuracy_stddev": None,
        "avg_cost_per_task": float(cost) if cost > 0 else None,
        "last_run_timestamp": _MEASURED_AT,
        "total_tasks": 198,
    }


_SOURCES: dict[str, Callable[[Model, dict[str, str]], Iterator[JsonObject]]] = {
    "artificial-analysis": _indices,
    "design-arena": _duels,
    "openrouter": _tasks,
}
