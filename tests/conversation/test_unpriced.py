"""What bounds an answer when nobody knows who will give it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from or_mcp.catalogue.costs import Media
from or_mcp.catalogue.prices import Prompt
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.catalogue.web import NO_WEB, WebUse
from or_mcp.conversation.unpriced import Sizes, offer_for
from or_mcp.openrouter.wire.models import Model
from or_mcp.runs.budget import Bound, Room

ONE_DOLLAR = Room((Bound(Decimal(1), "max_cost_usd", ""),))
SHARED = Room((Bound(Decimal(1), "OR_MCP_DAILY_BUDGET_USD", "", shared=True),))


def sizes(tokens: int = 1_000, images: int = 0) -> Sizes:
    prompt = Prompt(tokens, Media(images, images * 1_600))
    return Sizes(prompt, prompt)


def catalogue(**prices: Any) -> Snapshot:
    row = {"id": "a/odd", "pricing": {"prompt": "0.000001", "completion": "0.000005"} | prices}
    return Snapshot.of([Model.model_validate(row)])


EMPTY = Snapshot.of(())


@pytest.mark.parametrize("web", [NO_WEB, WebUse(2)])
@pytest.mark.parametrize("images", [0, 3])
def test_the_dearest_that_may_answer_stays_within_the_money(web: WebUse, images: int):
    offer = offer_for(sizes(images=images), web, EMPTY, ONE_DOLLAR, None)
    told, turns = offer.max_price(), web.steps + 1
    assert told.prompt is not None
    assert told.completion is not None
    assert told.request is not None
    read = sum(1_000 + web.read_at_most_by(step) for step in range(turns)) * told.prompt * Decimal("1.25")
    written = (offer.tokens + web.steps * 150) * told.completion
    asked = turns * (told.request + images * (told.image or 0)) + web.searches * Decimal("0.035")
    assert (read + written) / 1_000_000 + asked <= Decimal(1) == offer.most


def test_of_what_others_draw_on_too_a_tenth_is_taken_where_good_models_can_be_had_for_it():
    offer = offer_for(sizes(), NO_WEB, EMPTY, SHARED, None)
    assert (offer.most, offer.tokens < 16_000) == (Decimal("0.1"), True)


def test_who_may_cost_more_than_is_listed_is_priced_out():
    odd = catalogue(internal_reasoning="0.01")
    told = offer_for(sizes(), NO_WEB, odd, ONE_DOLLAR, 1_000).max_price()
    assert told.prompt is not None
    assert told.prompt < 1
    harmless = catalogue(internal_reasoning="0.00001")
    assert (offer_for(sizes(), NO_WEB, harmless, ONE_DOLLAR, 1_000).max_price().prompt or 0) > 1


def test_a_price_that_is_low_at_some_hours_shuts_nobody_out_at_others():
    tariff = {"utc_start": 0, "utc_end": 2359, "prompt": "0.0000001", "completion": "0.0000002"}
    cheap_at_night = catalogue(input_cache_write="0.01", overrides=[tariff])
    told = offer_for(sizes(), NO_WEB, cheap_at_night, ONE_DOLLAR, 1_000).max_price()
    assert told.prompt is not None
    assert told.prompt < Decimal("0.1")


def test_who_cannot_be_priced_out_leaves_it_unbounded():
    cheap_and_dear = catalogue(prompt="0.000000001", completion="0.000000001", internal_reasoning="0.01")
    assert offer_for(sizes(), NO_WEB, cheap_and_dear, ONE_DOLLAR, 1_000).most is None


def test_what_no_model_can_do_for_the_money_is_above_it():
    offer = offer_for(sizes(100_000_000), NO_WEB, EMPTY, ONE_DOLLAR, 1_000_000)
    most = offer.most
    assert most is not None
    assert most > 1
