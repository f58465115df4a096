"""A result for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from or_mcp.cli.terminal import marked, safe, tinted
from or_mcp.tools.answers.fuse import HEADINGS, OUTCOMES

_TONES = {"fused": "good", "partial_panel": "warn", "no_analysis": "warn", "not_fused": "bad"}


def readable(
    told: Mapping[str, Any], facts: Mapping[str, Any], where: str = "", *, failures_are_told: bool = False
) -> str:
    """The answer first, then what the panel disagrees on, what one alone saw, what nobody covered, then the rest.

    `facts` are those beside the result: its cost line, and which notes say what a model should call; here the last
    lines say the same for a terminal. `where` says where all of it can be read, if not in the store. Whoever has seen
    the run live has been told its failures.
    """
    parts = [*_answer(told), *_analysis(told.get("analysis") or {}), *_panel(told)]
    parts += [*([] if failures_are_told else _failures(told)), *_rest(told, facts.get("advice", ()))]
    return "\n".join([*parts, "", where or _in_the_store(told), safe(facts.get("cost_line", ""))]).strip()


def _answer(told: Mapping[str, Any]) -> Iterator[str]:
    outcome = told.get("outcome", "fused")
    if told["status"] == "cancelled":
        yield tinted("Stopped. What had arrived is kept; what was already generated may be billed.", "warn", sys.stdout)
    elif told["status"] != "completed":
        yield tinted(safe(told.get("error") or told["status"]), "bad", sys.stdout)
    elif outcome != "fused":
        yield tinted(f"{OUTCOMES[outcome]}{_of_the_panel(told)}", _TONES[outcome], sys.stdout)
    if "rows" in told:
        yield f"{told['rows']['answered']:,} of {told['rows']['total']:,} rows answered."
    if answer := told.get("answer") or told.get("text"):
        yield from ("", marked(safe(answer), sys.stdout))


def _of_the_panel(told: Mapping[str, Any]) -> str:
    panel: list[Mapping[str, Any]] = told.get("panel", [])
    answered = sum(row["status"] == "answered" for row in panel)
    return f": {answered}/{len(panel)} panelists answered." if panel and answered else "."


def _analysis(analysis: Mapping[str, Any]) -> Iterator[str]:
    for part, title in HEADINGS.items():
        yield from _section(title, [_found(part, each) for each in analysis.get(part, [])])


def _found(part: str, each: Any) -> str:
    match part:
        case "contradictions":
            stances = [f"- {stance['model'] or 'one'}: {stance['stance']}" for stance in each.get("stances", [])]
            return "\n".join([each["topic"], *stances])
        case "unique_insights":
            return f"{each['model'] or 'one'}: {each['insight']}"
        case "partial_coverage":
            return f"{each['point']} ({', '.join(each.get('models', []))})"
        case _:
            return each


def _panel(told: Mapping[str, Any]) -> Iterator[str]:
    for row in told.get("responses", []):
        yield from ("", _title(f"{safe(row['model'])} wrote"), marked(safe(row["content"]), sys.stdout))


def _failures(told: Mapping[str, Any]) -> Iterator[str]:
    if told["status"] not in ("cancelled", "interrupted"):
        yield from _section("Failed", [_failed(row) for row in told.get("failed_models", [])])
    yield from _section("Rows that failed", [f"row {row['row']}: {row['error']}" for row in told.get("failed", [])])


def _rest(told: Mapping[str, Any], advice: Collection[int]) -> Iterator[str]:
    files: list[Mapping[str, Any]] = told.get("files") or []
    yield from _section("Files", [_file(row) for row in files])
    sources: list[Mapping[str, Any]] = told.get("sources") or told.get("citations") or []
    yield from _section("Sources", [f"{row['title']} <{row['url']}>" for row in sources])
    # What is not the outcome of a fusion: that is told above.
    said = 1 if told.get("outcome", "fused") != "fused" else 0
    notes = [note for n, note in enumerate(told.get("notes", [])) if n >= said and n not in advice]
    yield from _section("Notes", notes)


def _file(row: Mapping[str, Any]) -> str:
    missing = f": {row['missing']}" if row.get("missing") else ""
    return f"{row.get('path') or row['uri']} ({row['mime']}, {row['bytes']:,} bytes){missing}"


def _failed(row: Mapping[str, Any]) -> str:
    code = f" ({row['status_code']})" if row.get("status_code") else ""
    return f"{row['model']}{code}: {row['error']}"


def _in_the_store(told: Mapping[str, Any]) -> str:
    run_id = told["run_id"]
    whole = [] if "responses" in told else [f"All texts: or-mcp runs show {run_id}"]
    return "\n".join([*whole, f"As a page: or-mcp runs report {run_id}"])


def _section(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield from ("", _title(title))
        yield from (f"  - {_inside(row)}" for row in rows)


def _title(words: str) -> str:
    return tinted(f"{words}:", "strong", sys.stdout)


def _inside(text: str) -> str:
    """Words of a list, which cannot begin a line of their own and so pass for ours."""
    return safe(text).replace("\n", "\n    ")
