"""What the page about hosts says is tested is what is installed and tested."""

from __future__ import annotations

import json
import re

from or_mcp.hosts.entry import SERVER, Launch, entry
from or_mcp.hosts.table import HOSTS
from tests.hosts.pinned import PAGE, with_table


def test_the_page_names_the_hosts_and_the_versions_they_are_tested_at():
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- hosts -->" in text
    assert text == with_table(text), "run `python -m tests.hosts.pinned` to write the table again"


def test_the_page_says_how_every_host_is_installed():
    text = PAGE.read_text(encoding="utf-8")
    assert [host.name for host in HOSTS if f"`{host.name}`" not in text] == []


def test_the_entries_on_the_page_are_those_that_install_writes():
    text = PAGE.read_text(encoding="utf-8")
    shown = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    written = [{host.servers: {SERVER: entry(host, Launch("uvx", ("or-mcp",)), {})}} for host in HOSTS]
    assert len(shown) == 4
    assert [each for each in shown if each not in written] == []
