"""Runs of reports that a test carries out itself, and the files they leave."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.app import App
from engine.store.run import Claim, NewRun
from engine.store.runs import RunStore


@dataclass
class AReportAttempt:
    """An attempt at a report; `said` are the notes of its progress."""

    claim: Claim
    reference: str
    scheduled_for: datetime | None = None
    period: tuple[datetime, datetime] | None = None
    said: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Keep what is said."""
        self.said.append(note or "")


def a_report_attempt(app: App, **facts: Any) -> AReportAttempt:
    """A run of the report job, claimed."""
    run, _ = app.runs.book(NewRun(job="report", queue="default"))
    # Nobody renews it, however slow the machine is.
    claim = RunStore(app.database, lease=timedelta(hours=1)).claim(run.id, "a worker")
    assert claim is not None
    return AReportAttempt(claim, run.reference, **facts)


def make_report(app: App, name: str, **wish: Any) -> dict[str, Path]:
    """Make a report once, and where each of its files is, by name; manifests are left out."""
    attempt = a_report_attempt(app)
    result = app.reports.run(attempt, name, **wish)
    assert app.runs.succeed(attempt.claim, result)
    return files_of(app, attempt)


def files_of(app: App, attempt: AReportAttempt) -> dict[str, Path]:
    """What the run of an attempt left in the storage."""
    root = Path(app.settings.storage.removeprefix("file://"))
    found = reversed(app.artifacts.list(run_id=attempt.claim.run_id))
    return {each.name: root / each.path for each in found if each.report is not None}
