"""What the README says is tested is what is installed and tested."""

from __future__ import annotations

from tests.hosts.pinned import README, with_table


def test_the_readme_names_the_hosts_and_the_versions_they_are_tested_at():
    text = README.read_text(encoding="utf-8")
    assert "<!-- hosts -->" in text
    assert text == with_table(text), "run `python -m tests.hosts.pinned` to write the table again"
