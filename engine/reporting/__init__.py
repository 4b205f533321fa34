"""Reporting: documents become files with records, and rows become summaries."""
