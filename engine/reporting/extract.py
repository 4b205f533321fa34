"""An extract: the rows that a report's queries give, each read once, all of a source at one moment.

The rows are typed as the report's columns say and kept in a file of the attempt's scratch folder,
so that every format of a run shows the same. Beside them stand the control totals, which the
source itself gives at the same moment.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from engine.clock import Clock
from engine.exporters.batches import Batches
from engine.exporters.document import Kind, Row
from engine.sources.catalog import Sources
from engine.sources.parameters import Params

TIME_LIMIT = timedelta(minutes=5)

Progress = Callable[[str, int], None]
"""Told the name of a dataset, and how many of its rows are read."""


class ReadColumn(Protocol):
    """A column of a query as it is read; a report's own columns are such."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def currency(self) -> str | None: ...
    @property
    def currency_column(self) -> str | None: ...
    @property
    def unit(self) -> Literal["minor", "major"]:
        """Whether amounts come as whole minor units, or as decimals."""

    @property
    def personal(self) -> bool:
        """Whether its values are kept out of errors."""


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


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a source says of a dataset: how many rows, and the sums of its columns.

    `sums` are by column and currency: money in the minor unit of each, whole numbers under None.
    A column without any value in a currency has no sum there.
    """

    rows: int
    sums: Mapping[tuple[str, str | None], int]


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


@contextmanager
def open_extract(
    queries: Sequence[DatasetQuery],
    sources: Sources,
    *,
    scratch: Path,
    clock: Clock,
    progress: Progress = lambda name, rows: None,
) -> Iterator["Extract"]:
    """Check every query, then hold each of their sources still for as long as the context lasts.

    Raises InvalidQuery for a query that is no single SELECT, lacks a column or a parameter, or is
    given one that it does not name. Files go into the folder `scratch`, and are removed at the end.
    """
    raise NotImplementedError
    yield


class Extract(Protocol):
    """The datasets of a report. `taken_at` is the moment of each source, by its name."""

    taken_at: Mapping[str, datetime]

    def rows(self, name: str, columns: Sequence[str] | None = None) -> Batches:
        """A dataset's rows, or some of its columns: as often as one likes, read once.

        The source is read the first time; raises WrongCell of a value that is not what its column
        says, QueryTooLong if the time is over, and what reading a source raises.
        """

    def stream(self, name: str, columns: Sequence[str] | None = None) -> Batches:
        """The same straight from the source, where they are asked for once only."""

    def count(self, name: str) -> int:
        """How many rows of a dataset were read, to its end."""

    def totals(self, name: str) -> Totals:
        """The control totals that the source gives of a dataset, at the same moment."""

    def preview(self, name: str, most: int = 20) -> Preview:
        """A look at a dataset without reading all of it."""
