"""A result for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from or_mcp.cli.terminal import marked, safe, tinted
from or_mcp.tools.answers.fuse import HEADINGS, OUTCOMES

_TONES = {"fused": "good", "partial_panel": "warn", "no_analysis": "warn", "not_fused": "bad"}


def readable(
    answer: Mapping[str, Any], facts: Mapping[str, Any], where: str = "", *, failures_are_told: bool = False
) -> str:
    """The answer first, then what the panel disagrees on, what one alone saw, what nobody covered, then the rest.

    `facts` are those beside the result: its cost line, and which notes say what a model should call; here the last
    lines say the same for a terminal. `where` says where all of it can be read, if not in the store. Whoever has seen
    the run live has been told its failures.
    """
    parts = [*_answer(answer), *_analysis(answer.get("analysis") or {}), *_panel(answer)]
    parts += [*([] if failures_are_told else _failures(answer)), *_rest(answer, facts.get("advice", ()))]
    return "\n".join([*parts, "", where or _in_the_store(answer), safe(facts.get("cost_line", ""))]).strip()


def _answer(answer: Mapping[str, Any]) -> Iterator[str]:
    outcome = answer.get("outcome", "fused")
    if answer["status"] == "cancelled":
        yield tinted("Stopped. What had arrived is kept; what was already generated may be billed.", "warn", sys.stdout)
    elif answer["status"] != "completed":
        yield tinted(safe(answer.get("error") or answer["status"]), "bad", sys.stdout)
    elif outcome != "fused":
        yield tinted(f"{OUTCOMES[outcome]}{_of_the_panel(answer)}", _TONES[outcome], sys.stdout)
    if "rows" in answer:
        yield f"{answer['rows']['answered']:,} of {answer['rows']['total']:,} rows answered."
    if words := answer.get("answer") or answer.get("text"):
        yield from ("", marked(safe(words), sys.stdout))


def _of_the_panel(answer: Mapping[str, Any]) -> str:
    panel: list[Mapping[str, Any]] = answer.get("panel", [])
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


def _panel(answer: Mapping[str, Any]) -> Iterator[str]:
    for row in answer.get("responses", []):
        yield from ("", _title(f"{safe(row['model'])} wrote"), marked(safe(row["content"]), sys.stdout))


def _failures(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["status"] not in ("cancelled", "interrupted"):
        yield from _section("Failed", [_failed(row) for row in answer.get("failed_models", [])])
    yield from _section("Rows that failed", [f"row {row['row']}: {row['error']}" for row in answer.get("failed", [])])


def _rest(answer: Mapping[str, Any], advice: Collection[int]) -> Iterator[str]:
    files: list[Mapping[str, Any]] = answer.get("files") or []
    yield from _section("Files", [_file(row) for row in files])
    sources: list[Mapping[str, Any]] = answer.get("sources") or answer.get("citations") or []
    yield from _section("Sources", [f"{row['title']} <{row['url']}>" for row in sources])
    # What is not the outcome of a fusion: that is told above.
    said = 1 if answer.get("outcome", "fused") != "fused" else 0
    notes = [note for n, note in enumerate(answer.get("notes", [])) if n >= said and n not in advice]
    yield from _section("Notes", notes)


def _file(row: Mapping[str, Any]) -> str:
    missing = f": {row['missing']}" if row.get("missing") else ""
    return f"{row.get('path') or row['uri']} ({row['mime']}, {row['bytes']:,} bytes){missing}"


def _failed(row: Mapping[str, Any]) -> str:
    code = f" ({row['status_code']})" if row.get("status_code") else ""
    return f"{row['model']}{code}: {row['error']}"


def _in_the_store(answer: Mapping[str, Any]) -> str:
    run_id = answer["run_id"]
    whole = [] if "responses" in answer else [f"All texts: or-mcp runs show {run_id}"]
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
