"""When a worker ends by itself: the first limit that is reached is its reason."""

from datetime import timedelta

import pytest

from engine.execution.telling import RunEnded
from engine.states import RunState
from engine.worker.stopping import StopCause, Stopping, WorkerLimits

MIB = 1024 * 1024


def told(state: RunState = RunState.SUCCEEDED) -> RunEnded:
    """What is said of a run that has ended."""
    return RunEnded(
        reference="RC-20261124-7K3F9",
        job="purge",
        queue="default",
        attempt=1,
        attempts_allowed=3,
        state=state,
        duration=timedelta(seconds=1),
        peak_memory_bytes=None,
        error=None,
    )


def stopping(**limits: object) -> Stopping:
    """One with these limits and a clock that stands at 100 s."""
    return Stopping(limits=WorkerLimits(**limits), monotonic=lambda: 100.0)  # type: ignore[arg-type]


def looked(
    tried: Stopping, *, memory: int = 0, ready: bool = False, now: float = 100.0
) -> StopCause | None:
    """Why it stops once it has looked."""
    tried.monotonic = lambda: now
    tried.look(memory=lambda: memory, has_ready=lambda: ready)
    return tried.cause


def test_without_limits_it_goes_on() -> None:
    tried = stopping()
    for _ in range(3):
        assert tried.begin()
        tried.end(told())
    assert looked(tried, memory=2**40, now=1e9) is None
    assert (tried.carried_out, tried.has_room) == (3, True)


def test_runs_are_counted_when_they_begin_so_that_no_thread_takes_one_too_many() -> None:
    tried = stopping(max_jobs=2)
    assert [tried.begin() for _ in range(3)] == [True, True, False]
    assert not tried.has_room
    tried.end(told())
    assert not tried.is_patient
    tried.end(told())
    assert (tried.cause, tried.carried_out, tried.is_patient) == (StopCause.MAX_JOBS, 2, True)


def test_a_run_that_was_not_to_be_had_does_not_count() -> None:
    tried = stopping(max_jobs=1)
    assert tried.begin()
    tried.end(None)
    assert (tried.carried_out, tried.has_room, tried.cause) == (0, True, None)


def test_once_is_one_run_or_none() -> None:
    tried = stopping(once=True)
    assert looked(tried, ready=True) is None
    assert tried.begin()
    assert looked(tried, ready=False) is None
    tried.end(told(RunState.FAILED))
    assert (tried.cause, tried.is_patient) == (StopCause.ONCE, True)
    assert tried.last is not None
    assert tried.last.failed
    assert looked(stopping(once=True)) is StopCause.EMPTY


def test_time_is_over_when_it_is() -> None:
    tried = stopping(max_time=timedelta(seconds=60))
    assert looked(tried, now=159.9) is None
    assert looked(tried, now=160.0) is StopCause.MAX_TIME
    assert tried.is_patient
    assert not tried.begin()


def test_too_much_memory_ends_it_with_no_more_than_the_grace_time() -> None:
    tried = stopping(max_memory=100 * MIB)
    assert looked(tried, memory=100 * MIB) is None
    assert looked(tried, memory=101 * MIB) is StopCause.MEMORY
    assert not tried.is_patient


def test_it_is_empty_when_nothing_is_ready_and_nothing_under_way() -> None:
    tried = stopping(when_empty=True)
    assert looked(tried, ready=True) is None
    assert tried.begin()
    assert looked(tried, ready=False) is None
    tried.end(told())
    assert looked(tried, ready=False) is StopCause.EMPTY


def test_the_first_cause_counts() -> None:
    tried = stopping()
    tried.stop(StopCause.RESTART)
    tried.stop(StopCause.SIGNAL)
    assert (tried.cause, tried.is_patient) == (StopCause.RESTART, False)


@pytest.mark.parametrize(
    ("state", "failed"),
    [
        (RunState.SUCCEEDED, False),
        (RunState.FAILED, True),
        (RunState.RETRYING, True),
        (RunState.QUEUED, False),
        (RunState.CANCELLED, False),
    ],
)
def test_an_attempt_failed_even_if_another_one_follows(state: RunState, failed: bool) -> None:
    assert told(state).failed is failed
