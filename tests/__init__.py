"""Tests of the engine; `tests/builders` makes what they need."""
