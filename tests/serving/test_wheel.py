"""The package that is published: built, installed where nothing of this checkout is, and started."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from or_mcp import __version__
from tests.serving.programs import ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def run(*command: str | Path, **options: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=options.get("cwd", ROOT), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for publication."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel; its dependencies are those of the tests."""
    home = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", home)
    binaries = home / ("Scripts" if sys.platform == "win32" else "bin")
    run(sys.executable, "-m", "pip", "--python", binaries / "python", "install", "--quiet", "--no-deps", wheel)
    site = next(home.glob("[lL]ib/**/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return binaries


def test_everything_the_program_needs_is_in_the_wheel(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"or_mcp/py.typed", "or_mcp/view/fusion.html", "or_mcp/server.py", "or_mcp/simulator/api/app.py"} <= names
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "or_mcp").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources
    assert not [name for name in names if name.startswith(("tests/", "bench/", "manifests/"))]


def test_the_installed_program_says_its_version_and_lists_its_tools(installed: Path, tmp_path: Path):
    program = installed / "or-mcp"
    assert run(program, "--version", cwd=str(tmp_path)).strip() == f"or-mcp {__version__}"
    where = run(installed / "python", "-c", "import or_mcp; print(or_mcp.__file__)", cwd=str(tmp_path)).strip()
    assert Path(where).is_relative_to(installed.parent)
    env = environment("http://127.0.0.1:9/api/v1", tmp_path)
    del env["PYTHONPATH"]
    info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    with subprocess.Popen(
        [program], env=env, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines:
            process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        replies = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.wait(10) == 0
    assert replies[0]["result"]["serverInfo"]["version"] == __version__
    assert len(replies[1]["result"]["tools"]) == 10
