"""The hashes that the page's policy must name. `python tests/view/csp.py` writes them into the page."""

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "or_mcp" / "view" / "fusion.html"


def digest(html: str, element: str) -> str:
    """The hash of the page's one element of this kind, as a policy spells it."""
    (body,) = re.findall(rf"<{element}>(.*?)</{element}>", html, flags=re.DOTALL)
    return "sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()


def sealed(html: str) -> str:
    """The page with the right hashes in its policy."""
    for element in ("script", "style"):
        html = re.sub(rf"{element}-src 'sha256-[^']*'", f"{element}-src '{digest(html, element)}'", html, count=1)
    return html


if __name__ == "__main__":
    PAGE.write_text(sealed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
