"""Documents, tables and rows for tests of what is written in files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from engine.exporters.document import Cell, Column, Document, Kind, Row, Stream, Table

MADE_AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)

NAME = Column(name="name", title="Name")
COUNT = Column(name="count", title="Count", kind=Kind.INTEGER)
CURRENCY = Column(name="currency", title="Currency")
AMOUNT = Column(name="amount", title="Amount", kind=Kind.MONEY, currency_column="currency")
SHARE = Column(name="share", title="Share", kind=Kind.PERCENT)
AT = Column(name="at", title="At", kind=Kind.DATETIME)


def a_table(columns: Sequence[Column], rows: Iterable[Row], name: str = "people") -> Table:
    """A table titled like its name."""
    return Table(name=name, title=name.title(), columns=columns, rows=rows)


def a_document(
    columns: Sequence[Column] = (NAME, COUNT),
    rows: Iterable[Row] = (),
    *,
    title: str = "People",
    timezone: str = "Asia/Riyadh",
) -> Document:
    """A document of one table."""
    return Document(
        title=title, made_at=MADE_AT, timezone=timezone, tables=[a_table(columns, rows)]
    )


class CountedRow(list[Cell]):
    """A row that knows how many of its kind are alive, and how many ever were at once."""

    alive: ClassVar[int] = 0
    most_alive: ClassVar[int] = 0

    def __init__(self, cells: Iterable[Cell]) -> None:
        super().__init__(cells)
        CountedRow.alive += 1
        CountedRow.most_alive = max(CountedRow.most_alive, CountedRow.alive)

    def __del__(self) -> None:
        CountedRow.alive -= 1


def counted_rows(how_many: int) -> Stream:
    """Rows of NAME and COUNT that are counted while they live."""

    def rows() -> Iterator[Row]:
        for number in range(how_many):
            yield CountedRow([f"person {number}", number])

    CountedRow.most_alive = 0
    return Stream(rows)
