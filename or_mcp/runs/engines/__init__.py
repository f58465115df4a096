"""What the queries can run on."""
