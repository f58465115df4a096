"""Generated words: plausible, about the question, the same for the same seed, and marked as simulated."""

import random
import re

from or_mcp.simulator.wire import JsonObject

MARK = "[simulated] "
_CHARS_PER_TOKEN = 4
_LINE_CHARS = 240

_STOP_WORDS = """
    about after all also and any are because been but can could does for from had has have how into its just more most
    not one only other our out over should some such than that the their them then there these they this use was were
    what when where which while who why will with would you your fusion please answer
"""
_OPENINGS = (
    "On {topic}, the short answer is that it depends on {other}, and the trade-off can be measured.",
    "Taking {topic} first: start with the simplest thing that can be observed, then revisit {other}.",
    "The question of {topic} is usually decided by {other} rather than by preference.",
    "For {topic}, two facts matter most: how {other} behaves under load and who owns the outcome.",
)
_MIDDLES = (
    "In practice {topic} costs more to change later than {other} does.",
    "A small experiment on {other} would settle most of the doubt within a week.",
    "Evidence for {topic} is strong in ordinary cases and thin at the extremes.",
    "Where {topic} and {other} pull apart, prefer the option that is easier to undo.",
    "Teams that measured {other} before deciding changed their minds about {topic} in about a third of cases.",
    "Cost grows with {other} first and with {topic} only much later.",
    "There is one exception: if {other} is regulated, decide {topic} on compliance alone.",
    "A reasonable default is to fix {topic} now and leave {other} open for a quarter.",
)
_THOUGHTS = (
    "Compare {topic} with {other} before committing.",
    "Check which assumption about {topic} carries the conclusion.",
    "Weigh what happens to {other} if the premise is wrong.",
    "List the cases in which {topic} does not matter.",
)
_COMMON_WORDS = frozenset(_STOP_WORDS.split())
_TITLES = ("A field report on {topic}", "{topic} in practice", "Measuring {topic}", "What we learnt about {topic}")


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


class Writer:
    """Writes about one question with one set of dice."""

    def __init__(self, dice: random.Random, question: str) -> None:
        self._dice = dice
        self._topics = topics(question)

    def _fill(self, templates: tuple[str, ...]) -> str:
        topic, other = self._dice.choice(self._topics), self._dice.choice(self._topics)
        return self._dice.choice(templates).format(topic=topic, other=other if other != topic else "its context")

    def sentence(self, templates: tuple[str, ...] = _MIDDLES) -> str:
        """One marked sentence."""
        return MARK + self._fill(templates)

    def text(self, chars: int | None = None) -> str:
        """Several lines, each marked; exactly `chars` long when given."""
        wanted = chars if chars is not None else self._dice.randint(360, 720)
        lines = [MARK + self._fill(_OPENINGS)]
        length = len(lines[0])
        while length < wanted:
            sentence = self._fill(_MIDDLES)
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
        return MARK + " ".join(self._fill(_THOUGHTS) for _ in range(sentences))

    def sources(self, count: int) -> list[JsonObject]:
        """Web pages somebody could have cited; none exists."""
        chosen = self._dice.sample(self._topics, min(count, len(self._topics)))
        return [
            {"url": f"https://example.org/simulated/{_path(topic)}", "title": self._title(topic)} for topic in chosen
        ]

    def _title(self, topic: str) -> str:
        return MARK + self._dice.choice(_TITLES).format(topic=topic)

    def analysis(self, models: list[str]) -> JsonObject:
        """The five parts of a comparison of these models' replies."""
        dice = self._dice
        stances = [{"model": model, "stance": self.sentence()} for model in models[:3]]
        contradictions = [{"topic": MARK + dice.choice(self._topics), "stances": stances}] if len(models) > 1 else []
        return {
            "consensus": [self.sentence() for _ in range(dice.randint(1, 3))],
            "contradictions": contradictions,
            "partial_coverage": [{"models": [dice.choice(models)], "point": self.sentence()}],
            "unique_insights": [{"model": dice.choice(models), "insight": self.sentence()}],
            "blind_spots": [MARK + f"Nobody quantified {dice.choice(self._topics)}."],
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


def _path(topic: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-") or "page"
