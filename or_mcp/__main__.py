"""`python -m or_mcp` is the same program as `or-mcp`."""

import sys

from or_mcp.resident.starter import main

if __name__ == "__main__":
    sys.exit(main())
