"""Metrics without a ledger."""
