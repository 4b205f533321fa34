"""What a scrape costs: a ledger of any size is looked through once, at the first reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from engine.events import UNTOUCHED_FOR
from engine.execution.watch import Watch
from engine.metrics.reading import LedgerReader
from engine.store.database import Database
from engine.store.events import EventStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from tests.builders.booking import BROKEN, a_claim, a_run
from tests.builders.database import a_database

Statement = tuple[str, Any]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Database]:
    """One with a few runs; only SQLite plans the same way for few rows as for many."""
    database = a_database(tmp_path)
    runs = RunStore(database)
    a_run(runs)
    runs.succeed(a_claim(runs), None)
    runs.fail(a_claim(runs), BROKEN, needs_review=True)
    yield database
    database.dispose()


@contextmanager
def noted(statements: list[Statement]) -> Iterator[None]:
    """What is asked meanwhile."""

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        statements.append((text, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def scans(database: Database, statements: list[Statement]) -> list[str]:
    """The statements that look through all runs or attempts, from one end to the other."""
    found = []
    with database.read() as connection:
        for text, parameters in statements:
            # It begins at the newest one, and ends at the first that it finds.
            is_bounded = "ORDER BY runs.id DESC" in text and "LIMIT" in text
            if not text.startswith("SELECT") or is_bounded:
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
            steps = [str(step[3]) for step in plan]
            if any(step.startswith(("SCAN runs", "SCAN attempts")) for step in steps):
                found.append(f"{text}: {steps}")
    return found


def test_no_reading_but_the_first_looks_through_a_table(ledger: Database) -> None:
    reader = LedgerReader(database=lambda: ledger)
    first: list[Statement] = []
    with noted(first):
        reader.read()
    assert len(scans(ledger, first)) == 1
    again: list[Statement] = []
    with noted(again):
        reader.read()
    assert len(again) > 5
    assert scans(ledger, again) == []


def test_the_watch_looks_through_no_table(ledger: Database) -> None:
    statements: list[Statement] = []
    with noted(statements):
        Watch(events=EventStore(ledger), counts=RunCounts(ledger)).look()
        RunCounts(ledger).untouched(since=UNTOUCHED_FOR)
    assert len(statements) > 3
    assert scans(ledger, statements) == []
