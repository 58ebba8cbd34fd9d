"""How much of what an engine refuses when it starts is known: a number, and what is missing."""
