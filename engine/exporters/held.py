"""Which tables of a document are held and designed, and which are too long for that and drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from engine.exporters.document import Document, Row, Table
from engine.exporters.shown import Shown, ShownRows

Texts = tuple[Row, list[str]]


@dataclass(frozen=True, kw_only=True)
class HeldTable:
    """The texts of a table: all of them, or the first ones and where the others come from."""

    rows: ShownRows
    texts: Sequence[Texts]
    rest: Iterator[Texts] = field(default_factory=lambda: iter(()))

    def __iter__(self) -> Iterator[Texts]:
        """Read all rows; once, for they are not read from their source again."""
        return chain(self.texts, self.rest)


@dataclass(frozen=True, kw_only=True)
class Held:
    """The tables of a document, each kind in its order."""

    summaries: Sequence[HeldTable]
    tables: Sequence[HeldTable]
    drawn: Sequence[HeldTable]

    @property
    def all(self) -> Sequence[HeldTable]:
        """Every table."""
        return [*self.summaries, *self.tables, *self.drawn]


def held(document: Document, shown: Shown, most: int) -> Held:
    """Read tables as far as they can be designed: each summary to `most` rows, all others together.

    If those are more, all of them are drawn, so that they look alike and stay in their order.
    """
    summaries = [_read(table, shown, most) for table in document.summaries]
    long = [table for table in summaries if len(table.texts) > most]
    tables, left = [], most
    for table in document.tables:
        tables.append(_read(table, shown, max(left, 0)))
        left -= len(tables[-1].texts)
    fits = left >= 0
    return Held(
        summaries=[table for table in summaries if table not in long],
        tables=tables if fits else [],
        drawn=long if fits else [*long, *tables],
    )


def _read(table: Table, shown: Shown, most: int) -> HeldTable:
    rows = ShownRows(table, shown)
    reading = iter(rows)
    # One more than wanted tells that there are more. What drawn columns are measured by is this.
    return HeldTable(rows=rows, texts=list(islice(reading, most + 1)), rest=reading)
