"""What a decision is: typed questions about a text, answered with probabilities. Knows the API, not the protocol."""
