"""What the log of a reconciliation's run says: what was read, found and recorded."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.app import App
from engine.demo.world import World
from tests.builders.app import a_canteen
from tests.builders.clock import FakeClock
from tests.builders.world import AS_OF, a_world
from tests.unit.reconciliation.test_service import reconcile


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path, wallets=60, entries=900, faults=5)


@pytest.fixture
def app(tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture) -> Iterator[App]:
    caplog.set_level("INFO", "engine.reconciliation")
    app = a_canteen(tmp_path, world, FakeClock(AS_OF))
    yield app
    app.close()


def spoil(world: World, wallets: int) -> None:
    """SQLite keeps a text in a column of integers."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        query = (
            "UPDATE wallets SET balance_minor = 'lost' "
            "WHERE id IN (SELECT id FROM wallets ORDER BY id LIMIT ?)"
        )
        connection.execute(query, (wallets,))


def said(app: App, caplog: pytest.LogCaptureFixture) -> tuple[dict[str, Any], list[str]]:
    """The result of one run, and the lines of its log; not what making the ledger said."""
    result = reconcile(app)
    ours = [each for each in caplog.records if each.name == "engine.reconciliation"]
    return result, [record.getMessage() for record in ours]


def test_a_run_says_what_it_reads_and_what_it_found(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    result, lines = said(app, caplog)
    assert lines[0] == f"reconciling wallets up to {AS_OF.isoformat()}"
    assert any(line.startswith("read entries from canteen: ") for line in lines)
    assert lines[-1].startswith(f"{result['breaks']} breaks ({result['opened']} opened, 0 reopen")
    assert "BALANCE_DRIFT" in lines[-1]
    assert (result["findings"], result["first_findings"]) == (0, [])


def test_each_finding_is_a_line_and_the_first_are_in_the_result(
    app: App, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(world, wallets=2)
    result, lines = said(app, caplog)
    findings = [line for line in lines if line.startswith("SOURCE_TYPE wallets, ")]
    assert len(findings) == result["findings"] > 0
    assert result["first_findings"] == findings[:5]


def test_many_findings_are_a_count(
    app: App, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(world, wallets=40)
    result, lines = said(app, caplog)
    findings = [line for line in lines if line.startswith("SOURCE_TYPE")]
    assert (result["findings"], len(findings), len(result["first_findings"])) == (40, 20, 5)
    assert "20 more findings about the sources; see the report" in lines
