"""How the page is filled: empty for a host, which hands it the run, or with the run inside as a report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from math import isfinite
from typing import Any, cast

VIEW_URI = "ui://or-mcp/fusion.html"
VIEW_MIME = "text/html;profile=mcp-app"
# On a tool: the page that shows its results. Hosts of the first drafts look under the second name.
SHOWN_BY_VIEW: Mapping[str, Any] = {"ui": {"resourceUri": VIEW_URI}, "ui/resourceUri": VIEW_URI}
# On the page: it loads nothing, connects nowhere, frames nobody, and may copy a run's id.
VIEW_META: Mapping[str, Any] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "permissions": {"clipboardWrite": {}},
        "prefersBorder": True,
    }
}

_TITLE = "<title>Fusion result</title>"
_RUN = '<script type="application/json" id="run"></script>'
# What a browser's tab or a bookmark shows.
_TITLE_LENGTH = 80
# What could end the script element, what old parsers take for a line end, and what cannot be written as UTF-8.
_UNSAFE = "[<>&\u2028\u2029\ud800-\udfff]"
_UNPRINTABLE = "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+"


@cache
def app_html() -> str:
    """The page as a host is given it."""
    return files(__package__ or "or_mcp.view").joinpath("fusion.html").read_text(encoding="utf-8")


def report_html(answer: Mapping[str, Any]) -> str:
    """The page with a run inside, complete without a host; `prompt`, when it is there, becomes its title."""
    head, run, tail = app_html().partition(_RUN)
    start, title, rest = head.partition(_TITLE)
    return "".join((start, _titled(answer) or title, rest, run.replace("><", f">{_embedded(answer)}<"), tail))


def _titled(answer: Mapping[str, Any]) -> str:
    words = " ".join(re.sub(_UNPRINTABLE, " ", str(answer.get("prompt") or "")).split())
    if len(words) > _TITLE_LENGTH:
        words = words[: _TITLE_LENGTH - 1].rstrip() + "…"
    return f"<title>{escape(words)}</title>" if words else ""


def _embedded(answer: Mapping[str, Any]) -> str:
    written = json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return re.sub(_UNSAFE, lambda found: f"\\u{ord(found[0]):04x}", written)


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: a number that is none, which Python reads and browsers refuse, becomes null."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(each) for each in cast("Sequence[Any]", value)]
    return value
