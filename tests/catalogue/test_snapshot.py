"""Looking names up, and guessing the ones that were meant."""

from __future__ import annotations

import pytest

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.wire.models import AliasTarget, Model


@pytest.mark.parametrize(
    ("slug", "found"),
    [
        ("openai/gpt-5.2", "openai/gpt-5.2"),
        ("OpenAI/GPT-5.2", "openai/gpt-5.2"),
        (" openai/gpt-5.2 ", "openai/gpt-5.2"),
        ("openai/gpt-5.2-20251211", "openai/gpt-5.2"),
        ("~openai/gpt-latest", "~openai/gpt-latest"),
        ("openai/gpt-5.2:nitro", "openai/gpt-5.2"),
        ("openai/gpt-5.2:floor", "openai/gpt-5.2"),
        ("openai/gpt-5.2:exacto", "openai/gpt-5.2"),
        ("openai/gpt-5.2:online", "openai/gpt-5.2"),
        ("openai/gpt-5.2:something-new", "openai/gpt-5.2"),
        ("openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("openai/gpt-oss-120b:free", "openai/gpt-oss-120b:free"),
        ("openai/gpt-5.2:free", None),
        ("openai/gpt-5.2:thinking", None),
        ("openai/gpt-5.2:extended", None),
        ("openai/gpt-5.2@preset/mine", "openai/gpt-5.2"),
        ("@preset/mine", None),
        ("openrouter/auto", "openrouter/auto"),
        ("openai/gpt-9", None),
        ("", None),
    ],
)
def test_a_name_reaches_the_model_upstream_would_use(catalogue: Snapshot, slug: str, found: str | None):
    model = catalogue.find(slug)
    assert (model.id if model else None) == found


def test_a_canonical_name_is_the_paid_model_never_its_free_variant():
    free, paid = Model(id="a/b:free", canonical_slug="a/b-1"), Model(id="a/b", canonical_slug="a/b-1")
    model = Snapshot.of((free, paid)).find("a/b-1")
    assert model is paid


def test_a_canonical_name_of_two_models_is_the_first_listed_whatever_comes_after():
    first, second = Model(id="a/b", canonical_slug="a/b-1"), Model(id="a/c", canonical_slug="a/b-1")
    assert Snapshot.of((first, second)).find("a/b-1") is first


def test_a_name_of_its_own_goes_before_another_models_canonical_name():
    dated, own = Model(id="a/b", canonical_slug="a/b-1"), Model(id="a/b-1")
    assert Snapshot.of((own, dated)).find("a/b-1") is own
    assert Snapshot.of((dated, own)).find("a/b-1") is own


def test_a_moving_name_leads_to_its_target(catalogue: Snapshot):
    alias = catalogue.find("~anthropic/claude-opus-latest")
    assert alias is not None
    assert catalogue.target(alias).id == "anthropic/claude-opus-5"


def test_a_moving_name_without_a_listed_target_is_itself():
    alias = Model(id="~a/latest", alias_target=AliasTarget(slug="a/gone"))
    assert Snapshot.of((alias,)).target(alias) is alias


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("gpt-5.2", "openai/gpt-5.2"),
        ("claude-opus-5", "anthropic/claude-opus-5"),
        ("anthropic/claude-opus-4-8", "anthropic/claude-opus-4.8"),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-5"),
        ("anthropic/claude-3.5-sonnet", "anthropic/claude-sonnet-5"),
        ("anthropic/claude-opus-4.9", "anthropic/claude-opus-5"),
        ("openai/gpt-5.1", "openai/gpt-5.2"),
        ("openai/gpt-5.6", "openai/gpt-5.6-sol"),
        ("openai/gpt-4o", "openai/gpt-4o-mini"),
        ("openai/o3-mini", "openai/o4-mini"),
        ("google/gemini-1.5-pro", "google/gemini-3.1-pro-preview"),
        ("deepseek/deepseek-v3.1", "deepseek/deepseek-v3.2"),
        ("deepsek/deepseek-r1", "deepseek/deepseek-r1-0528"),
        ("x-ai/grok-3", "x-ai/grok-4.5"),
        ("GPT 5 mini", "openai/gpt-5-mini"),
        ("meta/llama-3.3-70b", "meta-llama/llama-3.3-70b-instruct"),
        ("anthropic/claude-opus-latest", "~anthropic/claude-opus-latest"),
        ("moonshotai/kimi-k2", "moonshotai/kimi-k3"),
        ("antropic/claude-opuss-5", "anthropic/claude-opus-5"),
        ("text-embedding-3", "openai/text-embedding-3-small"),
    ],
)
def test_the_first_guess_is_the_model_that_was_meant(catalogue: Snapshot, asked: str, first: str):
    assert catalogue.closest(asked)[0] == first


def test_a_guess_is_always_made_and_never_longer_than_asked(catalogue: Snapshot):
    assert len(catalogue.closest("zzzqqq")) == 3
    assert len(catalogue.closest("gpt", n=5)) == 5
    assert Snapshot.of(()).closest("gpt") == ()


def test_guesses_can_be_kept_to_what_comes_out(catalogue: Snapshot):
    names = catalogue.closest("openai/text-embed-3", output_modality="embeddings")
    assert names[0].startswith("openai/text-embedding")
    assert len(names) == 3
