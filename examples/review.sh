#!/bin/sh
# A panel reviews what is not committed yet. Exit code 0: a whole panel answered; 3: less than that came of it.
#   ./review.sh [FILE...]
set -eu
program=${OR_MCP:-uvx or-mcp}

diff=$(git diff HEAD -- "$@")
[ -n "$diff" ] || { echo "nothing to review"; exit 0; }

# What costs money is bounded here, whatever the diff is like; `--json` is one line for programs.
# shellcheck disable=SC2086
result=$(printf 'Review this change. Name each defect by file and line.\n\n%s\n' "$diff" |
  $program fuse --json --no-web --max-cost 1 -)

field() { printf '%s' "$result" | python3 -c "import json, sys; print(json.load(sys.stdin).get('$1') or '')"; }

field answer
echo
echo "$(field run_id): $(field outcome), \$$(field cost_usd). To read it again: $program runs show $(field run_id)"
[ "$(field outcome)" = fused ] || exit 3
