"""Reads what each release says when it refuses to start, from the releases' own sources."""
