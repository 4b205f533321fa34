"""The word of a row of totals: where it stands if the row does not say by itself what it is."""

from collections.abc import Sequence

from engine.exporters.document import Column, Kind, Row


def total_word(columns: Sequence[Column], row: Row, word: str) -> tuple[int, str] | None:
    """The place of the column for the word and what is said there; None if the row says it.

    That is the first text for people, if it is not taken. A table may have no texts but
    currencies: then it is a cell that is left open, or else it stands before the currency. A
    workbook leaves that one as it is, for its totals are read again by currency.
    """
    codes = {column.currency_column for column in columns}
    shown = [place for place, column in enumerate(columns) if not column.hidden]
    texts = [
        place
        for place in shown
        if columns[place].kind is Kind.TEXT and columns[place].name not in codes
    ]
    if texts:
        return None if row[texts[0]] else (texts[0], word)
    for place in shown:
        column = columns[place]
        # An amount that is not there must not be read as one that cannot be.
        if row[place] is None and column.kind is not Kind.MONEY and not column.total:
            return place, word
    for place in shown:
        if columns[place].kind is Kind.TEXT:
            return place, f"{word} {row[place]}"
    return None
