"""The sweep: rescues lost runs by their job's policy, rings for due ones, in one process."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from engine.dispatch import Dispatch
from engine.execution.sweep import Sweep
from engine.job import Job, job
from engine.sealing import Keys, Sealer
from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import LedgerUnreachable
from engine.store.leases import LeaseStore
from engine.store.run import NewRun, Run
from engine.store.runs import RunStore
from engine.store.sealed_params import SealedParamStore, ToSeal
from engine.store.tables import runs as run_table
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    a_claim,
    a_firing,
    a_run,
    let_leases_run_out,
    set_the_clock_back,
)
from tests.builders.doorbell import FakeDoorbell


@job()
def purge(context: Any) -> None:
    """Crash and be tried again."""


@job(on_crash="fail")
def pay(context: Any) -> None:
    """Crash and be looked at."""


@job(concurrency=1)
def fetch(context: Any) -> None:
    """Ask a bank that answers one at a time."""


JOBS: dict[str, Job] = {each.name: each for each in (purge, pay, fetch)}


@pytest.fixture
def doorbell() -> FakeDoorbell:
    """Queues without messages."""
    return FakeDoorbell()


@pytest.fixture
def sweep(runs: RunStore, doorbell: FakeDoorbell) -> Sweep:
    """One process's part."""
    return a_sweep(runs, doorbell, "one")


def a_sweep(runs: RunStore, doorbell: FakeDoorbell, holder: str) -> Sweep:
    """The part of the process called `holder`."""
    return Sweep(
        holder=holder,
        dispatch=Dispatch(runs=runs, doorbell=doorbell),
        leases=LeaseStore(runs.database),
        jobs=JOBS,
    )


def a_lost_run(runs: RunStore, **changes: Any) -> Run:
    """A run whose worker died."""
    run = a_run(runs, **changes)
    a_claim(runs, run, "worker-9")
    let_leases_run_out(runs.database)
    return run


def test_a_lost_run_is_rung_for_at_once_and_says_what_happened(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    run = a_lost_run(runs)
    assert sweep.once() is True
    assert doorbell.messages == [("default", run.id)]
    again = runs.get(run.id)
    assert again.state is RunState.RETRYING
    assert again.error is not None
    assert again.error.type == "WorkerLost"
    assert again.error.message.startswith("worker lost: worker-9 did not renew its lease, which")
    assert runs.claim(run.id, "worker-2") is not None


def test_a_lost_run_without_another_attempt_fails(sweep: Sweep, runs: RunStore) -> None:
    run = a_lost_run(runs, attempts=1)
    sweep.once()
    assert runs.get(run.id).state is RunState.FAILED


def test_what_is_sealed_of_runs_that_are_over_is_erased(sweep: Sweep, runs: RunStore) -> None:
    to_seal = ToSeal({"token": "hush"}, Sealer(Keys.parse("k" * 32)))
    over, waiting, lost = (a_run(runs, to_seal=to_seal, attempts=1) for _ in range(3))
    # A worker that died between the end of the run and its erasing.
    runs.succeed(a_claim(runs, over), None)
    a_claim(runs, lost, "worker-9")
    let_leases_run_out(runs.database)
    sweep.once()
    sealed = SealedParamStore(runs.database)
    assert runs.get(lost.id).state is RunState.FAILED
    assert [bool(sealed.of_run(run.id)) for run in (over, waiting, lost)] == [False, True, True]


def test_a_job_may_rather_fail_than_run_twice(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    run = a_lost_run(runs, job="pay")
    sweep.once()
    assert (runs.get(run.id).state, runs.get(run.id).review) == (RunState.FAILED, "required")
    assert doorbell.messages == []


def test_a_lost_run_that_was_cancelled_ends_and_makes_way_for_the_next_one(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    run = a_lost_run(runs, firing=a_firing(0, overlap="queue"))
    waiting = a_run(runs, firing=a_firing(1, overlap="queue"))
    CancelStore(runs.database).cancel([run.id], actor="sara", reason=None)
    runs.rung([waiting.id])
    sweep.once()
    assert runs.get(run.id).state is RunState.CANCELLED
    assert doorbell.messages == [("default", waiting.id)]


def test_a_lost_run_of_a_job_that_is_gone_is_tried_again(sweep: Sweep, runs: RunStore) -> None:
    run = a_lost_run(runs, job="renamed")
    sweep.once()
    assert runs.get(run.id).state is RunState.RETRYING


def test_a_run_whose_worker_was_lost_three_times_is_quarantined(
    sweep: Sweep, runs: RunStore
) -> None:
    run = a_run(runs, attempts=50)
    for _ in range(3):
        a_claim(runs, run, "worker-9")
        let_leases_run_out(runs.database)
        sweep.once()
    quarantined = runs.get(run.id)
    assert (quarantined.state, quarantined.review) == (RunState.FAILED, "required")
    assert quarantined.error is not None
    assert quarantined.error.message.startswith("crashed 3 times; quarantined: look at its")
    assert "the first crash was WorkerLost: worker lost: worker-9" in quarantined.error.message


def test_lost_workers_and_dead_processes_count_together(sweep: Sweep, runs: RunStore) -> None:
    run = a_run(runs, attempts=50)
    assert runs.crash(a_claim(runs, run), BROKEN, timedelta())
    assert runs.hand_back(a_claim(runs, run), BROKEN)
    assert runs.crash(a_claim(runs, run), BROKEN, timedelta())
    assert runs.retry_later(a_claim(runs, run), BROKEN, timedelta())
    a_claim(runs, run)
    let_leases_run_out(runs.database)
    sweep.once()
    assert runs.get(run.id).review == "required"


def test_one_process_sweeps_until_it_stops(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    other = a_sweep(runs, doorbell, "two")
    assert [sweep.once(), other.once(), sweep.once()] == [True, False, True]
    sweep.stop()
    assert [other.once(), sweep.once()] == [True, False]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The instant, in seconds, to be moved by hand."""
    instants = [1000.0]
    monkeypatch.setattr("engine.execution.sweep.elapsed", lambda: instants[0])
    return instants


def is_put_off(sweep: Sweep, run: Run, now: list[float]) -> bool:
    """Whether the run is rescued one lease from now, and not before."""
    runs = sweep.dispatch.runs
    rounds = round(runs.lease.total_seconds()) - 1
    for _ in range(rounds):
        now[0] += 1
        assert sweep.once() is True
    waited = runs.get(run.id).state is RunState.RUNNING
    now[0] += 1.1
    sweep.once()
    return waited and runs.get(run.id).state is RunState.RETRYING


def test_whoever_lost_the_ledger_waits_one_lease_before_it_rescues(
    sweep: Sweep, runs: RunStore, monkeypatch: pytest.MonkeyPatch, now: list[float]
) -> None:
    def unreachable(*_: object, **__: object) -> bool:
        raise LedgerUnreachable(url="sqlite://", error="locked")

    run = a_lost_run(runs)
    with monkeypatch.context() as broken:
        broken.setattr(sweep.leases, "take", unreachable)
        assert sweep.once() is False
    assert is_put_off(sweep, run, now)


@pytest.mark.parametrize("question", ["take", "lost"])
def test_whoever_got_a_late_answer_waits_too(
    sweep: Sweep,
    runs: RunStore,
    monkeypatch: pytest.MonkeyPatch,
    now: list[float],
    question: str,
) -> None:
    run = a_lost_run(runs)
    asked = sweep.leases if question == "take" else runs
    answer = getattr(asked, question)

    def take_long(*arguments: Any, **names: Any) -> Any:
        now[0] += 6
        return answer(*arguments, **names)

    with monkeypatch.context() as slow:
        slow.setattr(asked, question, take_long)
        assert sweep.once() is True
    assert runs.get(run.id).state is RunState.RUNNING
    assert is_put_off(sweep, run, now)


def test_whoever_was_stopped_for_a_while_waits_too(
    sweep: Sweep, runs: RunStore, now: list[float]
) -> None:
    assert sweep.once() is True
    run = a_lost_run(runs)
    now[0] += 60
    assert sweep.once() is True
    assert runs.get(run.id).state is RunState.RUNNING
    assert is_put_off(sweep, run, now)


def test_a_lease_from_before_the_clock_was_set_back_is_watched_for_a_lease(
    sweep: Sweep, runs: RunStore, now: list[float]
) -> None:
    dead, live = a_run(runs), a_run(runs)
    a_claim(runs, dead, "worker-9")
    claim = a_claim(runs, live)
    set_the_clock_back(runs.database)
    assert sweep.once() is True
    assert runs.renew([claim]) == [claim]
    assert is_put_off(sweep, dead, now)
    assert runs.get(live.id).state is RunState.RUNNING
    (lost,) = runs.attempts_of(dead.id)
    assert lost.error_message is not None
    assert "its lease, which by a clock that was set back since ends at" in lost.error_message


def test_a_lease_that_nobody_could_renew_is_watched_anew(
    sweep: Sweep, runs: RunStore, now: list[float]
) -> None:
    run = a_run(runs)
    a_claim(runs, run, "worker-9")
    set_the_clock_back(runs.database)
    assert sweep.once() is True
    now[0] += 60
    assert sweep.once() is True
    assert runs.get(run.id).state is RunState.RUNNING
    assert is_put_off(sweep, run, now)


def test_a_slow_queue_puts_no_rescue_off(
    sweep: Sweep,
    runs: RunStore,
    doorbell: FakeDoorbell,
    monkeypatch: pytest.MonkeyPatch,
    now: list[float],
) -> None:
    ring_due = Dispatch.ring_due

    def take_long(dispatch: Dispatch) -> None:
        now[0] += 30
        ring_due(dispatch)

    monkeypatch.setattr(Dispatch, "ring_due", take_long)
    assert sweep.once() is True
    run = a_lost_run(runs)
    now[0] += 1
    assert sweep.once() is True
    assert runs.get(run.id).state is RunState.RETRYING


def test_the_run_that_waited_for_one_that_failed_is_rung_for(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    a_lost_run(runs, attempts=1, firing=a_firing(1, overlap="queue"))
    second = a_run(runs, firing=a_firing(2, overlap="queue"))
    runs.rung([second.id])
    sweep.once()
    assert doorbell.messages == [("default", second.id)]


def test_a_silent_queue_does_not_stop_the_rescue(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    doorbell.broken = True
    run = a_lost_run(runs)
    assert sweep.once() is True
    assert runs.get(run.id).state is RunState.RETRYING


def test_a_run_booked_by_a_process_that_died_before_it_rang_is_rung_for(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    run, _ = runs.book(NewRun(job="purge", queue="nightly"))
    sweep.once()
    assert doorbell.messages == [("nightly", run.id)]


def test_a_rescued_run_keeps_its_first_error_in_words(sweep: Sweep, runs: RunStore) -> None:
    run = a_run(runs, attempts=2)
    assert runs.retry_later(a_claim(runs, run), BROKEN, timedelta())
    a_claim(runs, run, "worker-9")
    let_leases_run_out(runs.database)
    sweep.once()
    failed = runs.get(run.id)
    assert failed.state is RunState.FAILED
    assert failed.error is not None
    assert failed.error.type == "WorkerLost"
    assert failed.error.message.endswith("; the first error was RuntimeError: broken")
    assert failed.first_error is not None
    assert failed.first_error.message == "broken"


def test_runs_for_which_it_is_too_late_are_given_up_with_what_they_had(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    hour = timedelta(hours=1)
    never, failed, rescued = (a_run(runs, retry_for=hour) for _ in range(3))
    assert runs.retry_later(a_claim(runs, failed), BROKEN, timedelta())
    assert runs.retry_later(a_claim(runs, rescued), BROKEN, timedelta())
    a_claim(runs, rescued, "worker-9")
    let_leases_run_out(runs.database)
    with runs.database.begin() as connection:
        connection.execute(update(run_table).values(retry_until=LONG_AGO))
    sweep.once()
    ends = [runs.get(run.id) for run in (never, failed, rescued)]
    assert [end.state for end in ends] == [RunState.FAILED] * 3
    messages = [end.error.message for end in ends if end.error]
    until = "; it was to be tried until 2000-01-01T00:00:00+00:00 only"
    assert messages[0] == f"no attempt was started in time{until}"
    assert messages[1] == f"broken{until}"
    assert messages[2].startswith("worker lost: worker-9 ")
    assert messages[2].endswith(f"; the first error was RuntimeError: broken{until}")
    assert doorbell.messages == []


def test_a_slot_whose_ring_was_lost_is_rung_for_by_the_sweep(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    group = JOBS["fetch"].group_of({})
    assert group is not None
    first, *others = (a_run(runs, job="fetch") for _ in range(3))
    held = runs.claim(first.id, "worker-1", group)
    assert held is not None
    for each in others:
        assert runs.claim(each.id, "worker-1", group) is None
    runs.rung([each.id for each in others])
    sweep.once()
    assert doorbell.messages == []
    assert runs.succeed(held, None)
    sweep.once()
    assert doorbell.messages == [("default", others[0].id)]


def test_a_slot_of_a_lost_run_is_rung_for_at_once(
    sweep: Sweep, runs: RunStore, doorbell: FakeDoorbell
) -> None:
    group = JOBS["fetch"].group_of({})
    lost, waiting = (a_run(runs, job="fetch") for _ in range(2))
    assert runs.claim(lost.id, "worker-9", group)
    assert runs.claim(waiting.id, "worker-1", group) is None
    let_leases_run_out(runs.database)
    sweep.once()
    # The lost one was due first, and may try again.
    assert doorbell.messages == [("default", lost.id)]
