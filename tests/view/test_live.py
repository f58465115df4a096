"""The page beside the real server, over HTTP: nothing on either side is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from or_mcp.cli.scenario import script
from or_mcp.simulator import Simulator
from tests.serving.programs import environment, serving_http
from tests.view.test_browser import HERE, chromium, drive, install, program


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_page_follows_a_run_of_a_real_server_to_its_end(tmp_path: Path):
    browser = chromium()
    program("node")
    install(HERE)
    simulator = Simulator(faults=[script(duration_s=8)])
    with simulator.serve_in_thread() as base_url, serving_http(environment(base_url, tmp_path)) as url:
        seen = drive(HERE / "live.cjs", browser, str(tmp_path), f"{url}/mcp")
    assert seen == {"the page follows a run of a real server to its end": ""}
    assert len(simulator.posts("/responses")) == 1
