"""What simulated models have to say: about any question, and at more length about the one the demo asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Material:
    """Sentences by what they are for. `{topic}` and `{other}` stand for what the question is about."""

    openings: tuple[str, ...]
    middles: tuple[str, ...]
    thoughts: tuple[str, ...]
    titles: tuple[str, ...]
    agreed: tuple[str, ...]
    disputed: str
    stances: tuple[str, ...]
    partly: tuple[str, ...]
    insights: tuple[str, ...]
    blind_spots: tuple[str, ...]


ANY_QUESTION = Material(
    openings=(
        "The short answer: it depends on {topic}, and that can be measured.",
        "Start with {topic}: it is the part of the question that is cheapest to test.",
        "Most of this question is decided by {topic} rather than by preference.",
        "Two facts matter most here: what {topic} costs today, and who would own a change.",
    ),
    middles=(
        "A choice about {topic} costs more to change later than a choice about {other}.",
        "A small experiment on {topic} would settle most of the doubt within a week.",
        "The evidence on {topic} is strong in ordinary cases and thin at the extremes.",
        "Where two aims pull apart, prefer the option that is easier to undo.",
        "Those who measured {topic} before deciding changed their minds in about a third of cases.",
        "The cost comes from {topic} first, and from {other} only much later.",
        "There is one exception: where rules apply to {topic}, decide on compliance alone.",
        "A reasonable default is to settle {topic} now and to leave {other} open for a quarter.",
    ),
    thoughts=(
        "Compare {topic} with {other} before committing.",
        "Check which assumption about {topic} carries the conclusion.",
        "Weigh what happens if the premise is wrong.",
        "List the cases in which {topic} does not matter.",
    ),
    titles=("A field report on {topic}", "{topic} in practice", "Measuring {topic}", "What we learnt about {topic}"),
    agreed=(
        "The question should be decided by measuring {topic}, not by preference.",
        "Whatever is chosen, the choice about {topic} must be easy to undo.",
        "A small experiment should come before any commitment.",
    ),
    disputed="How much weight {topic} deserves",
    stances=(
        "It decides the question; everything else follows from it.",
        "It matters, but only after the costs are known.",
        "It can wait a quarter without harm.",
    ),
    partly=("There is an exception where rules apply to {topic}.", "The cost of {topic} grows later than it seems."),
    insights=("Those who measured {topic} first changed their minds in about a third of cases.",),
    blind_spots=("Nobody put a number on {topic}.", "Nobody asked who would own a change to {topic}."),
)

MONOLITH = Material(
    openings=(
        "Start with one deployable application, split inside into modules with owners, and keep the door open.",
        "For five people the honest default is a modular monolith: one build, one deployment, one place to debug.",
        "Microservices solve a problem of organisations, and five people are not yet an organisation.",
    ),
    middles=(
        "Five people cannot staff an on-call rota for a dozen services and still build the product.",
        "In one process a call across a boundary costs nanoseconds and cannot half fail; over a network it does both.",
        "Put the boundaries where the data are: a module that owns its tables can become a service in a week.",
        "Refactoring across modules is one commit; across services it is a migration with versions on both sides.",
        "Independent scaling is the usual reason to split, and a single machine is more than most products ever need.",
        "What does justify a service early is a different runtime, such as a model server or a video encoder.",
        "Enforce the module boundaries in the build, or in a year there will be none left to cut along.",
        "Background jobs belong in the same code base but in a process of their own.",
        "Decide again when two teams wait for each other's releases, not when a diagram looks untidy.",
        "The platform work that services need, such as tracing, discovery and contracts, is paid before any benefit.",
    ),
    thoughts=(
        "How many people own each part, and who is woken at night?",
        "What would have to be true for a split to pay off within a year?",
        "Separate the reasons that are about load from those that are about teams.",
    ),
    titles=(
        "Modular monoliths: a field report",
        "Splitting late: three years with one deployable",
        "What a service costs before it does anything",
        "Team size and deployment units",
    ),
    agreed=(
        "A single deployable is the right start for five people.",
        "Module boundaries should follow ownership of data and be enforced in the build.",
        "Operating many services would take time that the product needs.",
    ),
    disputed="When to split off the first service",
    stances=(
        "Only when two teams wait for each other's releases; until then a split is a cost without a benefit.",
        "As soon as one part needs another runtime or another rhythm of releases, even with five people.",
        "Set a date: look at it again after a year, whatever happens.",
    ),
    partly=(
        "One machine is large enough for the load of most products of this size.",
        "Tracing, discovery and contracts have to be paid for before a split brings anything.",
    ),
    insights=(
        "A module that owns its tables can become a service in a week, so data ownership is the real decision.",
        "Without a check in the build the boundaries are gone in a year, and with them the option to split.",
    ),
    blind_spots=(
        "Nobody asked what the five people already know how to operate.",
        "Nobody put a price on the first year of running either design.",
    ),
)


def material_for(question: str) -> Material:
    """What there is to say about a question."""
    words = question.lower()
    return MONOLITH if "monolith" in words and "microservice" in words else ANY_QUESTION
