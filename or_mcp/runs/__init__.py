"""What was paid for: runs are recorded before they are sent, carried to their end, and never lost."""
