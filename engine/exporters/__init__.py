"""Exporters: each writes a Document as the bytes of one file format.

To add a format, write `<name>.py` with a class that follows the protocol in `exporter.py` and add
a line to EXPORTERS in `formats.py`; the contract tests run on it by themselves.
"""
