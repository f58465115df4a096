"""One click installs what the manifest says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.manifests.files import MANIFESTS, ROOT, read
from tests.manifests.links import FILES, cursor_link, cursor_page, vscode_link, vscode_page

AGAIN = "run `python -m tests.manifests.links` to write the links again"


@pytest.mark.parametrize("name", FILES)
def test_the_link_beside_a_manifest_is_the_manifests(name: str):
    assert (MANIFESTS / name).read_text(encoding="utf-8") == f"{FILES[name]()}\n", AGAIN


@pytest.mark.parametrize("page", [cursor_page, vscode_page])
def test_the_readme_has_the_link(page: Callable[[], str]):
    assert f"]: {page()}\n" in (ROOT / "README.md").read_text(encoding="utf-8"), AGAIN


@pytest.mark.parametrize("link", [cursor_link, cursor_page])
def test_cursor_reads_the_manifest_from_its_link(link: Callable[[], str]):
    query = parse_qs(urlsplit(link()).query, strict_parsing=True)
    entry = json.loads(base64.b64decode(query["config"][0], validate=True))
    assert {query["name"][0]: entry} == read("cursor/mcp.json")["mcpServers"]


@pytest.mark.parametrize("link", [vscode_link, lambda: parse_qs(urlsplit(vscode_page()).query)["url"][0]])
def test_vs_code_reads_the_manifest_from_its_link(link: Callable[[], str]):
    address, _, query = link().partition("?")
    assert address == "vscode:mcp/install"
    server = json.loads(unquote(query))
    manifest = read("vscode/mcp.json")
    assert server.pop("inputs") == manifest["inputs"]
    assert {server.pop("name"): server} == manifest["servers"]
