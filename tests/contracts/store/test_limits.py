"""Limits: how many runs of a group go on, or start, and who is next when there is room again."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from engine.limits import LimitGroup, Limits, Rate
from engine.states import RunState
from engine.store.database import Database
from engine.store.run import Claim, ClaimedRun, Run
from engine.store.runs import RunStore
from engine.store.tables import attempts
from tests.builders.at_once import at_once
from tests.builders.booking import (
    BROKEN,
    LONG_AGO,
    MIDNIGHT,
    a_firing,
    a_run,
    let_leases_run_out,
)

WALLET_7 = "wallet 7"
HOUR = timedelta(hours=1)


def at_most(
    concurrency: int | None = None, *, rate: Rate | None = None, key: str = WALLET_7
) -> LimitGroup:
    return LimitGroup(key=key, limits=Limits(concurrency=concurrency, rate=rate))


ONE, TWO = at_most(1), at_most(2)


def some_runs(runs: RunStore, count: int, **changes: object) -> list[Run]:
    """Runs of wallet 7, each due a second after the one before, all of them long ago."""
    return [
        a_run(
            runs,
            **{"limit_key": WALLET_7, "due_at": MIDNIGHT + timedelta(seconds=number), **changes},
        )
        for number in range(count)
    ]


def claimed(runs: RunStore, run: Run, group: LimitGroup) -> Claim:
    claim = runs.claim(run.id, "worker-1", group)
    assert claim is not None
    return claim


def ids(found: object) -> list[int]:
    return [run.id for run in found]  # type: ignore[attr-defined]


def test_no_more_than_so_many_run_at_a_time(runs: RunStore) -> None:
    first, second, third = some_runs(runs, 3)
    held = claimed(runs, first, TWO)
    claimed(runs, second, TWO)
    assert runs.claim(third.id, "worker-2", TWO) is None
    blocked = runs.get(third.id)
    assert blocked.state is RunState.QUEUED
    assert blocked.blocked_at is not None
    assert runs.succeed(held, None)
    claimed(runs, third, TWO)
    assert runs.get(third.id).blocked_at is None


def test_other_groups_and_runs_of_none_are_not_counted(runs: RunStore) -> None:
    claimed(runs, a_run(runs), ONE)
    claimed(runs, a_run(runs), at_most(1, key="wallet 8"))
    assert runs.claim(a_run(runs).id, "worker-1") is not None
    assert runs.claim(a_run(runs).id, "worker-1", ONE) is None


@pytest.mark.parametrize("end", ["succeed", "fail", "retry_later", "crash", "hand_back"])
def test_a_slot_is_free_however_the_attempt_ends(runs: RunStore, end: str) -> None:
    first, second = some_runs(runs, 2)
    held = claimed(runs, first, ONE)
    assert runs.claim(second.id, "worker-2", ONE) is None
    ends = {
        "succeed": partial(runs.succeed, held, None),
        "fail": partial(runs.fail, held, BROKEN),
        "retry_later": partial(runs.retry_later, held, BROKEN, HOUR),
        "crash": partial(runs.crash, held, BROKEN, HOUR),
        "hand_back": partial(runs.hand_back, held, BROKEN),
    }
    assert ends[end]()
    if end == "hand_back":
        # It was due before the other one.
        assert runs.release(ONE) == []
        held = claimed(runs, first, ONE)
        assert runs.succeed(held, None)
    assert ids(runs.release(ONE)) == [second.id]
    claimed(runs, second, ONE)


def test_a_slot_of_a_dead_worker_is_free_when_its_lease_has_ended(
    runs: RunStore, database: Database
) -> None:
    first, second = some_runs(runs, 2)
    claimed(runs, first, ONE)
    assert runs.claim(second.id, "worker-2", ONE) is None
    let_leases_run_out(database)
    claimed(runs, second, ONE)
    # Who is rescued then waits for its turn like any other.
    assert runs.rescue(runs.get(first.id), BROKEN, timedelta())
    assert runs.claim(first.id, "worker-2", ONE) is None


def test_a_free_slot_is_for_the_one_that_was_due_first(runs: RunStore) -> None:
    first, second, third, fourth = some_runs(runs, 4)
    held = claimed(runs, first, ONE)
    assert runs.claim(third.id, "worker-1", ONE) is None
    assert runs.claim(second.id, "worker-1", ONE) is None
    assert runs.succeed(held, None)
    # Rung for before anybody was released, and due later.
    taken = claimed(runs, fourth, ONE)
    assert taken.run_id == second.id
    assert runs.get(fourth.id).blocked_at is not None
    assert runs.succeed(taken, None)
    assert ids(runs.release(ONE)) == [third.id]


def test_a_free_slot_is_for_the_highest_priority(runs: RunStore) -> None:
    first, second = some_runs(runs, 2)
    (urgent,) = some_runs(runs, 1, priority=5, due_at=None)
    held = claimed(runs, first, ONE)
    for each in (second, urgent):
        assert runs.claim(each.id, "worker-1", ONE) is None
    assert runs.succeed(held, None)
    assert ids(runs.release(ONE)) == [urgent.id]


def test_as_many_are_released_as_may_start(runs: RunStore) -> None:
    first, *others = some_runs(runs, 6)
    held = claimed(runs, first, ONE)
    for each in others:
        assert runs.claim(each.id, "worker-1", ONE) is None
    assert runs.release(ONE) == []
    assert ids(runs.release(at_most(3))) == ids(others[:2])
    # Those that try already are counted.
    assert runs.release(at_most(3)) == []
    assert runs.succeed(held, None)
    assert ids(runs.release(at_most(3))) == [others[2].id]


def test_who_is_released_is_due_at_once(runs: RunStore) -> None:
    first, second = some_runs(runs, 2)
    held = claimed(runs, first, ONE)
    runs.rung([first.id, second.id])
    assert runs.claim(second.id, "worker-1", ONE) is None
    assert runs.due(silent_for=timedelta()) == []
    assert runs.succeed(held, None)
    runs.release_all({"purge": ONE.limits})
    assert ids(runs.due(silent_for=HOUR)) == [second.id]


def test_runs_of_an_unserved_queue_keep_nobody_waiting(runs: RunStore) -> None:
    (first,) = some_runs(runs, 1)
    unserved = some_runs(runs, 2, queue="unserved")
    served = some_runs(runs, 2, due_at=None)
    held = claimed(runs, first, ONE)
    for each in (*unserved, *served):
        assert runs.claim(each.id, "worker-1", ONE) is None
    assert runs.succeed(held, None)
    assert ids(runs.release(ONE)) == [unserved[0].id, served[0].id]
    runs.release_all({"purge": ONE.limits})
    assert ids(runs.due(silent_for=HOUR)) == [unserved[0].id, served[0].id]


def test_runs_of_a_paused_queue_are_not_released(runs: RunStore, database: Database) -> None:
    from engine.store.paused_queues import PausedQueueStore

    pauses = PausedQueueStore(database)
    first, second = some_runs(runs, 2)
    held = claimed(runs, first, ONE)
    assert runs.claim(second.id, "worker-1", ONE) is None
    assert runs.succeed(held, None)
    pauses.pause("default", actor="sara", reason=None)
    assert runs.release(ONE) == []
    runs.release_all({"purge": ONE.limits})
    assert runs.get(second.id).blocked_at is not None
    pauses.resume("default", actor="sara")
    assert ids(runs.release(ONE)) == [second.id]


def test_limits_that_are_gone_hold_nobody_back(runs: RunStore) -> None:
    first, *others = some_runs(runs, 4)
    claimed(runs, first, ONE)
    for each in others:
        assert runs.claim(each.id, "worker-1", ONE) is None
    runs.release_all({"purge": Limits()})
    assert ids(runs.due(silent_for=HOUR)) == ids(others)


def test_a_held_back_firing_waits_for_the_one_before_it(runs: RunStore) -> None:
    firings = [a_firing(hour, overlap="queue") for hour in (1, 2)]
    first, second = (a_run(runs, firing=each, limit_key=WALLET_7) for each in firings)
    other = a_run(runs, limit_key=WALLET_7)
    held = claimed(runs, first, TWO)
    assert runs.claim(second.id, "worker-1", TWO) is None
    claimed(runs, other, TWO)
    assert runs.succeed(held, None)
    claimed(runs, second, TWO)


def starts(database: Database) -> list[datetime]:
    with database.read() as connection:
        return list(
            connection.execute(
                select(attempts.c.started_at).order_by(attempts.c.started_at)
            ).scalars()
        )


def test_no_more_than_so_many_start_within_a_window(runs: RunStore, database: Database) -> None:
    group = at_most(rate=Rate(2, HOUR))
    first, second, third = some_runs(runs, 3)
    for each in (first, second):
        assert runs.succeed(claimed(runs, each, group), None)
    assert runs.claim(third.id, "worker-1", group) is None
    blocked = runs.get(third.id)
    assert blocked.blocked_at is not None
    # To the instant: the first start leaves the window then.
    assert blocked.ready_at == starts(database)[0] + HOUR


def test_it_may_start_once_an_earlier_start_is_out_of_the_window(
    runs: RunStore, database: Database
) -> None:
    group = at_most(rate=Rate(1, HOUR))
    first, second = some_runs(runs, 2)
    assert runs.succeed(claimed(runs, first, group), None)
    assert runs.claim(second.id, "worker-1", group) is None
    assert runs.release(group) == []
    runs.release_all({"purge": group.limits})
    assert runs.get(second.id).blocked_at is not None
    with database.begin() as connection:
        connection.execute(update(attempts).values(started_at=LONG_AGO))
    assert ids(runs.release(group)) == [second.id]
    claimed(runs, second, group)


def test_every_attempt_counts_as_a_start(runs: RunStore, database: Database) -> None:
    group = at_most(rate=Rate(3, HOUR))
    first, second = some_runs(runs, 2)
    assert runs.retry_later(claimed(runs, first, group), BROKEN, timedelta())
    assert runs.hand_back(claimed(runs, first, group), BROKEN)
    claimed(runs, first, group)
    let_leases_run_out(database)
    assert runs.rescue(runs.get(first.id), BROKEN, timedelta())
    assert runs.claim(first.id, "worker-1", group) is None
    assert runs.claim(second.id, "worker-1", group) is None


def test_the_window_slides(runs: RunStore) -> None:
    window = timedelta(seconds=0.2)
    group = at_most(rate=Rate(3, window))
    waiting = some_runs(runs, 12)
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while waiting and datetime.now(UTC) < deadline:
        claim = runs.claim(waiting[0].id, "worker-1", group)
        if claim is not None:
            assert runs.succeed(claim, None)
            waiting.pop(0)
    began = starts(runs.database)
    assert len(began) == 12
    assert all(later - earlier >= window for earlier, later in zip(began, began[3:], strict=False))


def test_starts_of_a_clock_that_was_set_back_since_hold_nobody_back(
    runs: RunStore, database: Database
) -> None:
    group = at_most(rate=Rate(1, HOUR))
    first, second = some_runs(runs, 2)
    assert runs.succeed(claimed(runs, first, group), None)
    with database.begin() as connection:
        ahead = datetime.now(UTC) + 3 * HOUR
        connection.execute(update(attempts).values(started_at=ahead))
    claimed(runs, second, group)


def test_eight_workers_never_have_more_than_so_many(runs: RunStore) -> None:
    several = some_runs(runs, 8)
    group = at_most(3)
    for _ in range(5):
        claims = at_once(*[partial(runs.claim, run.id, "worker-1", group) for run in several])
        held = [claim for claim in claims if claim is not None]
        assert len(held) == 3
        for claim in held:
            assert runs.hand_back(claim, BROKEN)
        runs.release_all({})


def test_eight_workers_that_start_release_and_end_at_once_leave_nobody_behind(
    runs: RunStore,
) -> None:
    several = some_runs(runs, 40)
    rung = [run.id for run in several]
    group = at_most(3)

    def work() -> list[ClaimedRun]:
        done = []
        while rung:
            try:
                run_id = rung.pop(0)
            except IndexError:
                break
            taken = runs.take(run_id, "worker-1", lambda _: group)
            if taken is not None:
                assert runs.succeed(taken.claim, None)
                done.append(taken)
                rung.extend(run.id for run in runs.release(group))
        return done

    done = [taken for each in at_once(*[work] * 8) for taken in each]
    # Whoever is left was rung for by none of them: nothing was under way any more.
    assert len(done) == len({taken.run.id for taken in done}) == 40
    assert {run.state for run in runs.newest()} == {RunState.SUCCEEDED}
    assert all(a.run.id != b.run.id for a, b in pairwise(done))
