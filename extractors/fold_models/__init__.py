"""Rows of models.json from published config.json files."""
