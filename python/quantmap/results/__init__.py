"""What came of a plan: measurements read back, compared and told."""
