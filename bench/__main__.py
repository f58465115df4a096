"""`python -m bench`: what the product costs, beside a floor measured in the same run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure
from bench.measures import FULL, QUICK, Bench
from bench.programs import upstream
from bench.report import HEADINGS, cells, line, surroundings, write_json, write_readme


def main() -> int:
    """Measure and report. 1 means that it could not be measured, or with --check that an aim was missed."""
    options = _options()
    measured_on = surroundings()
    for name, value in measured_on.items():
        print(f"{name}: {value}")
    print()
    figures = _measure(quick=options.quick, runs=options.runs)
    if options.json:
        write_json(options.json, figures, measured_on)
    if options.write_readme:
        write_readme(figures, measured_on)
    missed = [figure.name for figure in figures if figure.met is False]
    print(f"\n{len(missed)} aims missed" if missed else "\nevery aim met")
    return 1 if options.check and missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs: under a minute, and noisier")
    parser.add_argument("--runs", type=int, default=100_000, help="how large a store grows (default 100,000)")
    parser.add_argument("--check", action="store_true", help="exit with 1 when an aim is missed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for machines")
    parser.add_argument("--write-readme", action="store_true", help="put the figures into bench/README.md")
    return parser.parse_args()


def _measure(*, quick: bool, runs: int) -> list[Figure]:
    figures: list[Figure] = []
    print(line(HEADINGS))
    with tempfile.TemporaryDirectory(prefix="or-mcp-bench-") as directory, upstream() as port:
        for figure in Bench(port, Path(directory), QUICK if quick else FULL, runs).figures():
            figures.append(figure)
            print(line(cells(figure)), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
