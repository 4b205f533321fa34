"""Documents: what a file should say, before anybody decides on its format.

A Document is small; only the rows of its tables may be many, and those are read as a stream, as
often as needed. Amounts are integers of the minor unit and instants are aware: an exporter turns
them into what its format shows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from engine.money import format_minor

Cell: TypeAlias = str | int | Decimal | date | datetime | bool | None
Row: TypeAlias = Sequence[Cell]


class Kind(StrEnum):
    """What the cells of a column are, and so how they are written and aligned."""

    TEXT = "text"  # str
    INTEGER = "integer"  # int
    MONEY = "money"  # int, of the minor unit
    PERCENT = "percent"  # Decimal, 0.125 is 12.5%
    DATE = "date"  # date, and no datetime
    DATETIME = "datetime"  # aware datetime
    BOOLEAN = "boolean"  # bool


_LINKS = ("https://", "mailto:")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: `name` is for machines, `title` for people, `width` in characters.

    A money column has one `currency`, or the name of the column that holds each row's code. One
    that is `hidden` is for machines only. `link` is an address with {} where the cell goes. What
    has a `total` is added up below the rows.
    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    currency: str | None = None
    currency_column: str | None = None
    width: int | None = None
    hidden: bool = False
    link: str | None = None
    total: bool = False

    def __post_init__(self) -> None:
        """Refuse a money column of unknown currency, and a currency on anything else."""
        given = [self.currency, self.currency_column].count(None)
        if given != (1 if self.kind is Kind.MONEY else 2):
            raise ValueError(f"column {self.name}: money needs one currency, other kinds none")
        if self.link is not None and not self.link.startswith(_LINKS):
            raise ValueError(f"column {self.name}: a link begins with {' or '.join(_LINKS)}")


@dataclass(frozen=True)
class Stream:
    """Rows that are made anew for each reading, so that nobody has to hold them."""

    make: Callable[[], Iterable[Row]]

    def __iter__(self) -> Iterator[Row]:
        """Read the rows from the start."""
        return iter(self.make())


@dataclass(frozen=True, kw_only=True)
class Table:
    """Named, titled rows under typed columns; `note` is said to the reader before the rows.

    `totals` are rows of the same columns, one a currency, which files for people set below.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    totals: Sequence[Row] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what would fail only after half a file is written."""
        if isinstance(self.rows, Iterator):
            raise ValueError(f"table {self.name}: rows are read more than once; give a Stream")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"table {self.name}: needs columns, each of its own name: {names}")
        missing = {c.currency_column for c in self.columns} - {None, *names}
        if missing:
            raise ValueError(f"table {self.name}: no such currency column: {missing}")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line about the whole document; an integer with a `currency` is money."""

    label: str
    value: str | int | datetime
    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something a reader must know before the numbers; `grave` ones are shown in alarm."""

    code: str
    text: str
    grave: bool = True


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart; `note` is said beside the number."""

    label: str
    value: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Numbers beside each other, or the points of one `line` in their order.

    With a `currency` they are amounts, of its minor unit.
    """

    title: str
    bars: Sequence[Bar]
    currency: str | None = None
    line: bool = False

    def said(self, bar: Bar) -> str:
        """A bar's number as people read it."""
        if self.currency is None:
            return f"{bar.value:,}"
        return f"{format_minor(bar.value, self.currency)} {self.currency}"


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything one file says, in reading order.

    `summaries` are small tables of the front page (or sheet); the first of `tables` is the main
    one: formats of one table hold just that, and row counts mean its rows. `template` is the page
    a PDF is made from, where the folder of templates has it. `properties` go where a format has
    room for facts about the file itself.
    """

    title: str
    made_at: datetime
    timezone: str = "UTC"
    language: Literal["en", "ar"] = "en"
    digits: Literal["latin", "arabic"] = "latin"
    hijri: bool = False  # beside each Gregorian date for people
    confidentiality: str = ""
    subtitle: str = ""
    notices: Sequence[Notice] = ()
    facts: Sequence[Fact] = ()
    summaries: Sequence[Table] = ()
    charts: Sequence[BarChart] = ()
    tables: Sequence[Table]
    template: str | None = None
    keywords: Sequence[str] = field(default=())
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def main(self) -> Table:
        """The table that the document is about."""
        return self.tables[0]

    def named(self, name: str | None) -> Table:
        """The table of that name; the main one for none."""
        for table in self.tables:
            if name in (None, table.name):
                return table
        raise ValueError(f"no table is named {name!r}: {[table.name for table in self.tables]}")

    @property
    def rtl(self) -> bool:
        """Whether it is read from right to left."""
        return self.language == "ar"

    def __post_init__(self) -> None:
        """Refuse a document about nothing."""
        if not self.tables:
            raise ValueError("a document needs at least one table")
