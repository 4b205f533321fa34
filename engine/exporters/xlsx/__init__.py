"""XLSX: workbooks, by XlsxWriter for all that is laid out and for few rows, by us for many.

Both write the same cells: `cells` one by one, `rows` whole batches at a time.
"""
