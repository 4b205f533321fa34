"""The ledger's revisions, in order: add a file in `versions/`, never edit an old one."""
