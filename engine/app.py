"""The composition root: settings become one engine, each part made when it is first asked for."""

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.clock import Clock, SystemClock
from engine.errors import Invalid
from engine.job import Job
from engine.registry import discover, load
from engine.settings import Settings
from engine.store.database import Database
from engine.store.run import Claim
from engine.store.runs import RunStore

if TYPE_CHECKING:
    # Huey, DuckDB and their like cost more than `engine --help` may; each is imported by the
    # part that needs it.
    from engine.audit.heads import HeadFiles
    from engine.dispatch import Dispatch
    from engine.effects.effects import Effects
    from engine.execution.context import Reporter
    from engine.execution.opening import Opening
    from engine.execution.orders import Order
    from engine.execution.sweep import Sweep
    from engine.hiding import Hiding
    from engine.huey_app.doorbell import Doorbell
    from engine.huey_app.huey import EngineHuey
    from engine.metrics.server import MetricsServer
    from engine.reconciliation.definitions import Definitions
    from engine.reconciliation.service import Reconciliations
    from engine.reporting.definitions import ReportDefinitions
    from engine.reporting.preview import Previews
    from engine.reporting.publish import Publisher
    from engine.reporting.service import Reports
    from engine.retention import Retention
    from engine.scheduler.scheduler import Scheduler
    from engine.schedules.schedule import Schedule
    from engine.sealing import Keys
    from engine.store.artifacts import ArtifactStore
    from engine.store.audit_entries import AuditStore
    from engine.store.breaks import BreakStore
    from engine.store.cancelled_runs import CancelStore
    from engine.store.effects import EffectStore
    from engine.store.events import EventStore
    from engine.store.failed_runs import FailedRunStore
    from engine.store.journal import Journal
    from engine.store.leases import LeaseStore
    from engine.store.logs import LogStore
    from engine.store.operator_moves import RunMoveStore
    from engine.store.paused_queues import PausedQueueStore
    from engine.store.reconciliations import ReconciliationStore
    from engine.store.reviews import ReviewStore
    from engine.store.run_counts import RunCounts
    from engine.store.sealed_params import SealedParamStore
    from engine.store.sealed_values import SealedValueStore
    from engine.store.users import UserStore
    from engine.store.workers import WorkerStore
    from engine.worker.options import WorkerOptions

# What `perform` and the services of jobs are made of, but for numpy, DuckDB and their like: those
# start threads, and a fork copies none.
_PRELOADED = (
    "engine.app",
    "engine.effects.effects",
    "engine.execution.opening",
    "engine.execution.performing",
    "engine.reconciliation.service",
    "engine.redaction.known",
    "engine.reporting.service",
    "engine.retention",
    # Of the sealing, which imports them where it uses them.
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf",
)


@dataclass(frozen=True)
class App:
    """An engine on one set of settings."""

    settings: Settings
    clock: Clock

    @cached_property
    def database(self) -> Database:
        """The run ledger, made or upgraded if need be."""
        database = Database(self.settings.database)
        database.require_current()
        database.journal = self.journal
        return database

    @cached_property
    def journal(self) -> "Journal":
        """Writes down what operators do."""
        from engine.store.journal import Journal

        heads = self.audit_heads
        return Journal(lambda: self.keys, heads.publish, {"from": heads.name})

    @cached_property
    def audit_heads(self) -> "HeadFiles":
        """What of the audit is outside the ledger."""
        from engine.audit.heads import HeadFiles

        return HeadFiles(self.settings.audit_folder)

    @cached_property
    def audit(self) -> "AuditStore":
        """What operators did."""
        from engine.store.audit_entries import AuditStore

        return AuditStore(self.database)

    @cached_property
    def jobs(self) -> Mapping[str, Job]:
        """The jobs of `home`/jobs."""
        return discover(self.settings.home)

    @cached_property
    def sound_jobs(self) -> Mapping[str, Job]:
        """The jobs of `home`/jobs that can be imported: for acts on the ledger, which no broken
        file is to hinder. What is wrong with the others is in `job_faults`."""
        return discover(self.settings.home, on_fault=self.job_faults.append)

    @cached_property
    def job_faults(self) -> list[Invalid]:
        """What `sound_jobs` found wrong."""
        return []

    @cached_property
    def keys(self) -> "Keys":
        """The keys of this installation; made with a SQLite ledger, else raises MissingKey."""
        from engine.sealing import MissingKey
        from engine.urls import is_server

        known = self.settings.known_keys
        if known is None and is_server(self.settings.database):
            raise MissingKey
        return known or self.settings.key_file.made()

    @cached_property
    def hiding(self) -> "Hiding":
        """Says what of a run's parameters is shown, and what is sealed."""
        from engine.hiding import Hiding

        # Of all that is defined, reports alone have parameters.
        return Hiding(lambda: self.keys, lambda: {"report": self.report_definitions})

    @cached_property
    def sealed_params(self) -> "SealedParamStore":
        """The sealed parameters of the runs."""
        from engine.store.sealed_params import SealedParamStore

        return SealedParamStore(self.database)

    @cached_property
    def sealed_values(self) -> "SealedValueStore":
        """All that is sealed."""
        from engine.store.sealed_values import SealedValueStore

        return SealedValueStore(self.database)

    @cached_property
    def runs(self) -> RunStore:
        """The runs."""
        return RunStore(self.database)

    @cached_property
    def logs(self) -> "LogStore":
        """What attempts said."""
        from engine.store.logs import LogStore

        return LogStore(self.database)

    @cached_property
    def leases(self) -> "LeaseStore":
        """Leases on things done alone."""
        from engine.store.leases import LeaseStore

        return LeaseStore(self.database)

    @cached_property
    def presence(self) -> "WorkerStore":
        """Workers and schedulers that are there."""
        from engine.store.workers import WorkerStore

        return WorkerStore(self.database)

    @cached_property
    def events(self) -> "EventStore":
        """What an operator should hear of."""
        from engine.store.events import EventStore

        return EventStore(self.database)

    @cached_property
    def run_counts(self) -> "RunCounts":
        """How many runs each queue has."""
        from engine.store.run_counts import RunCounts

        return RunCounts(self.database)

    @cached_property
    def moves(self) -> "RunMoveStore":
        """What people did with runs."""
        from engine.store.operator_moves import RunMoveStore

        return RunMoveStore(self.database)

    @cached_property
    def failed_runs(self) -> "FailedRunStore":
        """The failed runs."""
        from engine.store.failed_runs import FailedRunStore

        return FailedRunStore(self.database)

    @cached_property
    def cancelling(self) -> "CancelStore":
        """What people cancel."""
        from engine.store.cancelled_runs import CancelStore

        return CancelStore(self.database)

    @cached_property
    def reviews(self) -> "ReviewStore":
        """What people decide about failed runs."""
        from engine.store.reviews import ReviewStore

        return ReviewStore(self.database)

    @cached_property
    def pauses(self) -> "PausedQueueStore":
        """The paused queues."""
        from engine.store.paused_queues import PausedQueueStore

        return PausedQueueStore(self.database)

    @cached_property
    def users(self) -> "UserStore":
        """Who may do what."""
        from engine.store.users import UserStore

        return UserStore(self.database)

    @cached_property
    def breaks(self) -> "BreakStore":
        """The breaks."""
        from engine.store.breaks import BreakStore

        return BreakStore(self.database)

    @cached_property
    def artifacts(self) -> "ArtifactStore":
        """What runs produced."""
        from engine.store.artifacts import ArtifactStore

        return ArtifactStore(self.database, self.clock)

    @cached_property
    def doorbell(self) -> "Doorbell":
        """The queues; raises Invalid when the client of their server is missing."""
        from engine.huey_app.doorbell import Doorbell

        doorbell = Doorbell(self.settings.queue)
        doorbell.require_client()
        return doorbell

    @cached_property
    def effects(self) -> "Effects":
        """What must happen once."""
        from engine.effects.effects import Effects

        return Effects(self.database, self.settings.database_urls)

    @cached_property
    def effect_rows(self) -> "EffectStore":
        """What is known of what must happen once."""
        from engine.store.effects import EffectStore

        return EffectStore(self.database)

    @cached_property
    def dispatch(self) -> "Dispatch":
        """Books runs and rings for them."""
        from engine.dispatch import Dispatch

        return Dispatch(runs=self.runs, doorbell=self.doorbell)

    @cached_property
    def publisher(self) -> "Publisher":
        """Writes documents as artifacts."""
        from engine.artifact_files.files import ArtifactFiles
        from engine.artifact_files.spool import Spool
        from engine.artifact_files.storages import open_storage
        from engine.exporters.formats import exporters_with
        from engine.reporting.publish import Publisher

        return Publisher(
            files=ArtifactFiles(storage=open_storage(self.settings.storage)),
            spool=Spool(self.settings.spool_folder),
            artifacts=self.artifacts,
            exporters=exporters_with(self.settings.templates_folder),
        )

    @cached_property
    def retention(self) -> "Retention":
        """Purges what is past its time."""
        from engine.retention import Retention

        return Retention(
            artifacts=self.artifacts,
            runs=self.runs,
            files=self.publisher.files,
            spool=self.publisher.spool,
            clock=self.clock,
        )

    @cached_property
    def reconciliation_store(self) -> "ReconciliationStore":
        """What reconciliations found."""
        from engine.store.reconciliations import ReconciliationStore

        return ReconciliationStore(self.database)

    @cached_property
    def reconciliation_definitions(self) -> "Definitions":
        """The definitions of `home`/reconciliations."""
        from engine.reconciliation.definitions import Definitions
        from engine.sources.catalog import Sources

        sources = Sources(self.settings.source_urls, self.settings.home)
        return Definitions(self.settings.reconciliations_folder, sources)

    @cached_property
    def reconciliations(self) -> "Reconciliations":
        """Reconciles by definition."""
        from engine.reconciliation.reconcile import Reconciler
        from engine.reconciliation.service import Reconciliations

        return Reconciliations(
            reconciler=Reconciler(definitions=self.reconciliation_definitions, clock=self.clock),
            store=self.reconciliation_store,
            publisher=self.publisher,
            clock=self.clock,
        )

    @cached_property
    def schedules(self) -> "Mapping[str, Schedule]":
        """schedules.yaml, checked; raises InvalidDocument."""
        return self._load_schedules()

    @property
    def definitions(self) -> Mapping[str, Collection[str]]:
        """The names of what is defined in files, by kind."""
        return {"reconciliation": self._reconciliation_names, "report": self.report_definitions}

    @property
    def _reconciliation_names(self) -> Sequence[str]:
        folder = self.settings.reconciliations_folder
        return sorted(each.stem for each in folder.glob("*.yaml"))

    @cached_property
    def report_definitions(self) -> "ReportDefinitions":
        """The definitions of `home`/reports."""
        from engine.reporting.definitions import ReportDefinitions
        from engine.sources.catalog import Sources

        return ReportDefinitions(
            folder=self.settings.reports_folder,
            templates=self.settings.templates_folder,
            open_sources=lambda: Sources(
                self.settings.source_urls, self.settings.home, ledger=self.database
            ),
            reconciliations=self._reconciliation_names,
        )

    @property
    def previews(self) -> "Previews":
        """Looks at reports."""
        from engine.reporting.preview import Previews

        return Previews(
            definitions=self.report_definitions,
            exporters=self.publisher.exporters,
            clock=self.clock,
        )

    @cached_property
    def reports(self) -> "Reports":
        """Makes reports by definition."""
        from engine.execution.identity import code_version
        from engine.reporting.requirement import Requirements
        from engine.reporting.service import Reports

        return Reports(
            definitions=self.report_definitions,
            publisher=self.publisher,
            requirements=Requirements(self.reconciliation_store),
            runs=self.runs,
            clock=self.clock,
            code_version=lambda: code_version(self.settings.home),
        )

    def make_jobs_ready(self) -> None:
        """Make what carries out the jobs, ahead of the attempts that a process forks."""
        # What is wrong with one is for its attempt to say.
        with suppress(Invalid):
            for job in self.jobs.values():
                job.make_ready()

    def perform(self, order: "Order", reporter: "Reporter") -> dict[str, Any]:
        """Carry out one attempt in this process; its outcome as JSON-ready data."""
        from engine.execution.context import JobContext
        from engine.execution.outcome import failure
        from engine.execution.performing import perform
        from engine.redaction.known import Secrets
        from engine.redaction.own import hiding

        payload = order.payload
        scheduled_for, period = payload["scheduled_for"], payload["period"]
        context = JobContext(
            claim=Claim(run_id=order.run_id, attempt=order.attempt, token=order.token),
            reference=payload["reference"],
            job=payload["job"],
            schedule=payload["schedule"],
            scheduled_for=datetime.fromisoformat(scheduled_for) if scheduled_for else None,
            period=_period(period),
            reporter=reporter,
            services=self,
        )
        try:
            # Its own module only: what is wrong with another one is no business of this run.
            job = load(self.settings.home, payload["module"], payload["job"])
            params = self._opening.params(payload)
        except Invalid as error:
            return failure(error)
        own = Secrets(self._opening.texts(payload))
        # In a process of its own all threads are the job's.
        with hiding(own, in_all_threads=job.isolated):
            return perform(job, context, params, own.hidden_in)

    @cached_property
    def _opening(self) -> "Opening":
        from engine.execution.opening import Opening

        return Opening(keys=lambda: self.keys, secrets=lambda: self.settings.secret_source)

    def await_ledger(self, stopped: threading.Event) -> bool:
        """Have the ledger, however long its server is away; False when `stopped` was set first.

        What waiting does not mend is raised: an invalid configuration, a ledger that is behind.
        """
        from engine.store.arrival import open_when_there

        # What can be wrong without the ledger is not waited with.
        _ = self.jobs, self.doorbell
        database = open_when_there(self.settings.database, stopped)
        if database is not None:
            database.journal = self.journal
            # Where the cached property looks.
            vars(self)["database"] = database
        return database is not None

    def worker_huey(
        self, queues: Sequence[str], options: "WorkerOptions | None" = None
    ) -> "EngineHuey":
        """A Huey whose consumer is a full worker of these queues; its fork server is running."""
        from engine.execution.claims import HeldClaims
        from engine.execution.discreet import DiscreetAttempts
        from engine.execution.executor import Executor
        from engine.execution.identity import Identity
        from engine.huey_app.huey import EngineHuey
        from engine.store.restarts import RestartStore
        from engine.worker.fork_server import ForkServer
        from engine.worker.options import WorkerOptions
        from engine.worker.stopping import Stopping
        from engine.worker.threaded import ThreadedAttempts
        from engine.worker.worker import Worker, new_worker_id

        told = options or WorkerOptions()
        identity = Identity.here(self.settings.home, under_up=told.under_up)
        # Whoever started the worker is nobody to the jobs.
        os.environ.pop("ENGINE_TOKEN", None)
        environment = {**os.environ, **self.settings.environment()}
        # Before anything starts: a storage that cannot be is no matter of each single run.
        retention = self.retention
        fork_server = ForkServer.start(environment, preload=self._preload())
        worker_id = new_worker_id()
        claims = HeldClaims(self.runs, fork_server.stop, fork_server.prolong)
        passwords, opening = self.settings.secrets, self._opening
        threaded = ThreadedAttempts(perform=self.perform, clock=self.clock)
        tries = told.defaults.attempts
        undeclared = [name for name, job in self.jobs.items() if job.retry.attempts is None]
        executor = Executor(
            worker=worker_id,
            jobs={name: job.with_defaults(told.defaults) for name, job in self.jobs.items()},
            attempts_by_default=dict.fromkeys(undeclared, tries) if tries else {},
            listener=told.listener,
            runs=self.runs,
            logs=self.logs,
            dispatch=self.dispatch,
            claims=claims,
            isolated=DiscreetAttempts(attempts=fork_server, passwords=passwords, opening=opening),
            threaded=DiscreetAttempts(attempts=threaded, passwords=passwords, opening=opening),
        )
        worker = Worker(
            id=worker_id,
            queues=queues,
            executor=executor,
            claims=claims,
            sweep=self._sweep(worker_id),
            presence=self.presence,
            doorbell=self.doorbell,
            fork_server=fork_server,
            purge_spool=retention.purge_spool,
            release=self.close,
            grace_seconds=told.grace_seconds,
            restarts=RestartStore(self.database),
            identity=identity,
            stopping=Stopping(limits=told.limits),
            on_end=told.on_end,
        )
        return EngineHuey(self.doorbell, queues, worker, self.database.outage)

    def scheduler(self, *, under_up: bool = False) -> "Scheduler":
        """A scheduler of this engine's schedules."""
        from engine.execution.identity import Identity
        from engine.scheduler.booking import Booking
        from engine.scheduler.reading import ReadingClock, read_schedules
        from engine.scheduler.scheduler import Scheduler
        from engine.store.ledger_clock import LedgerClock
        from engine.store.restarts import RestartStore
        from engine.worker.worker import new_worker_id

        name = new_worker_id()
        clock = LedgerClock(self.database)
        schedules, read_at = read_schedules(
            self._load_schedules,
            self.settings.schedules_file,
            ReadingClock(self.database, clock),
        )
        booking = Booking(
            dispatch=self.dispatch, jobs=self.jobs, hiding=self.hiding, clock=clock, read_at=read_at
        )
        return Scheduler(
            id=name,
            schedules=schedules,
            booking=booking,
            sweep=self._sweep(name),
            presence=self.presence,
            restarts=RestartStore(self.database),
            identity=Identity.here(self.settings.home, under_up=under_up),
        )

    def metrics_server(self) -> "MetricsServer | None":
        """What serves the numbers of the ledger, as soon as that is there; None if it is off."""
        address = self.settings.metrics_address
        if address is None:
            return None
        from engine.execution.identity import code_version
        from engine.metrics.families import EngineFamilies
        from engine.metrics.reading import LedgerReader
        from engine.metrics.readings import Readings
        from engine.metrics.server import MetricsServer

        reader = LedgerReader(database=lambda: vars(self).get("database"))
        version = code_version(self.settings.home)
        readings = Readings(reader.read)
        families = EngineFamilies(readings=readings, jobs=self.jobs, version=version)
        return MetricsServer(*address, families)

    def close(self) -> None:
        """Let go of every connection."""
        made = vars(self)
        for name in ("doorbell",):
            if name in made:
                made[name].close()
        if "publisher" in made:
            self.publisher.files.close()
        if "effects" in made:
            self.effects.close()
        if "database" in made:
            self.database.dispose()

    def _sweep(self, holder: str) -> "Sweep":
        from engine.execution.sweep import Sweep
        from engine.execution.watch import Watch

        watch = Watch(events=self.events, counts=self.run_counts)
        return Sweep(
            holder=holder, dispatch=self.dispatch, leases=self.leases, jobs=self.jobs, watch=watch
        )

    def _load_schedules(self) -> "Mapping[str, Schedule]":
        from engine.schedules.loader import load_schedules

        return load_schedules(self.settings.schedules_file, self.jobs, self.definitions)

    def _preload(self) -> list[str]:
        """What every attempt would otherwise import for itself."""
        from engine.artifact_files.storages import client_of

        modules = {job.function.__module__ for job in self.jobs.values()}
        clients = [*self.database.drivers, *client_of(self.settings.storage)]
        return [*_PRELOADED, *clients, *sorted(modules)]


def build_app(settings: Settings, *, clock: Clock | None = None) -> App:
    """The engine that these settings describe; nothing is opened yet."""
    return App(settings, clock or SystemClock())


def _period(period: Sequence[str] | None) -> tuple[datetime, datetime] | None:
    if period is None:
        return None
    start, end = (datetime.fromisoformat(each) for each in period)
    return start, end
