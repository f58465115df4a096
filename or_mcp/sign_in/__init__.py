"""OpenRouter's sign-in in a browser, and the key that it leaves on this machine."""
