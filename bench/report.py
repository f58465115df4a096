"""The figures, for people and for machines."""

from __future__ import annotations

import json
import os
import platform
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.figures import Figure

README = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- figures -->", "<!-- /figures -->"
_PACKAGES = ("mcp", "httpx2", "pydantic", "anyio", "uvicorn")
_WIDTHS = (44, 13, 13, 7, 16, 6)


def surroundings() -> dict[str, str]:
    """Where it was measured."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}"
        f" ({'' if optimised else 'not '}built with --enable-optimizations)",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


HEADINGS = ("measure", "product", "floor", "ratio", "aim", "")


def cells(figure: Figure) -> tuple[str, ...]:
    """One row of the table."""
    return (
        figure.name,
        _amount(figure.product, figure.unit),
        "" if figure.floor is None else _amount(figure.floor, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if figure.aim is None else str(figure.aim),
        {True: "met", False: "MISSED", None: ""}[figure.met],
    )


def line(row: Sequence[str]) -> str:
    """A row for a terminal."""
    name, *rest = (
        cell.ljust(width) if index in (0, 4) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, _WIDTHS, strict=True))
    )
    return "  ".join((name, *rest)).rstrip()


def write_json(path: Path, figures: Sequence[Figure], measured_on: Mapping[str, str]) -> None:
    """Everything, for machines."""
    everything = {"measured_on": measured_on, "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")


def write_readme(figures: Sequence[Figure], measured_on: Mapping[str, str]) -> None:
    """Put the figures between the marks in the README."""
    text = README.read_text()
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    notes = "".join(f"- {name}: {value}\n" for name, value in measured_on.items())
    rows = [HEADINGS, ("---", "--:", "--:", "--:", "---", "---"), *map(cells, figures)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    README.write_text(f"{before}{_BEGIN}\n{notes}\n{table}{_END}{after}")


def _amount(value: float, unit: str) -> str:
    digits = 0 if unit == "bytes" or value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
