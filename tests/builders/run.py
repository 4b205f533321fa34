"""Runs that are booked and claimed in a test's ledger."""

from engine.store.database import Database
from engine.store.run import Claim, NewRun
from engine.store.runs import RunStore


def a_run(database: Database) -> int:
    """The id of a queued run."""
    run, _ = RunStore(database).book(NewRun(job="reconcile", queue="default"))
    return run.id


def a_claim(database: Database) -> Claim:
    """The claim of a run that is under way."""
    claim = RunStore(database).claim(a_run(database), "a worker")
    assert claim is not None
    return claim
