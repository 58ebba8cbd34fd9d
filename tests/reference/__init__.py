"""A slow, obvious reading of the catalogue. It imports nothing of the package under test."""
