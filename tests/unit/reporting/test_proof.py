"""Proofs: what was lost, doubled or changed between a source and a file is found, and said."""

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from engine.exporters.document import Document
from engine.exporters.exporter import Exporter
from engine.exporters.formats import EXPORTERS
from engine.exporters.recount.figures import Figures, Sum
from engine.exporters.recount.recounts import RECOUNTS
from engine.reporting.proof import ProofFailed
from engine.store.database import Database
from tests.builders.database import a_database
from tests.builders.publisher import a_publisher
from tests.builders.report import ROWS, Desk, dataset, sales
from tests.builders.run import a_claim

SUMMED = [name for name in RECOUNTS if name != "html"]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(publisher=a_publisher(tmp_path, database))


class Lossy:
    """An exporter that loses the end of what it writes, and says that it wrote all."""

    streams = True

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self.suffix, self.media_type = exporter.suffix, exporter.media_type

    def write(self, document: Document, target: BinaryIO) -> int:
        table = document.main
        rows = list(table.rows)
        self._exporter.write(replace(document, tables=[replace(table, rows=rows[:-1])]), target)
        return len(rows)


def lossy(desk: Desk, format_name: str) -> Desk:
    exporters: Any = {format_name: Lossy(EXPORTERS[format_name])}
    return Desk(publisher=replace(desk.publisher, exporters=exporters))


@pytest.mark.parametrize("format_name", [name for name in EXPORTERS if name != "pdf"])
def test_a_file_that_holds_what_was_read_has_no_problem(
    desk: Desk, database: Database, format_name: str
) -> None:
    (file,) = desk.write(a_claim(database), [format_name])
    assert file.problems is None
    (held,) = file.manifest["datasets"]
    assert (held["rows"], held["rows_in_source"], held["rows_in_file"]) == (3, 3, 3)
    assert held["totals_found_in"] == (["source", "file"] if format_name in SUMMED else ["source"])


@pytest.mark.parametrize("format_name", [*RECOUNTS])
def test_rows_that_a_writer_lost_are_missed(
    desk: Desk, database: Database, format_name: str
) -> None:
    (file,) = lossy(desk, format_name).write(a_claim(database), [format_name])
    said = file.problems or ""
    assert "rows of sales are 2 in the file, 3 read: off by -1" in said
    if format_name in SUMMED:
        assert "total sales KWD of sales is 0.000 in the file, 7.125 read: off by -7.125" in said
        assert "total meals of sales is 44 in the file, 56 read: off by -12" in said
        assert "SAR" not in said


@pytest.mark.parametrize("format_name", SUMMED)
def test_an_amount_that_changed_on_its_way_is_missed(
    desk: Desk, database: Database, format_name: str
) -> None:
    read = dataset(sales())
    wrong = sales([*ROWS[:2], ("Salmiya", "KWD", 7_126, 12)])
    (file,) = desk.write(a_claim(database), [format_name], document=wrong, read=read)
    assert file.problems == (
        f"{file.name}: total sales KWD of sales is 7.126 in the file, 7.125 read: off by 0.001"
    )


def test_rows_that_were_lost_while_they_were_read_are_missed(
    desk: Desk, database: Database
) -> None:
    asked = Figures(rows=4, sums={Sum("sales", "SAR"): 135_051, Sum("sales", "KWD"): 7_125})
    read = dataset(sales(), asked)
    read = replace(
        read,
        read=replace(read.read, sums={Sum("sales", "SAR"): 135_050, Sum("sales", "KWD"): 7_125}),
    )
    (file,) = desk.write(a_claim(database), ["html"], read=read)
    assert file.problems == (
        "daily-sales-2026-11-23.html: rows of sales are 3 as read, 4 in the source: off by -1; "
        "total sales SAR of sales is 1,350.50 as read, 1,350.51 in the source: off by -0.01"
    )


def test_a_byte_that_flips_before_the_file_is_read_again_is_missed(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = type(RECOUNTS["csv"]).count

    def after_a_flip(self: Any, file: Path, layouts: Any) -> Any:
        data = file.read_bytes()
        file.write_bytes(data.replace(b"1250.50", b"1251.50"))
        return count(self, file, layouts)

    monkeypatch.setattr(type(RECOUNTS["csv"]), "count", after_a_flip)
    (file,) = desk.write(a_claim(database), ["csv"])
    assert "total sales SAR of sales is 1,351.50 in the file, 1,350.50 read" in str(file.problems)


def test_a_file_that_is_not_what_it_should_be_is_kept_apart_and_fails_the_run(
    desk: Desk, database: Database
) -> None:
    claim = a_claim(database)
    broken, whole = lossy(desk, "csv").write(claim, ["csv"]), desk.write(claim, ["jsonl"])
    with pytest.raises(ProofFailed) as failed:
        desk.publisher.store_report(claim.run_id, [*broken, *whole], claim=claim)
    assert "1 of the run's files" in str(failed.value)
    assert "daily-sales-2026-11-23.csv: rows of sales are 2 in the file, 3 read" in str(
        failed.value
    )
    artifacts = desk.publisher.artifacts
    assert [each.name for each in artifacts.list()] == ["daily-sales-2026-11-23.jsonl"]
    (kept,) = artifacts.list(quarantined=True)
    assert kept.name == "daily-sales-2026-11-23.quarantined-1.csv"
    assert "off by -1" in str(kept.quarantined)
    assert desk.stored(kept.path).count(b"\r\n") == 3
    assert kept.manifest is not None
    assert kept.manifest["problems"]
    # The next run's file is a first version all the same.
    (good,) = desk.publish(a_claim(database), ["csv"])
    assert (good.name, good.version) == ("daily-sales-2026-11-23.csv", 1)
