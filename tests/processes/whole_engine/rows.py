"""Rows that runs write once: what a test looks at to see whether work was lost or doubled."""

from datetime import datetime

from sqlalchemy import text

from engine.store.run import NewRun, Run
from tests.builders.home import Home


def book_a_row(
    home: Home, number: int = 0, *, seconds: float, due_at: datetime | None = None
) -> Run:
    """A run that writes this row once, after a while, having noted its attempts in `pids`."""
    with home.database.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS trial_rows (number INTEGER)"))
    params = {"number": number, "seconds": seconds, "pids": str(home.folder / "pids")}
    new = NewRun(job="write_row_slowly", queue="default", attempts=50, params=params, due_at=due_at)
    return home.dispatch.book(new).run


def rows(home: Home, number: int = 0) -> int:
    """How often the row is there."""
    with home.database.read() as connection:
        counted = text("SELECT count(*) FROM trial_rows WHERE number = :number")
        return int(connection.execute(counted, {"number": number}).scalar_one())
