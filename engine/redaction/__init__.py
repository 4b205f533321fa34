"""Redaction: what is a secret or personal, found by names and by patterns, and hidden."""
