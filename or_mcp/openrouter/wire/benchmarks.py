"""`/benchmarks`: how models did in tests, and what a task of one cost."""

from __future__ import annotations

from or_mcp.openrouter.wire.lenient import Lenient, Name, Reply, Rows
from or_mcp.openrouter.wire.money import Cost


class Benchmark(Reply):
    """One model in one test; not every source tells what it cost."""

    model_permaslug: Name
    benchmark_type: Lenient[Name] = None
    avg_cost_per_task: Cost = None


class BenchmarkList(Reply):
    """All of them."""

    data: Rows[Benchmark] = ()
