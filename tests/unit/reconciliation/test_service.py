"""The reconciliation service: breaks live from run to run, and only a lease may write them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.app import App
from engine.demo.world import World
from engine.effects.faults import LeaseLost
from engine.store.breaks import Break
from engine.store.run import Claim, NewRun
from engine.store.runs import RunStore
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.world import AS_OF, a_world


@dataclass
class AnAttempt:
    """An attempt that the test holds."""

    claim: Claim
    reference: str
    period: tuple[datetime, datetime] | None = None

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Nobody looks."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path, wallets=60, entries=900, faults=5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(AS_OF + timedelta(hours=3))


@pytest.fixture
def app(tmp_path: Path, world: World, clock: FakeClock) -> Iterator[App]:
    app = a_canteen(tmp_path, world, clock)
    yield app
    app.close()


def an_attempt(app: App) -> AnAttempt:
    """A run of the reconcile job, claimed."""
    run, _ = app.runs.book(NewRun(job="reconcile", queue="default"))
    # Nobody renews it, however slow the machine is.
    claim = RunStore(app.database, lease=timedelta(hours=1)).claim(run.id, "a worker")
    assert claim is not None
    return AnAttempt(claim, run.reference)


def reconcile(app: App, **options: Any) -> dict[str, Any]:
    """One whole run."""
    attempt = an_attempt(app)
    result = app.reconciliations.run(attempt, "wallets", **options)
    assert app.runs.succeed(attempt.claim, result)
    return result


def a_drift(app: App) -> Break:
    """One of the open drifts."""
    return app.breaks.list(code="BALANCE_DRIFT", status="open", limit=1)[0]


def change_balance(world: World, wallet: str, by: int) -> None:
    """Somebody corrects, or spoils, a stored balance."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        connection.execute(
            "UPDATE wallets SET balance_minor = balance_minor + ? WHERE id = ?", (by, int(wallet))
        )


def test_running_twice_adds_no_break_and_counts_each_once_more(app: App) -> None:
    first = reconcile(app)
    before = {each.identity for each in app.breaks.list(limit=None)}
    second = reconcile(app)
    after = app.breaks.list(limit=None)
    assert first["opened"] == len(before) > 0
    assert (second["opened"], second["closed"]) == (0, 0)
    assert {each.identity for each in after} == before
    assert {each.occurrences for each in after} == {2}


def test_a_break_that_was_fixed_is_closed_and_reopened_when_it_returns(
    app: App, world: World
) -> None:
    reconcile(app)
    drift = a_drift(app)
    change_balance(world, drift.wallet, -drift.amount_minor)
    assert reconcile(app)["closed"] == 1
    assert app.breaks.show(drift.id).known.status == "auto_closed"
    change_balance(world, drift.wallet, 7)
    assert reconcile(app)["reopened"] == 1
    history = app.breaks.show(drift.id)
    assert history.known.status == "open"
    assert history.known.amount_minor == 7
    assert [move.target for move in history.moves] == ["open", "auto_closed", "open"]


def test_a_break_whose_wallet_could_not_be_read_stays_open(app: App, world: World) -> None:
    reconcile(app)
    drift = a_drift(app)
    with closing(sqlite3.connect(world.path)) as connection, connection:
        # SQLite keeps a text in a column of integers.
        query = "UPDATE wallets SET balance_minor = 'lost' WHERE id = ?"
        connection.execute(query, (int(drift.wallet),))
    result = reconcile(app)
    assert (result["findings"], result["closed"]) == (1, 0)
    assert app.breaks.show(drift.id).known.status == "open"


def test_an_attempt_that_lost_its_lease_records_and_publishes_nothing(app: App) -> None:
    attempt = an_attempt(app)
    stranger = AnAttempt(
        Claim(run_id=attempt.claim.run_id, attempt=1, token="not this one"), attempt.reference
    )
    with pytest.raises(LeaseLost):
        app.reconciliations.run(stranger, "wallets")
    assert app.breaks.list() == []
    assert app.artifacts.list() == []


def test_a_date_stands_for_its_whole_day_in_the_zone_of_the_definition(app: App) -> None:
    result = reconcile(app, as_of=date(2026, 11, 23))
    assert result["cut_off"] == "2026-11-23T21:00:00.000Z"


def test_the_workbook_lists_every_break_with_its_amount_as_a_number(app: App) -> None:
    reconcile(app)
    artifact = next(each for each in app.artifacts.list() if each.name.endswith(".xlsx"))
    with app.publisher.files.open(artifact.path) as file:
        workbook = load_workbook(file)
    sheet = workbook[workbook.sheetnames[-1]]
    rows = list(sheet.iter_rows(values_only=True))
    head = next(index for index, row in enumerate(rows) if "Difference" in row)
    column = rows[head].index("Difference")
    shown = [row[column] for row in rows[head + 1 :] if row[column] is not None]
    breaks = app.breaks.list(limit=None)
    assert artifact.rows == len(breaks)
    assert sorted(shown) == sorted(each.amount_minor / 100 for each in breaks)
    assert sheet.freeze_panes is not None
    workbook.close()
