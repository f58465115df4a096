"""What the program knows is not typed twice: tables in README and docs are its own, and links lead somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from readme_renderer import markdown

from or_mcp.identity import IDENTITY
from or_mcp.settings import VARIABLES
from or_mcp.starting.front import PREPARED
from or_mcp.tools import ALL_TOOLS
from tests.manifests import skills
from tests.serving.greetings import prepared
from tests.test_architecture import ALLOWED, PACKAGE

ROOT = PACKAGE.parent
README, ARCHITECTURE = ROOT / "README.md", ROOT / "docs/architecture.md"
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
# Where a reader of the package index finds what the README links to.
PUBLISHED = {f"{IDENTITY.url}/blob/main/", f"{IDENTITY.url.replace('github.com', 'raw.githubusercontent.com')}/main/"}

STAY = re.compile(r"\| `([\w/]+\.py)` `([\w.]+)` \|")
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def tools_table() -> str:
    rows = [
        f"| `{tool.name}` | {'spends' if tool.kind == 'spend' else 'free'} | {first_sentence(tool.description)} |"
        for tool in ALL_TOOLS.values()
    ]
    return "\n".join(["| tool | | what it does |", "|---|---|---|", *rows])


def settings_table() -> str:
    rows = [f"| `{row.name}` | {f'`{row.default}`' if row.default else '—'} | {row.meaning} |" for row in VARIABLES]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def rooms_table() -> str:
    rows = [f"| {_room(name)} | {_names(below)} |" for name, below in ALLOWED.items()]
    return "\n".join(["| room | what is in it | what it may import |", "|---|---|---|", *rows])


def _room(name: str) -> str:
    path = PACKAGE / name.replace(".", "/")
    source, shown = (path / "__init__.py", f"{name.replace('.', '/')}/") if path.is_dir() else (None, f"{name}.py")
    said = ast.get_docstring(ast.parse((source or path.with_suffix(".py")).read_text(encoding="utf-8"))) or ""
    return f"[`{shown}`](../or_mcp/{shown}) | {first_sentence(said)}"


def _names(rooms: str) -> str:
    return ", ".join(f"`{room}`" for room in rooms.split()) or "nothing of ours"


def first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


TABLES: dict[Path, dict[str, Callable[[], str]]] = {
    README: {"tools": tools_table, "settings": settings_table},
    ARCHITECTURE: {"rooms": rooms_table},
}


def generated(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    for name, table in TABLES[page].items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, table=table: match[1] + table() + match[2], text)
    return text


def links(page: Path) -> list[str]:
    """Where a page links to within this repository, from the root."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)]+)\)|(?:src|href|srcset)=\"([^\"]+)\"", text)
    targets = [one or other for one, other in found]
    inside = [target.removeprefix(place) for target in targets for place in PUBLISHED if target.startswith(place)]
    folder = page.parent.relative_to(ROOT)
    return inside + [str(folder / target) if target[0] != "#" else target for target in targets if "://" not in target]


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.name)
def test_the_tables_are_the_programs(page: Path):
    assert page.read_text(encoding="utf-8") == generated(page), "run `python -m tests.test_pages` to write them again"


def test_what_a_start_answers_with_is_what_the_program_says():
    assert PREPARED.read_text(encoding="utf-8") == prepared(), "python -m tests.test_pages"


def test_the_plugin_has_the_skills_of_the_package():
    assert skills.in_the_plugin() == skills.packaged(), "python -m tests.test_pages"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    for target in links(page):
        path, _, heading = target.partition("#")
        there = ROOT / path if path else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not heading or heading in anchors(there), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_stays_of_a_prompt_are_functions_of_those_files():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    stays = [
        stay for part in text.split("<!-- stays -->")[1:] for stay in STAY.findall(part.split("<!-- /stays -->")[0])
    ]
    assert len(stays) > 50
    assert not [f"{path} has no {name}" for path, name in stays if name not in names_in(PACKAGE / path)]


def names_in(path: Path) -> set[str]:
    """The functions and classes of a file, and the methods of these."""
    tops = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, NAMED)]
    inside = [f"{top.name}.{each.name}" for top in tops for each in top.body if isinstance(each, NAMED)]
    return {top.name for top in tops} | set(inside)


def test_the_package_index_shows_the_readme_with_all_its_pictures_and_links():
    text = README.read_text(encoding="utf-8")
    shown = markdown.render(text)
    assert shown, "it cannot be rendered"
    pictures = re.findall(r'<img[^>]* src="([^"]+)"', shown)
    assert pictures == re.findall(r'<img src="([^"]+)"', text)
    targets = [*pictures, *re.findall(r'href="([^"]+)"', shown)]
    assert not [target for target in targets if not target.startswith(("https://", "#"))]


if __name__ == "__main__":
    for each in TABLES:
        each.write_text(generated(each), encoding="utf-8")
    PREPARED.write_text(prepared(), encoding="utf-8")
    skills.write()
