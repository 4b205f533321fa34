"""Reconciliation: read the sides in one snapshot, stage, check, record the breaks.

A check is one file in `checks/`; to add one, write it and add a line to `CHECKS`.
"""
