"""Sealed parameters: booked with their run, there for its attempts, gone when it is over."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.sealing import Keys, SealBroken, Sealer
from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.run import Firing, Run
from engine.store.runs import RunStore
from engine.store.sealed_params import SealedParamStore, SealedRun, ToSeal
from tests.builders.booking import BROKEN, MIDNIGHT, a_claim, a_new_run, a_run

SEALER = Sealer(Keys.parse("k" * 32))


@pytest.fixture
def sealed(database: Database) -> SealedParamStore:
    """The sealed parameters of the ledger."""
    return SealedParamStore(database)


def a_sealed_run(runs: RunStore, values: Any = None, **changes: Any) -> Run:
    """A run with the parameter `token` sealed."""
    to_seal = ToSeal(values or {"token": "hush"}, SEALER)
    return a_run(runs, params={"token": "***"}, to_seal=to_seal, **changes)


def bound(run: Run) -> SealedRun:
    """What the values of the run are bound to."""
    return SealedRun(reference=run.reference, job=run.job)


def test_what_was_sealed_opens_as_it_was(runs: RunStore, sealed: SealedParamStore) -> None:
    values = {"token": "hush", "pin": 1234, "card": {"cvv": ["1", None]}}
    run = a_sealed_run(runs, values)
    stored = sealed.of_run(run.id)
    assert bound(run).open(SEALER, stored) == values
    assert "hush" not in str(stored)
    assert dict(runs.get(run.id).params) == {"token": "***"}


def test_it_opens_in_no_other_run_and_as_no_other_parameter(
    runs: RunStore, sealed: SealedParamStore
) -> None:
    run, other = a_sealed_run(runs), a_sealed_run(runs)
    (token,) = sealed.of_run(run.id).values()
    for elsewhere, name in ((other, "token"), (run, "note")):
        with pytest.raises(SealBroken):
            bound(elsewhere).open(SEALER, {name: token})


def test_a_run_without_secrets_has_none(runs: RunStore, sealed: SealedParamStore) -> None:
    assert sealed.of_run(a_run(runs).id) == {}


def test_a_run_that_was_booked_before_keeps_what_it_has(
    runs: RunStore, sealed: SealedParamStore
) -> None:
    run = a_sealed_run(runs, key="k")
    before = sealed.of_run(run.id)
    again = a_new_run(key="k", to_seal=ToSeal({"token": "other"}, SEALER))
    assert runs.book(again) == (run, False)
    assert sealed.of_run(run.id) == before


def test_a_firing_that_is_skipped_seals_nothing(runs: RunStore, sealed: SealedParamStore) -> None:
    firing = Firing(schedule="hourly", scheduled_for=MIDNIGHT)
    run = a_sealed_run(runs, firing=firing, skipped="missed")
    assert sealed.of_run(run.id) == {}


def succeed(runs: RunStore, run: Run) -> None:
    """It ends well."""
    runs.succeed(a_claim(runs, run), None)


def cancel(runs: RunStore, run: Run) -> None:
    """A person ends it while it waits."""
    CancelStore(runs.database).cancel([run.id], actor="ann", reason=None)


def cancel_running(runs: RunStore, run: Run) -> None:
    """A person ends it while it runs."""
    claim = a_claim(runs, run)
    cancel(runs, run)
    runs.cancel(claim)


def discard(runs: RunStore, run: Run) -> None:
    """A person puts it aside after it failed."""
    fail(runs, run)
    failed = FailedRunStore(runs.database)
    failed.discard(FailedRuns(ids=[run.id]), actor="ann", reason=None)


def fail(runs: RunStore, run: Run) -> None:
    """It fails for good."""
    runs.fail(a_claim(runs, run), BROKEN)


def retry_later(runs: RunStore, run: Run) -> None:
    """It fails, and another attempt follows."""
    runs.retry_later(a_claim(runs, run), BROKEN, MIDNIGHT - MIDNIGHT)


End = Callable[[RunStore, Run], None]


@pytest.mark.parametrize("end", [succeed, cancel, cancel_running, discard])
def test_it_is_erased_when_the_run_is_over(
    runs: RunStore, sealed: SealedParamStore, end: End
) -> None:
    run, other = a_sealed_run(runs), a_sealed_run(runs)
    end(runs, run)
    sealed.erase_ended(run.id)
    assert sealed.of_run(run.id) == {}
    assert sealed.of_run(other.id) != {}


@pytest.mark.parametrize("end", [cancel, discard])
def test_what_a_person_ends_is_erased_with_it(
    runs: RunStore, sealed: SealedParamStore, end: End
) -> None:
    run = a_sealed_run(runs)
    end(runs, run)
    assert sealed.of_run(run.id) == {}


def test_all_that_is_over_is_erased_together(runs: RunStore, sealed: SealedParamStore) -> None:
    over = [a_sealed_run(runs), a_sealed_run(runs)]
    for run in over:
        succeed(runs, run)
    kept = a_sealed_run(runs)
    assert sealed.erase_ended() == len(over)
    assert sealed.erase_ended() == 0
    assert [bool(sealed.of_run(run.id)) for run in [*over, kept]] == [False, False, True]


@pytest.mark.parametrize("end", [fail, retry_later])
def test_a_run_that_may_go_on_keeps_it(runs: RunStore, sealed: SealedParamStore, end: End) -> None:
    run = a_sealed_run(runs)
    end(runs, run)
    assert sealed.erase_ended(run.id) == 0
    assert sealed.erase_ended() == 0
    assert bound(run).open(SEALER, sealed.of_run(run.id)) == {"token": "hush"}


def test_a_failed_run_that_is_retried_still_has_it(
    runs: RunStore, sealed: SealedParamStore
) -> None:
    run = a_sealed_run(runs)
    fail(runs, run)
    failed = FailedRunStore(runs.database)
    failed.retry(FailedRuns(ids=[run.id]), actor="ann", reason=None, attempts=lambda _: 1)
    assert runs.get(run.id).state is RunState.QUEUED
    assert bound(run).open(SEALER, sealed.of_run(run.id)) == {"token": "hush"}


def test_what_is_to_be_sealed_is_not_shown() -> None:
    assert "hush" not in repr(a_new_run(to_seal=ToSeal({"token": "hush"}, SEALER)))
