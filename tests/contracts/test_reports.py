"""Reports on every ledger: each that comes with the engine, in all formats and languages."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from engine.app import App
from engine.demo.first_reports import last_school_day
from engine.effects.faults import LeaseLost
from engine.errors import EngineError, Invalid
from engine.reporting.asking import NothingPersonal
from engine.reporting.definition import FORMATS
from engine.reporting.definitions import UnknownDataset
from engine.reporting.reading import NoRows
from engine.store.database import BACKENDS
from tests.builders.app import ROOT, a_canteen
from tests.builders.clock import FakeClock
from tests.builders.database import a_postgres_ledger
from tests.builders.report_run import a_report_attempt, files_of, make_report
from tests.builders.world import AS_OF, a_world, rows_of
from tests.unit.reconciliation.test_service import an_attempt

NAMES = sorted(file.stem for file in (ROOT / "reports").glob("*.yaml"))
DAY = last_school_day(AS_OF)
MONTH = "2026-11"
OF_THE_LEDGER = ("job_health", "open_breaks")
SUFFIXES = {"csv", "excel.csv", "xlsx", "pdf", "parquet", "jsonl", "html"}


@pytest.fixture(params=BACKENDS)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """A small canteen, with the run ledger on each database."""
    url = None
    if request.param == "postgresql":
        url = a_postgres_ledger(request.getfixturevalue("postgres_server"))
    world = a_world(tmp_path, wallets=60, entries=900, faults=5)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF + timedelta(hours=3)), url)
    yield app
    app.close()


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[App]:
    """The same, with its ledger in a file: what a format holds is no matter of the ledger."""
    world = a_world(tmp_path, wallets=60, entries=900, faults=5)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF + timedelta(hours=3)))
    yield app
    app.close()


def reconcile(app: App) -> None:
    """Let the canteen's night pass."""
    attempt = an_attempt(app)
    app.runs.succeed(attempt.claim, app.reconciliations.run(attempt, "wallets"))


def wish(name: str) -> dict[str, Any]:
    """What a report needs to have something to say about this canteen."""
    if name == "wallet_statement":
        return {"params": {"wallet": 700_001}, "period": MONTH}
    if name in OF_THE_LEDGER:
        # Runs are booked by the clock of the ledger, which no test stands still.
        return {"params": {"from": "2020-01-01", "to": "2100-01-01"}} if name[0] == "j" else {}
    return {"period": DAY if name == "dormant_wallets" else MONTH}


def lines_of(file: Path) -> list[str]:
    """The lines of a text file."""
    return file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_there_in_every_format_and_language_with_the_same_rows(
    in_a_file: App, name: str
) -> None:
    app = in_a_file
    if name == "open_breaks":
        reconcile(app)
    files = make_report(app, name, formats=FORMATS, **wish(name))
    suffixes = {file.partition(".")[2] for file in files}
    assert suffixes == SUFFIXES
    for language in ("", "-ar"):
        by_suffix = {
            file.partition(".")[2]: path
            for file, path in files.items()
            if file.partition(".")[0].endswith("-ar") == bool(language) and "holder" not in file
        }
        rows = list(csv.reader(lines_of(by_suffix["csv"])))
        objects = [json.loads(line) for line in lines_of(by_suffix["jsonl"])]
        table = pq.read_table(by_suffix["parquet"])
        for_excel = list(csv.reader(lines_of(by_suffix["excel.csv"])))
        assert len(rows) - 1 == len(for_excel) - 1 == len(objects) == table.num_rows
        assert rows[0] == table.column_names
        book = load_workbook(by_suffix["xlsx"])
        assert {bool(sheet.sheet_view.rightToLeft) for sheet in book} == {bool(language)}
        assert by_suffix["pdf"].read_bytes()[:5] == b"%PDF-"
        assert by_suffix["html"].read_text(encoding="utf-8").startswith("<!")
        if name not in ("job_health", "dormant_wallets"):
            assert objects


def test_a_report_may_ask_for_every_format_that_is_written(in_a_file: App) -> None:
    assert {*FORMATS} == in_a_file.publisher.exporters.keys()


def test_sales_are_what_a_plain_query_adds_up(app: App, tmp_path: Path) -> None:
    files = make_report(app, "daily_sales", period=MONTH, formats=["csv"], locales=["en"])
    rows = list(csv.DictReader(lines_of(files["daily_sales-2026-11.csv"])))
    world = a_world(tmp_path / "again", wallets=60, entries=900, faults=5)
    (expected,) = rows_of(
        world,
        "SELECT count(*) AS purchases, sum(e.amount_minor) AS sales FROM entries e"
        " JOIN wallets w ON w.id = e.wallet_id JOIN students t ON t.id = w.student_id"
        " WHERE type = 'purchase' AND e.status = 'posted'"
        " AND date(e.posted_at, '+3 hours') >= '2026-11-01'",
    )
    assert sum(int(row["purchases"]) for row in rows) == expected["purchases"]
    assert sum(Decimal(row["sales"]) for row in rows) * 100 == expected["sales"]


def test_breaks_are_those_of_the_ledger(app: App) -> None:
    reconcile(app)
    files = make_report(app, "open_breaks", formats=["jsonl"], locales=["en"])
    (path,) = files.values()
    found = [json.loads(line) for line in lines_of(path)]
    assert {row["code"] for row in found} == {each.code for each in app.breaks.list(limit=None)}
    assert len(found) == len(app.breaks.list(limit=None))


@pytest.mark.parametrize("name", OF_THE_LEDGER)
def test_what_the_ledger_knows_is_a_report_wherever_it_is(app: App, name: str) -> None:
    reconcile(app)
    files = make_report(app, name, formats=["csv", "jsonl"], **wish(name))
    counts = {len(lines_of(path)) - file.endswith("csv") for file, path in files.items()}
    assert len(counts) == 1
    assert counts.pop() > 0


def test_what_is_personal_is_masked_unless_it_is_asked_for(in_a_file: App) -> None:
    app = in_a_file
    asked = {"params": {"wallet": 700_001}, "period": MONTH, "formats": FORMATS}
    masked = make_report(app, "wallet_statement", **asked)
    shown = make_report(app, "wallet_statement", personal=True, **asked)
    for name in ("wallet_statement-2026-11-holder.csv", "wallet_statement-2026-11-holder-ar.csv"):
        text = masked[name].read_text(encoding="utf-8")
        assert "***" in text
        assert "@example.com" not in text
    assert all(b"@example.com" not in path.read_bytes() for path in masked.values())
    of_shown = {name.replace(".v2", ""): path for name, path in shown.items()}
    text = of_shown["wallet_statement-2026-11-holder.csv"].read_text(encoding="utf-8")
    assert "@example.com" in text
    assert "***" not in text


def test_a_report_that_shows_it_to_nobody_is_not_asked_for_it(app: App) -> None:
    with pytest.raises(NothingPersonal, match="daily_sales shows nobody"):
        make_report(app, "daily_sales", personal=True)


def test_another_run_is_another_version_and_overwrites_nothing(app: App) -> None:
    one = make_report(app, "daily_sales", period=DAY, formats=["csv"], locales=["en"])
    two = make_report(app, "daily_sales", period=DAY, formats=["csv"], locales=["en"])
    assert [*one, *two] == [f"daily_sales-{DAY}.csv", f"daily_sales-{DAY}.v2.csv"]
    first, second = (path.read_bytes() for path in (*one.values(), *two.values()))
    assert first == second


def test_without_a_period_it_is_that_before_the_firing_whenever_it_runs(app: App) -> None:
    attempt = a_report_attempt(app, scheduled_for=AS_OF + timedelta(hours=4))
    app.reports.run(attempt, "daily_sales", formats=["csv"], locales=["en"])
    assert [*files_of(app, attempt)] == ["daily_sales-2026-11-23.csv"]


def test_the_period_of_its_schedule_comes_before_its_own(app: App) -> None:
    week = (AS_OF - timedelta(days=9), AS_OF - timedelta(days=2))
    attempt = a_report_attempt(app, period=week)
    app.reports.run(attempt, "daily_sales", formats=["csv"], locales=["en"])
    assert [*files_of(app, attempt)] == ["daily_sales-2026-11-15_2026-11-21.csv"]


def test_an_export_is_the_rows_of_one_dataset(app: App) -> None:
    attempt = a_report_attempt(app)
    asked: dict[str, Any] = {"params": {"wallet": "700001"}, "period": MONTH, "locales": ["en"]}
    result = app.reports.export(attempt, "wallet_statement", dataset="holder", **asked)
    assert result["rows"] == {"holder": 1}
    assert [*files_of(app, attempt)] == ["wallet_statement-2026-11-holder.csv"]
    with pytest.raises(UnknownDataset, match="did you mean 'holder'"):
        app.reports.export(a_report_attempt(app), "wallet_statement", dataset="holders", **asked)


def test_a_run_that_is_somebody_elses_by_now_leaves_no_record(app: App) -> None:
    attempt = a_report_attempt(app)
    assert app.runs.succeed(attempt.claim, None)
    with pytest.raises(LeaseLost):
        app.reports.run(attempt, "daily_sales", period=DAY, formats=["csv"])
    assert files_of(app, attempt) == {}


def test_nothing_is_left_behind_by_a_reading_that_fails(app: App) -> None:
    report = app.settings.reports_folder / "broken.yaml"
    report.write_text(
        "title: Broken\nowner: nobody\nsource: canteen\n"
        "query: SELECT reference AS number FROM entries\n"
        "columns: {number: {label: Number, type: integer}}\n"
    )
    attempt = a_report_attempt(app)
    with pytest.raises(EngineError, match="number"):
        app.reports.run(attempt, "broken")
    spooled = app.settings.spool_folder / attempt.reference
    assert [path for path in spooled.rglob("*") if path.is_file()] == []
    assert files_of(app, attempt) == {}


def test_progress_says_what_is_read_and_written(app: App) -> None:
    attempt = a_report_attempt(app)
    app.reports.run(attempt, "daily_sales", period=DAY, formats=["csv"], locales=["en"])
    assert attempt.said[0] == "reading canteen"
    assert any(note.startswith("main: ") for note in attempt.said)
    assert f"writing daily_sales-{DAY}" in attempt.said
    assert attempt.said[-1] == "done"


@pytest.mark.parametrize("dataset", [None, "entries"])
def test_of_a_wallet_that_is_not_there_no_statement_is_made(
    in_a_file: App, dataset: str | None
) -> None:
    given: dict[str, Any] = {"params": {"wallet": 999_999_999}, "period": MONTH}
    attempt = a_report_attempt(in_a_file)
    with pytest.raises(
        NoRows, match=r"^dataset holder has no rows: .*; see the params wallet$"
    ) as no:
        in_a_file.reports.run(attempt, "wallet_statement", dataset=dataset, **given)
    assert not files_of(in_a_file, attempt)
    assert isinstance(no.value, Invalid)  # which no retry mends
