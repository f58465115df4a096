"""Writes the tables of docs/simulator.md from what the simulator is: `python -m tests.simulator.page`."""

import inspect
import json
import re
from pathlib import Path

from pydantic import BaseModel

from or_mcp.simulator.api.routes import ELSEWHERE, NOT_IMITATED, ROUTES
from or_mcp.simulator.delivery.faults import SECTIONS, Fault

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def _section(model: type[BaseModel]) -> str:
    title, _, more = inspect.cleandoc(model.__doc__ or "").partition("\n")
    rows = [_row(name) for name in model.model_fields if name in model.__annotations__]
    head = [f"### {title.rstrip('.')}", "", *([more.strip(), ""] if more else [])]
    return "\n".join([*head, "| field | what it does |", "|---|---|", *rows])


def _row(name: str) -> str:
    field = Fault.model_fields[name]
    usual = "" if field.default in (None, False, 0, {}) else f" (usually `{json.dumps(field.default)}`)"
    return f"| `{name}` | {field.description}{usual} |"


def _rules() -> str:
    return "\n\n".join(_section(model) for model in SECTIONS)


def _paths() -> str:
    there = [f"`{method} {path.replace(':path', '')}`" for method, path, _ in ROUTES]
    other = [f"`{method} {address}` as `{path}`" for method, address, path in ELSEWHERE]
    missing = [f"`{path.removeprefix('/api/v1')}`" for path in sorted(NOT_IMITATED)]
    absent = "501, so that no gap is taken for an answer: "
    return "\n\n".join(
        [f"Below `/api/v1`: {', '.join(there)}.", f"{', '.join(other)}.", absent + ", ".join(missing) + "."]
    )


_TABLES = {"rules": _rules, "paths": _paths}


def written() -> str:
    """The page with its tables as they should be."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in _TABLES.items():
        wanted = f"<!-- {name} -->\n\n{table()}\n\n<!-- /{name} -->"
        text = re.sub(rf"<!-- {name} -->.*<!-- /{name} -->", lambda _, wanted=wanted: wanted, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
