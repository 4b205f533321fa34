"""The schedules.yaml that comes with the project does what its comments say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.job import Job, job
from engine.schedules.loader import load_schedules
from engine.schedules.schedule import Schedule
from engine.signature import Names, Others, ReconciliationName, ReportName
from tests.builders.reports import definitions_in

ROOT = Path(__file__).parents[2]
DEFINITIONS = {
    "reconciliation": {path.stem for path in ROOT.glob("reconciliations/*.yaml")},
    # No source is set: the schedules are sound on a machine that has none yet.
    "report": definitions_in(ROOT / "reports", sources={}),
}


@job()
def reconcile(context: object, *, definition: ReconciliationName, as_of: datetime) -> None:
    """Stands in for the real one, with what the schedule has to give it."""


@job()
def purge_expired_artifacts(context: object) -> None:
    """Stands in for the real one."""


@job()
def report(
    context: object, *, name: ReportName, formats: Names | None = None, params: Others | None = None
) -> None:
    """Stands in for the real one."""


JOBS: Mapping[str, Job] = {each.name: each for each in (reconcile, report, purge_expired_artifacts)}


@pytest.fixture(scope="module")
def schedules() -> Mapping[str, Schedule]:
    return load_schedules(ROOT / "schedules.yaml", JOBS, DEFINITIONS)


def test_the_wallets_are_reconciled_every_night_up_to_midnight_in_riyadh(
    schedules: Mapping[str, Schedule],
) -> None:
    nightly = schedules["nightly-wallets"]
    firing = nightly.trigger.next_after(datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
    assert firing == datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert nightly.params_for(firing) == {
        "definition": "wallets",
        "as_of": "2026-11-25T00:00:00+03:00",
    }


def test_expired_artifacts_are_purged_on_fridays(schedules: Mapping[str, Schedule]) -> None:
    firing = schedules["weekly-purge"].trigger.next_after(datetime(2026, 11, 24, tzinfo=UTC))
    assert firing == datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
    assert f"{firing:%A}" == "Friday"


def test_every_schedule_that_comes_with_the_project_is_enabled(
    schedules: Mapping[str, Schedule],
) -> None:
    assert [name for name, schedule in schedules.items() if schedule.enabled] == [*schedules]


def test_each_school_day_has_its_sales_in_a_file_the_next_morning(
    schedules: Mapping[str, Schedule],
) -> None:
    daily = schedules["daily-sales"]
    firing = daily.trigger.next_after(datetime(2026, 11, 26, 6, 0, tzinfo=UTC))
    assert firing == datetime(2026, 11, 27, 3, 30, tzinfo=UTC)  # Friday, of Thursday
    assert daily.trigger.next_after(firing) == datetime(2026, 11, 30, 3, 30, tzinfo=UTC)
    assert daily.params_for(firing)["name"] == "daily_sales"
    period = daily.period_for(firing)
    assert period is not None
    assert period.start.isoformat() == "2026-11-26T00:00:00+03:00"
