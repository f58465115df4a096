"""The examples run as they stand, on the simulated upstream."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.hosts.world import World
from tests.serving.programs import ROOT

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(240)]
EXAMPLES = ROOT / "examples"


def run(world: World, *command: str) -> subprocess.CompletedProcess[str]:
    done = world.run(*command, more={"OPENROUTER_BASE_URL": world.upstream})
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("python", ["python", "frameworks"])
def test_the_plain_client_of_both_generations_watches_a_panel_and_reads_its_run(world: World, python: str):
    interpreter = str(world.hosts.folder / python / "bin" / "python")
    done = run(world, interpreter, str(EXAMPLES / "panel.py"), "Monolith or microservices?")
    assert done.stdout.startswith("[simulated] ")
    assert "They disagree on [simulated] " in done.stdout
    assert re.search(r"^run_\w+: fused, \$0\.\d+$", done.stdout, re.MULTILINE)
    assert "convening the panel" in done.stderr


def test_an_agents_model_asks_a_panel_by_itself(world: World):
    # The simulated model calls what the question names.
    done = run(world, str(world.hosts.python), str(EXAMPLES / "agent.py"), "Tabs or spaces? Ask with fuse.")
    assert "called fuse(" in done.stderr
    assert done.stdout.startswith("[simulated] ")


def test_a_shell_script_has_a_panel_review_what_is_not_committed(world: World):
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first")):
        world.write("project/app.py", "print(1)\n")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *words], cwd=world.project, check=True, timeout=30)
    world.write("project/app.py", "print(2)\n")
    done = run(world, str(EXAMPLES / "review.sh"))
    assert done.stdout.startswith("[simulated] ")
    assert re.search(
        r"^run_\w+: fused, \$0\.\d+\. To read it again: uvx or-mcp runs show run_\w+$", done.stdout, re.MULTILINE
    )


def test_every_example_is_described():
    told = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"]({each.name})" in told for each in EXAMPLES.iterdir() if each.name != "README.md")
