"""`python -m or_mcp` is the same program as `or-mcp`: a session on stdio starts here, all else in the command line."""

import sys


def main() -> int:
    """The program. Whoever starts a session imports no more than it needs."""
    if sys.argv[1:] in ([], ["serve"]):
        from or_mcp.starting.starter import by_resident

        code = by_resident()
        if code is not None:
            return code
    from or_mcp.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
