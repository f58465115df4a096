"""Does a model choose the right tool, with the right arguments, and none where none is needed? See README.md."""
