"""How a program introduces itself to OpenRouter."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """What OpenRouter is told of it with every request."""

    title: str
    version: str
    url: str

    def headers(self) -> dict[str, str]:
        """The headers that attribute requests to it."""
        return {
            "User-Agent": f"{self.title}/{self.version} Python/{platform.python_version()}",
            "HTTP-Referer": self.url,
            "X-OpenRouter-Title": self.title,
            "X-OpenRouter-Categories": "cli-agent",
        }
