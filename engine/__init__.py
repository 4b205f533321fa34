"""Scheduled batch and reporting engine for wallets and ledgers."""
