"""What texts are as vectors: batches, a cache, and what is read off them. Knows the API, not the protocol."""
