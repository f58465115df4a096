"""The programs that start us: where each keeps its configuration, what our entry there is, how it is edited."""
