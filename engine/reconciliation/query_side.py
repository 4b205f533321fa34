"""A side by query, in SQLite's SQL: its canonical columns, its totals, and where it is wrong.

A side is first read `plain`: the Arrow reader itself refuses a value that is not of its column's
type, so whole numbers are known to be whole numbers at no cost. Where something is not as due,
the side is read again `guarded`, with every value's own type looked at. Nothing is ever cast:
SQLite would take the text '12x' for 12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.reconciliation.definition import LARGEST, MAY_BE_EMPTY, Amount, QueryRows, Side
from engine.reconciliation.result import Finding
from engine.sources.faults import InvalidQuery
from engine.sources.sqlite import SqliteDatabase, SqliteSnapshot

MOST_FINDINGS = 100  # of one column; the rest are counted


@dataclass(frozen=True)
class QuerySide:
    """A side whose rows one SELECT gives; `wanted` are the canonical columns that are read."""

    side: Side
    wanted: Sequence[str]

    @property
    def query(self) -> str:
        """The definition's own query."""
        assert isinstance(self.side.rows, QueryRows)  # noqa: S101 - the caller has looked
        return self.side.rows.query

    def require_columns(self, database: SqliteDatabase) -> None:
        """Raise InvalidQuery unless the query runs and gives every column that is mapped."""
        given = database.columns(self.query)
        for column in self.side.columns:
            if column not in given:
                reason = f"side {self.side.name}: it gives no column {column!r}, only " + ", ".join(
                    given
                )
                raise InvalidQuery(source=self.side.source, reason=reason)

    @property
    def key(self) -> str | None:
        """The id of the rows, where it is one column of the query."""
        columns = self.side.keys[self._id]
        return _name(columns[0]) if len(columns) == 1 else None

    @property
    def _id(self) -> str:
        return next(name for name in ("entry", "wallet", "owner") if name in self.side.keys)

    def columns(self, *, guarded: bool) -> str:
        """The canonical columns, to be selected from the query and staged."""
        columns = [
            f"{self._column(name, guarded=guarded)} AS {_name(name)}" for name in self.wanted
        ]
        return ", ".join(columns)

    @property
    def guarded_rows(self) -> str:
        """All rows with every value's own type looked at, behind one that is dropped.

        The reader takes a column's type from its first rows, in which it may be empty; that one
        row says each type.
        """
        types = [
            f"{0 if name in self.side.amounts else _text('')} AS {_name(name)}"
            for name in self.wanted
        ]
        rows = f"SELECT {self.columns(guarded=True)} FROM ({self.query}\n)"  # noqa: S608
        return f"SELECT {', '.join(types)} UNION ALL {rows}"

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
                # The column may have a collation that knows no upper and lower case.
                here = f" FILTER (WHERE {own} = {_text(currency)} COLLATE BINARY)"
                parts += [f"count(*){here}", *(f"sum({each}){here}" for each in sums)]
        where = f" WHERE {self._usable}" if guarded and self._usable else ""
        return f"SELECT {', '.join(parts)} FROM ({self.query}\n){where}"  # noqa: S608

    @property
    def amounts(self) -> Sequence[str]:
        """The amounts that are totalled, in the order of `totals`."""
        return [name for name in ("amount", "opening", "balance") if name in self.wanted]

    def findings(self, snapshot: SqliteSnapshot) -> Iterator[Finding]:
        """Every value that is not what it should be, where it is."""
        for name in self.wanted:
            if name in self.side.amounts:
                for column in self.side.amounts[name].columns:
                    kinds = "('integer', 'null')" if name in MAY_BE_EMPTY else "('integer')"
                    wrong = f"typeof({_name(column)}) NOT IN {kinds}"
                    yield from self._located(snapshot, column, wrong, "a whole number is due")
                yield from self._too_large(snapshot, self.side.amounts[name])
            elif name in {"wallet", "entry", "currency", "posted_at"}:
                for column in self.side.keys[name]:
                    wrong = f"{_name(column)} IS NULL"
                    yield from self._located(snapshot, column, wrong, "a value is due")
        if self.side.sign is not None and "amount" in self.wanted:
            column = self.side.sign.column
            known = ", ".join(map(_text, [*self.side.sign.plus, *self.side.sign.minus]))
            wrong = f"{_name(column)} IS NULL OR {_name(column)} NOT IN ({known})"
            message = "it is on neither list of `sign`, so nobody knows which way the amount goes"
            yield from self._located(snapshot, column, wrong, message)

    def _too_large(self, snapshot: SqliteSnapshot, amount: Amount) -> Iterator[Finding]:
        wrong = f"{_whole(amount)} AND NOT ({_within(amount)})"
        message = "it is larger than any amount can be"
        yield from self._located(snapshot, amount.plus[0], wrong, message)

    def _located(
        self, snapshot: SqliteSnapshot, column: str, wrong: str, message: str
    ) -> Iterator[Finding]:
        key = self._text_key(self._id)
        shown = f"substr({_key_text(column)}, 1, 40)"
        rows = snapshot.rows(
            f"SELECT CAST({key} AS TEXT), typeof({_name(column)}), {shown} "  # noqa: S608
            f"FROM ({self.query}\n) WHERE {wrong} LIMIT {MOST_FINDINGS}"
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
            ((count,),) = snapshot.rows(
                f"SELECT count(*) FROM ({self.query}\n) WHERE {wrong}"  # noqa: S608
            )
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
            return signed or _sum(amount, guarded=guarded)
        if guarded or len(self.side.keys[name]) > 1:
            return self._text_key(name)
        return _name(self.side.keys[name][0])

    def _staged_column(self, name: str) -> str:
        """An amount of which the staged rows have shown that it is whole and has a sign."""
        value = _sum(self.side.amounts[name], guarded=False)
        if name != "amount" or self.side.sign is None:
            return value
        plus = ", ".join(map(_text, self.side.sign.plus))
        return (
            f"CASE WHEN {_name(self.side.sign.column)} IN ({plus}) THEN {value} ELSE -({value}) END"
        )

    def _text_key(self, name: str) -> str:
        columns = [_key_text(column) for column in self.side.keys[name]]
        if len(columns) == 1:
            return columns[0]
        # Parts are told apart even if they hold the separator themselves.
        escaped = [rf"replace(replace({each}, '\', '\\'), '/', '\/')" for each in columns]
        return " || '/' || ".join(escaped)

    def _signed(self, amount: Amount, *, guarded: bool) -> str | None:
        sign = self.side.sign
        if sign is None:
            return None
        value = _sum(amount, guarded=guarded)
        # A minus would turn a text into a number without a word. Texts sort behind all numbers,
        # and comparing is cheaper than asking for the type; a REAL stays one, and is refused.
        less = f"AND {value} < '' THEN -({value})"
        column = _name(sign.column)
        plus, minus = (", ".join(map(_text, values)) for values in (sign.plus, sign.minus))
        return f"CASE WHEN {column} IN ({plus}) THEN {value} WHEN {column} IN ({minus}) {less} END"

    @property
    def _usable(self) -> str:
        amounts = [f"({self._column(name, guarded=True)}) IS NOT NULL" for name in self.amounts]
        needed = [key for key in ("wallet", "currency") if key in self.side.keys]
        keys = [f"{_name(c)} IS NOT NULL" for key in needed for c in self.side.keys[key]]
        return " AND ".join([*amounts, *keys])


def _sum(amount: Amount, *, guarded: bool) -> str:
    if len(amount.columns) == 1 and not guarded:
        return _name(amount.plus[0])
    within = f" AND {_within(amount)}" if guarded else ""
    return f"CASE WHEN {_whole(amount)}{within} THEN {_value(amount)} END"


def _value(amount: Amount) -> str:
    return " + ".join(map(_name, amount.plus)) + "".join(f" - {_name(c)}" for c in amount.minus)


def _within(amount: Amount) -> str:
    # A sum that is past 64 bits is a REAL, and larger than this as well.
    return f"({_value(amount)}) BETWEEN {-LARGEST} AND {LARGEST}"


def _whole(amount: Amount) -> str:
    return " AND ".join(f"typeof({_name(column)}) = 'integer'" for column in amount.columns)


def _key_text(column: str) -> str:
    """A key as text: a number as its digits, a BLOB (a UUID, say) in hex."""
    name = _name(column)
    return f"CASE typeof({name}) WHEN 'blob' THEN hex({name}) ELSE CAST({name} AS TEXT) END"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
