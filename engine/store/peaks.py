"""A run's peak of memory: the largest of its attempts'."""

from sqlalchemy import BigInteger, ColumnElement, case, cast, or_

from engine.store.tables import runs


def largest_peak(of_attempt: ColumnElement[int]) -> ColumnElement[int]:
    """The run's peak so far, or this attempt's if that is larger or the first one measured."""
    so_far, own = runs.c.peak_memory_bytes, cast(of_attempt, BigInteger)
    return case((or_(own.is_(None), so_far > own), so_far), else_=own)
