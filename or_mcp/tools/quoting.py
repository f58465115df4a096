"""Words that are not ours, marked so that they cannot pass for instructions."""

from __future__ import annotations


def quoted(run_id: str, what: str, words: str) -> str:
    """Model or web text between two marks. The marks hold the run's random id, which the text cannot know."""
    mark = run_id[-6:]
    return f"[{what} · quoted {mark}]\n{words}\n[end of quote {mark}]"
