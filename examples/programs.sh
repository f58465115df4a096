#!/bin/sh
# A model that finds out which programs are installed, with the tools of the filesystem server from npm.
#
#   examples/programs.sh                           which of a few are there
#   examples/programs.sh "Is there a compiler?"    or whatever you want to know of /usr/bin
#
# servers.json says which server that is, which of its tools run unasked, and which never do.
set -eu

here=$(dirname "$0")
${OR_MCP:-uvx or-mcp} chat --servers "$here/servers.json" -1 "${1:-Which of git, curl, python3 and gcc are in /usr/bin?}"
