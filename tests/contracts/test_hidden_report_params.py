"""Params of reports that a run hides are in no file of it, no manifest and no record."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from openpyxl import load_workbook

from engine.app import App
from engine.preflight import require_params
from engine.reporting.definition import FORMATS
from engine.signature import InvalidParams
from engine.store.run import NewRun
from engine.store.runs import RunStore
from tests.builders.app import a_canteen
from tests.builders.canaries import Aviary, Search
from tests.builders.clock import FakeClock
from tests.builders.report_run import AReportAttempt, files_of
from tests.builders.sinks import files_of as everything_below
from tests.builders.world import AS_OF, a_world
from tests.unit.schedules.test_scheduled_reports import report

PEOPLE = """\
title: {en: People, ar: الناس}
owner: finance
source: canteen
params:
  mail: {label: {en: Mail, ar: البريد}}
  guardian: {label: {en: Guardian, ar: ولي الأمر}, personal: true}
  bank: {label: {en: Bank, ar: البنك}}
query: SELECT count(*) AS wallets FROM wallets WHERE :mail = :guardian OR :bank = 'none'
columns:
  wallets: {label: {en: Wallets, ar: المحافظ}, type: integer}
locales: [en, ar]
"""
SECRETS = {"mail": "secretperson1@mail.com", "guardian": "MonaAlHarbi", "bank": "TOPSECRETBANK"}
STORED = {"mail": "***", "guardian": "***", "bank": "${secret:bank}"}


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """A canteen with a report that is asked about people."""
    world = a_world(tmp_path, wallets=60, entries=900, faults=5)
    app = a_canteen(tmp_path / "home", world, FakeClock(AS_OF + timedelta(hours=3)))
    (tmp_path / "home" / "reports" / "people.yaml").write_text(PEOPLE, encoding="utf-8")
    yield app
    app.close()


def test_what_a_run_hides_is_nowhere_in_the_files_that_it_leaves(app: App, tmp_path: Path) -> None:
    given = {"name": "people", "params": {**SECRETS, "bank": "${secret:bank}"}}
    booked = app.hiding.booked(report, given)
    new = NewRun(job="report", queue="default", params=booked.shown, to_seal=booked.to_seal)
    run, _ = app.runs.book(new)
    assert run.params == {"name": "people", "params": STORED}
    claim = RunStore(app.database, lease=timedelta(hours=1)).claim(run.id, "a worker")
    assert claim is not None
    attempt = AReportAttempt(claim, run.reference)
    result = app.reports.run(attempt, "people", params=SECRETS, formats=FORMATS)
    assert app.runs.succeed(claim, result)
    files = files_of(app, attempt)
    assert len(files) == 2 * len(FORMATS)
    for name, data in everything_below(tmp_path / "home"):
        for secret in SECRETS.values():
            assert secret.encode() not in data, name
            assert secret.encode("utf-16-be") not in data, name
    english = [(name, file) for name, file in files.items() if "-ar." not in name]
    by_format = {name.partition(".")[2]: file for name, file in english}
    told = {f"param.{name}": value for name, value in STORED.items()}
    properties = {
        each.name: each.value for each in load_workbook(by_format["xlsx"]).custom_doc_props.props
    }
    assert told.items() <= properties.items()
    metadata = dict(pypdf.PdfReader(by_format["pdf"]).metadata or {})
    assert "***" in str(metadata)
    page = by_format["html"].read_text(encoding="utf-8")
    assert "Guardian" in page
    assert "***" in page


def test_a_secret_is_refused_of_a_report_before_it_is_booked(app: App) -> None:
    given = {"name": "people", **SECRETS, "bank": "${secret:bank}"}
    with pytest.raises(InvalidParams, match="bank: a secret cannot be a param of a report"):
        require_params(report, given, app.definitions)


def test_of_all_canaries_in_a_param_none_is_kept_anywhere(app: App, tmp_path: Path) -> None:
    aviary = Aviary()
    given = {"mail": " | ".join(aviary.of_every_kind("report params")), "guardian": "", "bank": ""}
    booked = app.hiding.booked(report, {"name": "people", "params": given})
    run, _ = app.runs.book(NewRun(job="report", queue="default", params=booked.shown))
    claim = RunStore(app.database, lease=timedelta(hours=1)).claim(run.id, "a worker")
    assert claim is not None
    attempt = AReportAttempt(claim, run.reference)
    result = app.reports.run(attempt, "people", params=given, formats=FORMATS, locales=["en"])
    assert app.runs.succeed(claim, result)
    search = Search(aviary.canaries)
    found = [
        f"{each.kind} in {name}: {each.secret}"
        for name, data in everything_below(tmp_path / "home")
        for each in search.found_in(data)
    ]
    assert len(aviary.canaries) > 20
    assert found == []
