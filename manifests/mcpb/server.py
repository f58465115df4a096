"""Starts or-mcp, for hosts that start a bundle by its entry point."""

from or_mcp.cli import main

if __name__ == "__main__":
    raise SystemExit(main([]))
