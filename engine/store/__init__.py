"""The run ledger at rest: tables, and one store a noun with one method a state move."""
