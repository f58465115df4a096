"""What the operator's globs let through."""

from __future__ import annotations

import pytest

from or_mcp.catalogue.policy import Policy
from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.openrouter.errors import ConnectionFailed
from or_mcp.openrouter.wire.models import Model

UNREAD = Snapshot.unread(ConnectionFailed("away"))


@pytest.mark.parametrize(
    ("globs", "slug", "allowed"),
    [
        ("*", "anything/at-all@preset/x", True),
        ("anthropic/*", "anthropic/claude-opus-5", True),
        ("anthropic/*", "Anthropic/Claude-Opus-5", True),
        ("anthropic/*", "openai/gpt-5.2", False),
        ("anthropic/*", "~anthropic/claude-opus-latest", True),
        ("anthropic/claude-opus-5", "~anthropic/claude-opus-latest", True),
        ("anthropic/claude-opus-4.8", "~anthropic/claude-opus-latest", False),
        ("~anthropic/*", "~anthropic/claude-opus-latest", True),
        ("~anthropic/*", "anthropic/claude-opus-5", False),
        ("openai/gpt-5.2", "openai/gpt-5.2:nitro", True),
        ("openai/gpt-5.2", "openai/gpt-5.2-20251211", True),
        ("openai/gpt-oss-120b", "openai/gpt-oss-120b:free", True),
        ("*:free", "openai/gpt-oss-120b:free", True),
        ("*:free", "openai/gpt-oss-120b", False),
        ("anthropic/*", "openrouter/auto", False),
        ("anthropic/*,openrouter/auto", "openrouter/auto", True),
        ("anthropic/*", "@preset/mine", False),
        ("anthropic/*", "anthropic/claude-opus-5@preset/mine", False),
        ("anthropic/*,@preset/mine", "anthropic/claude-opus-5@preset/mine", True),
        ("anthropic/*,@preset/*", "openai/gpt-5.2@preset/mine", False),
        ("@preset/*", "@preset/mine", True),
        ("openai/gpt-*", "openai/unlisted", False),
        ("openai/gpt-*", "openai/gpt-unlisted", True),
    ],
)
def test_a_model_may_be_used_when_a_glob_means_it(catalogue: Snapshot, globs: str, slug: str, allowed: bool):
    assert Policy(tuple(globs.split(","))).allows(catalogue, slug) is allowed


def test_without_a_catalogue_names_alone_decide():
    policy = Policy(("anthropic/*",))
    assert policy.allows(UNREAD, "anthropic/claude-opus-5")
    assert not policy.allows(UNREAD, "~anthropic/claude-opus-latest")


def test_a_refusal_names_the_setting_and_what_is_allowed(catalogue: Snapshot):
    failure = Policy(("anthropic/*", "openai/gpt-oss-*")).explain("openai/gpt-5.2", catalogue)
    assert "OR_MCP_MODELS" in failure.message
    assert "anthropic/*, openai/gpt-oss-*" in failure.message
    assert failure.availability is not None
    names = failure.availability.fallback_models or ()
    assert "openai/gpt-oss-120b" in names[:1]
    assert all(Policy(("anthropic/*", "openai/gpt-oss-*")).allows(catalogue, name) for name in names)


def test_a_refusal_needs_no_catalogue():
    assert "openai/x" in Policy(("anthropic/*",)).explain("openai/x", UNREAD).message


def ranked(slug: str, intelligence: float | None, output: str = "text") -> Model:
    return Model.model_validate(
        {
            "id": slug,
            "architecture": {"output_modalities": [output]},
            "benchmarks": {"artificial_analysis": {"intelligence_index": intelligence}},
        }
    )


def test_in_place_of_a_router_the_best_that_are_allowed_and_give_what_is_wanted_are_named():
    rows = [ranked(f"a/{score}", score) for score in (10, 60, 30, 50)]
    others = (ranked("b/best", 99), ranked("a/unknown", None), ranked("a/vectors", 70, "embeddings"))
    failure = Policy(("a/*",)).explain("openrouter/auto", Snapshot.of((*rows, *others)))
    assert failure.message.startswith("openrouter/auto picks the model itself")
    assert failure.availability is not None
    assert failure.availability.fallback_models == ("a/60", "a/50", "a/30")
    wanted = Policy(("a/*",)).explain("openrouter/auto", Snapshot.of((*rows, *others)), "embeddings")
    assert wanted.availability is not None
    assert wanted.availability.fallback_models == ("a/vectors",)
