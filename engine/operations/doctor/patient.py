"""The engine that is examined: each part of it is asked once, and what is away is remembered."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.clock import Clock
from engine.errors import EngineError, Invalid, Unreachable
from engine.job import Job
from engine.settings import Settings
from engine.store.database import REVISION, Database
from engine.store.ledger_clock import LedgerClock
from engine.store.paused_queues import PausedQueue, PausedQueueStore
from engine.store.run_counts import QueueCounts, RunCounts
from engine.store.symptoms import Ended, Symptoms
from engine.store.workers import Process, WorkerStore

if TYPE_CHECKING:
    from engine.artifact_files.storage import Storage
    from engine.huey_app.doorbell import Doorbell
    from engine.schedules.schedule import Schedule
    from engine.sources.catalog import Source

T = TypeVar("T")

_TRIES = 3


class CannotBeAsked(EngineError):
    """What a cause is looked for in is itself unwell; another cause says so."""

    message = "{what}"


class Patient:
    """An engine by its settings, which may be wrong. Examining it changes nothing.

    Whatever cannot be had is raised as an EngineError, each time it is asked for.
    """

    def __init__(self, load_settings: Callable[[], Settings], clock: Clock) -> None:
        self._load_settings = load_settings
        self._made: dict[str, Any] = {}
        self.clock = clock

    @property
    def settings(self) -> Settings:
        """The settings; raises InvalidSettings."""
        return self._once("settings", self._load_settings)

    @property
    def database(self) -> Database:
        """The ledger, whatever its revision; nothing has been asked of it."""
        return self._once("database", lambda: Database(self.settings.database))

    @property
    def revision(self) -> str | None:
        """The revision of the ledger's tables; None if it has none. Raises Unreachable."""
        return self._once("revision", self._read_revision)

    @property
    def ledger(self) -> Database:
        """The ledger, if it can be read by this version."""
        return self._once("ledger", self._usable_ledger)

    @property
    def symptoms(self) -> Symptoms:
        """What the ledger shows."""
        return Symptoms(self.ledger)

    def now(self) -> datetime:
        """The ledger's clock, asked each time."""
        return LedgerClock(self.ledger).now()

    @property
    def processes(self) -> Sequence[Process]:
        """Workers and schedulers that are there."""
        return self._once("processes", WorkerStore(self.ledger).present)

    @property
    def workers(self) -> Sequence[Process]:
        """The workers among them."""
        return [each for each in self.processes if each.kind == "worker"]

    @property
    def counts(self) -> Mapping[str, QueueCounts]:
        """The runs of every queue that has an unfinished or a failed one."""
        return self._once("counts", RunCounts(self.ledger).by_queue)

    @property
    def waiting(self) -> Mapping[str, QueueCounts]:
        """The queues in which runs could start now."""
        return {queue: counts for queue, counts in self.counts.items() if counts.ready}

    @property
    def paused(self) -> Sequence[PausedQueue]:
        """The queues that a person has paused."""
        return self._once("paused", PausedQueueStore(self.ledger).all)

    @property
    def ended(self) -> Sequence[Ended]:
        """What the newest attempts took."""
        return self._once("ended", self.symptoms.ended)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The jobs of the home; raises Invalid when one cannot be loaded."""
        from engine.registry import discover

        return self._once("jobs", lambda: discover(self.settings.home))

    @property
    def usable_jobs(self) -> Mapping[str, Job]:
        """The jobs, for whoever does not ask what is wrong with them."""
        settings = self.settings
        try:
            return self.jobs
        except Invalid as error:
            raise CannotBeAsked(what=f"the jobs of {settings.home} cannot be loaded") from error

    @property
    def schedules(self) -> "Mapping[str, Schedule]":
        """The schedules that are enabled; raises Invalid when the file is wrong."""
        return self._once("schedules", self._read_schedules)

    @property
    def doorbell(self) -> "Doorbell":
        """The queues; raises Invalid when their URL cannot be used."""
        return self._once("doorbell", self._open_doorbell)

    @property
    def queue_file(self) -> Path | None:
        """The file that the queues are in; None if they are on a server."""
        return _file_of(self.settings.queue)

    @property
    def has_queue(self) -> bool:
        """False if the queues' file is not made yet."""
        return self.queue_file is None or self.queue_file.exists()

    @property
    def storage(self) -> "Storage":
        """Where reports are kept."""
        from engine.artifact_files.storages import open_storage

        return self._once("storage", lambda: open_storage(self.settings.storage))

    @property
    def sources(self) -> "Mapping[str, Source]":
        """The sources, by name; raises Invalid when the URL of one cannot be used."""
        return self._once("sources", self._open_sources)

    def close(self) -> None:
        """Let go of every connection."""
        for name, release in (("doorbell", "close"), ("storage", "close"), ("database", "dispose")):
            made = self._made.get(name)
            if made is not None and not isinstance(made, EngineError):
                # Whatever it is, the cause that asked has said so.
                with suppress(EngineError):
                    getattr(made, release)()

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """A server that is away is waited for once, not by each cause."""
        if name not in self._made:
            try:
                self._made[name] = make()
            except EngineError as error:
                self._made[name] = error
        made = self._made[name]
        if isinstance(made, EngineError):
            raise made
        found: T = made
        return found

    def _read_revision(self) -> str | None:
        return self.database.revision() if self.database.exists() else None

    def _usable_ledger(self) -> Database:
        try:
            revision = self.revision
        except Unreachable as error:
            raise CannotBeAsked(what="the run ledger is away") from error
        if revision is None:
            raise CannotBeAsked(what="there is no run ledger yet")
        if revision != REVISION:
            raise CannotBeAsked(what="the run ledger is of another version")
        return self.database

    def _read_schedules(self) -> "Mapping[str, Schedule]":
        from engine.reporting.definitions import ReportDefinitions
        from engine.schedules.loader import load_schedules
        from engine.sources.catalog import Sources

        file = self.settings.schedules_file
        folder = self.settings.reconciliations_folder
        reconciliations = sorted(each.stem for each in folder.glob("*.yaml"))
        reports = ReportDefinitions(
            folder=self.settings.reports_folder,
            templates=self.settings.templates_folder,
            # Schedules are sound or not, whatever sources there are.
            open_sources=lambda: Sources({}, self.settings.home),
            reconciliations=reconciliations,
        )
        definitions = {"reconciliation": reconciliations, "report": reports}
        found = load_schedules(file, self.usable_jobs, definitions)
        return {name: schedule for name, schedule in found.items() if schedule.enabled}

    def _open_doorbell(self) -> "Doorbell":
        from engine.huey_app.doorbell import Doorbell

        doorbell = Doorbell(self.settings.queue)
        doorbell.require_client()
        return doorbell

    def _open_sources(self) -> "Mapping[str, Source]":
        from engine.sources.catalog import open_source

        home = self.settings.home
        urls = self.settings.source_urls
        return {name: open_source(name, url, home) for name, url in sorted(urls.items())}


def quickest(ask: Callable[[], object], *, enough: float) -> float:
    """Within how many seconds it is answered at best; it is asked again unless that is `enough`.

    The first time it may have to connect, and any time this machine may be busy with others.
    """
    took: list[float] = []
    while len(took) < _TRIES and min(took, default=enough) >= enough:
        begun = time.monotonic()
        ask()
        took.append(time.monotonic() - begun)
    return min(took)


def apart(clock: Clock, ask: Callable[[], datetime | None]) -> timedelta:
    """How far another clock is surely ahead of this one; zero if there is no other one."""
    before = clock.now()
    theirs = ask()
    after = clock.now()
    # It was read at some moment between the two, however long the answer took.
    nearest = before if theirs is None else min(max(theirs, before), after)
    return (theirs or nearest) - nearest


def _file_of(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
