"""What things that are made will cost, by the price lists of their kinds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from or_mcp.catalogue.drawn import Drawing, Film, estimate_images, estimate_video
from or_mcp.openrouter.wire.media import ImageEndpoint, VideoModel


def line(billable: str, unit: str, usd: float, variant: str | None = None) -> dict[str, Any]:
    return {"billable": billable, "unit": unit, "cost_usd": usd, "variant": variant}


def endpoint(*lines: dict[str, Any]) -> ImageEndpoint:
    return ImageEndpoint.model_validate({"provider_name": "X", "pricing": lines})


@pytest.mark.parametrize(
    ("lines", "drawing", "usual", "most"),
    [
        ([line("output_image", "image", 0.04)], Drawing(3), "0.12", "0.12"),
        (
            [line("output_image", "image", 0.03, "1k"), line("output_image", "image", 0.06, "2K")],
            Drawing(size="2K"),
            "0.06",
            "0.06",
        ),
        (
            [line("output_image", "image", 0.03, "1k"), line("output_image", "image", 0.06, "2K")],
            Drawing(),
            "0.06",
            "0.06",
        ),
        ([line("output_image", "megapixel", 0.03)], Drawing(size="1000x2000"), "0.06", "0.06"),
        (
            [line("output_image", "image", 0.06), line("input_reference", "image", 0.2)],
            Drawing(references=2),
            "0.46",
            "0.46",
        ),
        (
            [line("output_image", "token", 0.00003), line("input_text", "token", 0.000005)],
            Drawing(prompt=10, prompt_at_most=20),
            "0.12605",
            "0.2836",
        ),
    ],
)
def test_pictures_cost_what_their_list_says(lines: list[dict[str, Any]], drawing: Drawing, usual: str, most: str):
    found = estimate_images([endpoint(*lines)], "a/b", drawing)
    assert (found.high, found.most) == (Decimal(usual), Decimal(most))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [line("output_image", "image", 0)],
        [line("output_image", "furlong", 1)],
        [line("output_image", "image", -1)],
        [line("input_text", "token", 0.1)],
    ],
)
def test_what_a_list_does_not_price_is_unknown_never_nothing(lines: list[dict[str, Any]]):
    found = estimate_images([endpoint(*lines)], "a/b", Drawing())
    assert (found.low, found.most) == (None, None)
    assert found.unknown


def test_of_several_who_draw_the_dearest_is_set_aside():
    found = estimate_images(
        [endpoint(line("output_image", "image", 0.02)), endpoint(line("output_image", "image", 0.05))], "a/b", Drawing()
    )
    assert (found.low, found.most) == (Decimal("0.02"), Decimal("0.05"))


def film(skus: dict[str, str]) -> VideoModel:
    return VideoModel.model_validate({"id": "a/b", "pricing_skus": skus})


@pytest.mark.parametrize(
    ("skus", "asked", "low", "most"),
    [
        ({"duration_seconds": "0.4"}, Film(4), "1.6", "1.6"),
        ({"duration_seconds_with_audio": "0.4", "duration_seconds_without_audio": "0.2"}, Film(5), "1", "2"),
        ({"duration_seconds_720p": "0.1", "duration_seconds_1080p": "0.2"}, Film(10, "720p"), "1", "1"),
        ({"duration_seconds_720p": "0.1", "duration_seconds_1080p": "0.2"}, Film(10, "1920x1080"), "2", "2"),
        ({"cents_per_second_output": "12"}, Film(5), "0.6", "0.6"),
        ({"video_tokens": "0.0000012"}, Film(8, "1280x720"), "0.20736", "0.2592"),
        (
            {"text_to_video_duration_seconds": "0.1", "image_to_video_duration_seconds": "0.3"},
            Film(10, references=1),
            "3",
            "3",
        ),
    ],
)
def test_videos_cost_what_their_list_says(skus: dict[str, str], asked: Film, low: str, most: str):
    found = estimate_video(film(skus), "a/b", asked)
    assert (found.low, found.most) == (Decimal(low), Decimal(most))


@pytest.mark.parametrize("skus", [{}, {"duration_seconds": "0"}, {"per_furlong": "3"}, {"megapixel_seconds": "1"}])
def test_a_video_without_a_price_that_can_be_read_is_unknown(skus: dict[str, str]):
    assert estimate_video(film(skus), "a/b", Film(5)).most is None
