"""What models exist here, who serves them, and which endpoint a request gets."""
