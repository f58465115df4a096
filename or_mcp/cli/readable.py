"""A result for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from or_mcp.cli.terminal import marked, safe, tinted

_TONES = {"fused": "good", "partial_panel": "warn", "no_analysis": "warn", "not_fused": "bad"}


def readable(told: Mapping[str, Any], facts: Mapping[str, Any], where: str = "") -> str:
    """The answer first, then what the panel disagrees on, what one alone saw, what nobody covered, then the rest.

    `facts` are those beside the result: its cost line, and which notes say what a model should call; here the last
    lines say the same for a terminal. `where` says where all of it can be read, if not in the store.
    """
    parts = [*_answer(told), *_analysis(told.get("analysis") or {}), *_rest(told, facts.get("advice", ()))]
    return "\n".join([*parts, "", where or _in_the_store(told), safe(facts.get("cost_line", ""))]).strip()


def _answer(told: Mapping[str, Any]) -> Iterator[str]:
    notes: list[str] = told.get("notes", [])
    if told["status"] != "completed":
        yield tinted(safe(told.get("error") or told["status"]), "bad", sys.stdout)
    elif told.get("outcome", "fused") != "fused":
        yield from (tinted(safe(note), _TONES[told["outcome"]], sys.stdout) for note in notes[:1])
    if "rows" in told:
        yield f"{told['rows']['answered']:,} of {told['rows']['total']:,} rows answered."
    answer = told.get("answer") or told.get("text") or ""
    if answer:
        yield from ("", marked(safe(answer), sys.stdout))
    for row in told.get("responses", []):
        yield from ("", _title(f"{safe(row['model'])} wrote"), marked(safe(row["content"]), sys.stdout))


def _analysis(analysis: Mapping[str, Any]) -> Iterator[str]:
    disputes: list[Mapping[str, Any]] = analysis.get("contradictions", [])
    if disputes:
        yield from ("", _title("The panel disagrees"))
    for each in disputes:
        yield f"  - {_inside(each['topic'])}"
        yield from (f"    {_inside(_stance(stance), 4)}" for stance in each["stances"])
    insights: list[Mapping[str, Any]] = analysis.get("unique_insights", [])
    yield from _section("Only one model saw", [f"{each['model'] or 'one'}: {each['insight']}" for each in insights])
    yield from _section("Nobody covered", analysis.get("blind_spots", []))
    yield from _section("Consensus", analysis.get("consensus", []))
    partly = [f"{each['point']} ({', '.join(each['models'])})" for each in analysis.get("partial_coverage", [])]
    yield from _section("Only some covered", partly)


def _stance(stance: Mapping[str, Any]) -> str:
    return f"{stance['model'] or 'one'}: {stance['stance']}"


def _rest(told: Mapping[str, Any], advice: Collection[int]) -> Iterator[str]:
    yield from _section("Failed", [_failed(row) for row in told.get("failed_models", [])])
    yield from _section("Rows that failed", [f"row {row['row']}: {row['error']}" for row in told.get("failed", [])])
    sources: list[Mapping[str, Any]] = told.get("sources") or told.get("citations") or []
    yield from _section("Sources", [f"{row['title']} <{row['url']}>" for row in sources])
    said = 1 if told.get("outcome", "fused") != "fused" else 0
    notes = [note for n, note in enumerate(told.get("notes", [])) if n >= said and n not in advice]
    yield from _section("Notes", notes)


def _failed(row: Mapping[str, Any]) -> str:
    code = f" ({row['status_code']})" if row.get("status_code") else ""
    return f"{row['model']}{code}: {row['error']}"


def _in_the_store(told: Mapping[str, Any]) -> str:
    run_id = told["run_id"]
    whole = [] if "responses" in told else [f"All texts: or-mcp runs {run_id}"]
    return "\n".join([*whole, f"As a page: or-mcp runs {run_id} --html report.html"])


def _section(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield from ("", _title(title))
        yield from (f"  - {_inside(row)}" for row in rows)


def _title(words: str) -> str:
    return tinted(f"{words}:", "strong", sys.stdout)


def _inside(text: str, indent: int = 2) -> str:
    """Words of a list, which cannot begin a line of their own and so pass for ours."""
    return safe(text).replace("\n", "\n" + " " * (indent + 2))
