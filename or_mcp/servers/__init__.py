"""Other people's MCP servers: which the operator names, how they are started, spoken to, and kept at a distance."""
