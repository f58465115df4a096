"""Files and URLs that a caller attaches: read only from the allowed directories, told apart by their content."""
