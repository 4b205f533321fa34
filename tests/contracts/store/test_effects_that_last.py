"""Work in a SQLite ledger ends in time: it is cut off, undone, and nobody waits for it longer."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, text

from engine.effects.effects import Effects
from engine.effects.faults import TookTooLong
from engine.store.database import Database
from engine.store.postgres import Postgres
from engine.store.run import Claim
from engine.store.runs import RunStore
from engine.store.sqlite import Sqlite
from tests.builders.booking import a_claim
from tests.builders.database import a_database, empty

NEVER_ENDING = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """One in which a job's transaction may last a moment."""
    monkeypatch.setattr(Sqlite, "longest_given", timedelta(milliseconds=100))
    made = a_database(tmp_path)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE postings (amount INTEGER)"))
    yield made
    made.dispose()


def post(connection: Connection) -> int:
    """One row."""
    return connection.execute(text("INSERT INTO postings VALUES (500)")).rowcount


def compute(connection: Connection) -> None:
    """In the database, for ever."""
    connection.execute(text(NEVER_ENDING))


def compute_and_go_on(connection: Connection) -> str:
    """As code does that goes on whatever happens."""
    with suppress(Exception):
        compute(connection)
    with suppress(Exception):
        post(connection)
    driver: Any = connection.connection.driver_connection
    with suppress(Exception):
        driver.execute("INSERT INTO postings VALUES (500)")
    return "done"


def wait_for_others(connection: Connection) -> str:
    """In Python, until somebody else has written."""
    driver: Any = connection.connection.driver_connection
    patience = Event()
    for _ in range(600):
        if not driver.in_transaction:
            return "cut off"
        patience.wait(0.05)
    return "never"


@pytest.mark.parametrize("work", [compute, compute_and_go_on, wait_for_others])
def test_work_that_takes_too_long_is_undone(ledger: Database, work: Any) -> None:
    runs, effects = RunStore(ledger), Effects(ledger)
    claim: Claim = a_claim(runs)

    def post_and_last(connection: Connection) -> Any:
        post(connection)
        return work(connection)

    with pytest.raises(TookTooLong, match=r"the work of the effect 'fee' took longer than 0\.1 s"):
        effects.once(claim, "fee", None, post_and_last)
    with ledger.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM postings")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM effects")).scalar_one() == 0
    assert effects.once(claim, "fee", None, post) == 1
    assert runs.renew([claim]) == [claim]


def test_what_ends_in_time_is_kept(ledger: Database) -> None:
    runs, effects = RunStore(ledger), Effects(ledger)
    for number in range(20):
        effects.once(a_claim(runs), f"fee {number}", None, post)
    with ledger.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM postings")).scalar_one() == 20


def test_two_seconds_are_what_a_job_has(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    assert database.longest_given == timedelta(seconds=2)
    database.dispose()


def test_on_postgresql_nobody_waits_for_it(postgres_ledger: Database) -> None:
    assert postgres_ledger.longest_given is None


@pytest.mark.parametrize("work", [compute, compute_and_go_on])
def test_what_a_server_does_can_be_cut_off_as_well(
    postgres_ledger: Database, monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    monkeypatch.setattr(Postgres, "longest_given", timedelta(milliseconds=100))
    claim = a_claim(RunStore(postgres_ledger))
    effects = Effects(postgres_ledger)
    with pytest.raises(TookTooLong):
        effects.once(claim, "fee", None, work)
    assert effects.once(claim, "fee", None, lambda _: "done") == "done"
    empty(postgres_ledger)
