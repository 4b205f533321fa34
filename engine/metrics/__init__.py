"""Metrics: what the ledger says about the engine, as Prometheus reads it."""
