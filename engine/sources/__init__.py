"""Sources: the databases and folders that rows are read from, read-only and by name.

A kind of source is one module (`sqlite.py`, `postgres.py`, `mysql.py`, `folder.py`, `ledger.py`)
with its snapshot and its marks for parameters beside it, and what a database says differently in
SQL is its dialect (`sqlite_sql.py` ...). To add a database, write them as `database.py`, `marks.py`
and `dialect.py` ask, add its URL to `catalog.open_source`, and itself to the contract tests.
"""
