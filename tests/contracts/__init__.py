"""Contract tests: one suite a family, over all its members."""
