"""Write the exact public JSON of every tool, so that a change shows up in review."""

import json
from pathlib import Path

from or_mcp.tools import ALL_TOOLS

if __name__ == "__main__":
    for tool in ALL_TOOLS.values():
        listed = tool.listed().model_dump(mode="json", by_alias=True, exclude_none=True)
        path = Path(__file__).parent / f"{tool.name}.json"
        path.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
