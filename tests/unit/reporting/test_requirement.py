"""Requirements: what must be reconciled first blocks a report or marks it, as it says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from engine.reporting.definition import Requirement
from engine.reporting.requirement import NotReconciled, Requirements
from engine.store.database import Database
from engine.store.reconciled import Reconciled
from engine.store.reconciliations import ReconciliationStore
from engine.store.runs import RunStore
from tests.builders.database import a_database
from tests.builders.run import a_claim

DAY = (datetime(2026, 11, 22, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC))
NOW = DAY[1] + timedelta(hours=2)
TIED = {
    "currency": "SAR",
    "stored_minor": 110,
    "opening_minor": 60,
    "entries_minor": 40,
    "drift_minor": 15,
    "orphans_minor": 3,
    "mismatched_minor": 2,
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


def reconcile(
    database: Database,
    cut_off: datetime,
    *,
    totals: Sequence[dict[str, Any]] = (TIED,),
    succeeds: bool = True,
) -> None:
    claim = a_claim(database)
    store = ReconciliationStore(database)
    found = Reconciled(
        run_id=claim.run_id,
        reconciliation="wallets",
        cut_off=cut_off,
        read_at=cut_off,
        period=None,
        checks=("balance",),
        differences=[],
        sides=[],
        findings=[],
        totals=totals,
        counts={"BALANCE_DRIFT": 4},
    )
    with database.begin() as connection:
        store.record(connection, found, at=cut_off)
    if succeeds:
        RunStore(database).succeed(claim, None)


def check(
    database: Database,
    otherwise: Literal["block", "stamp"] = "block",
    period: tuple[datetime, datetime] | None = DAY,
) -> Any:
    requirement = Requirement(reconciliation="wallets", otherwise=otherwise)
    return Requirements(ReconciliationStore(database)).check(requirement, period, NOW)


def test_a_report_is_blocked_until_its_reconciliation_has_run(database: Database) -> None:
    with pytest.raises(NotReconciled) as refused:
        check(database)
    assert refused.value.exit_code == 5
    assert str(refused.value) == (
        "not reconciled: wallets has not tied out for 2026-11-22T21:00:00.000Z to "
        "2026-11-23T21:00:00.000Z: it has never run. Run `engine run reconcile -p "
        "definition=wallets -p as_of=2026-11-23T21:00:00.000Z --wait`, then retry this run"
    )


def test_it_is_made_once_it_has_tied_out_open_breaks_or_not(database: Database) -> None:
    reconcile(database, DAY[1])
    assert check(database) is None


def test_one_that_looked_too_early_or_did_not_succeed_is_not_enough(database: Database) -> None:
    reconcile(database, DAY[1] - timedelta(seconds=1))
    with pytest.raises(NotReconciled, match="looked at what was there until 2026-11-23T20:59:59"):
        check(database)
    reconcile(database, DAY[1], succeeds=False)
    with pytest.raises(NotReconciled):
        check(database)


def test_totals_that_do_not_tie_out_are_not_enough(database: Database) -> None:
    reconcile(database, DAY[1], totals=[TIED, {**TIED, "currency": "KWD", "drift_minor": 14}])
    with pytest.raises(NotReconciled, match="its totals of KWD are off"):
        check(database)


def test_a_report_that_may_be_made_all_the_same_says_so_in_alarm(database: Database) -> None:
    lacking = check(database, "stamp")
    notice = lacking.notice("en")
    assert notice.grave
    assert notice.code == "NOT RECONCILED"
    assert notice.text.endswith("it has never run")
    assert lacking.notice("ar").text.endswith("لم تُجرَ هذه المطابقة من قبل")


def test_why_it_has_not_tied_out_is_said_in_both_languages(database: Database) -> None:
    reconcile(database, DAY[1] - timedelta(seconds=1))
    early = check(database, "stamp")
    assert early.notice("en").text.endswith("what was there until 2026-11-23T20:59:59.000Z")
    assert early.notice("ar").text == (
        "لم تكتمل مطابقة wallets، من 2026-11-22T21:00:00.000Z إلى 2026-11-23T21:00:00.000Z: "
        "آخر مطابقة شملت البيانات حتى 2026-11-23T20:59:59.000Z"
    )
    reconcile(database, DAY[1], totals=[{**TIED, "drift_minor": 14}])
    off = check(database, "stamp")
    assert off.notice("en").text.endswith("its totals of SAR are off")
    assert off.notice("ar").text.endswith("في إجماليات SAR فروق غير مفسَّرة")


def test_a_report_of_how_things_are_wants_a_reconciliation_of_the_day_before(
    database: Database,
) -> None:
    reconcile(database, NOW - timedelta(hours=25))
    with pytest.raises(NotReconciled, match="tied out for now"):
        check(database, period=None)
    reconcile(database, NOW - timedelta(hours=23))
    assert check(database, period=None) is None
