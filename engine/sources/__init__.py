"""Sources: the databases and folders that rows are read from, read-only and by name.

A kind of source is one module (`sqlite.py`, `folder.py`); to add one, write it and add its URL to
`catalog.open_source`.
"""
