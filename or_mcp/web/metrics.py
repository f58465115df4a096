"""What Prometheus reads: how much is asked, how it goes, what it costs. Never words, callers or keys.

Several processes may listen on one port, and whoever scrapes reaches any of them. So each counts into files that all
of them read and add up: the multi-process mode of `prometheus-client`, in a directory that whoever starts them makes.
The run store could keep the counts too, but would then be written for every request, and would mix servers that share
a database but not a port, which Prometheus tells apart.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# From a list of models that is at hand to a run at its deadline.
_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)


class _Metric(NamedTuple):
    kind: Literal["counter", "histogram", "livesum", "livemostrecent"]
    meaning: str
    labels: tuple[str, ...] = ()


_METRICS = {
    "or_mcp_http_requests_total": _Metric("counter", "HTTP requests answered.", ("method", "path", "status")),
    "or_mcp_http_requests_in_flight": _Metric("livesum", "HTTP requests being answered."),
    "or_mcp_tool_calls_total": _Metric(
        "counter", "Tool calls, by outcome: ok, running, task, question, or the kind of error.", ("tool", "outcome")
    ),
    "or_mcp_tool_call_seconds": _Metric("histogram", "How long a tool call took to answer.", ("tool",)),
    "or_mcp_upstream_seconds": _Metric("histogram", "How long OpenRouter took to begin its answer.", ("path",)),
    "or_mcp_spend_usd_total": _Metric("counter", "USD that runs of this server have cost, as far as known.", ("tool",)),
    "or_mcp_runs_live": _Metric("livesum", "Runs that this server carries."),
    "or_mcp_store_queue": _Metric("livesum", "Pieces of work that wait for the run store."),
    "or_mcp_store_away": _Metric("livesum", "Processes of this server whose run store cannot be used now."),
    "or_mcp_runs_lost_total": _Metric("counter", "Runs found left behind by a process that is gone."),
    "or_mcp_spent_today_usd": _Metric("livemostrecent", "USD spent this UTC day by all who share the run store."),
}


@contextmanager
def counted_together() -> Generator[None]:
    """Processes that are started in this block count together."""
    if os.environ.get(DIRECTORY):
        yield
        return
    with TemporaryDirectory(prefix="or-mcp-metrics-") as directory:
        os.environ[DIRECTORY] = directory
        yield


class Metrics:
    """The counts of this server. `are_whole` is false where other processes beside this one count for themselves."""

    def __init__(self) -> None:
        # Only here, since only a server that is asked for counts should pay for it: it takes a fifth of a second.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

        disable_created_metrics()
        self._directory = os.environ.get(DIRECTORY)
        if self._directory:
            Path(self._directory).mkdir(parents=True, exist_ok=True)
        self.are_whole = bool(self._directory) or multiprocessing.parent_process() is None
        own = self._own = CollectorRegistry()
        self._counters = {n: Counter(n, m.meaning, m.labels, registry=own) for n, m in _of("counter")}
        self._histograms = {
            n: Histogram(n, m.meaning, m.labels, registry=own, buckets=_BOUNDS) for n, m in _of("histogram")
        }
        self._gauges = {
            name: Gauge(name, metric.meaning, registry=own, multiprocess_mode=mode)
            for mode in ("livesum", "livemostrecent")
            for name, metric in _of(mode)
        }

    def count(self, name: str, amount: float | Decimal = 1, **labels: str) -> None:
        """Something has happened."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(float(amount))

    def set(self, name: str, value: float | Decimal) -> None:
        """Something stands at."""
        self._gauges[name].set(float(value))

    def took(self, name: str, seconds: float, **labels: str) -> None:
        """Something took this long."""
        self._histograms[name].labels(**labels).observe(seconds)

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if not self._directory:
            return generate_latest(self._own).decode()
        _forget_the_dead(Path(self._directory))
        everybodys = CollectorRegistry()
        MultiProcessCollector(everybodys, self._directory)
        return generate_latest(everybodys).decode()


def _of(kind: str) -> list[tuple[str, _Metric]]:
    return [(name, metric) for name, metric in _METRICS.items() if metric.kind == kind]


def _forget_the_dead(directory: Path) -> None:
    """What stood at something in a process that has ended stands there no more; what it counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead  # pyright: ignore[reportUnknownVariableType]

    for pid in {int(found[1]) for each in directory.iterdir() if (found := re.search(r"live.*_(\d+)\.db$", each.name))}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(directory))
