"""`python -m or_mcp` is the same program as `or-mcp`."""

import sys

from or_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())
