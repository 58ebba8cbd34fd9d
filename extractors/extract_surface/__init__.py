"""Reads the server flags of engine releases from their sources, without running them."""
