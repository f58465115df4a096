"""One process for all sessions of a user, and what hands a session to it."""
