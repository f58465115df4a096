"""What Prometheus reads: how much is asked, how it goes, what it costs. Never words, callers or keys."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)

Labels = tuple[tuple[str, str], ...]

_MEANINGS = {
    "or_mcp_http_requests_total": ("counter", "HTTP requests answered by this process."),
    "or_mcp_http_requests_in_flight": ("gauge", "HTTP requests being answered by this process."),
    "or_mcp_tool_calls_total": (
        "counter",
        "Tool calls, by outcome: ok, running, task, question, or the kind of error.",
    ),
    "or_mcp_tool_call_seconds": ("histogram", "How long a tool call took to answer."),
    "or_mcp_upstream_seconds": ("histogram", "How long OpenRouter took to begin its answer."),
    "or_mcp_spend_usd_total": ("counter", "USD that runs of this process have cost, as far as known."),
    "or_mcp_runs_live": ("gauge", "Runs that this process carries."),
    "or_mcp_store_queue": ("gauge", "Pieces of work that wait for the run store."),
    "or_mcp_spent_today_usd": ("gauge", "USD spent this UTC day by all processes and callers on this data directory."),
}


class Metrics:
    """Counts of one process."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, Labels], float] = {}
        self._counts: dict[tuple[str, Labels], list[int]] = {}

    def count(self, name: str, amount: float | Decimal = 1, **labels: str) -> None:
        """Something has happened."""
        key = (name, tuple(labels.items()))
        self._values[key] = self._values.get(key, 0.0) + float(amount)

    def set(self, name: str, value: float | Decimal, **labels: str) -> None:
        """Something stands at."""
        self._values[name, tuple(labels.items())] = float(value)

    def took(self, name: str, seconds: float, **labels: str) -> None:
        """Something took this long."""
        key = (name, tuple(labels.items()))
        self._counts.setdefault(key, [0] * (len(_BOUNDS) + 1))[bisect_left(_BOUNDS, seconds)] += 1
        self._values[key] = self._values.get(key, 0.0) + seconds

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        lines: list[str] = []
        for name, (kind, meaning) in _MEANINGS.items():
            samples = {labels: value for (each, labels), value in self._values.items() if each == name}
            if not samples:
                continue
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines += self._histogram(name, samples) if kind == "histogram" else _plain(name, samples)
        return "\n".join([*lines, ""])

    def _histogram(self, name: str, sums: Mapping[Labels, float]) -> list[str]:
        lines: list[str] = []
        for labels, total in sums.items():
            counted = 0
            for bound, count in zip([*map(str, _BOUNDS), "+Inf"], self._counts[name, labels], strict=True):
                counted += count
                lines += _plain(f"{name}_bucket", {(*labels, ("le", bound)): counted})
            lines += [*_plain(f"{name}_sum", {labels: total}), *_plain(f"{name}_count", {labels: counted})]
        return lines


def _plain(name: str, samples: Mapping[Labels, float]) -> list[str]:
    return [f"{name}{_braced(labels)} {value:.12g}" for labels, value in samples.items()]


def _braced(labels: Labels) -> str:
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{told}}}" if told else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
