"""The page that shows a run: inside a host, and as a report that stands alone."""
