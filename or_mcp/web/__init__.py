"""Serving a team over HTTP: who comes in, how much at once, how it is watched, how it ends."""
