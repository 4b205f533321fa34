"""The ledger's revisions, in order; add one with a new file in `versions/`, never edit an old one."""
