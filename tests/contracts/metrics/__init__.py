"""Metrics of a ledger on every database that can hold one, and what is built on their names."""
