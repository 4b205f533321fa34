"""A batch that is lost between a source and a report's file fails the run, in every format."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.app import App
from engine.reporting.kept_rows import KeptRows
from engine.reporting.proof import ProofFailed
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.report_run import a_report_attempt
from tests.builders.world import AS_OF, a_world

FORMATS = ["csv", "jsonl", "parquet", "xlsx", "html", "pdf"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    world = a_world(tmp_path, wallets=60, entries=900, faults=5)
    app = a_canteen(tmp_path, world, FakeClock(AS_OF + timedelta(hours=3)))
    yield app
    app.close()


def test_rows_that_never_reach_the_files_are_missed_in_each_of_them(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = KeptRows.batches

    def without_the_last_row(self: KeptRows, columns: Sequence[str] | None = None) -> Iterator[Any]:
        for batch in whole(self, columns):
            yield batch.slice(0, batch.num_rows - 1)

    monkeypatch.setattr(KeptRows, "batches", without_the_last_row)
    attempt = a_report_attempt(app)
    with pytest.raises(ProofFailed) as failed:
        app.reports.run(
            attempt, "topups_and_refunds", period="2026-11", formats=FORMATS, locales=["en"]
        )
    assert f"{len(FORMATS)} of the run's files are in quarantine" in str(failed.value)
    assert "off by -1" in str(failed.value)
    assert not app.jobs["report"].retry.retries(failed.value)
    assert app.artifacts.list() == []
    kept = app.artifacts.list(quarantined=True)
    assert sorted(each.name.rpartition(".")[2] for each in kept) == sorted(FORMATS)
    assert all(".quarantined-1." in each.name for each in kept)
