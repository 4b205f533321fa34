"""What operators do is in the audit, in the transaction that does it; what others do is not."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from engine.store.audit_chain import AuditEntry
from engine.store.audit_entries import Acts, AuditStore
from engine.store.cancelled_runs import CancelStore
from engine.store.database import Database
from engine.store.failed_run_reader import FailedRuns
from engine.store.failed_runs import FailedRunStore
from engine.store.paused_queues import PausedQueueStore
from engine.store.restarts import RestartStore
from engine.store.reviews import ReviewStore
from engine.store.roles import Role
from engine.store.run import Firing, NewRun, RunError
from engine.store.runs import RunStore
from engine.store.users import UserStore
from engine.store.workers import WorkerStore
from tests.builders.audit import a_journal
from tests.builders.run import a_claim, a_run
from tests.contracts.store.test_restarts import announce

WHY = "a test"
AT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _journal(database: Database) -> Iterator[None]:
    a_journal(database)
    yield
    database.journal = None


def entries(database: Database) -> Sequence[AuditEntry]:
    return list(AuditStore(database).in_order())


def the_entry(database: Database) -> AuditEntry:
    (entry,) = entries(database)
    assert (entry.actor, entry.reason) in {("sara", "a test"), ("sara", None)}
    return entry


def a_failed_run(database: Database, *, needs_review: bool = False) -> int:
    claim = a_claim(database)
    error = RunError(type="Boom", message="it did", fingerprint="f")
    RunStore(database).fail(claim, error, needs_review=needs_review)
    return claim.run_id


def test_booking_by_hand(database: Database) -> None:
    new = NewRun(job="pay", queue="payouts", params={"amount": 5}, actor="sara", key="k")
    run, _ = RunStore(database).book(new)
    entry = the_entry(database)
    assert (entry.act, entry.subject, entry.count) == ("run", f"run {run.id}", 1)
    assert entry.facts["params"] == {"amount": 5}
    assert entry.facts["reference"] == run.reference
    assert RunStore(database).book(new)[1] is False
    assert len(entries(database)) == 1


def test_what_a_schedule_books_is_no_operators_act(database: Database) -> None:
    firing = Firing(schedule="nightly", scheduled_for=AT, overlap="skip")
    RunStore(database).book(NewRun(job="pay", queue="default", actor="schedule", firing=firing))
    a_run(database)
    a_failed_run(database)
    assert entries(database) == []


def test_retrying(database: Database) -> None:
    ids = [a_failed_run(database) for _ in range(3)]
    FailedRunStore(database).retry(
        FailedRuns(job="reconcile"), actor="sara", reason=WHY, attempts=lambda _: 1
    )
    entry = the_entry(database)
    assert (entry.act, entry.subject, entry.count) == ("retry", None, 3)
    assert entry.facts["runs"] == f"{ids[0]}-{ids[2]}"
    assert entry.facts["filter"] == {"job": "reconcile"}
    assert (entry.facts["before"], entry.facts["after"]) == ({"failed": 3}, "queued")


def test_what_is_only_tried_or_does_nothing_is_no_act(database: Database) -> None:
    run_id = a_failed_run(database)
    failed, every = FailedRunStore(database), FailedRuns()
    failed.retry(every, actor="sara", reason=WHY, attempts=lambda _: 1, rehearse=True)
    failed.discard(every, actor="sara", reason=WHY, rehearse=True)
    CancelStore(database).cancel([run_id], actor="sara", reason=WHY)
    PausedQueueStore(database).resume("default", actor="sara")
    RestartStore(database).ask(actor="sara")
    failed.retry(FailedRuns(job="another"), actor="sara", reason=WHY, attempts=lambda _: 1)
    assert entries(database) == []


def test_discarding(database: Database) -> None:
    run_id = a_failed_run(database)
    which = FailedRuns(ids=[run_id])
    FailedRunStore(database).discard(
        which, actor="sara", reason=WHY, chosen_by={"until": "yesterday"}
    )
    entry = the_entry(database)
    assert (entry.act, entry.subject) == ("discard", f"run {run_id}")
    assert entry.facts["filter"] == {"until": "yesterday"}
    assert entry.facts["after"] == "discarded"


def test_cancelling(database: Database) -> None:
    waiting, running = a_run(database), a_claim(database).run_id
    CancelStore(database).cancel([waiting, running], actor="sara", reason=WHY)
    entry = the_entry(database)
    assert (entry.act, entry.count) == ("cancel", 2)
    assert entry.facts["before"] == {"queued": 1, "running": 1}


def test_the_end_of_a_run_that_was_to_stop_is_no_second_act(database: Database) -> None:
    claim = a_claim(database)
    CancelStore(database).cancel([claim.run_id], actor="sara", reason=WHY)
    RunStore(database).cancel(claim)
    assert [entry.act for entry in entries(database)] == ["cancel"]


def test_clearing(database: Database) -> None:
    waiting = a_run(database)
    CancelStore(database).cancel_waiting(
        [waiting], actor="sara", reason=WHY, chosen_by={"queue": "default"}
    )
    assert the_entry(database).facts["filter"] == {"queue": "default"}


@pytest.mark.parametrize(("decision", "act"), [("approved", "approve"), ("rejected", "reject")])
def test_reviewing(database: Database, decision: str, act: str) -> None:
    run_id = a_failed_run(database, needs_review=True)
    ReviewStore(database).decide(run_id, decision, actor="sara", reason=WHY)  # type: ignore[arg-type]
    entry = the_entry(database)
    assert (entry.act, entry.subject) == (act, f"run {run_id}")
    assert entry.facts["before"] == {"failed, required": 1}
    assert entry.facts["after"] == f"failed, {decision}"


def test_pausing_and_resuming(database: Database) -> None:
    pauses = PausedQueueStore(database)
    pauses.pause("payouts", actor="sara", reason=WHY)
    pauses.pause("payouts", actor="sara", reason=WHY)
    pauses.resume("payouts", actor="omar")
    assert [(entry.actor, entry.act, entry.subject) for entry in entries(database)] == [
        ("sara", "pause", "queue payouts"),
        ("omar", "resume", "queue payouts"),
    ]
    assert entries(database)[1].facts["before"]["paused_by"] == "sara"


def test_restarting(database: Database) -> None:
    announce(WorkerStore(database), "one")
    announce(WorkerStore(database), "two")
    RestartStore(database).ask(actor="sara")
    entry = the_entry(database)
    assert (entry.act, entry.count) == ("restart", 2)
    assert entry.facts["processes"] == ["one", "two"]


def test_managing_users(database: Database) -> None:
    users = UserStore(database)
    users.add("sara", Role.ADMIN, actor="root")
    users.add("omar", Role.VIEWER, actor="sara")
    users.change_role("omar", Role.OPERATOR, actor="sara")
    token = users.give_token(
        "omar", "digest", scopes=["queue"], lasts=timedelta(days=1), actor="sara"
    )
    users.revoke(token.id, actor="sara", reason="seen")
    users.disable("omar", actor="sara", reason="left")
    users.disable("sara", actor="sara", reason="the last admin")
    users.add("omar", Role.VIEWER, actor="sara")
    told = [
        (entry.act, entry.subject, entry.facts.get("before"), entry.facts.get("after"))
        for entry in entries(database)
    ]
    assert told == [
        ("add user", "user sara", None, "admin"),
        ("add user", "user omar", None, "viewer"),
        ("change role", "user omar", "viewer", "operator"),
        ("give token", "user omar", None, None),
        ("revoke token", "user omar", None, None),
        ("disable user", "user omar", "operator", "disabled"),
        ("add user", "user omar", "operator, disabled", "viewer"),
    ]
    assert entries(database)[3].facts["scopes"] == ["queue"]
    assert AuditStore(database).count(Acts(subject="user omar")) == 6
