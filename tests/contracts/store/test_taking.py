"""Taking: whom a ring calls. Messages are played here as a list of the runs that were rung for."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import select, update

from engine.limits import LimitGroup, Limits
from engine.states import RunState
from engine.store.database import Database
from engine.store.paused_queues import PausedQueueStore
from engine.store.run import Run
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import BROKEN, LONG_AGO, MIDNIGHT, a_claim, a_firing, a_run

HOUR = timedelta(hours=1)


def booked(runs: RunStore, count: int, *, priority: int = 0, **changes: object) -> list[Run]:
    """Runs of which each is due, and rung for, after the one before."""
    return [a_run(runs, priority=priority, **changes) for _ in range(count)]


def ring(runs: RunStore, several: Sequence[Run]) -> list[int]:
    """Rung for one after the other: the first one is the longest ago."""
    for number, run in enumerate(several):
        with runs.database.begin() as connection:
            at = LONG_AGO + timedelta(seconds=number)
            connection.execute(
                update(runs_table).where(runs_table.c.id == run.id).values(rung_at=at)
            )
    return [run.id for run in several]


def take(runs: RunStore, run_id: int, group: LimitGroup | None = None) -> int | None:
    taken = runs.take(run_id, "worker-1", lambda _: group)
    return taken.run.id if taken else None


def ids(several: Sequence[Run]) -> list[int]:
    return [run.id for run in several]


def test_it_is_the_run_that_was_rung_for(runs: RunStore) -> None:
    first, second = booked(runs, 2)
    taken = runs.take(second.id, "worker-1", lambda _: None)
    assert taken is not None
    assert taken.run == runs.get(second.id)
    assert (taken.run.state, taken.run.worker) == (RunState.RUNNING, "worker-1")
    assert (taken.claim.run_id, taken.claim.attempt) == (second.id, 1)
    assert take(runs, first.id) == first.id


def test_nobody_is_called_for_a_run_that_is_not_there(runs: RunStore) -> None:
    booked(runs, 1)
    assert take(runs, 99) is None


def test_the_highest_priority_comes_first_then_who_was_due_first(runs: RunStore) -> None:
    low = booked(runs, 10)
    high = booked(runs, 2, priority=5)
    higher = booked(runs, 1, priority=9)
    lowest = booked(runs, 1, priority=-3)
    messages = ring(runs, [*low, *high, *higher, *lowest])
    assert [take(runs, each) for each in messages] == ids([*higher, *high, *low, *lowest])


def test_one_ring_is_enough_for_each_run(runs: RunStore) -> None:
    # However they come in between: nobody is left behind when all messages are taken.
    several = [a_run(runs, priority=number * 7 % 5) for number in range(20)]
    messages = ring(runs, several)
    taken = []
    while messages:
        taken.append(take(runs, messages.pop(0)))
        if len(taken) % 3 == 0 and len(taken) < 15:
            messages += ring(runs, [late := a_run(runs, priority=len(taken) % 4)])
            several.append(late)
    assert sorted(filter(None, taken)) == sorted(ids(several))


def test_a_run_of_low_priority_that_was_passed_over_keeps_the_ring_of_the_other(
    runs: RunStore, database: Database
) -> None:
    (low,) = booked(runs, 1)
    (high,) = booked(runs, 1, priority=1)
    ring(runs, [low, high])
    assert take(runs, low.id) == high.id
    with database.read() as connection:
        rung = select(runs_table.c.rung_at).where(runs_table.c.id == low.id)
        assert connection.execute(rung).scalar() == LONG_AGO + timedelta(seconds=1)
    # The message of the other one may be lost; so it is due, as if that had been its own.
    assert ids(runs.due(silent_for=timedelta(seconds=30))) == [low.id]
    assert take(runs, high.id) == low.id


def test_a_run_passed_over_for_one_that_nobody_rang_for_is_rung_for_at_once(
    runs: RunStore,
) -> None:
    low, high = booked(runs, 1)[0], booked(runs, 1, priority=1)[0]
    runs.rung([low.id])
    assert runs.due(silent_for=HOUR)[0].id == high.id
    assert take(runs, low.id) == high.id
    assert ids(runs.due(silent_for=HOUR)) == [low.id]


def test_priorities_count_within_a_queue_only(runs: RunStore) -> None:
    (low,) = booked(runs, 1)
    booked(runs, 1, priority=9, queue="other")
    assert take(runs, low.id) == low.id


def test_who_cannot_run_now_is_in_nobodys_way(runs: RunStore, database: Database) -> None:
    (low,) = booked(runs, 1)
    booked(runs, 1, priority=9, due_at=MIDNIGHT + timedelta(days=36_500))
    waiting = a_run(runs, priority=9)
    assert runs.retry_later(a_claim(runs, waiting), BROKEN, HOUR)
    first, _ = (a_run(runs, priority=9, firing=a_firing(hour, overlap="queue")) for hour in (1, 2))
    a_claim(runs, first)
    group = LimitGroup(key="wallet 7", limits=Limits(concurrency=1))
    held, blocked = booked(runs, 2, priority=9)
    assert runs.claim(held.id, "worker-1", group)
    assert runs.claim(blocked.id, "worker-1", group) is None
    assert take(runs, low.id) == low.id


def test_a_ring_for_a_blocked_run_calls_the_next_one(runs: RunStore) -> None:
    group = LimitGroup(key="wallet 7", limits=Limits(concurrency=1))
    first, second, other = booked(runs, 3)

    def group_of(run: Run) -> LimitGroup | None:
        return None if run.id == other.id else group

    assert runs.take(first.id, "worker-1", group_of) is not None
    taken = runs.take(second.id, "worker-1", group_of)
    assert taken is not None
    assert taken.run.id == other.id
    assert runs.get(second.id).blocked_at is not None


def test_nobody_is_called_in_a_paused_queue(runs: RunStore, database: Database) -> None:
    first, second = booked(runs, 2)
    assert take(runs, second.id) == second.id
    PausedQueueStore(database).pause("default", actor="sara", reason=None)
    assert take(runs, first.id) is None
    assert take(runs, second.id) is None
    assert runs.get(first.id).state is RunState.QUEUED


def test_eight_that_are_called_at_once_take_eight(runs: RunStore) -> None:
    for round_ in range(5):
        low = booked(runs, 8)
        high = booked(runs, 4, priority=1 + round_)
        messages = ring(runs, [*low, *high])
        first = at_once(*[partial(take, runs, each) for each in messages[:8]])
        second = at_once(*[partial(take, runs, each) for each in messages[8:]])
        assert set(ids(high)) <= set(first)
        assert sorted(filter(None, [*first, *second])) == sorted(messages)


def test_who_was_silent_longest_is_due_first(runs: RunStore) -> None:
    several = booked(runs, 5)
    ring(runs, several[3:])
    assert ids(runs.due(silent_for=timedelta(seconds=30), limit=4)) == ids(
        [*several[:3], several[3]]
    )
