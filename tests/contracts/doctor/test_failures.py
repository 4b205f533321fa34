"""Runs that fail, and that nobody looks after."""

from datetime import UTC, datetime, timedelta

from engine.operations.doctor.failures import (
    FAILED_UNTOUCHED,
    FAILING_REPEATEDLY,
    IN_REVIEW,
    LOST,
)
from tests.builders.booking import BROKEN, a_claim, due_now, let_leases_run_out
from tests.builders.patient import Home

YESTERDAY = datetime.now(UTC) - timedelta(hours=25)


def test_three_runs_fail_in_the_same_way(home: Home) -> None:
    runs = [home.failed_run() for _ in range(3)]
    said = home.has(FAILING_REPEATEDLY)
    assert "purge failed 3 times in the same way, in 3 runs: RuntimeError: broken" in said
    (finding,) = home.look(FAILING_REPEATEDLY).findings
    assert list(finding.next) == [
        f"engine runs show {runs[-1].reference}",
        f"engine runs logs {runs[-1].reference}",
    ]


def test_one_run_fails_at_its_third_attempt(home: Home) -> None:
    run = home.run(attempts=9)
    for _ in range(3):
        due_now(home.database)
        home.store.retry_later(a_claim(home.store, run), BROKEN, timedelta(hours=1))
    assert "in 1 run" in home.has(FAILING_REPEATEDLY)


def test_two_failures_may_be_an_accident(home: Home) -> None:
    home.failed_run()
    home.failed_run()
    assert home.is_free_of(FAILING_REPEATEDLY)


def test_nobody_touched_a_run_that_failed_yesterday(home: Home) -> None:
    home.failed_run()
    assert home.is_free_of(FAILED_UNTOUCHED)
    home.change_runs(finished_at=YESTERDAY)
    assert "1 run failed more than 24 h ago" in home.has(FAILED_UNTOUCHED)
    home.change_runs(touched_at=datetime.now(UTC))
    assert home.is_free_of(FAILED_UNTOUCHED)


def test_a_run_waits_for_a_persons_decision(home: Home) -> None:
    home.failed_run()
    assert home.is_free_of(IN_REVIEW)
    home.change_runs(review="required")
    assert "1 failed run of which a person must say" in home.has(IN_REVIEW)


def test_nobody_took_up_the_run_of_a_dead_worker(home: Home) -> None:
    a_claim(home.store)
    assert home.is_free_of(LOST)
    let_leases_run_out(home.database)
    assert "1 run of workers that are gone" in home.has(LOST)
