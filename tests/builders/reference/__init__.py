"""The reference: what is wrong with a random ledger, row by row, apart from the checks."""
