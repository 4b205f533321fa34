"""What is asked for one dataset of a report, and what a look at it tells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from engine.errors import Invalid
from engine.exporters.document import Row
from engine.reporting.read_column import ReadColumn
from engine.sources.faults import InvalidQuery, QueryTooLong
from engine.sources.parameters import Params

TIME_LIMIT = timedelta(minutes=5)

Progress: TypeAlias = Callable[[str, int], None]
"""Told the name of a dataset, and how many of its rows are read."""


def unwatched(name: str, rows: int) -> None:
    """Tell nobody."""


class SourceHasNoTables(Invalid):
    """A report's query is on a source that no query can be asked of."""

    message = (
        "dataset {dataset!r}: the source {source!r} is a folder of files, which no query can be "
        "asked of; name a database"
    )


class DatasetTooLong(QueryTooLong):
    """The query of a dataset was not done within its time."""

    message = f"dataset {{dataset!r}}: {QueryTooLong.message}"


@dataclass(frozen=True, kw_only=True)
class DatasetQuery:
    """What is asked for one dataset; instants without a zone are in `timezone`."""

    name: str
    source: str
    query: str
    columns: Sequence[ReadColumn]
    params: Params = field(default_factory=dict)
    timezone: str = "UTC"
    time_limit: timedelta = TIME_LIMIT

    def invalid(self, reason: object) -> InvalidQuery:
        """The query cannot be used, and why."""
        return InvalidQuery(source=self.source, reason=f"dataset {self.name!r}: {reason}")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The first rows, how many there are, and what it would take to read all of them.

    `count` is None where counting took too long; `plan` is the database's own, line by line, and
    `expected` its guess of how many rows there are.
    """

    rows: Sequence[Row]
    count: int | None
    expected: int | None
    cost: float | None
    plan: Sequence[str]
