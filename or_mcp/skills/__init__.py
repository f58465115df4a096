"""Skills: how the tools are used well, each a folder with what an agent reads once it needs it."""
