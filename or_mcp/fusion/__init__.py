"""What a fusion is: a plan before it, a state while it runs, a result after it. No HTTP, no MCP."""
