"""A client for the OpenRouter API: typed requests and replies, one failure tree, retries that never pay twice."""
