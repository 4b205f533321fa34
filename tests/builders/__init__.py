"""Builders: small functions that make valid objects for tests."""
