"""A ledger that was in use before queues were operated keeps its runs, and when they were due."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from engine.states import RunState
from engine.store.database import BACKENDS, REVISION, Database
from engine.store.run import Run
from engine.store.runs import RunStore
from tests.builders.postgres import PostgresServer

MIGRATIONS = Path(__file__).parents[3] / "engine" / "store" / "migrations"
HOUR = timedelta(hours=1)
BOOKED = datetime(2020, 11, 24, 1, tzinfo=UTC)
NOMINAL, DUE, MOVED = BOOKED + HOUR, BOOKED + 2 * HOUR, BOOKED + 3 * HOUR


class Old(NamedTuple):
    """A run before the upgrade, and when it was due at first after it."""

    state: RunState
    attempt: int
    due: datetime
    scheduled: bool
    first_due: datetime


# A wait between two attempts had moved what `due_at` held.
OLD = [
    *(Old(state, 0, DUE, False, DUE) for state in (RunState.QUEUED, RunState.WAITING)),
    *(Old(state, 0, DUE, True, DUE) for state in (RunState.SKIPPED, RunState.CANCELLED)),
    *(Old(state, 1, DUE, False, DUE) for state in (RunState.RUNNING, RunState.SUCCEEDED)),
    *(Old(state, 1, DUE, True, DUE) for state in (RunState.QUEUED, RunState.FAILED)),
    *(Old(RunState.RETRYING, number, MOVED, False, BOOKED) for number in (1, 2)),
    *(Old(RunState.RETRYING, number, MOVED, True, NOMINAL) for number in (1, 2)),
    *(Old(state, 2, MOVED, False, BOOKED) for state in (RunState.RUNNING, RunState.DISCARDED)),
    *(Old(state, 3, MOVED, True, NOMINAL) for state in (RunState.FAILED, RunState.SUCCEEDED)),
]
_INSERT = text(
    "INSERT INTO runs (reference, job, queue, state, params, attempt, attempts_allowed, schedule,"
    " scheduled_for, due_at, created_at, error_type, error_message, error_fingerprint, revision)"
    " VALUES (:reference, 'purge', 'default', :state, '{\"days\": 90}', :attempt, 3, :schedule,"
    " :scheduled_for, :due_at, :created_at, :error, :error, :error, :revision)"
)


@pytest.fixture(params=BACKENDS)
def old_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A ledger at the revision before, with these runs and an attempt of each that has begun."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = Database(server.url_of(server.make_database()))
    _upgrade(database, "0002")
    with database.begin() as connection:
        for number, old in enumerate(OLD):
            connection.execute(
                _INSERT,
                {
                    "reference": f"RUN-{number}",
                    "state": old.state,
                    "attempt": old.attempt,
                    "schedule": "hourly" if old.scheduled else None,
                    "scheduled_for": _text(NOMINAL) if old.scheduled else None,
                    "due_at": _text(old.due),
                    "created_at": _text(BOOKED),
                    "error": "Broken" if old.state is RunState.FAILED else None,
                    "revision": number,
                },
            )
    yield database
    database.dispose()


def _upgrade(database: Database, revision: str) -> None:
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


def all_runs(database: Database) -> list[Run]:
    """Every run, as the code of this version reads it."""
    return sorted(RunStore(database).newest(limit=1000), key=lambda run: run.id)


def test_every_run_is_kept_and_when_it_was_due_and_may_be_claimed(old_ledger: Database) -> None:
    assert {old.state for old in OLD} == set(RunState)
    assert old_ledger.upgrade() is True
    assert old_ledger.revision() == REVISION
    found = all_runs(old_ledger)
    assert [(run.state, run.attempt) for run in found] == [(old.state, old.attempt) for old in OLD]
    assert [run.due_at for run in found] == [old.first_due for old in OLD]
    assert [run.ready_at for run in found] == [old.due for old in OLD]
    assert {(run.priority, run.unique_key, run.retry_until) for run in found} == {(0, None, None)}
    assert all(dict(run.params) == {"days": 90} for run in found)
    assert {run.payload_bytes for run in found} == {len('{"days": 90}')}


def test_the_error_of_a_run_is_the_first_one_known_of_it(old_ledger: Database) -> None:
    old_ledger.upgrade()
    for run in all_runs(old_ledger):
        assert (run.error is not None) is (run.state is RunState.FAILED)
        assert run.first_error == run.error


def test_runs_that_waited_are_claimed_after_the_upgrade(old_ledger: Database) -> None:
    old_ledger.upgrade()
    runs = RunStore(old_ledger)
    waiting = [
        run for run in all_runs(old_ledger) if run.state in (RunState.QUEUED, RunState.RETRYING)
    ]
    assert {run.id for run in runs.due(silent_for=HOUR)} == {run.id for run in waiting}
    assert all(runs.take(run.id, "worker-1", lambda run: None) for run in waiting)


def test_effects_that_were_open_are_counted_after_the_upgrade(old_ledger: Database) -> None:
    _upgrade(old_ledger, "0004")
    with old_ledger.begin() as connection:
        for key, run_id, state in (("a", 1, "started"), ("b", 1, "started"), ("c", 2, "done")):
            connection.execute(_EFFECT, {"key": key, "run_id": run_id, "state": state})
    old_ledger.upgrade()
    with old_ledger.read() as connection:
        counted = text("SELECT id, effects_open FROM runs ORDER BY id")
        found = {row.id: row.effects_open for row in connection.execute(counted)}
    assert (found[1], found[2], found[3]) == (2, 0, 0)


def test_a_run_that_failed_with_an_open_effect_waits_for_a_review_after_the_upgrade(
    old_ledger: Database,
) -> None:
    number = next(at for at, old in enumerate(OLD, 1) if old.state is RunState.FAILED)
    _upgrade(old_ledger, "0004")
    with old_ledger.begin() as connection:
        connection.execute(_EFFECT, {"key": "a", "run_id": number, "state": "started"})
    old_ledger.upgrade()
    waiting = [run.id for run in all_runs(old_ledger) if run.review == "required"]
    assert waiting == [number]


_EFFECT = text(
    "INSERT INTO effects (key, run_id, attempt, request_hash, state)"
    " VALUES (:key, :run_id, 1, 'hash', :state)"
)
