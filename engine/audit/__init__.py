"""What of the audit is outside the ledger, and whether the audit is still what it was."""
