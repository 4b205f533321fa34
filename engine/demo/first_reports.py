"""The demo's first reports: booked as anybody would, and made by the worker of the night."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.app import App
from engine.demo.school_days import RIYADH, is_school_day
from engine.errors import EngineError
from engine.preflight import require_params
from engine.registry import find
from engine.schedules.entry import REPORT_JOB
from engine.states import UNFINISHED_RUNS, RunState
from engine.store.run import NewRun, Run

_LOOK_SECONDS = 0.1


class ReportNotMade(EngineError):
    """One of the demo's reports did not end well."""

    message = "the report {report}, run {reference}, {state}: {why}"


def last_school_day(as_of: datetime) -> str:
    """The last day before `as_of` on which anything was sold."""
    day = (as_of.astimezone(RIYADH) - timedelta(microseconds=1)).date()
    while not is_school_day(day):
        day -= timedelta(days=1)
    return day.isoformat()


def book_reports(app: App, as_of: datetime) -> Sequence[Run]:
    """Book the reports of the last school day, and of what the night found; those there are."""
    wanted: dict[str, dict[str, Any]] = {
        "daily_sales": {"period": last_school_day(as_of)},
        "open_breaks": {},
    }
    if REPORT_JOB not in app.jobs:
        return []
    job = find(app.jobs, REPORT_JOB)
    booked = []
    for name, params in wanted.items():
        if name not in app.report_definitions:
            continue
        given = require_params(job, {"name": name, **params}, app.definitions)
        new = NewRun(job=job.name, queue=job.queue, params=given, attempts=job.attempts)
        booked.append(app.dispatch.book(new).run)
    return booked


def wait_for(app: App, booked: Run, *, alive: Callable[[], bool]) -> Run:
    """The run once it has succeeded; raises ReportNotMade."""
    run = booked
    while run.state in UNFINISHED_RUNS and alive():
        time.sleep(_LOOK_SECONDS)
        run = app.runs.get(booked.id)
    if run.state is not RunState.SUCCEEDED:
        why = run.error.message if run.error else "see the demo's engine.log"
        report = run.params["name"]
        raise ReportNotMade(report=report, reference=run.reference, state=run.state, why=why)
    return run
