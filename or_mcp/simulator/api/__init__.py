"""The HTTP surface: one file per family of paths, and how each API spells a run."""
