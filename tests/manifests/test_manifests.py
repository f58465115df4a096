"""Every manifest is valid for its host, and starts the one program with the one variable at the one version."""

from __future__ import annotations

import copy
import re
import tomllib
from typing import Any

import jsonschema
import pytest

from or_mcp import __version__
from or_mcp.hosts.entry import SERVER, Launch, entry
from or_mcp.hosts.table import HOSTS, KEY
from or_mcp.settings import TOOL_NAMES, VARIABLES
from tests.manifests import schemas, skills
from tests.manifests.files import MANIFESTS, ROOT, read

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMAND = ("uvx", [PROJECT["name"]])
HOST_FILES = {
    "claude-code": ("claude-code/.mcp.json", schemas.CLAUDE_CODE),
    "claude-desktop": ("claude-desktop/claude_desktop_config.json", schemas.CLAUDE_DESKTOP),
    "cursor": ("cursor/mcp.json", schemas.CURSOR),
    "vscode": ("vscode/mcp.json", schemas.VSCODE),
    "codex": ("codex/config.toml", schemas.CODEX),
    "gemini": ("gemini/settings.json", schemas.GEMINI),
}
OTHER_FILES = {
    "claude-code/.claude-plugin/plugin.json": schemas.PLUGIN,
    "../.claude-plugin/marketplace.json": schemas.MARKETPLACE,
    "server.json": schemas.REGISTRY,
}
ALL_FILES = dict(HOST_FILES.values()) | OTHER_FILES
PLACEHOLDER = re.compile(r"\$\{(env:|input:|user_config\.)?[\w-]+(:-)?\}|\$\w+")


def started(manifest: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The entry of a host's file, and the variables it passes on."""
    (servers,) = (value for name, value in manifest.items() if name != "inputs")
    server = servers[SERVER]
    return server, {*server.get("env", {}), *server.get("env_vars", [])}


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_manifest_is_what_its_host_accepts(name: str):
    jsonschema.validate(read(name), ALL_FILES[name])


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_misspelt_name_would_not_pass(name: str):
    wrong = copy.deepcopy(read(name))
    tables = [value for value in wrong.values() if SERVER in value] if name not in OTHER_FILES else []
    (tables[0][SERVER] if tables else wrong)["comand"] = "uvx"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, ALL_FILES[name])


@pytest.mark.parametrize("name", [name for name, _ in HOST_FILES.values()])
def test_a_host_starts_the_command_that_is_installed_with_the_key(name: str):
    server, variables = started(read(name))
    assert (server["command"], server["args"]) == COMMAND
    assert PROJECT["name"] in PROJECT["scripts"]
    assert variables == {KEY}
    assert KEY in {variable.name for variable in VARIABLES}


@pytest.mark.parametrize("host", [host for host in HOSTS if host.name in HOST_FILES], ids=lambda host: host.name)
def test_a_manifest_says_what_install_writes(host: Any):
    server, _ = started(read(HOST_FILES[host.name][0]))
    written = entry(host, Launch(COMMAND[0], tuple(COMMAND[1])), {})
    if host.reference is None:
        # Such a host passes on no variables: install writes a key or nothing, the manifest shows where one goes.
        written |= {"env": server["env"]}
    assert server == written
    assert read(HOST_FILES[host.name][0]).get("inputs", []) == list(host.inputs)


@pytest.mark.parametrize("name", [*ALL_FILES, "mcpb/manifest.json"])
def test_no_manifest_holds_a_key_and_what_stands_for_it_counts_as_none(name: str):
    text = str(read(name))
    assert "sk-or-" not in text
    for value in re.findall(rf"'{KEY}': '([^']*)'", text):
        assert PLACEHOLDER.fullmatch(value), value


def test_vs_code_asks_for_the_key_it_passes_on():
    config = read("vscode/mcp.json")
    (asked,) = config["inputs"]
    assert asked["password"] is True
    assert config["servers"][SERVER]["env"][KEY] == f"${{input:{asked['id']}}}"


def test_the_registry_entry_is_this_package_at_this_version():
    listed = read("server.json")
    (package,) = listed["packages"]
    assert listed["version"] == package["version"] == __version__
    assert (package["runtimeHint"], [package["identifier"]]) == COMMAND
    assert [variable["name"] for variable in package["environmentVariables"]] == [KEY]
    assert f"mcp-name: {listed['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_bundle_is_this_package_at_this_version():
    manifest = read("mcpb/manifest.json")
    inside = read("mcpb/pyproject.toml")["project"]
    config = manifest["server"]["mcp_config"]
    assert manifest["version"] == inside["version"] == __version__
    assert inside["dependencies"] == [f"{PROJECT['name']}=={__version__}"]
    assert inside["requires-python"] == PROJECT["requires-python"]
    assert (config["command"], config["args"], set(config["env"])) == (*COMMAND, {KEY})
    (asked,) = manifest["user_config"]
    assert config["env"][KEY] == f"${{user_config.{asked}}}"
    assert manifest["user_config"][asked]["sensitive"] is True
    assert (MANIFESTS / "mcpb" / manifest["server"]["entry_point"]).is_file()


def test_the_marketplace_offers_the_plugin_at_this_version():
    (offered,) = read("../.claude-plugin/marketplace.json")["plugins"]
    plugin = read("claude-code/.claude-plugin/plugin.json")
    assert (ROOT / offered["source"]).resolve() == MANIFESTS / "claude-code"
    assert offered["name"] == plugin["name"]
    assert offered["description"] == plugin["description"]
    assert plugin["version"] == __version__


def test_the_plugins_commands_name_tools_that_exist_and_hide_no_skill():
    folder = MANIFESTS / "claude-code"
    plugin = read("claude-code/.claude-plugin/plugin.json")["name"]
    commands = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "commands").glob("*.md")}
    allowed = {word for text in commands.values() for word in re.findall(r"mcp__[\w-]+", text)}
    assert allowed == {f"mcp__plugin_{plugin}_{SERVER}__{tool}" for tool in ("fuse", "run")}
    assert {"fuse", "run"} <= set(TOOL_NAMES)
    # Claude Code shows the model no skill that has a command's name.
    assert not commands.keys() & {path.parent.name for path in folder.glob("skills/*/SKILL.md")}
    assert all("$ARGUMENTS" in text for text in commands.values())


def test_the_bundle_and_the_plugins_skills_speak_of_every_tool():
    bundle = read("mcpb/manifest.json")["long_description"]
    plugin = b"".join(skills.in_the_plugin().values()).decode()
    for told in (bundle, plugin):
        assert [name for name in TOOL_NAMES if f"`{name}`" not in told] == []
    assert bundle.startswith("Ten tools: ")
    assert len(TOOL_NAMES) == 10
