"""How this program introduces itself to OpenRouter."""

from __future__ import annotations

from or_mcp import __version__
from or_mcp.openrouter.identity import Identity

IDENTITY = Identity(title="or-mcp", version=__version__, url="https://github.com/or-mcp/or-mcp")
