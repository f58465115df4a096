"""Where a session starts: which resident it belongs to, and how it is handed over."""
