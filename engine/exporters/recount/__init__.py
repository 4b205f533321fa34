"""Recounts: what a written file holds, read back from its bytes by code that did not write it."""
