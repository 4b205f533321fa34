"""YAML files as plain data, with the line and column of everything in them.

`read_document(path)` reads one file; `validate(document, Model)` turns its data into a pydantic
model. Both raise `InvalidDocument`, which holds every problem with its place. A new kind of file
needs a model and nothing here; a new pydantic error gets its wording in `wording.py`.
"""
