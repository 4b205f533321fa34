"""Uniqueness: at most one run with the same unique key is unfinished."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from engine.states import UNFINISHED_RUNS, RunState
from engine.store.bookings import DuplicateRun
from engine.store.database import Database
from engine.store.run import Run
from engine.store.runs import RunStore
from engine.store.tables import runs as runs_table
from tests.builders.at_once import at_once
from tests.builders.booking import (
    BROKEN,
    a_claim,
    a_firing,
    a_new_run,
    a_run,
    let_leases_run_out,
    put_all_in,
)

WALLET_7 = "wallet 7"


@pytest.mark.parametrize("state", sorted(UNFINISHED_RUNS))
def test_booking_another_one_gives_the_unfinished_one(
    runs: RunStore, database: Database, state: RunState
) -> None:
    first = a_run(runs, unique_key=WALLET_7)
    put_all_in(database, state)
    other, is_new = runs.book(a_new_run(unique_key=WALLET_7, params={"other": 1}))
    assert (other.id, is_new) == (first.id, False)
    assert len(runs.newest()) == 1


def test_booking_another_one_is_refused_if_it_says_so(runs: RunStore) -> None:
    first = a_run(runs, unique_key=WALLET_7)
    with pytest.raises(DuplicateRun, match=f"run {first.id} {first.reference}, which is queued"):
        runs.book(a_new_run(unique_key=WALLET_7, on_duplicate="refuse"))
    assert len(runs.newest()) == 1


@pytest.mark.parametrize("state", sorted(set(RunState) - UNFINISHED_RUNS))
def test_a_run_that_has_ended_is_in_nobodys_way(
    runs: RunStore, database: Database, state: RunState
) -> None:
    first = a_run(runs, unique_key=WALLET_7)
    put_all_in(database, state)
    assert a_run(runs, unique_key=WALLET_7, on_duplicate="refuse").id != first.id


def test_other_keys_and_none_are_in_nobodys_way(runs: RunStore) -> None:
    for key in (WALLET_7, "wallet 8", None, None):
        a_run(runs, unique_key=key, on_duplicate="refuse")


def test_a_firing_is_booked_as_skipped_with_the_reason(runs: RunStore) -> None:
    first = a_run(runs, unique_key=WALLET_7)
    for hour, on_duplicate in ((1, "return"), (2, "refuse")):
        firing = a_firing(hour, overlap="allow")
        skipped = a_run(runs, unique_key=WALLET_7, firing=firing, on_duplicate=on_duplicate)
        assert skipped.state is RunState.SKIPPED
        assert skipped.reason == (
            f"duplicate: run {first.reference}, which is the same one, had not ended"
        )


def test_the_idempotency_key_comes_first(runs: RunStore, database: Database) -> None:
    first = a_run(runs, unique_key=WALLET_7, key="night 24")
    put_all_in(database, RunState.SUCCEEDED)
    second = a_run(runs, unique_key=WALLET_7)
    again = a_new_run(unique_key=WALLET_7, key="night 24", on_duplicate="refuse")
    assert runs.book(again) == (runs.get(first.id), False)
    assert second.id != first.id


def test_a_lost_run_counts_until_it_has_failed(runs: RunStore, database: Database) -> None:
    lost = a_run(runs, unique_key=WALLET_7)
    a_claim(runs, lost)
    let_leases_run_out(database)
    assert runs.book(a_new_run(unique_key=WALLET_7))[0].id == lost.id
    assert runs.rescue(runs.get(lost.id), BROKEN, timedelta())
    assert runs.book(a_new_run(unique_key=WALLET_7))[0].id == lost.id
    assert runs.fail(a_claim(runs, lost), BROKEN)
    assert a_run(runs, unique_key=WALLET_7).id != lost.id


def test_eight_that_book_at_once_book_one_run(runs: RunStore, database: Database) -> None:
    for _ in range(5):
        booked = at_once(*[partial(runs.book, a_new_run(unique_key=WALLET_7)) for _ in range(8)])
        assert sorted(is_new for _, is_new in booked) == [False] * 7 + [True]
        assert len({run.id for run, _ in booked}) == 1
        put_all_in(database, RunState.SUCCEEDED)


def test_eight_of_which_each_refuses_book_one_run(runs: RunStore) -> None:
    def book() -> Run | None:
        try:
            return runs.book(a_new_run(unique_key=WALLET_7, on_duplicate="refuse"))[0]
        except DuplicateRun:
            return None

    booked = at_once(*[book] * 8)
    assert sum(run is not None for run in booked) == 1


def test_the_ledger_itself_holds_no_two(runs: RunStore, database: Database) -> None:
    a_run(runs, unique_key=WALLET_7)
    put_all_in(database, RunState.FAILED)
    a_run(runs, unique_key=WALLET_7)
    again = update(runs_table).where(runs_table.c.state == RunState.FAILED)
    with pytest.raises(Exception, match=r"(?i)unique"), database.begin() as connection:
        connection.execute(again.values(state=RunState.QUEUED))
