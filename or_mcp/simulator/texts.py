"""Generated words: plausible, about the question, the same for the same seed, and marked as simulated."""

import random
import re

from or_mcp.simulator.material import material_for
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


class Writer:
    """Writes about one question with one set of dice."""

    def __init__(self, dice: random.Random, question: str) -> None:
        self._dice = dice
        self._topics = topics(question)
        self._material = material_for(question)

    def _fill(self, template: str) -> str:
        topic, other = self._dice.choice(self._topics), self._dice.choice(self._topics)
        return template.format(topic=topic, other=other if other != topic else "its context")

    def _some(self, templates: tuple[str, ...], count: int) -> list[str]:
        """So many marked sentences, no two from the same template."""
        return [MARK + self._fill(template) for template in self._dice.sample(templates, min(count, len(templates)))]

    def text(self, chars: int | None = None) -> str:
        """Several lines, each marked; exactly `chars` long when given."""
        wanted = chars if chars is not None else self._dice.randint(360, 720)
        lines = [MARK + self._fill(self._dice.choice(self._material.openings))]
        length = len(lines[0])
        unsaid: list[str] = []
        while length < wanted:
            unsaid = unsaid or self._dice.sample(self._material.middles, len(self._material.middles))
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
        return MARK + " ".join(self._fill(self._dice.choice(self._material.thoughts)) for _ in range(sentences))

    def sources(self, count: int) -> list[JsonObject]:
        """Web pages somebody could have cited; none exists."""
        titles = self._some(self._material.titles, count)
        return [{"url": f"https://example.org/simulated/{_path(title)}", "title": title} for title in titles]

    def analysis(self, models: list[str]) -> JsonObject:
        """The five parts of a comparison of these models' replies."""
        dice, material = self._dice, self._material
        stances = self._some(material.stances, min(len(models), 3))
        taken = [{"model": model, "stance": stance} for model, stance in zip(models, stances, strict=False)]
        topic = MARK + self._fill(material.disputed)
        return {
            "consensus": self._some(material.agreed, dice.randint(1, 3)),
            "contradictions": [{"topic": topic, "stances": taken}] if len(models) > 1 else [],
            "partial_coverage": [
                {"models": [dice.choice(models)], "point": each} for each in self._some(material.partly, 1)
            ],
            "unique_insights": [
                {"model": dice.choice(models), "insight": each} for each in self._some(material.insights, 1)
            ],
            "blind_spots": self._some(material.blind_spots, 1),
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
