"""What people say beside what they do is kept without secrets; a key that holds one is refused."""

import pytest

from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.key import TellingKey
from engine.store.operator_moves import RunMoveStore
from engine.store.paused_queues import PausedQueueStore
from engine.store.runs import RunStore
from tests.builders.booking import a_new_run, a_run

SAID = "as noura@example.com asked, pin: 1234"
KEPT = "as *** asked, pin: ***"


def test_the_reason_of_a_cancelled_run_is_kept_without_secrets(
    runs: RunStore, database: Database
) -> None:
    run = a_run(runs)
    CancelStore(database).cancel([run.id], actor="noura", reason=SAID)
    assert runs.get(run.id).reason == f"cancelled by noura: {KEPT}"
    (move,) = RunMoveStore(database).of_run(run.id)
    assert move.reason == KEPT


def test_the_reason_of_a_paused_queue_is_kept_without_secrets(database: Database) -> None:
    paused, _ = PausedQueueStore(database).pause("default", actor="noura", reason=SAID)
    assert paused.reason == KEPT


def test_the_reason_of_a_skipped_run_is_kept_without_secrets(runs: RunStore) -> None:
    assert a_run(runs, skipped=f"missed: {SAID}").reason == f"missed: {KEPT}"


@pytest.mark.parametrize(
    "key", ["for noura@example.com", "otp=1234", "4111 1111 1111 1111", "+966551234567"]
)
def test_a_key_that_holds_a_secret_is_refused_and_not_repeated(runs: RunStore, key: str) -> None:
    with pytest.raises(TellingKey, match="make it of ids") as refused:
        runs.book(a_new_run(key=key))
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "key", ["payout-1000000008", "0551234567", "wallet:1000000008:2026-11-24", "nightly"]
)
def test_a_key_of_ids_is_kept(runs: RunStore, key: str) -> None:
    assert a_run(runs, key=key).key == key
