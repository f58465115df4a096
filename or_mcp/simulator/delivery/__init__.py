"""How a reply travels: framing, refusals, pace and scripted trouble."""
