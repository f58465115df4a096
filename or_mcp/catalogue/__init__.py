"""What models exist and what they cost."""
