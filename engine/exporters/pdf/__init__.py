"""PDF files: designed pages, and long tables that are drawn row by row."""
