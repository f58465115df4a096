"""How any call is carried: from the host's words to a reply, whichever tool it is."""
