"""What the tools answer: the typed results, and their texts."""
