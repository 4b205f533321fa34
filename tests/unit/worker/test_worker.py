"""The worker: it announces itself, drains, hands back what is late, and leaves nothing behind."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from engine.dispatch import Dispatch
from engine.execution.claims import HeldClaims, attempt_id
from engine.execution.executor import Executor
from engine.execution.identity import Identity
from engine.execution.orders import AttemptEnd, Cause, Order, StopReason
from engine.execution.sweep import Sweep
from engine.job import job
from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.faults import LedgerUnreachable
from engine.store.leases import LeaseStore
from engine.store.logs import LogStore
from engine.store.restarts import RestartStore
from engine.store.runs import RunStore
from engine.store.workers import WorkerStore
from engine.worker.fork_server import ForkServer
from engine.worker.stopping import StopCause
from engine.worker.worker import Worker, new_worker_id
from tests.builders.booking import a_run, let_leases_run_out
from tests.builders.database import a_database
from tests.builders.doorbell import FakeDoorbell


@job()
def purge(context: Any) -> None:
    """Do what the fake attempts do."""


@dataclass
class FakeForkServer:
    """Attempts that go on until they are stopped."""

    begun: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    reasons: list[StopReason] = field(default_factory=list)
    closed: bool = False
    pid: int | None = None

    def run(self, order: Order, **_: object) -> AttemptEnd:
        """Go on."""
        self.begun.set()
        assert self.stopped.wait(10)
        return AttemptEnd(id=order.id, cause=Cause.STOPPED, reason=self.reasons[0])

    def stop(self, attempt: str, reason: StopReason) -> bool:
        """End."""
        self.reasons.append(reason)
        self.stopped.set()
        return True

    def prolong(self, attempt: str, fuse: timedelta) -> bool:
        """Go on."""
        return True

    def close(self) -> None:
        """End everything."""
        self.closed = True


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunStore]:
    """The runs of an empty ledger."""
    database = a_database(tmp_path)
    yield RunStore(database)
    database.dispose()


@pytest.fixture
def fork_server() -> FakeForkServer:
    """No attempt yet."""
    return FakeForkServer()


@pytest.fixture
def worker(runs: RunStore, fork_server: FakeForkServer) -> Iterator[Worker]:
    """A worker without grace."""
    doorbell = FakeDoorbell()
    dispatch = Dispatch(runs=runs, doorbell=doorbell)
    claims = HeldClaims(runs, fork_server.stop, fork_server.prolong)
    jobs = {"purge": purge}
    attempts = cast("ForkServer", fork_server)
    name = new_worker_id()
    worker = Worker(
        id=name,
        queues=["default"],
        executor=Executor(
            worker=name,
            jobs=jobs,
            runs=runs,
            logs=LogStore(runs.database),
            dispatch=dispatch,
            claims=claims,
            isolated=attempts,
            threaded=attempts,
        ),
        claims=claims,
        sweep=Sweep(holder=name, dispatch=dispatch, leases=LeaseStore(runs.database), jobs=jobs),
        presence=WorkerStore(runs.database),
        doorbell=doorbell,
        fork_server=attempts,
        purge_spool=lambda: None,
        release=lambda: None,
        grace_seconds=0,
        restarts=RestartStore(runs.database),
    )
    yield worker
    worker.close()


def test_a_worker_is_there_from_start_to_close(worker: Worker, fork_server: FakeForkServer) -> None:
    worker.start(threads=4)
    (process,) = worker.presence.present()
    assert (process.id, process.kind, process.threads) == (worker.id, "worker", 4)
    worker.close()
    assert worker.presence.present() == []
    assert fork_server.closed


def test_a_worker_that_was_taken_for_gone_announces_itself_again(
    worker: Worker, runs: RunStore
) -> None:
    worker.start(threads=1)
    worker.presence.leave(worker.id)
    worker._beat()
    assert [process.id for process in worker.presence.present()] == [worker.id]


def test_what_does_not_end_within_the_grace_time_is_handed_back(
    worker: Worker, runs: RunStore, fork_server: FakeForkServer
) -> None:
    run = a_run(runs)
    carrying_out = threading.Thread(target=worker.carry_out, args=(run.id,))
    carrying_out.start()
    assert fork_server.begun.wait(10)
    (claim,) = worker.claims.all()
    assert attempt_id(claim) == f"{run.id}:1"
    worker.drain()
    worker.drain()
    carrying_out.join(10)
    assert fork_server.reasons[0] is StopReason.HANDED_BACK
    assert runs.get(run.id).state is RunState.QUEUED


def test_the_attempt_of_a_run_that_is_cancelled_is_stopped(
    worker: Worker, runs: RunStore, fork_server: FakeForkServer
) -> None:
    run = a_run(runs)
    carrying_out = threading.Thread(target=worker.carry_out, args=(run.id,))
    carrying_out.start()
    assert fork_server.begun.wait(10)
    worker._stop_cancelled()
    assert fork_server.reasons == []
    CancelStore(runs.database).cancel([run.id], actor="sara", reason="wrong month")
    worker._stop_cancelled()
    carrying_out.join(10)
    assert fork_server.reasons == [StopReason.CANCELLED]
    assert runs.get(run.id).state is RunState.CANCELLED
    worker._stop_cancelled()
    assert fork_server.reasons == [StopReason.CANCELLED]


def test_a_run_claimed_after_the_grace_time_is_handed_back_too(
    worker: Worker, runs: RunStore, fork_server: FakeForkServer
) -> None:
    worker.drain()
    run = a_run(runs)
    # A thread that looked just before the signal came.
    carrying_out = threading.Thread(target=worker.executor.carry_out, args=(run.id,))
    carrying_out.start()
    carrying_out.join(10)
    assert not carrying_out.is_alive()
    assert runs.get(run.id).state is RunState.QUEUED


def test_a_message_taken_while_draining_is_rung_for_again(worker: Worker, runs: RunStore) -> None:
    run = a_run(runs)
    worker.drain()
    worker.carry_out(run.id)
    assert cast("FakeDoorbell", worker.doorbell).messages == [("default", run.id)]
    assert runs.get(run.id).attempt == 0


def test_the_sweep_of_a_worker_that_ended_goes_to_another_at_once(
    worker: Worker, runs: RunStore
) -> None:
    assert worker.sweep.once()
    worker.close()
    leases = LeaseStore(runs.database)
    assert leases.take("sweep", "another", lasting=runs.lease)
    let_leases_run_out(runs.database)


def test_a_worker_that_was_asked_to_restart_takes_no_further_run(
    worker: Worker, runs: RunStore
) -> None:
    worker.start(threads=1)
    worker.restarts.ask(actor="sara")
    worker._beat()
    assert (worker.wants_to_end, worker.is_hungry, worker.is_patient) == (True, False, False)
    run = a_run(runs)
    worker.carry_out(run.id)
    assert runs.get(run.id).attempt == 0
    # The sweep may have rung as well.
    assert set(cast("FakeDoorbell", worker.doorbell).messages) == {("default", run.id)}


def test_only_a_worker_that_was_asked_to_restart_comes_back(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr("engine.worker.worker.begin_anew", begun.append)
    worker.come_back()
    assert begun == []
    worker.stopping.stop(StopCause.RESTART)
    worker.come_back()
    assert begun == [worker.id]


def test_a_worker_that_is_told_to_end_is_patient_no_more(worker: Worker) -> None:
    worker.stopping.stop(StopCause.MAX_TIME)
    assert worker.is_patient
    worker.drain()
    assert not worker.is_patient
    assert worker.stopping.cause is StopCause.MAX_TIME


def test_a_worker_says_at_its_end_why_it_stopped(worker: Worker) -> None:
    said: list[StopCause | None] = []
    worker.on_end = lambda stopping: said.append(stopping.cause)
    worker.drain()
    worker.close()
    assert said == [StopCause.SIGNAL]


def test_a_worker_announces_what_it_is(worker: Worker) -> None:
    worker.identity = Identity(version="0.1.0+3f9a", manager="systemd", replaces="old")
    worker.start(threads=1)
    worker._beat()
    (process,) = worker.presence.present()
    assert (process.version, process.manager, process.replaces) == ("0.1.0+3f9a", "systemd", "old")
    assert process.memory_bytes is not None
    assert process.memory_bytes > 1_000_000


def test_a_worker_starts_though_the_ledger_has_just_gone(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise LedgerUnreachable(url="postgresql://", error="it is restarted")

    with monkeypatch.context() as outage:
        outage.setattr(worker.presence, "announce", away)
        worker.start(threads=1)
    worker._beat()
    assert [process.id for process in worker.presence.present()] == [worker.id]
