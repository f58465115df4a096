"""What `or-mcp doctor` looks at."""
