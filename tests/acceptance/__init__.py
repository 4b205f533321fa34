"""Acceptance tests on real data."""
