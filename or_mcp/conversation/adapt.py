"""A turn in the shape in which the next model takes it: its choices, the conversation so far, its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from or_mcp.catalogue.cache import Snapshot
from or_mcp.catalogue.rates import makes
from or_mcp.catalogue.slugs import ROUTER_AUTHOR, author
from or_mcp.conversation.thread import Thread
from or_mcp.conversation.turn import Turn

# Behind these names upstream chooses the model.
_CHOOSERS = {ROUTER_AUTHOR, "@preset"}
_MEDIA = ("text", "image", "audio")
# OpenAI's models speak with no voice of their own accord.
_VOICE = "alloy"
_LADDER = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def adapt(turn: Turn, snapshot: Snapshot) -> tuple[Turn, list[str]]:
    """The turn without what the model does not have, which otherwise no provider would serve, or all would drop."""
    model, able = snapshot.find(turn.model), snapshot.able(turn.model)
    turn = _with_media(turn, snapshot)
    notes: list[str] = []
    if not able or model is None:
        return turn, notes
    if turn.reasoning_effort and "reasoning" not in able:
        notes.append(f"{model.id} does not reason: reasoning_effort was left out.")
        turn = replace(turn, reasoning_effort="")
    efforts = model.reasoning.supported_efforts if model.reasoning else None
    if turn.reasoning_effort and efforts and turn.reasoning_effort not in efforts:
        nearest = _nearest(turn.reasoning_effort, efforts)
        notes.append(f"{model.id} has no effort {turn.reasoning_effort!r}: it was asked with {nearest!r}.")
        turn = replace(turn, reasoning_effort=nearest)
    if turn.temperature is not None and "temperature" not in able:
        notes.append(f"{model.id} takes no temperature: it was left out.")
        turn = replace(turn, temperature=None)
    return turn, notes


def _with_media(turn: Turn, snapshot: Snapshot) -> Turn:
    """The turn with all that its models make: most make pictures and sound only when they are asked for them."""
    found = [snapshot.find(slug) for slug in turn.models]
    made = [makes(model) for model in found if model is not None and author(model.id) != ROUTER_AUTHOR]
    common = tuple(each for each in _MEDIA if len(made) == len(found) and all(each in every for every in made))
    if not set(common) - {"text"} or turn.json_schema is not None or turn.tools:
        return turn
    is_openai = all(author(snapshot.concrete(slug)) == "openai" for slug in turn.models)
    return replace(turn, modalities=common, voice=_VOICE if "audio" in common and is_openai else "")


def readable(thread: Thread, turn: Turn, snapshot: Snapshot) -> tuple[Thread, list[str]]:
    """The thread as every model that may answer can read it.

    Functions that were given to models before stay out where the next one calls none, and what models have drawn and
    tools have shown where it sees no pictures.
    """
    able, notes = snapshot.able(turn.model), list[str]()
    if thread.pictures and not _sees(turn, snapshot):
        thread = thread.without_pictures()
        notes.append(f"{turn.model} sees no pictures: those of this conversation were left out.")
    makers = {author(snapshot.concrete(slug)) for slug in turn.models}
    messages = thread.for_models(lambda model: bool(model) and makers == {author(model)}, routed=makers <= _CHOOSERS)
    sent = replace(thread, messages=messages)
    if thread.functions and not turn.tools and able and "tools" not in able and not thread.has_calls:
        sent = replace(sent, functions=())
        notes.append(f"{turn.model} calls no functions: this conversation's tools were left out.")
    return sent, notes


def _sees(turn: Turn, snapshot: Snapshot) -> bool:
    """Whether every model that may answer takes pictures, as far as is known."""
    found = [snapshot.find(slug) for slug in turn.models]
    return all("image" in model.architecture.input_modalities for model in found if model and model.architecture)


def names_of(turn: Turn, snapshot: Snapshot) -> dict[str, str]:
    """Under which name each model that may answer reports itself, and how it was asked for."""
    names: dict[str, str] = {}
    for slug in reversed(turn.models):
        found = snapshot.find(slug)
        rows = [found, snapshot.target(found)] if found else []
        known = [slug, *(name for row in rows for name in (row.id, row.canonical_slug) if name)]
        names |= {name.lower(): slug for name in known}
    return names


def _nearest(effort: str, efforts: Sequence[str]) -> str:
    """The effort closest to the one asked for; of two, the cheaper."""
    place = _LADDER.index(effort)
    known = [each for each in _LADDER if each in efforts]
    return min(known, key=lambda each: abs(_LADDER.index(each) - place), default=effort)
