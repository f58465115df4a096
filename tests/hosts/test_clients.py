"""Every client finds the tools, calls them, and is told everything in each form it hands on."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import pytest

from or_mcp.host.instructions import INSTRUCTIONS
from tests.hosts.complete import TOOLS, check_fusion, check_models, check_refusal
from tests.hosts.conftest import NewWorld
from tests.hosts.tours import CLIENTS, COMMAND, EVERY_CLIENT, Client, Tour, take

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
MODELS, FUSION, REFUSAL = range(3)

TakeTour = Callable[[Client, str], Tour]
every_client = pytest.mark.parametrize("client", EVERY_CLIENT, ids=lambda client: client.name)
over_both = pytest.mark.parametrize("transport", ["stdio", "http"])


@pytest.fixture(scope="module")
def tour(new_world: NewWorld) -> TakeTour:
    """A tour is taken once, and looked at by every test."""

    @cache
    def taken(client: Client, transport: str) -> Tour:
        return take(client, new_world(), transport)

    return taken


@over_both
@every_client
def test_the_eight_tools_are_listed_with_plain_schemas(tour: TakeTour, client: Client, transport: str):
    tools = tour(client, transport).tools
    assert [tool["name"] for tool in tools] == TOOLS
    assert all(tool["inputSchema"]["properties"] for tool in tools)
    assert not any(word in str(tools[0]["inputSchema"]) for word in ("$ref", "anyOf", "oneOf", "allOf"))


@over_both
@every_client
def test_a_model_is_found(tour: TakeTour, client: Client, transport: str):
    forms = tour(client, transport).forms(MODELS)
    assert len(forms) == client.forms
    for form in forms:
        check_models(form)


@over_both
@every_client
def test_a_fusion_is_complete_in_every_form_and_the_same_run(tour: TakeTour, client: Client, transport: str):
    forms = tour(client, transport).forms(FUSION)
    assert len(forms) == client.forms
    assert len({check_fusion(form) for form in forms}) == 1


@over_both
@every_client
def test_a_refused_call_says_in_words_alone_what_to_do(tour: TakeTour, client: Client, transport: str):
    (words,) = tour(client, transport).forms(REFUSAL)
    check_refusal(words)


@over_both
@pytest.mark.parametrize("client", [c for c in EVERY_CLIENT if c.progress], ids=lambda client: client.name)
def test_progress_is_told_while_a_panel_works(tour: TakeTour, client: Client, transport: str):
    progress = tour(client, transport).progress
    assert progress
    assert all(0 < len(message) < 200 for message in progress)


@over_both
@pytest.mark.parametrize("client", [c for c in EVERY_CLIENT if c.protocol], ids=lambda client: client.name)
def test_the_newest_era_both_know_is_spoken(tour: TakeTour, client: Client, transport: str):
    assert tour(client, transport).protocol == client.protocol


@over_both
@pytest.mark.parametrize("client", [c for c in EVERY_CLIENT if c.instructions], ids=lambda client: client.name)
def test_the_instructions_arrive(tour: TakeTour, client: Client, transport: str):
    assert tour(client, transport).instructions.count(INSTRUCTIONS) == 1


def test_the_skills_are_read_by_a_client_that_checks_them(new_world: NewWorld):
    world = new_world()
    program = str(CLIENTS / "skills_with_fastmcp.py")
    done = world.run(str(world.hosts.python), program, *COMMAND)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["fusion", "choose-a-model", "second-opinion", "spend-little"]
