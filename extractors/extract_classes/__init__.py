"""Reads which classes of models each release knows, from the releases' own sources."""
