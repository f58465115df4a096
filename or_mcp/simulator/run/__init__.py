"""From a request body to a finished run, whichever API it came through."""
