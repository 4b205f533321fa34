"""A scheduler's booking on a ledger of the test's own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.dispatch import Dispatch
from engine.hiding import Hiding
from engine.scheduler.booking import Booking
from engine.sealing import Keys
from engine.store.runs import RunStore
from tests.builders.clock import FakeClock
from tests.builders.database import a_database
from tests.builders.doorbell import FakeDoorbell
from tests.builders.schedule import JOBS

# Long past, so that whatever is due then is due by the database's clock too.
SIX = datetime(2020, 11, 24, 6, tzinfo=UTC)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunStore]:
    """The runs of an empty ledger."""
    database = a_database(tmp_path)
    yield RunStore(database)
    database.dispose()


@pytest.fixture
def clock() -> FakeClock:
    """Six o'clock."""
    return FakeClock(SIX)


@pytest.fixture
def doorbell() -> FakeDoorbell:
    """Queues without messages."""
    return FakeDoorbell()


@pytest.fixture
def booking(runs: RunStore, clock: FakeClock, doorbell: FakeDoorbell) -> Booking:
    """A scheduler's booking, which read its schedules at six."""
    return Booking(
        dispatch=Dispatch(runs=runs, doorbell=doorbell),
        jobs=JOBS,
        hiding=Hiding(lambda: Keys.parse("k" * 32)),
        clock=clock,
        read_at=SIX,
    )
