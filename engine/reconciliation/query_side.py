"""A side by query, in its source's SQL: its canonical columns, its totals, and where it is wrong.

A side is first read `plain`: the Arrow reader itself refuses a value that is not of its column's
type, so whole numbers are known to be whole numbers at no cost. Where something is not as due,
the side is read again `guarded`, with every value looked at. Nothing is ever cast or rounded; what
databases say differently is their dialects'.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.reconciliation.definition import LARGEST, MAY_BE_EMPTY, Amount, QueryRows, Side
from engine.reconciliation.result import Finding
from engine.sources.database import Kind, Snapshot
from engine.sources.dialect import Dialect
from engine.sources.faults import InvalidQuery

MOST_FINDINGS = 100  # of one column; the rest are counted


def require_columns(side: Side, given: Collection[str]) -> None:
    """Raise InvalidQuery unless the query gives every column that is mapped."""
    for column in side.columns:
        if column not in given:
            reason = f"side {side.name}: it gives no column {column!r}, only " + ", ".join(given)
            raise InvalidQuery(source=side.source, reason=reason)


@dataclass(frozen=True)
class QuerySide:
    """A side whose rows one SELECT gives; `wanted` are the canonical columns that are read."""

    side: Side
    wanted: Sequence[str]
    sql: Dialect

    @property
    def query(self) -> str:
        """The definition's own query."""
        assert isinstance(self.side.rows, QueryRows)  # noqa: S101 - the caller has looked
        return self.side.rows.query

    @property
    def rows(self) -> str:
        """Where the rows are selected from."""
        return f"FROM ({self.query}\n) AS found"

    @property
    def key(self) -> str | None:
        """The id of the rows, where it is one column of the query."""
        columns = self.side.keys[self._id]
        return self.sql.name(columns[0]) if len(columns) == 1 else None

    @property
    def _id(self) -> str:
        return next(name for name in ("entry", "wallet", "owner") if name in self.side.keys)

    def columns(self, *, guarded: bool) -> str:
        """The canonical columns, to be selected from the query and staged."""
        columns = [
            f"{self._column(name, guarded=guarded)} AS {self.sql.name(name)}"
            for name in self.wanted
        ]
        return ", ".join(columns)

    def guarded_rows(self, ids: Collection[str] | None = None) -> str:
        """All rows, or those of some ids, with every value looked at: what is not as due is NULL.

        A row may come that has none of the ids.
        """
        some = f" WHERE {self.sql.has_id(self.side.keys[self._id][0], ids)}" if ids else ""
        return f"SELECT {self.columns(guarded=True)} {self.rows}{some}"

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What the guarded columns are."""
        return {name: "whole" if name in self.side.amounts else "text" for name in self.wanted}

    def totals(self, currencies: Sequence[str] | None, *, guarded: bool) -> str:
        """The number of rows, then for each currency their number and the sum of each amount.

        Without currencies the rows have no currency of their own: their number, then the sums.
        """
        sums = [
            self._column(name, guarded=True) if guarded else self._staged_column(name)
            for name in self.amounts
        ]
        if currencies is None:
            parts = ["count(*)", *(f"sum({each})" for each in sums)]
        else:
            parts = ["count(*)"]
            own = self._column("currency", guarded=guarded)
            for currency in currencies:
                here = self.sql.is_one_of(own, [currency])
                parts += [self.sql.sum_of(each, here) for each in ("1", *sums)]
        where = f" WHERE {self._usable}" if guarded and self._usable else ""
        return f"SELECT {', '.join(parts)} {self.rows}{where}"

    @property
    def amounts(self) -> Sequence[str]:
        """The amounts that are totalled, in the order of `totals`."""
        return [name for name in ("amount", "opening", "balance") if name in self.wanted]

    def findings(self, snapshot: Snapshot) -> Iterator[Finding]:
        """Every value that is not what it should be, where it is."""
        for name in self.wanted:
            if name in self.side.amounts:
                for column in self.side.amounts[name].columns:
                    wrong = f"NOT ({self.sql.is_whole(column)})"
                    if name in MAY_BE_EMPTY:
                        wrong += f" AND {self.sql.name(column)} IS NOT NULL"
                    yield from self._located(snapshot, column, wrong, "a whole number is due")
                yield from self._too_large(snapshot, self.side.amounts[name])
            elif name in {"wallet", "entry", "currency", "posted_at"}:
                for column in self.side.keys[name]:
                    wrong = f"{self.sql.name(column)} IS NULL"
                    yield from self._located(snapshot, column, wrong, "a value is due")
        if self.side.sign is not None and "amount" in self.wanted:
            column = self.side.sign.column
            known = self._says([*self.side.sign.plus, *self.side.sign.minus])
            wrong = f"{self.sql.name(column)} IS NULL OR NOT ({known})"
            message = "it is on neither list of `sign`, so nobody knows which way the amount goes"
            yield from self._located(snapshot, column, wrong, message)

    def _too_large(self, snapshot: Snapshot, amount: Amount) -> Iterator[Finding]:
        # What is no whole number is not even looked at: it may have no size.
        wrong = f"CASE WHEN {self._whole(amount)} THEN NOT ({self._within(amount)}) END"
        message = "it is larger than any amount can be"
        yield from self._located(snapshot, amount.plus[0], wrong, message)

    def _located(
        self, snapshot: Snapshot, column: str, wrong: str, message: str
    ) -> Iterator[Finding]:
        key = self._text_key(self._id)
        shown = f"substr({self.sql.text(column)}, 1, 40)"
        rows = snapshot.rows(
            f"SELECT {key} AS id, {self.sql.kind(column)} AS kind, {shown} AS shown "
            f"{self.rows} WHERE {wrong} LIMIT {MOST_FINDINGS}"
        )
        for row, kind, text in rows:
            value = "NULL" if kind == "null" else f"the {kind} {text!r}"
            yield Finding(
                code="SOURCE_TYPE",
                side=self.side.name,
                where=f"row {row}, column {column}",
                message=f"{value}: {message}; the row is left out of what needs it",
            )
        if len(rows) == MOST_FINDINGS:
            ((count,),) = snapshot.rows(f"SELECT count(*) {self.rows} WHERE {wrong}")
            if count > MOST_FINDINGS:
                yield Finding(
                    code="SOURCE_TYPE",
                    side=self.side.name,
                    where=f"column {column}",
                    message=f"{count - MOST_FINDINGS} more like these",
                )

    def _column(self, name: str, *, guarded: bool) -> str:
        if name in self.side.amounts:
            amount = self.side.amounts[name]
            signed = self._signed(amount, guarded=guarded) if name == "amount" else None
            return signed or self._sum(amount, guarded=guarded)
        if guarded or len(self.side.keys[name]) > 1:
            return self._text_key(name)
        return self.sql.key(self.side.keys[name][0])

    def _staged_column(self, name: str) -> str:
        """An amount of which the staged rows have shown that it is whole and has a sign."""
        value = self._sum(self.side.amounts[name], guarded=False)
        if name != "amount" or self.side.sign is None:
            return value
        return f"CASE WHEN {self._says(self.side.sign.minus)} THEN -({value}) ELSE {value} END"

    def _text_key(self, name: str) -> str:
        texts = [self.sql.text(column) for column in self.side.keys[name]]
        return texts[0] if len(texts) == 1 else self.sql.joined(texts)

    def _signed(self, amount: Amount, *, guarded: bool) -> str | None:
        sign = self.side.sign
        if sign is None:
            return None
        value = self._sum(amount, guarded=guarded)
        less = f"{self._says(sign.minus)} AND {self.sql.is_number(value)}"
        # Most entries of a wallet are spent, and what is asked first costs least.
        return f"CASE WHEN {less} THEN -({value}) WHEN {self._says(sign.plus)} THEN {value} END"

    def _says(self, values: Collection[str]) -> str:
        assert self.side.sign is not None  # noqa: S101 - the callers have looked
        return self.sql.is_one_of(self.sql.key(self.side.sign.column), values)

    def _sum(self, amount: Amount, *, guarded: bool) -> str:
        if len(amount.columns) == 1 and not guarded:
            return self.sql.amount(amount.plus[0])
        within = f" AND {self._within(amount)}" if guarded else ""
        value = self.sql.whole(self._value(amount))
        return f"CASE WHEN {self._whole(amount)}{within} THEN {value} END"

    def _value(self, amount: Amount) -> str:
        plus = " + ".join(map(self.sql.exact, amount.plus))
        return plus + "".join(f" - {self.sql.exact(column)}" for column in amount.minus)

    def _within(self, amount: Amount) -> str:
        return f"({self._value(amount)}) BETWEEN {-LARGEST} AND {LARGEST}"

    def _whole(self, amount: Amount) -> str:
        return " AND ".join(map(self.sql.is_whole, amount.columns))

    @property
    def _usable(self) -> str:
        amounts = [f"({self._column(name, guarded=True)}) IS NOT NULL" for name in self.amounts]
        needed = [key for key in ("wallet", "currency") if key in self.side.keys]
        keys = [f"{self.sql.name(c)} IS NOT NULL" for key in needed for c in self.side.keys[key]]
        return " AND ".join([*amounts, *keys])
