"""Whether what a model or a program is shown is complete alone, in whichever form it arrives."""

from __future__ import annotations

import json
import re
from typing import Any

TOOLS = ["fuse", "ask", "embed", "rerank", "make", "decide", "list_models", "endpoints", "account", "run"]


def as_json(shown: Any) -> dict[str, Any] | None:
    """The structured form, when that is what was shown."""
    if isinstance(shown, dict):
        return shown  # pyright: ignore[reportUnknownVariableType]
    start = shown.find("{")
    try:
        return json.loads(shown[start:]) if start >= 0 else None
    except ValueError:
        return None


def check_fusion(shown: Any) -> str:
    """Answer, outcome, cost, who took part, and the run's id, which is returned."""
    fusion = as_json(shown)
    if fusion is None:
        return _check_fusion_text(shown)
    assert (fusion["status"], fusion["outcome"]) == ("completed", "fused")
    assert fusion["answer"].startswith("[simulated] ")
    assert fusion["cost_usd"] > 0
    assert fusion["analysis"]["consensus"]
    assert [member["status"] for member in fusion["panel"]] == ["answered"] * 3
    return fusion["run_id"]


def _check_fusion_text(text: str) -> str:
    told = re.match(r"Fused 3/3 · \$\d+\.\d+ · [\d.]+ s · (run_\w+)\n\[answer by ", text)
    assert "[simulated] " in text
    assert "Consensus:" in text
    assert "Panel: 3/3 answered" in text
    assert told is not None, text
    assert re.search(r"^Cost: \$\d\.\d+ · today \$\d", text, re.MULTILINE), text
    return told[1]


def check_models(shown: Any) -> None:
    """A model that can be named in the next call, with its price."""
    found = as_json(shown)
    if found is None:
        assert re.search(r"^anthropic/claude-opus-\S+ \| \d+k \| \d+/\d+ \|", shown, re.MULTILINE), shown
        return
    first = found["models"][0]
    assert first["id"].startswith("anthropic/claude-opus-")
    assert first["input_price"] > 0
    assert found["total"] >= len(found["models"])


def check_refusal(shown: Any) -> None:
    """What was wrong, what it cost, what to do."""
    assert "invalid_request: There is no argument 'limitt'" in str(shown)
    assert "did you mean 'limit'?" in str(shown)
    assert "Spent: nothing" in str(shown)
    assert "Next: correct the argument and call again." in str(shown)
