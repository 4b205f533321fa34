"""What attempts said: log lines, standard output and standard error, kept with their run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from engine.store.database import Database
from engine.store.tables import log_lines


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line of one attempt; `stream` is log, stdout or stderr."""

    attempt: int
    at: datetime
    stream: str
    text: str


class LogStore:
    """The lines of every attempt, in the order in which they came."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def append(self, run_id: int, lines: Sequence[LogLine]) -> None:
        """Keep the lines."""
        if not lines:
            return
        rows = [
            {
                "run_id": run_id,
                "attempt": line.attempt,
                "at": line.at,
                "stream": line.stream,
                "text": line.text,
            }
            for line in lines
        ]
        with self.database.begin() as connection:
            connection.execute(insert(log_lines), rows)

    def of_run(
        self, run_id: int, *, attempt: int | None = None, after: int = 0
    ) -> Sequence[LogLine]:
        """A run's lines, from the one numbered `after` on; of one attempt if it is named."""
        c = log_lines.c
        query = select(c.attempt, c.at, c.stream, c.text).where(c.run_id == run_id).order_by(c.id)
        if attempt is not None:
            query = query.where(c.attempt == attempt)
        with self.database.read() as connection:
            rows = connection.execute(query.offset(after)).mappings()
            return [LogLine(**row) for row in rows]
