"""Monitoring: a limit that is exceeded is named, and is one event until it is kept again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import Invalid
from engine.events import EventKind
from engine.operations.monitoring import Limits, Monitored, limits_of, monitor, tell
from engine.states import RunState
from engine.store.database import Database
from engine.store.events import EventStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, MIDNIGHT, a_claim, a_run, put_all_in

ONE = [Limits(queue="default", ready=1)]
OVER, WITHIN = EventKind.QUEUE_OVER_LIMIT, EventKind.QUEUE_WITHIN_LIMIT


@pytest.fixture
def events(database: Database) -> EventStore:
    return EventStore(database)


def look(database: Database, limits: Sequence[Limits] = ONE) -> Sequence[Monitored]:
    return monitor(RunCounts(database), limits)


def told(database: Database, limits: Sequence[Limits] = ONE) -> list[EventKind]:
    """The kinds of what is raised now."""
    return [each.kind for each in tell(EventStore(database), look(database, limits))]


def test_as_much_as_is_allowed_is_no_breach_and_what_is_delayed_does_not_count(
    database: Database, runs: RunStore
) -> None:
    a_run(runs)
    a_run(runs, due_at=datetime.now(UTC) + timedelta(hours=1))
    (queue,) = look(database)
    assert (queue.breaches, queue.counts.ready, queue.counts.delayed) == ([], 1, 1)
    a_run(runs)
    (queue,) = look(database)
    (breach,) = queue.breaches
    assert (breach.have, breach.allowed) == (2, 1)
    assert breach.text == "2 runs are ready, 1 allowed"


def test_every_limit_that_is_exceeded_is_named(database: Database, runs: RunStore) -> None:
    a_run(runs, due_at=MIDNIGHT)
    runs.fail(a_claim(runs), BROKEN)
    limits = Limits(queue="default", ready=0, wait=timedelta(minutes=5), failed=0)
    (queue,) = look(database, [limits])
    ready, wait, failed = queue.breaches
    assert (ready.measure, wait.measure, failed.measure) == ("ready", "wait_ms", "failed")
    assert ready.text == "1 run is ready, 0 allowed"
    assert wait.text.startswith("the oldest ready run has waited ")
    assert wait.text.endswith(", 5m is allowed")
    assert failed.text == "1 run has failed, 0 allowed"


def test_a_queue_without_runs_keeps_its_limits(database: Database) -> None:
    limits = Limits(queue="empty", ready=0, wait=timedelta(seconds=1), failed=0)
    (queue,) = look(database, [limits])
    assert queue.breaches == []


def test_a_breach_is_one_event_however_often_it_is_seen(
    database: Database, runs: RunStore, events: EventStore
) -> None:
    a_run(runs)
    assert told(database) == []
    a_run(runs)
    assert [told(database) for _ in range(3)] == [[OVER], [], []]
    a_run(runs)
    assert told(database) == []
    put_all_in(database, RunState.SUCCEEDED)
    assert [told(database) for _ in range(2)] == [[WITHIN], []]
    a_run(runs)
    a_run(runs)
    assert [told(database) for _ in range(2)] == [[OVER], []]
    assert [each.kind for each in events.newest()] == [OVER, WITHIN, OVER]
    (newest,) = events.newest(limit=1)
    assert (newest.facts["have"], newest.facts["allowed"]) == (2, 1)
    assert newest.text == "queue default is over its limit: 2 runs are ready, 1 allowed"


def test_monitors_with_other_limits_do_not_end_each_others_episodes(
    database: Database, runs: RunStore
) -> None:
    warning, critical = (
        [Limits(queue="default", ready=1)],
        [Limits(queue="default", ready=3)],
    )
    for _ in range(2):
        a_run(runs)
    assert told(database, warning) == [OVER]
    assert told(database, critical) == []
    assert told(database, warning) == []
    for _ in range(2):
        a_run(runs)
    assert told(database, critical) == [OVER]
    assert told(database, warning) == []


def test_two_that_see_it_at_once_raise_one_event(database: Database, runs: RunStore) -> None:
    a_run(runs)
    a_run(runs)
    with ThreadPoolExecutor(8) as pool:
        raised = [*pool.map(lambda _: told(database), range(8))]
    assert [each for each in raised if each] == [[OVER]]


def test_limits_are_read_as_they_are_typed() -> None:
    found = limits_of(["default:100, financial:10"], max_wait="90s", max_failed=5)
    wait = timedelta(seconds=90)
    assert found == [
        Limits(queue="default", ready=100, wait=wait, failed=5),
        Limits(queue="financial", ready=10, wait=wait, failed=5),
    ]
    assert limits_of(["a:0", "b:1"], max_wait=None, max_failed=None) == [
        Limits(queue="a", ready=0),
        Limits(queue="b", ready=1),
    ]
    assert limits_of(["a"], max_wait=None, max_failed=0) == [Limits(queue="a", failed=0)]


@pytest.mark.parametrize(
    ("text", "max_wait", "said"),
    [
        ("default:many", None, "'default:many' is no limit"),
        ("default:-1", None, "'default:-1' is no limit"),
        ("default:", None, "'default:' is no limit"),
        ("De fault:1", None, "'De fault:1' is no limit"),
        ("default:1,default:2", None, "'default:2' is no limit"),
        ("default:1,", None, "'' is no limit"),
        ("default", None, "write default:100, or add --max-wait"),
        ("default:1", "60", "--max-wait: must be a length of time"),
    ],
)
def test_what_is_no_limit_is_told(text: str, max_wait: str | None, said: str) -> None:
    with pytest.raises(Invalid) as told:
        limits_of([text], max_wait=max_wait, max_failed=None)
    assert said in str(told.value)
