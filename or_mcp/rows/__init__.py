"""Many requests in one run: each set aside before it is sent, kept as it is answered, and none paid for twice."""
