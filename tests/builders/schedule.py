"""Schedules, and the jobs that the tests' schedules.yaml may name."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.job import Job, job
from engine.schedules.interval import IntervalTrigger
from engine.schedules.loader import load_schedules
from engine.schedules.schedule import Schedule
from engine.signature import ReconciliationName


@job(queue="nightly")
def reconcile(context: Any, *, definition: ReconciliationName, as_of: date | None = None) -> None:
    """Compare two sides."""


@job()
def export(
    context: Any, *, since: datetime, until: datetime, formats: list[str] | None = None
) -> None:
    """Write files."""


@job()
def purge(context: Any, *, older_than_days: int = 90) -> None:
    """Delete what is old."""


@job(financial=True, effects="once")
def payout(context: Any) -> None:
    """Move money."""


JOBS: Mapping[str, Job] = {each.name: each for each in (reconcile, export, purge, payout)}
DEFINITIONS = {"reconciliation": frozenset({"wallets", "payments"})}


def schedules_in(path: Path) -> Mapping[str, Schedule]:
    """The schedules of a file that names these jobs and definitions."""
    return load_schedules(path, JOBS, DEFINITIONS)


def a_schedule(**changes: Any) -> Schedule:
    """A schedule of the job `purge` every hour, in Riyadh, but for `changes`."""
    hourly = Schedule(
        name="hourly",
        job="purge",
        trigger=IntervalTrigger(timedelta(hours=1)),
        timezone=ZoneInfo("Asia/Riyadh"),
        queue="default",
        params={},
    )
    return replace(hourly, **changes)
