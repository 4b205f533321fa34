"""Unit tests: no sleep, no network."""
