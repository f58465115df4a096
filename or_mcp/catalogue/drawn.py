"""What pictures and videos will cost: by price lists of their own, each line for something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from or_mcp.catalogue.costs import Unpriced
from or_mcp.catalogue.prices import Estimate
from or_mcp.openrouter.wire.media import ImageEndpoint, ImagePrice, VideoModel

# Tokens of a picture: a simple one, one of high quality, and for each million pixels beyond what is usual.
_SIMPLE, _FINE, _DEAREST, _PER_MEGAPIXEL = 1_000, 4_200, 6_500, 4_500
# Of a picture that is sent along: as most models read it, and at most.
_REFERENCE, _REFERENCE_AT_MOST = 250, 5_000
# In millions, of tiers by name; without one models draw a million pixels or so, and some twice as much.
_TIERS = {"512": "0.27", "768": "0.6", "1k": "1.05", "1.5k": "2.4", "2k": "4.2", "4k": "16.8"}
_USUAL_MEGAPIXELS, _MOST_MEGAPIXELS = Decimal("1.05"), Decimal("2.1")
_PIXELS = re.compile(r"(\d{2,5})x(\d{2,5})")
_HEIGHT = re.compile(r"(?<![a-z0-9])(\d{3,4}p|[124]k)(?![a-z0-9])")
# Tokens of a video, as upstream counts them: pixels of all pictures by 1,024, of 24 to 30 a second.
_PER_TOKEN, _SLOW, _FAST = 1_024, 24, 30
_PLAIN_HEIGHT = 1_080
_FLAT = frozenset({"request", "video", "generation", "output", "clip", "image"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """Pictures as they are asked for; the prompt in tokens, usually and at most."""

    count: int = 1
    size: str = ""
    references: int = 0
    prompt: int = 0
    prompt_at_most: int = 0


@dataclass(frozen=True, slots=True)
class Film:
    """A video as it is asked for."""

    seconds: int
    size: str = ""
    references: int = 0


@dataclass(frozen=True, slots=True)
class _Range:
    low: Decimal
    high: Decimal
    most: Decimal

    def __add__(self, other: _Range) -> _Range:
        return _Range(self.low + other.low, self.high + other.high, self.most + other.most)


_NOTHING = _Range(Decimal(0), Decimal(0), Decimal(0))


def estimate_images(endpoints: Sequence[ImageEndpoint], slug: str, drawing: Drawing) -> Estimate:
    """The cost of pictures, whoever of these draws them."""
    found: list[_Range] = []
    try:
        found = [_drawn(endpoint, slug, drawing) for endpoint in endpoints]
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))
    if not found:
        return Estimate.of_nobody(f"{slug}: its price list names nobody who draws with it")
    return _of_any(found)


def _of_any(found: Sequence[_Range]) -> Estimate:
    most = max(each.most for each in found)
    return Estimate(min(each.low for each in found), max(each.high for each in found), most)


def _drawn(endpoint: ImageEndpoint, slug: str, drawing: Drawing) -> _Range:
    total, output = _NOTHING, Decimal(0)
    for billable, unit in dict.fromkeys((line.billable, line.unit) for line in endpoint.pricing):
        lines = [line for line in endpoint.pricing if (line.billable, line.unit) == (billable, unit)]
        part = _lines(_fitting(lines, drawing.size), drawing, slug)
        total += part
        output += part.most if billable == "output_image" else 0
    # Upstream lists what it does not price at nothing, and bills it all the same.
    if not output and not slug.endswith(":free"):
        raise Unpriced(f"{slug}: what a picture costs at {endpoint.provider_name} is not listed")
    return total


def _fitting(lines: Sequence[ImagePrice], size: str) -> Sequence[ImagePrice]:
    """Those of the size that was asked for, where the list tells sizes apart."""
    wanted = size.lower()
    return [line for line in lines if wanted and wanted in (line.variant or "").lower()] or lines


def _lines(lines: Sequence[ImagePrice], drawing: Drawing, slug: str) -> _Range:
    """What one thing costs, where any of these lines may hold."""
    prices = [line.cost_usd for line in lines]
    if None in prices or min(price for price in prices if price is not None) < 0:
        raise Unpriced(f"{slug}: a price of its list depends on something")
    known = [price for price in prices if price is not None]
    least, usual, most = _amounts(lines[0], drawing, slug)
    return _Range(min(known) * least, max(known) * usual, max(known) * most)


def _amounts(line: ImagePrice, drawing: Drawing, slug: str) -> tuple[Decimal, Decimal, Decimal]:
    """How much of it there is: at least, usually and at most."""
    usual, most = megapixels(drawing.size)
    if line.billable == "output_image":
        tokens = max(_DEAREST, int(_PER_MEGAPIXEL * most))
        return _of_unit(line, slug, drawing.count, (_SIMPLE, _FINE, tokens), (usual, most))
    if line.billable == "input_text":
        if line.unit != "token":
            return _of_unit(line, slug, drawing.count, (0, 0, 0), (usual, most))
        return Decimal(drawing.prompt), Decimal(drawing.prompt), Decimal(drawing.prompt_at_most)
    if line.billable == "input_font":
        return Decimal(0), Decimal(0), Decimal(0)
    each = (_REFERENCE, _REFERENCE_AT_MOST, _REFERENCE_AT_MOST)
    return _of_unit(line, slug, drawing.references * drawing.count, each, (usual, Decimal(_TIERS["4k"])))


def _of_unit(
    line: ImagePrice, slug: str, count: int, tokens: tuple[int, int, int], pixels: tuple[Decimal, Decimal]
) -> tuple[Decimal, Decimal, Decimal]:
    match line.unit:
        case "image" | "request":
            each = (Decimal(1),) * 3
        case "megapixel":
            each = (pixels[0], pixels[0], pixels[1])
        case "token":
            each = (Decimal(tokens[0]), Decimal(tokens[1]), Decimal(tokens[2]))
        case _:
            raise Unpriced(f"{slug}: it is priced by the {line.unit}, which nobody here knows")
    return each[0] * count, each[1] * count, each[2] * count


def megapixels(size: str) -> tuple[Decimal, Decimal]:
    """Millions of pixels of a size, usually and at most."""
    tier, pixels = _TIERS.get(size.lower()), _PIXELS.fullmatch(size.lower())
    if pixels:
        exact = Decimal(int(pixels[1]) * int(pixels[2])) / 1_000_000
        return exact, exact
    return (Decimal(tier), Decimal(tier)) if tier else (_USUAL_MEGAPIXELS, _MOST_MEGAPIXELS)


def estimate_video(model: VideoModel | None, slug: str, film: Film) -> Estimate:
    """The cost of a video. Of its prices one holds: which, may depend on what the list does not say."""
    listed = dict(model.pricing_skus or {}) if model is not None else {}
    names = _matching(listed, film)
    try:
        found = [_filmed(name.lower(), listed[name], slug, film) for name in names]
    except Unpriced as reason:
        return Estimate.of_nobody(str(reason))
    if not any(each.most for each in found) and not slug.endswith(":free"):
        return Estimate.of_nobody(f"{slug}: what a video costs is not listed")
    return _of_any(found)


def _matching(names: Iterable[str], film: Film) -> list[str]:
    """The prices that may hold: others are for another size, or another way to begin."""
    left = list(names)
    away = "text_to_video" if film.references else "image_to_video"
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: _is_of_size(name, film.size),
        lambda name: away not in name.lower(),
    )
    for test in tests:
        left = [name for name in left if test(name)] or left
    return left


def _is_of_size(name: str, size: str) -> bool:
    told = _HEIGHT.search(name.lower().replace("_", " "))
    return told is None or not size or told[1] == height(size)


def height(size: str) -> str:
    """A size as price lists name it."""
    pixels = _PIXELS.fullmatch(size.lower())
    return f"{min(int(pixels[1]), int(pixels[2]))}p" if pixels else size.lower()


def _filmed(name: str, price: Decimal, slug: str, film: Film) -> _Range:
    usd = price / 100 if "cent" in name else price
    words = set(name.split("_"))
    if "token" in name:
        low, most = (_pixels(film.size) * rate * film.seconds / _PER_TOKEN for rate in (_SLOW, _FAST))
        return _Range(usd * low, usd * most, usd * most)
    if "megapixel" not in name and "second" in name:
        return _Range(*[usd * film.seconds] * 3)
    if words & _FLAT and "megapixel" not in name:
        return _Range(usd, usd, usd)
    raise Unpriced(f"{slug}: it has a price by {name!r}, which nobody here knows")


def _pixels(size: str) -> Decimal:
    """Of one picture: as it was asked for, or 16:9 and as high as most."""
    pixels = _PIXELS.fullmatch(size.lower())
    if pixels:
        return Decimal(int(pixels[1]) * int(pixels[2]))
    named = re.sub(r"\D", "", size)
    lines = int(named) * (540 if size.lower().endswith("k") else 1) if named else _PLAIN_HEIGHT
    return Decimal(lines * lines * 16) / 9
