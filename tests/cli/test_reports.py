"""`engine reports`: what is there, what a run would give, whether the files are right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.reporting.schema import report_schema
from tests.cli.conftest import Engine

Told = Callable[..., Any]
WRONG = """\
title: Sales
owner: finance
source: canteen
query: SELECT id, balance_minor AS balance FROM wallets WHERE id = :wallet
params:
  wallet: {type: integer}
columns:
  id: {label: Id, type: integer}
  balence: {label: Balance, type: money, currency: SAR}
"""


def test_a_report_has_the_keys_that_others_rely_on(told: Told) -> None:
    reports = {each["name"]: each for each in told("reports", "list")["reports"]}
    assert len(reports) >= 8
    assert set(reports["daily_sales"]) == {
        *("name", "title", "owner", "source", "period", "datasets", "params", "formats"),
        *("locales", "problem"),
    }
    assert reports["wallet_statement"]["datasets"] == ["entries", "holder"]
    assert reports["wallet_statement"]["params"][0] == {
        "name": "wallet",
        "type": "integer",
        "required": True,
        "default": None,
        "choices": [],
    }


def test_the_reports_that_come_with_the_engine_fit_their_sources(told: Told) -> None:
    assert told("reports", "check") == {"valid": True, "problems": [], "unchecked": []}


def test_a_query_is_held_against_its_source(engine: Engine, home: Path) -> None:
    file = home / "reports" / "wrong.yaml"
    file.write_text(WRONG)
    try:
        done = engine("reports", "check", "wrong", "--json")
        listed = engine("reports", "list", "--json")
    finally:
        file.unlink()
    assert done.returncode == 2
    said = [
        each["text"].partition("wrong.yaml:")[2] for each in json.loads(done.stdout)["problems"]
    ]
    assert said == [
        "4:1 query: the query gives 'balance', which is not declared; did you mean 'balence'?",
        "9:3 columns.balence: the query gives no column 'balence'; did you mean 'balance'?",
    ]
    # What only the source can tell hides nothing from a list.
    assert {each["name"] for each in json.loads(listed.stdout)["reports"]} >= {"wrong"}


def test_a_source_that_is_away_is_said_and_is_no_mistake(engine: Engine, home: Path) -> None:
    done = engine(
        *("reports", "check", "daily_sales"), ENGINE_SOURCES__CANTEEN="sqlite:///nowhere.db"
    )
    assert done.returncode == 0
    assert "not held against its source: the source 'canteen' cannot be read" in done.stdout


def test_the_schema_is_printed_as_it_is(told: Told) -> None:
    assert told("reports", "schema") == report_schema()


def test_a_preview_shows_first_rows_counts_and_costs_and_stores_nothing(told: Told) -> None:
    before = told("artifacts", "list")
    found = told(
        *("reports", "preview", "ledger_export", "--period", "2026-11-22", "--rows", "3"),
        *("--format", "csv", "--format", "xlsx"),
    )
    (dataset,) = found["datasets"]
    assert found["period"] == "2026-11-22"
    assert len(dataset["rows"]) == 3
    assert dataset["count"] > 3
    assert [each["format"] for each in found["costs"]] == ["csv", "xlsx"]
    assert all(each["size"] > 0 for each in found["costs"])
    assert told("artifacts", "list") == before


def test_a_preview_masks_what_is_personal(engine: Engine) -> None:
    done = engine("reports", "preview", "wallet_statement", "-p", "wallet=700001")
    assert done.returncode == 0, done.stderr
    assert "***" in done.stdout
    assert "@example.com" not in done.stdout


def test_what_is_wrong_with_a_run_is_said_before_it_is_booked(engine: Engine) -> None:
    said = {
        ("daily_sale",): "no report is named 'daily_sale'; did you mean 'daily_sales'?",
        ("wallet_statement",): "needs the param 'wallet' (integer)",
        ("daily_sales", "-p", "form=2026-11-01"): "no param 'form'; did you mean 'from'?",
        ("daily_sales", "-p", "stage=primery"): "none of the choices: primary, intermediate",
        ("daily_sales", "--format", "exel"): "no format is named 'exel'",
        ("daily_sales", "--locale", "fr"): "is not made in 'fr'",
        ("daily_sales", "--personal"): "shows nobody what is personal",
    }
    for arguments, message in said.items():
        done = engine("reports", "run", *arguments)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_run_is_one_of_the_job_that_makes_reports(told: Told) -> None:
    run = told("reports", "run", "daily_sales", "--period", "2026-11-22", "--locale", "ar")
    assert run["job"] == "report"
    assert run["params"] == {"name": "daily_sales", "period": "2026-11-22", "locales": ["ar"]}
    same = told("run", "report", "-p", "name=daily_sales", "-p", "stage=primary")
    assert same["params"] == {"name": "daily_sales", "params": {"stage": "primary"}}


@pytest.mark.parametrize(
    "given",
    [
        ["daily_sales", "--period", "2026-13"],
        ["daily_sales", "--period", "2026-02-29"],
        ["wallet_statement", "-p", "wallet=1", "-p", "from=2026-12-01", "-p", "to=2026-11-01"],
    ],
)
def test_a_run_that_could_not_be_made_is_refused_before_it_is_booked(
    engine: Engine, told: Told, given: list[str]
) -> None:
    before = told("runs", "list")["runs"]
    report, *options = given
    assert engine("reports", "run", *given).returncode == 2
    as_params = ["-p" if each == "--period" else each for each in options]
    as_params = [f"period={each}" if each[:2] == "20" else each for each in as_params]
    done = engine("run", "report", "-p", f"name={report}", *as_params)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert told("runs", "list")["runs"] == before
