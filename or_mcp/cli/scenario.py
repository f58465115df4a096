"""What the simulated models of the demo say: a question one can judge, and a panel that does not agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

QUESTION = "Monolith or microservices for a product built by five people?"
OPUS, SOL, GEMINI = PANEL = ("anthropic/claude-opus-5", "openai/gpt-5.6-sol", "google/gemini-3.1-pro-preview")

ANSWER = """\
**Start with one deployable, cut into modules with hard walls.** Five people can keep one system awake; \
every further service costs an on-call rotation you do not have.

Draw the walls along the domain (orders, billing, identity) and let CI refuse an import across them. \
Give each module its own schema in one database, so that a later split moves data instead of untangling it.

**Split a module out when you can name the force:** its load differs tenfold, or a second team owns it. \
The panel disagrees on billing. Decide that one first, with whoever answers for your next audit."""

TEXTS = {
    OPUS: """\
A team of five pays for every process boundary it adds, in deployment, in tracing and in sleep.

Keep one deployable with enforced module walls. Billing can stay inside until a second team owns it: \
the wall is what makes a later split mechanical, and import rules in CI keep it standing.

The real risk is erosion. A monolith without enforced walls becomes a ball of mud within two years.""",
    SOL: """\
Default to a modular monolith, with one exception: **billing**.

Audit isolation is cheap before there is data and expensive after. Put billing in its own service from the start, \
with its own database, and keep everything else together.

Measure deploy frequency and the 95th percentile of latency before the next split. \
Moving to a database per service later costs about a quarter of a year for a team of this size.""",
    GEMINI: """\
Choose the monolith. Conway's law decides this, not technology: one team makes one system.

Five people sustain about two on-call rotations, and that bounds the number of services. \
Revisit the choice at the first compliance audit, or when the team doubles, whichever comes first.""",
}

_ANALYSIS: dict[str, Any] = {
    "consensus": [
        "Start with a modular monolith; split only where load or ownership forces it.",
        "Module walls must be enforced by tooling, not by agreement.",
    ],
    "contradictions": [
        {
            "topic": "When billing becomes a service",
            "stances": [
                {"model": OPUS, "stance": "When a second team owns it; until then the wall is enough."},
                {"model": SOL, "stance": "From the start: audit isolation is cheap before there is data."},
                {"model": GEMINI, "stance": "At the first compliance audit."},
            ],
        },
        {
            "topic": "Database layout",
            "stances": [
                {"model": OPUS, "stance": "One database, one schema per module."},
                {"model": SOL, "stance": "One database per service that is split out."},
            ],
        },
    ],
    "partial_coverage": [
        {"models": [SOL], "point": "What moving to a database per service costs later."},
        {"models": [OPUS, GEMINI], "point": "On-call load as the limit on the number of services."},
    ],
    "unique_insights": [
        {"model": OPUS, "insight": "Import rules in CI make the later split mechanical."},
        {"model": GEMINI, "insight": "Five people sustain about two on-call rotations."},
    ],
    "blind_spots": ["Nobody compared hosting costs.", "Nobody asked how fast the team will grow."],
}


def analysis_by(models: Iterable[str]) -> dict[str, Any]:
    """The comparison, as far as these models spoke."""
    spoke = set(models)
    return {
        **_ANALYSIS,
        "contradictions": [
            {**each, "stances": [stance for stance in each["stances"] if stance["model"] in spoke]}
            for each in _ANALYSIS["contradictions"]
        ],
        "partial_coverage": [
            {**each, "models": [model for model in each["models"] if model in spoke]}
            for each in _ANALYSIS["partial_coverage"]
        ],
        "unique_insights": [each for each in _ANALYSIS["unique_insights"] if each["model"] in spoke],
    }


def script(label: str = "", *, failing: Mapping[str, Any] | None = None, **effects: Any) -> dict[str, Any]:
    """A rule for the simulator that makes the panel say all this, but for those that fail.

    The label goes before each paragraph, so that a page made of these words says what they are.
    """
    failures = failing or {}
    analysis = analysis_by(model for model in PANEL if model not in failures)
    said = _labelled({"panel_texts": TEXTS, "answer": ANSWER, "analysis": analysis}, label)
    return {"path": "/responses", "panel_failures": dict(failures), **said, **effects}


def _labelled(value: Any, label: str) -> Any:
    match value:
        case str() if label:
            return "\n\n".join(f"{label} {paragraph}" for paragraph in value.split("\n\n"))
        case list():
            return [_labelled(each, label) for each in cast("list[Any]", value)]
        case dict():
            named = cast("dict[str, Any]", value)
            return {
                name: each if name in ("model", "models") else _labelled(each, label) for name, each in named.items()
            }
        case _:
            return value
