"""The tools, one file each. This list is the whole of it, in the order hosts see."""

from or_mcp.calls.tool import AnyTool
from or_mcp.tools import account, ask, decide, embed, endpoints, fuse, list_models, make, rerank, run

ALL_TOOLS: tuple[AnyTool, ...] = (
    fuse.TOOL,
    ask.TOOL,
    embed.TOOL,
    rerank.TOOL,
    make.TOOL,
    decide.TOOL,
    list_models.TOOL,
    endpoints.TOOL,
    account.TOOL,
    run.TOOL,
)
