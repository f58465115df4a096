"""Generated words: plausible, about the question, the same for the same seed, and marked as simulated."""

import random
import re
from typing import Protocol

from or_mcp.simulator.wire import JsonObject

MARK = "[simulated] "
_CHARS_PER_TOKEN = 4
_LINE_CHARS = 240

_STOP_WORDS = """
    about after all also and any are because been but can could does for from had has have how into its just more most
    not one only other our out over should some such than that the their them then there these they this use was were
    what when where which while who why will with would you your fusion please answer built build make made five four
    three seven eight nine people better best good does know tell give take want need use using used
"""
_OPENINGS = (
    "The short answer: it depends on {topic}, and that can be measured.",
    "Start with {topic}: it is the part of the question that is cheapest to test.",
    "Most of this question is decided by {topic} rather than by preference.",
    "Two facts matter most here: what {topic} costs today, and who would own a change.",
)
_MIDDLES = (
    "A choice about {topic} costs more to change later than a choice about {other}.",
    "A small experiment on {topic} would settle most of the doubt within a week.",
    "The evidence on {topic} is strong in ordinary cases and thin at the extremes.",
    "Where two aims pull apart, prefer the option that is easier to undo.",
    "Those who measured {topic} before deciding changed their minds in about a third of cases.",
    "The cost comes from {topic} first, and from {other} only much later.",
    "There is one exception: where rules apply to {topic}, decide on compliance alone.",
    "A reasonable default is to settle {topic} now and to leave {other} open for a quarter.",
)
_THOUGHTS = (
    "Compare {topic} with {other} before committing.",
    "Check which assumption about {topic} carries the conclusion.",
    "Weigh what happens if the premise is wrong.",
    "List the cases in which {topic} does not matter.",
)
_TITLES = ("A field report on {topic}", "{topic} in practice", "Measuring {topic}", "What we learnt about {topic}")
_AGREED = (
    "The question should be decided by measuring {topic}, not by preference.",
    "Whatever is chosen, the choice about {topic} must be easy to undo.",
    "A small experiment should come before any commitment.",
)
_DISPUTED = "How much weight {topic} deserves"
_STANCES = (
    "It decides the question; everything else follows from it.",
    "It matters, but only after the costs are known.",
    "It can wait a quarter without harm.",
)
_PARTLY = ("There is an exception where rules apply to {topic}.", "The cost of {topic} grows later than it seems.")
_INSIGHTS = ("Those who measured {topic} first changed their minds in about a third of cases.",)
_BLIND_SPOTS = ("Nobody put a number on {topic}.", "Nobody asked who would own a change to {topic}.")
# Reserved for examples, and a name that nobody can own; the first that is not excluded is taken.
_PLACES = ("example.org", "example.com", "example.net", "simulated.invalid")
_COMMON_WORDS = frozenset(_STOP_WORDS.split())


def token_count(text: str) -> int:
    """The tokens of a text, by this simulator's tokenizer: four characters each."""
    return -(-len(text) // _CHARS_PER_TOKEN)


def dice_for(*parts: object) -> random.Random:
    """Dice that fall the same way for the same parts."""
    return random.Random("|".join(str(part) for part in parts))


def topics(question: str) -> list[str]:
    """What a question is about: its longer words, in order."""
    words = re.findall(r"[^\W\d_][\w-]{3,}", question[:4000])
    kept = {word.lower(): word for word in words if word.lower() not in _COMMON_WORDS}
    return list(kept.values())[:8] or ["the question"]


class Domains(Protocol):
    """Where sources may come from."""

    @property
    def allowed_domains(self) -> tuple[str, ...]: ...
    @property
    def excluded_domains(self) -> tuple[str, ...]: ...


class Writer:
    """Writes about one question with one set of dice."""

    def __init__(self, dice: random.Random, question: str) -> None:
        self._dice = dice
        self._topics = topics(question)

    def _fill(self, template: str) -> str:
        topic, other = self._dice.choice(self._topics), self._dice.choice(self._topics)
        return template.format(topic=topic, other=other if other != topic else "its context")

    def _some(self, templates: tuple[str, ...], count: int) -> list[str]:
        """So many marked sentences, no two from the same template."""
        return [MARK + self._fill(template) for template in self._dice.sample(templates, min(count, len(templates)))]

    def text(self, chars: int | None = None) -> str:
        """Several lines, each marked; exactly `chars` long when given."""
        wanted = chars if chars is not None else self._dice.randint(360, 720)
        lines = [MARK + self._fill(self._dice.choice(_OPENINGS))]
        length = len(lines[0])
        unsaid: list[str] = []
        while length < wanted:
            unsaid = unsaid or self._dice.sample(_MIDDLES, len(_MIDDLES))
            sentence = self._fill(unsaid.pop())
            if len(lines[-1]) > _LINE_CHARS:
                lines.append(MARK + sentence)
                length += len(lines[-1]) + 1
            else:
                lines[-1] += " " + sentence
                length += len(sentence) + 1
        written = "\n".join(lines)
        return written if chars is None else shortened(written, chars)

    def thought(self, sentences: int = 2) -> str:
        """A reasoning summary."""
        return MARK + " ".join(self._fill(self._dice.choice(_THOUGHTS)) for _ in range(sentences))

    def sources(self, count: int, web: Domains | None = None) -> list[JsonObject]:
        """Web pages somebody could have cited, from where they may come; none exists."""
        allowed = web.allowed_domains if web else ()
        excluded = web.excluded_domains if web else ()
        places = [place.removeprefix("*.") for place in allowed] or [each for each in _PLACES if each not in excluded][
            :1
        ]
        titles = self._some(_TITLES, count)
        return [
            {"url": f"https://{places[n % len(places)]}/simulated/{_path(title)}", "title": title}
            for n, title in enumerate(titles)
        ]

    def analysis(self, models: list[str]) -> JsonObject:
        """The five parts of a comparison of these models' replies."""
        dice = self._dice
        stances = self._some(_STANCES, min(len(models), 3))
        taken = [{"model": model, "stance": stance} for model, stance in zip(models, stances, strict=False)]
        topic = MARK + self._fill(_DISPUTED)
        return {
            "consensus": self._some(_AGREED, dice.randint(1, 3)),
            "contradictions": [{"topic": topic, "stances": taken}] if len(models) > 1 else [],
            "partial_coverage": [{"models": [dice.choice(models)], "point": each} for each in self._some(_PARTLY, 1)],
            "unique_insights": [{"model": dice.choice(models), "insight": each} for each in self._some(_INSIGHTS, 1)],
            "blind_spots": self._some(_BLIND_SPOTS, 1),
        }


def shortened(text: str, chars: int) -> str:
    """The first `chars` characters, without ending in a half-written mark."""
    cut = text[:chars]
    line = cut.rpartition("\n")[2]
    if len(line) < len(MARK) and len(line) < len(cut):
        kept = cut[: len(cut) - len(line) - 1]
        cut = kept + "." * (len(cut) - len(kept))
    return cut


def pieces(text: str, dice: random.Random, low: int = 24, high: int = 64) -> list[str]:
    """A text in the fragments a stream would send."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        size = dice.randint(low, high)
        parts.append(text[at : at + size])
        at += size
    return parts


def _path(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.removeprefix(MARK).lower()).strip("-") or "page"
