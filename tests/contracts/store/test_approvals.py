"""Approvals: of a run as it was, by somebody who knows what happened, and with four eyes by two."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from engine.states import RunState
from engine.store.database import Database
from engine.store.effects import EffectStore
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.instant import database_now
from engine.store.left_runs import LeftRun
from engine.store.reviews import ReviewStore
from engine.store.run import Claim, Run
from engine.store.runs import RunStore
from engine.store.settling import NotOpen, Settlement, Unsettled
from engine.store.tables import effects as effects_table
from engine.store.tables import runs as runs_table
from engine.store.tables import sealed_params
from engine.store.user_tables import users
from tests.builders.booking import BROKEN, a_claim
from tests.contracts.store.test_failed_runs import a_quarantined_run, retry
from tests.contracts.store.test_outside_effects import in_doubt

Change = Callable[[Connection], object]


@pytest.fixture
def reviews(database: Database) -> ReviewStore:
    """The reviews."""
    return ReviewStore(database)


@pytest.fixture
def failed(database: Database) -> FailedRunStore:
    """The failed runs."""
    return FailedRunStore(database)


def approve(reviews: ReviewStore, run: Run | Claim, **more: Any) -> bool:
    """Omar approves of another attempt."""
    run_id = run.run_id if isinstance(run, Claim) else run.id
    said: dict[str, Any] = {"actor": "omar", "reason": "seen"}
    return reviews.decide(run_id, "approved", **{**said, **more}).decided


def left_of(failed: FailedRunStore, run: Run | Claim, **more: Any) -> LeftRun | None:
    """Why the run is not retried; None if it was."""
    run_id = run.run_id if isinstance(run, Claim) else run.id
    done = retry(failed, FailedRuns(ids=[run_id]), **more)
    return done.left[0] if done.left else None


def in_doubt_of_two(runs: RunStore, database: Database) -> Claim:
    """The claim of a run that failed with two effects open, and one that is done."""
    claim = a_claim(runs)
    store = EffectStore(database)
    for key in ("a", "b", "c"):
        store.start(claim, key, "hash", repeatable=False)
    store.finish(claim, "c", 7)
    assert runs.retry_later(claim, BROKEN, timedelta()) is RunState.FAILED
    return claim


def change(table: Any, **values: Any) -> Change:
    """As if somebody had changed all rows of a table."""
    return lambda connection: connection.execute(update(table).values(values))


def seal(connection: Connection) -> None:
    """As if another secret had been sealed."""
    row = {"run_id": 1, "name": "token", "sealed": "other"}
    connection.execute(insert(sealed_params).values(row))


@pytest.mark.parametrize(
    ("made", "changed"),
    [
        (change(runs_table, job="pay_twice"), ["job"]),
        (change(runs_table, params={"amount": 6}), ["parameters"]),
        (seal, ["parameters"]),
        (change(runs_table, error_message="another one"), ["error"]),
        (change(runs_table, attempt=7), ["error"]),
        (change(effects_table, result=8), ["effects"]),
        (change(runs_table, job="x", error_type="Y"), ["job", "error"]),
    ],
)
def test_an_approval_is_of_the_run_as_it_was(
    runs: RunStore,
    reviews: ReviewStore,
    failed: FailedRunStore,
    database: Database,
    made: Change,
    changed: list[str],
) -> None:
    claim = in_doubt_of_two(runs, database)
    assert approve(reviews, claim, settlement=Settlement(happened={"a": 1, "b": 2}))
    with database.begin() as connection:
        made(connection)
    left = left_of(failed, claim)
    assert left is not None
    assert (left.obstacle, left.changed, left.approvers) == ("changed", changed, None)
    assert left.run.approved_by == "omar"
    assert approve(reviews, claim)
    assert not approve(reviews, claim)
    assert left_of(failed, claim) is None


def test_an_approval_is_used_up_by_one_retry(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore
) -> None:
    run = a_quarantined_run(runs)
    assert approve(reviews, run)
    assert left_of(failed, run) is None
    assert runs.crash(a_claim(runs, run), BROKEN, None, needs_review=True)
    left = left_of(failed, run)
    assert left is not None
    assert (left.obstacle, left.run.approved_by) == ("needs_review", None)


def test_who_approves_says_what_happened(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database
) -> None:
    claim = in_doubt_of_two(runs, database)
    with pytest.raises(Unsettled, match="whether 'a', 'b' happened is not said"):
        approve(reviews, claim)
    with pytest.raises(Unsettled, match="whether 'b' happened is not said"):
        approve(reviews, claim, settlement=Settlement(happened={"a": None}))
    assert in_doubt(database, claim.run_id) == 2
    settlement = Settlement(happened={"a": {"charge": 7}}, did_not_happen=["b"])
    assert approve(reviews, claim, settlement=settlement)
    assert in_doubt(database, claim.run_id) == 0
    assert left_of(failed, claim) is None
    again = runs.claim(claim.run_id, "worker-2")
    assert again is not None
    store = EffectStore(database)
    found = store.start(again, "a", "hash", repeatable=False)
    assert found is not None
    assert (found.state, found.result) == ("done", {"charge": 7})
    assert store.start(again, "b", "hash", repeatable=False) is None
    assert in_doubt(database, claim.run_id) == 1


def test_who_rejects_may_say_what_happened_later(
    runs: RunStore, reviews: ReviewStore, database: Database
) -> None:
    claim = in_doubt_of_two(runs, database)
    for known in (Settlement(happened={"a": None}), Settlement()):
        reviews.decide(
            claim.run_id, "rejected", actor="omar", reason="paid by hand", settlement=known
        )
        assert in_doubt(database, claim.run_id) == 1
    assert approve(reviews, claim, settlement=Settlement(did_not_happen=["b"]))


@pytest.mark.parametrize("key", ["c", "z"])
def test_only_what_is_open_is_settled(
    runs: RunStore, reviews: ReviewStore, database: Database, key: str
) -> None:
    claim = in_doubt_of_two(runs, database)
    other = a_claim(runs)
    EffectStore(database).start(other, "z", "hash", repeatable=False)
    with pytest.raises(NotOpen, match=f"no open effect '{key}'; open are 'a', 'b'"):
        approve(reviews, claim, settlement=Settlement(happened={"a": 1, "b": 1, key: 1}))
    assert in_doubt(database, claim.run_id) == 2
    quarantined = a_quarantined_run(runs)
    with pytest.raises(NotOpen, match="it has none that are open"):
        approve(reviews, quarantined, settlement=Settlement(did_not_happen=["a"]))


def test_a_run_with_an_unknown_effect_is_not_put_aside(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore, database: Database
) -> None:
    claim = in_doubt_of_two(runs, database)
    which = FailedRuns(ids=[claim.run_id])
    (left,) = failed.discard(which, actor="sara", reason=None).left
    assert left.obstacle == "in_doubt"
    known = Settlement(happened={"a": 1, "b": 1})
    reviews.decide(claim.run_id, "rejected", actor="omar", reason="seen", settlement=known)
    assert failed.discard(which, actor="sara", reason=None).left == []


@pytest.mark.parametrize(
    ("approver", "retrier", "obstacle"),
    [
        (("omar", True), ("sara", True), None),
        (("omar", True), ("omar", True), "same_person"),
        (("omar", True), ("sara", False), "retried_by_nobody_known"),
        (("omar", False), ("sara", True), "approved_by_nobody_known"),
    ],
)
def test_with_four_eyes_it_takes_two_users(
    runs: RunStore,
    reviews: ReviewStore,
    failed: FailedRunStore,
    approver: tuple[str, bool],
    retrier: tuple[str, bool],
    obstacle: str | None,
) -> None:
    run = a_quarantined_run(runs)
    assert approve(reviews, run, actor=approver[0], authenticated=approver[1])
    by = {"actor": retrier[0], "authenticated": retrier[1]}
    left = left_of(failed, run, four_eyes=True, **by)
    assert (left.obstacle if left else None) == obstacle
    if left:
        assert left_of(failed, run, **by) is None


def test_a_user_may_approve_of_what_a_login_did(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore
) -> None:
    run = a_quarantined_run(runs)
    assert approve(reviews, run)
    assert approve(reviews, run, authenticated=True)
    assert left_of(failed, run, four_eyes=True, authenticated=True) is None


def test_who_can_approve_is_said(
    runs: RunStore, failed: FailedRunStore, database: Database
) -> None:
    roles = {"sara": "admin", "omar": "approver", "noor": "operator", "ali": "viewer"}
    made = {"created_at": database_now(), "created_by": "sara"}
    with database.begin() as connection:
        for name, role in roles.items():
            connection.execute(insert(users).values(name=name, role=role, **made))
        gone = {"name": "huda", "role": "admin", "disabled_at": database_now()}
        connection.execute(insert(users).values(**gone, **made))
    run = a_quarantined_run(runs)
    left = left_of(failed, run)
    assert left is not None
    assert left.approvers == ["omar", "sara"]
    left = left_of(failed, run, four_eyes=True)
    assert left is not None
    assert left.approvers == ["omar"]


def test_an_approval_that_was_given_with_four_eyes_takes_them_whatever_a_retrier_says(
    runs: RunStore, reviews: ReviewStore, failed: FailedRunStore
) -> None:
    run = a_quarantined_run(runs)
    assert approve(reviews, run, authenticated=True, four_eyes=True)
    alone = left_of(failed, run, actor="omar", authenticated=True, four_eyes=False)
    assert alone is not None
    assert alone.obstacle == "same_person"
    assert left_of(failed, run, actor="sara", authenticated=True, four_eyes=False) is None
