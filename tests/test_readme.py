"""What the program knows is not typed twice: the README's tables are the program's."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from or_mcp.settings import VARIABLES
from or_mcp.tools import ALL_TOOLS

README = Path(__file__).parents[1] / "README.md"


def tools_table() -> str:
    rows = [
        f"| `{tool.name}` | {'spends' if tool.kind == 'spend' else 'free'} | {first_sentence(tool.description)} |"
        for tool in ALL_TOOLS
    ]
    return "\n".join(["| tool | | what it does |", "|---|---|---|", *rows])


def first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def settings_table() -> str:
    rows = [f"| `{row.name}` | {f'`{row.default}`' if row.default else '—'} | {row.meaning} |" for row in VARIABLES]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def generated(text: str) -> str:
    for name, table in (("tools", tools_table()), ("settings", settings_table())):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, table=table: match[1] + table + match[2], text)
    return text


def test_the_tables_are_the_programs():
    text = README.read_text(encoding="utf-8")
    assert text == generated(text), "run `python -m tests.test_readme` to write the tables again"


def test_every_link_to_a_file_leads_somewhere():
    text = README.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    assert targets
    assert not [target for target in targets if not (README.parent / target).exists()]


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
