"""Events at rest: raised once, listed newest first."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from engine.events import (
    EventKind,
    failed_runs_untouched,
    queue_over_limit,
    queue_within_limit,
    run_in_review,
)
from engine.store.database import Database
from engine.store.events import EventStore
from engine.store.run import RunError
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, a_claim, a_run

TODAY = date(2026, 11, 24)
UNTOUCHED = failed_runs_untouched(count=3, oldest="AAAA-BBBB", day=TODAY)
QUARANTINED = RunError(type="Quarantined", message="crashed 3 times", fingerprint="q" * 16)


@pytest.fixture
def events(database: Database) -> EventStore:
    return EventStore(database)


def over(after: int = 0, queue: str = "default") -> dict[str, object]:
    """What an event about a limit takes."""
    return {
        "queue": queue,
        "measure": "ready",
        "have": 150,
        "allowed": 100,
        "said": "150 runs are ready, 100 allowed",
        "after": after,
    }


def test_an_event_is_raised_once_and_logged_once(
    events: EventStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "engine.events"):
        raised = events.raise_once(UNTOUCHED)
        assert events.raise_once(UNTOUCHED) is None
    assert raised is not None
    assert (raised.kind, raised.facts["count"]) == (EventKind.FAILED_RUNS_UNTOUCHED, 3)
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage() == (
        "failed runs that nobody has touched for 24 h: 3, the oldest AAAA-BBBB"
    )
    assert events.was_raised(UNTOUCHED.key)
    assert not events.was_raised("another key")


def test_whoever_raises_it_at_the_same_time_raises_it_once(events: EventStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        raised = [*pool.map(lambda _: events.raise_once(UNTOUCHED), range(8))]
    assert len([each for each in raised if each is not None]) == 1


def test_trouble_that_is_over_is_no_warning(
    events: EventStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "engine.events"):
        events.raise_once(queue_within_limit(**over()))  # type: ignore[arg-type]
    assert [line.levelno for line in caplog.records] == [logging.INFO]


def test_the_newest_come_first_and_can_be_chosen(events: EventStore) -> None:
    assert events.newest() == []
    events.raise_once(UNTOUCHED)
    first = events.raise_once(queue_over_limit(**over()))  # type: ignore[arg-type]
    other = events.raise_once(queue_over_limit(**over(queue="payouts")))  # type: ignore[arg-type]
    assert first
    assert other
    assert [each.id for each in events.newest(limit=2)] == [other.id, first.id]
    assert events.newest(kinds=[EventKind.QUEUE_OVER_LIMIT], subject=first.subject) == [first]
    assert events.newest(since=other.raised_at + timedelta(seconds=1)) == []
    assert len(events.newest(since=first.raised_at - timedelta(hours=1))) == 3
    assert events.counts() == {"failed_runs_untouched": 1, "queue_over_limit": 2}


def test_a_run_that_waits_for_a_person_is_an_event_until_it_was_raised(
    events: EventStore, runs: RunStore
) -> None:
    quarantined, unrepeatable = a_run(runs), a_run(runs)
    runs.crash(a_claim(runs, quarantined), BROKEN, None, quarantined=QUARANTINED)
    runs.fail(a_claim(runs, unrepeatable), BROKEN, needs_review=True)
    runs.fail(a_claim(runs), BROKEN)
    found = events.unheard_reviews()
    assert [(each.kind, each.subject) for each in found] == [
        (EventKind.RUN_QUARANTINED, quarantined.reference),
        (EventKind.RUN_NEEDS_REVIEW, unrepeatable.reference),
    ]
    assert found[1].facts["error"] == "RuntimeError: broken"
    for event in found:
        assert events.raise_once(event) is not None
    assert events.unheard_reviews() == []


def test_a_run_that_is_quarantined_again_is_another_event() -> None:
    def of_attempt(number: int) -> str:
        return run_in_review(
            run_id=7, attempt=number, reference="A", job="j", queue="q", error_type="", error=""
        ).key

    assert of_attempt(3) != of_attempt(6)


def test_every_kind_has_words(events: EventStore) -> None:
    facts = {
        "hours": 24,
        "count": 1,
        "reference": "A",
        "job": "j",
        "error": "e",
        "queue": "q",
        "said": "s",
    }
    for kind in EventKind:
        made = type(UNTOUCHED)(kind=kind, subject="A", key=kind, facts=facts)
        assert made.text
        assert events.raise_once(made) is not None
    assert RunCounts(events.database).now() >= events.newest()[0].raised_at
