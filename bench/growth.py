"""What grows with the store: the same questions to a server whose store holds no runs, and very many.

`python -m bench.growth N` measures these alone, with N runs.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.figures import Aim, Figure
from bench.programs import PRODUCT, address, upstream
from bench.protocol import MODERN
from bench.session import session

# A year's runs of somebody busy, in the month that is kept.
_DAYS, _MODELS = 30, 40
_TIMES = 9
_QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "a list of runs": ("run", {}),
    "account": ("account", {}),
}
# What varies from one run to the next; everything else is as in a run that a server made.
_OWN = {
    "run_id": "'run_' || substr(strftime('%Y%m%d%H%M%S', {at}, 'unixepoch'), 3) || printf('%012x', i)",
    "fingerprint": "hex(randomblob(32))",
    "models": f"'[\"bench/model-' || (i % {_MODELS}) || '\"]'",
    "generation_id": "'gen-' || i",
    "started": "{at}",
    "ended": "{at}",
}


def growth(port: int, data: Path, runs: int) -> Iterator[Figure]:
    """Milliseconds that each question takes with a thousand runs (the floor) and with so many."""
    took: dict[int, dict[str, float]] = {}
    for count in (1_000, runs):
        folder = data / f"growth-{count}"
        folder.mkdir()
        with session(PRODUCT, address(port), folder, MODERN) as opened:
            opened.open()
            opened.ask()
        fill(folder / "runs.sqlite3", count)
        took[count] = _asked(port, folder)
    for name in took[runs]:
        few, many = took[1_000][name], took[runs][name]
        yield Figure(f"{name}, {runs:,} runs (floor: 1,000)", "ms", many, few, Aim(2))


def _asked(port: int, folder: Path) -> dict[str, float]:
    with session(PRODUCT, address(port), folder, MODERN) as opened:
        opened.open()
        first = opened.ask() * 1000
        took = {
            name: median(opened.call(tool, arguments) * 1000 for _ in range(_TIMES))
            for name, (tool, arguments) in _QUESTIONS.items()
        }
        return took | {"an ask": median(opened.ask() * 1000 for _ in range(_TIMES)), "the first ask": first}


def fill(path: Path, runs: int) -> None:
    """Make a store's newest run into so many, spread over a month, with what was spent on each day."""
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA synchronous = OFF")
        columns = [str(row[1]) for row in store.execute("PRAGMA table_info(runs)")]
        at = f"(r.started - {_DAYS - 1} * 86400.0 * i / {runs})"
        values = ", ".join(_OWN[name].format(at=at) if name in _OWN else f"r.{name}" for name in columns)
        store.execute(
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {runs}) "
            f"INSERT INTO runs ({', '.join(columns)}) SELECT {values} FROM n, (SELECT * FROM runs LIMIT 1) AS r"
        )
        spent = [str(row[1]) for row in store.execute("PRAGMA table_info(spending)")]
        own = {"day": "date(s.day, '-' || d || ' days')", "models": "'[\"bench/model-' || m || '\"]'"}
        values = ", ".join(own.get(name, f"s.{name}") for name in spent)
        store.execute(
            f"WITH RECURSIVE days (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM days WHERE d < {_DAYS - 1}), "
            f"models (m) AS (SELECT 0 UNION ALL SELECT m + 1 FROM models WHERE m < {_MODELS - 1}) "
            f"INSERT OR IGNORE INTO spending ({', '.join(spent)}) "
            f"SELECT {values} FROM days, models, (SELECT * FROM spending LIMIT 1) AS s"
        )
        store.commit()
        store.execute("ANALYZE")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="or-mcp-bench-") as directory, upstream() as port:
        for figure in growth(port, Path(directory), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000):
            print(f"{figure.name}: {figure.product:.1f} ms ({figure.ratio:.2f})", flush=True)
