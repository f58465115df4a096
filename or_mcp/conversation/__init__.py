"""What a conversation is: turns become requests, chunks become an answer, and both can be continued later."""
