"""Layouts: what a table in a file looks like, as far as it must be known to count it again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.exporters.document import Column, Kind, Table


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a table, and how many rows of totals stand below its rows."""

    name: str
    title: str
    columns: Sequence[Column]
    totals: int = 0

    def added(self) -> Iterator[tuple[int, Column]]:
        """The columns that are added up, with their places: amounts, and totals of numbers."""
        for place, column in enumerate(self.columns):
            if column.kind is Kind.MONEY or (column.kind is Kind.INTEGER and column.total):
                yield place, column

    def place(self, name: str) -> int:
        """Where the column of that name stands."""
        return [column.name for column in self.columns].index(name)


def layout_of(table: Table) -> Layout:
    """The layout of a table."""
    return Layout(
        name=table.name,
        title=table.title,
        columns=table.columns,
        totals=len(table.totals),
    )


def says_title(text: str, title: str) -> bool:
    """Whether a file's text for a column is its title; a currency or a zone may follow it.

    Compared are letters and digits, which every file can hold.
    """
    said, wanted = ("".join(filter(str.isalnum, each)) for each in (text, title))
    return said.startswith(wanted)
