"""Process tests: they start, and kill, real processes."""
