"""An engine that is unwell in one way, for the doctor to look at."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import SecretStr
from sqlalchemy import insert, update

from engine.clock import Clock, SystemClock
from engine.dispatch import Dispatch
from engine.huey_app.doorbell import Doorbell
from engine.operations.doctor.cause import Cause, Diagnosis, Verdict
from engine.operations.doctor.examination import diagnose
from engine.operations.doctor.patient import Patient
from engine.settings import Settings
from engine.store.database import Database
from engine.store.run import Run
from engine.store.runs import RunStore
from engine.store.tables import attempts, runs, workers
from tests.builders.booking import BROKEN, LONG_AGO, a_claim, a_new_run, a_run
from tests.builders.commands import problem_with

HOUR = timedelta(hours=1)
JOBS = '''
from datetime import timedelta

from engine.authoring import JobContext, job


@job(time_limit=timedelta(seconds=10), memory_limit=100_000_000)
def purge(context: JobContext) -> None:
    """Nothing."""
'''
SCHEDULES = """
schedules:
  hourly:
    job: purge
    cron: "0 * * * *"
    timezone: UTC
"""


@dataclass
class Home:
    """A home with one job and one schedule; its ledger is upgraded and its queue is empty."""

    folder: Path
    database: Database
    queue_url: str = "sqlite:///var/queue.db"
    sources: Mapping[str, str] = field(default_factory=dict)
    storage_url: str = "file://var/artifacts"
    secret_key: str | None = None

    def __post_init__(self) -> None:
        (self.folder / "jobs").mkdir(exist_ok=True)
        (self.folder / "jobs" / "__init__.py").touch()
        (self.folder / "jobs" / "purging.py").write_text(JOBS)
        (self.folder / "schedules.yaml").write_text(SCHEDULES)

    @property
    def store(self) -> RunStore:
        """Its runs."""
        return RunStore(self.database)

    @property
    def settings(self) -> Settings:
        """What a command of this home would read."""
        url = self.database.url.render_as_string(hide_password=False)
        return Settings(
            home=self.folder,
            database_url=url.replace("sqlite:///", "sqlite:////") if ":////" not in url else url,
            queue_url=self.queue_url,
            storage_url=self.storage_url,
            secret_key=SecretStr(self.secret_key) if self.secret_key else None,
            sources=dict(self.sources),
        )

    def look(self, cause: Cause, clock: Clock | None = None) -> Diagnosis:
        """What the doctor says about one cause; `clock` is that of its machine."""
        patient = Patient(lambda: self.settings, clock or SystemClock())
        try:
            with own_jobs():
                return diagnose(patient, cause)
        finally:
            patient.close()

    def has(self, cause: Cause) -> str:
        """What is said of a cause that is found; fails if it is not."""
        found = self.look(cause)
        assert found.verdict is Verdict.FOUND, found
        for finding in found.findings:
            assert finding.next
            ours = [step for step in finding.next if step.startswith("engine ")]
            assert [problem for step in ours if (problem := problem_with(step))] == []
        return " | ".join(finding.text for finding in found.findings)

    def is_free_of(self, cause: Cause) -> bool:
        """Whether the cause was looked for and is not there."""
        found = self.look(cause)
        assert found.verdict is not Verdict.UNCHECKED, found
        return found.verdict is Verdict.FINE

    def worker(self, **changes: Any) -> None:
        """A worker that is there, of the queue `default`, unless `changes` say otherwise."""
        now = datetime.now(UTC)
        row = {
            "id": f"host:{changes.get('pid', 7)}:aaaaaa",
            "host": "host",
            "pid": 7,
            "kind": "worker",
            "queues": ["default"],
            "threads": 2,
            "started_at": now,
            "seen_until": now + HOUR,
            "manager": "systemd",
        }
        with self.database.begin() as connection:
            connection.execute(insert(workers).values(row | changes))

    def scheduler(self) -> None:
        """A scheduler that is there."""
        self.worker(kind="scheduler", queues=[], threads=0, pid=8)

    def ring(self, **changes: Any) -> Run:
        """A run that is booked and rung for."""
        doorbell = Doorbell(self.settings.queue)
        run = Dispatch(runs=self.store, doorbell=doorbell).book(a_new_run(**changes)).run
        doorbell.close()
        return run

    def run(self, **changes: Any) -> Run:
        """A run that is ready."""
        return a_run(self.store, **changes)

    def failed_run(self, **changes: Any) -> Run:
        """A run whose only attempt failed."""
        run = self.run(**{"attempts": 1} | changes)
        self.store.fail(a_claim(self.store, run), BROKEN)
        return run

    def ended_run(self, *, took: timedelta, peak: int = 0, **changes: Any) -> Run:
        """A run that succeeded after so long."""
        run = self.run(**changes)
        self.store.succeed(a_claim(self.store, run), None, peak)
        with self.database.begin() as connection:
            its = update(attempts).where(attempts.c.run_id == run.id)
            connection.execute(its.values(started_at=LONG_AGO, finished_at=LONG_AGO + took))
        return run

    def change_runs(self, **values: Any) -> None:
        """Set columns of every run."""
        with self.database.begin() as connection:
            connection.execute(update(runs).values(**values))


@contextmanager
def own_jobs() -> Iterator[None]:
    """As in a process of its own: the package `jobs` is that of whoever asks for it now."""
    path, others = list(sys.path), _forget_jobs()
    yield
    _forget_jobs()
    sys.path[:] = path
    sys.modules.update(others)


def _forget_jobs() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] == "jobs"]
    return {name: sys.modules.pop(name) for name in names}
