"""What the benchmark of reconciliation is made of: a ledger, who reads it, and what that took."""
