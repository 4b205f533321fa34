"""Versions: a report that is made again never replaces what another run made; and its manifest."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.reporting.manifest import params_told
from engine.retention import Retention
from engine.store.database import Database
from engine.store.runs import RunStore
from tests.builders.clock import FakeClock
from tests.builders.database import a_database
from tests.builders.publisher import a_publisher
from tests.builders.report import DAY, ROWS, Desk, dataset, facts, sales
from tests.builders.run import a_claim


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(publisher=a_publisher(tmp_path, database))


def test_another_run_of_the_same_makes_the_next_version(desk: Desk, database: Database) -> None:
    (first,) = desk.publish(a_claim(database))
    (second,) = desk.publish(a_claim(database), document=sales(ROWS[:1]))
    assert [first.name, second.name] == [
        "daily-sales-2026-11-23.csv",
        "daily-sales-2026-11-23.v2.csv",
    ]
    assert [first.version, second.version] == [1, 2]
    assert desk.stored(first.path) != desk.stored(second.path)
    assert second.path.endswith("/daily-sales-2026-11-23.v2.csv")


def test_a_retried_attempt_of_a_run_makes_no_other_version(desk: Desk, database: Database) -> None:
    claim = a_claim(database)
    (first,) = desk.publish(claim)
    (same,) = desk.publish(claim)
    (other,) = desk.publish(claim, document=sales(ROWS[:1]))
    assert same == first
    assert (other.id, other.name, other.version) == (first.id, first.name, 1)
    found = sorted(each.path for each in desk.publisher.files.found())
    assert found == sorted(other.paths)


@pytest.mark.parametrize(
    "changes",
    [
        {"params": {"school": "Al Noor"}},
        {"period": (DAY[1], DAY[1])},
        {"period": None},
        {"locale": "ar"},
        {"report": "weekly_sales"},
    ],
)
def test_what_was_asked_otherwise_is_another_series(
    desk: Desk, database: Database, changes: Any
) -> None:
    desk.publish(a_claim(database))
    (other,) = desk.publish(a_claim(database), **changes)
    assert other.version == 1


def test_how_a_run_was_asked_for_the_same_makes_no_difference(
    desk: Desk, database: Database
) -> None:
    asked = {"name": "daily_sales", "period": "previous_day", "school": "all"}
    desk.publish(a_claim(database), params=asked)
    others = {"name": "daily_sales", "formats": ["csv"], "locales": ["en"], "school": "all"}
    (second,) = desk.publish(a_claim(database), params=others)
    assert second.version == 2


def test_parameters_are_told_as_they_are_meant_and_masked_as_they_were() -> None:
    values = {"from": date(2026, 11, 23), "at": DAY[0], "guardian": "Mona", "stage": "all"}
    assert params_told({"guardian": "***", "from": "yesterday", "formats": ["csv"]}, values) == {
        "guardian": "***",
        "from": "2026-11-23",
        "formats": ["csv"],
        "at": "2026-11-22T21:00:00.000Z",
        "stage": "all",
    }


def test_formats_have_versions_of_their_own(desk: Desk, database: Database) -> None:
    desk.publish(a_claim(database), ["csv"])
    made = desk.publish(a_claim(database), ["csv", "jsonl"])
    assert [(each.name, each.version) for each in made] == [
        ("daily-sales-2026-11-23.v2.csv", 2),
        ("daily-sales-2026-11-23.jsonl", 1),
    ]


def test_a_version_that_another_run_took_meanwhile_is_left_to_it(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = desk.publisher.artifacts
    number = artifacts.next_version
    others = [lambda: desk.publish(a_claim(database)) for _ in range(2)]

    def overtaken(series: str, run_id: int) -> int:
        version = number(series, run_id)
        if others:
            others.pop()()
        return version

    monkeypatch.setattr(artifacts, "next_version", overtaken)
    (last,) = desk.publish(a_claim(database))
    assert last.version == 3
    assert sorted(each.version for each in artifacts.list()) == [1, 2, 3]
    assert len(list(desk.publisher.files.found())) == 6


def test_the_manifest_says_what_the_file_was_made_from(desk: Desk, database: Database) -> None:
    (made,) = desk.publish(a_claim(database), ["csv"])
    manifest = json.loads(desk.stored(made.paths[-1]))
    assert made.paths[-1] == f"{made.path}.manifest.json"
    assert manifest == made.manifest
    (held,) = manifest.pop("datasets")
    assert manifest == {
        "manifest": 1,
        "report": "daily_sales",
        "title": "Daily sales",
        "definition_sha256": "d" * 64,
        "template_sha256": None,
        "params": {"school": "all", "guardian": "***"},
        "period": ["2026-11-22T21:00:00.000Z", "2026-11-23T21:00:00.000Z"],
        "timezone": "Asia/Riyadh",
        "locale": "en",
        "confidentiality": "",
        "snapshot_at": "2026-11-23T21:00:00.000Z",
        "code_version": "0.1.0+3f9a2c1b",
        "asked_by": "mona",
        "run": "RUN1",
        "format": "csv",
        "name": "daily-sales-2026-11-23.csv",
        "version": 1,
        "media_type": "text/csv; charset=utf-8",
        "size": made.size,
        "sha256": made.sha256,
        "rows_written": 3,
        "problems": [],
    }
    assert held["totals"] == [
        {"column": "meals", "currency": None, "sum": 56},
        {"column": "sales", "currency": "KWD", "sum": 7_125},
        {"column": "sales", "currency": "SAR", "sum": 135_050},
    ]


def test_the_same_facts_are_properties_of_the_document() -> None:
    assert facts(params={"long": "x" * 300, "ids": [1]}).properties([dataset(sales())]) == {
        "report": "daily_sales",
        "title": "Daily sales",
        "definition_sha256": "d" * 64,
        "param.long": "x" * 254 + "…",
        "param.ids": "[1]",
        "period": "2026-11-22T21:00:00.000Z/2026-11-23T21:00:00.000Z",
        "timezone": "Asia/Riyadh",
        "locale": "en",
        "snapshot_at": "2026-11-23T21:00:00.000Z",
        "code_version": "0.1.0+3f9a2c1b",
        "asked_by": "mona",
        "run": "RUN1",
        "rows.sales": "3",
        "total.sales.meals": "56",
        "total.sales.sales.KWD": "7.125",
        "total.sales.sales.SAR": "1350.50",
    }


def test_an_attempt_that_could_not_store_leaves_all_to_the_next_one(
    desk: Desk, database: Database
) -> None:
    claim = a_claim(database)
    spool = desk.publisher.spool.of(f"RUN{claim.run_id}", claim.attempt)
    assert desk.publisher.earlier_report(spool) is None
    files = desk.write(claim, ["csv", "xlsx"])
    sealed = desk.publisher.seal_report(spool, files, {"result": {"rows": 3}})
    later = desk.publisher.spool.of(f"RUN{claim.run_id}", claim.attempt + 1)
    assert desk.publisher.earlier_report(later) == replace(sealed, files=list(files))
    made = desk.publisher.store_report(claim.run_id, files, claim=claim)
    assert [each.rows for each in made] == [3, 3]


def test_retention_takes_a_manifest_with_its_file_and_never_the_number(
    desk: Desk, database: Database
) -> None:
    desk.publish(a_claim(database))
    clock = FakeClock()
    clock.advance(timedelta(days=400))
    publisher = desk.publisher
    retention = Retention(
        artifacts=publisher.artifacts,
        runs=RunStore(database),
        files=publisher.files,
        spool=publisher.spool,
        clock=clock,
    )
    assert retention.purge() == 1
    assert list(publisher.files.found()) == []
    (second,) = desk.publish(a_claim(database))
    assert second.version == 2
