"""What operators see and do, on every database that can hold a ledger."""
