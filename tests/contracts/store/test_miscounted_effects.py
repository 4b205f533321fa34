"""Numbers of open effects that are wrong, as older workers leave them: the effects decide."""

import pytest
from sqlalchemy import update

from engine.states import RunState
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.reviews import ReviewStore
from engine.store.runs import RunStore
from engine.store.settling import Unsettled
from engine.store.tables import runs as runs_table
from tests.builders.booking import BROKEN, a_claim
from tests.contracts.store.test_effects_in_doubt import ENDS, SOON
from tests.contracts.store.test_open_effects import open_of

WRONG = [-1, 0, 3]


def miscount(database: Database, run_id: int, number: int) -> None:
    """Both numbers of the run are wrong."""
    counted = {"effects_open": number, "effects_in_doubt": number}
    with database.begin() as connection:
        connection.execute(update(runs_table).where(runs_table.c.id == run_id).values(counted))


@pytest.mark.parametrize("number", WRONG)
@pytest.mark.parametrize("end", ENDS)
def test_however_an_attempt_ends_an_open_effect_is_reviewed(
    runs: RunStore, database: Database, end: str, number: int
) -> None:
    claim = a_claim(runs)
    EffectStore(database).start(claim, "order 1", "hash", repeatable=False)
    miscount(database, claim.run_id, number)
    assert ENDS[end](runs, claim) is RunState.FAILED
    assert runs.get(claim.run_id).review == "required"
    assert open_of(database, claim.run_id) == (1, 1)


@pytest.mark.parametrize("number", WRONG)
@pytest.mark.parametrize("end", ENDS)
def test_and_without_one_nothing_is(
    runs: RunStore, database: Database, end: str, number: int
) -> None:
    claim = a_claim(runs)
    effects = EffectStore(database)
    effects.start(claim, "order 1", "hash", repeatable=False)
    effects.finish(claim, "order 1", 7)
    miscount(database, claim.run_id, number)
    ENDS[end](runs, claim)
    needed = "required" if end == "quarantine" else None
    assert runs.get(claim.run_id).review == needed
    assert open_of(database, claim.run_id) == (0, 0)


def test_whatever_changes_an_effect_counts_them_all(runs: RunStore, database: Database) -> None:
    claim = a_claim(runs)
    effects = EffectStore(database)
    for number in WRONG:
        miscount(database, claim.run_id, number)
        effects.start(claim, f"order {number}", "hash", repeatable=False)
        assert open_of(database, claim.run_id) == (1, 1)
        miscount(database, claim.run_id, number)
        effects.finish(claim, f"order {number}", 7)
        assert open_of(database, claim.run_id) == (0, 0)


@pytest.mark.parametrize("number", [-1, 0])
def test_people_are_told_of_one_that_is_open(
    runs: RunStore, database: Database, number: int
) -> None:
    claim = a_claim(runs)
    effects = EffectStore(database)
    effects.start(claim, "order 1", "hash", repeatable=True)
    runs.retry_later(claim, BROKEN, SOON)
    miscount(database, claim.run_id, number)
    done = CancelStore(database).cancel([claim.run_id], actor="sara", reason="stop")
    assert [run.id for run in done.kept] == [claim.run_id]
    miscount(database, claim.run_id, number)
    failed = FailedRunStore(database)
    which = FailedRuns(ids=[claim.run_id])
    (left,) = failed.discard(which, actor="sara", reason="enough").left
    assert left.obstacle == "in_doubt"


@pytest.mark.parametrize("number", WRONG)
def test_a_decision_is_about_what_there_is(runs: RunStore, database: Database, number: int) -> None:
    claim = a_claim(runs)
    EffectStore(database).start(claim, "order 1", "hash", repeatable=False)
    runs.fail(claim, BROKEN)
    miscount(database, claim.run_id, number)
    reviews = ReviewStore(database)
    with pytest.raises(Unsettled):
        reviews.decide(claim.run_id, "approved", actor="sara", reason="seen")
    assert reviews.decide(claim.run_id, "rejected", actor="sara", reason="seen").decided
    assert open_of(database, claim.run_id) == (1, 1)
