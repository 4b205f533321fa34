"""Lines of CSV by whole batches, the same as `CsvLines` writes one by one.

Each column becomes texts at once; joined, the texts lie in memory as the file has them. Only texts
that hold something special are looked at again.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import numpy as np
import pyarrow.compute as pc

from engine.exporters.arrays import Numbers, Texts, bytes_of, ends_of, which_are
from engine.exporters.column_texts import (
    boolean_texts,
    each,
    integer_texts,
    joined,
    money_texts,
    percent_texts,
    rewritten,
    which_begin,
    which_hold,
)
from engine.exporters.csv_profile import EMPTY, FORMULA_STARTS, CsvProfile
from engine.exporters.document import Column, Kind
from engine.exporters.instant_texts import InstantTexts, date_texts

# What `legible` replaces begins with one of these; so do the full-width signs, and some Arabic.
_DOUBTFUL = bytes({*range(32), 0xEF} - set(b"\t\n\r"))
_STARTS = bytes({start.encode()[0] for start in FORMULA_STARTS})


class CsvBatches:
    """Lines of the batches of one table."""

    def __init__(
        self, profile: CsvProfile, columns: Sequence[Column], separator: str, zone: tzinfo
    ) -> None:
        self._profile = profile
        self._separator = separator
        self._special = f'{separator}"\r\n'.encode()
        self._columns = columns
        self._instants = InstantTexts(zone, between=" " if profile.people else "T")

    def lines(self, batch: Any) -> Any:
        """The bytes of a batch's lines."""
        texts = [self._texts(column, batch) for column in self._columns]
        if len(texts) == 1:
            alone = joined(texts[0], null="")
            texts = [rewritten(alone, _empty(alone), each(lambda _: EMPTY))]
        last = joined(texts[-1], "\r\n", null="")
        return bytes_of(joined(*texts[:-1], last, between=self._separator, null=""))

    def _texts(self, column: Column, batch: Any) -> Texts:
        cells, people = batch.column(column.name), self._profile.people
        if column.kind is Kind.TEXT:
            return self._text(cells)
        if column.kind is Kind.MONEY:
            return money_texts(cells, column.currency or batch.column(column.currency_column))
        if column.kind is Kind.PERCENT:
            return percent_texts(cells, people=people)
        if column.kind is Kind.DATE:
            return date_texts(cells)
        if column.kind is Kind.DATETIME:
            return self._instants.local(cells) if people else self._instants.of(cells)
        if column.kind is Kind.BOOLEAN:
            return boolean_texts(cells, *(("TRUE", "FALSE") if people else ("true", "false")))
        return integer_texts(cells)

    def _text(self, cells: Any) -> Texts:
        exact = self._profile.exact
        texts = cells if exact else rewritten(cells, _doubtful(cells), each(self._profile.text))
        texts = rewritten(texts, which_hold(texts, self._special), _quoted)
        return rewritten(texts, _empty(cells), each(lambda _: EMPTY)) if exact else texts


def _quoted(texts: Texts) -> Texts:
    return joined('"', pc.replace_substring(texts, '"', '""'), '"')


def _doubtful(texts: Texts) -> Numbers | None:
    held, begun = which_hold(texts, _DOUBTFUL), which_begin(texts, _STARTS)
    if held is None or begun is None:
        return begun if held is None else held
    return held | begun


def _empty(texts: Texts) -> Numbers | None:
    """Which texts are there and have no letter."""
    empty = np.diff(ends_of(texts)) == 0
    if texts.null_count:
        empty &= which_are(texts.is_valid())
    return empty if empty.any() else None
