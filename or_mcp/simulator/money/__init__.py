"""What things cost, and who paid for what."""
