"""The rules of lint_catalog.py, one module per kind."""
