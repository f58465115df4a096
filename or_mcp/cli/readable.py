"""A result for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def readable(told: Mapping[str, Any], cost_line: str) -> str:
    """The answer first, then what the panel disagrees on, what one alone saw, what nobody covered, then the rest."""
    return "\n".join([*_answer(told), *_analysis(told.get("analysis") or {}), *_rest(told), cost_line]).strip()


def _answer(told: Mapping[str, Any]) -> Iterator[str]:
    if told["status"] != "completed":
        yield f"{told['status'].upper()}: {told.get('error', '')}\n"
    yield from (f"{note}\n" for note in told.get("notes", [])[:1] if told.get("outcome", "fused") != "fused")
    yield told.get("answer", told.get("text", ""))
    for row in told.get("responses", []):
        yield f"\n{row['model']} wrote:\n{row['content']}"


def _analysis(analysis: Mapping[str, Any]) -> Iterator[str]:
    for each in analysis.get("contradictions", []):
        yield f"\nDisagreement: {each['topic']}"
        yield from (f"  {stance['model'] or 'one'}: {stance['stance']}" for stance in each["stances"])
    yield from _section("Only one saw", [f"{e['model'] or 'one'}: {e['insight']}" for e in _rows(analysis, "unique")])
    yield from _section("Nobody covered", analysis.get("blind_spots", []))
    yield from _section("Consensus", analysis.get("consensus", []))
    partly = [f"{each['point']} ({', '.join(each['models'])})" for each in analysis.get("partial_coverage", [])]
    yield from _section("Only some covered", partly)


def _rows(analysis: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return analysis.get(f"{name}_insights", [])


def _section(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield f"\n{title}:"
        yield from (f"  - {row}" for row in rows)


def _rest(told: Mapping[str, Any]) -> Iterator[str]:
    failed = [f"{row['model']}: {row['error']}" for row in told.get("failed_models", [])]
    yield from _section("Failed", failed)
    sources: list[Mapping[str, Any]] = told.get("sources") or told.get("citations") or []
    yield from _section("Sources", [f"{row['title']} {row['url']}" for row in sources])
    if told["status"] != "completed":
        yield f"\nAll that arrived: or-mcp runs {told['run_id']}"
    yield f"\nRun: {told['run_id']}"
