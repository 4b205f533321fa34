"""PostgreSQL's SQL, by the types of the columns."""

from collections.abc import Collection, Mapping, Sequence

from engine.sources.dialect import Due

_WHOLE = frozenset({"int2", "int4", "int8"})
_TEXT = frozenset({"text", "varchar"})
_INSTANT = frozenset({"timestamp", "timestamptz", "date"})


class PostgresSql:
    """`types` are those of the columns, by PostgreSQL's own names (int8, bpchar, timestamptz)."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def name(self, column: str) -> str:
        """The column itself, quoted."""
        return '"' + column.replace('"', '""') + '"'

    def key(self, column: str) -> str:
        """A whole number as 64 bits, an instant as one; everything else as text."""
        kind = self._types[column]
        if kind in _WHOLE:
            return f"{self.name(column)}::int8"
        if kind in _INSTANT:
            # Infinity and what is nearly as far would come as quite another instant.
            return f"CASE WHEN {self._has_year(column)} THEN {self.name(column)} END"
        return self.name(column) if kind in _TEXT else self.text(column)

    def text(self, column: str) -> str:
        """A number as its digits without zeros behind them, bytes in hex."""
        name, kind = self.name(column), self._types[column]
        if kind in _TEXT:
            return name
        if kind == "bytea":
            return f"upper(encode({name}, 'hex'))"
        if kind == "numeric":
            return f"trim_scale({name})::text"
        if kind in _INSTANT:
            return f"CASE WHEN {self._has_year(column)} THEN {name}::text END"
        return f"{name}::text"

    def joined(self, texts: Sequence[str]) -> str:
        """Parts are told apart even if they hold the separator themselves."""
        escaped = [rf"replace(replace({each}, '\', '\\'), '/', '\/')" for each in texts]
        return " || '/' || ".join(escaped)

    def is_one_of(self, text: str, values: Collection[str]) -> str:
        """A column may have a collation that knows no upper and lower case."""
        return f'({text})::text COLLATE "C" IN ({_listed(values)})'

    def has_id(self, column: str, ids: Collection[str]) -> str:
        """The literals take the type of the column."""
        return f"{self.name(column)} IN ({_listed(ids)})"

    def is_whole(self, column: str) -> str:
        """NUMERIC has numbers that are none, and they are equal to themselves."""
        name, kind = self.name(column), self._types[column]
        if kind in _WHOLE:
            return f"{name} IS NOT NULL"
        if kind == "numeric":
            return f"coalesce({name} = trunc({name}) AND {name} <> 'NaN', false)"
        return "false"

    def amount(self, column: str) -> str:
        """The cast alone would round."""
        name, kind = self.name(column), self._types[column]
        if kind in _WHOLE:
            return f"{name}::int8"
        if kind == "numeric":
            least, most = -(2**63), 2**63 - 1
            whole = f"{name} = trunc({name}) AND {name} BETWEEN {least} AND {most}"
            return (
                f"CASE WHEN {whole} THEN {name}::int8 "
                f"WHEN {name} IS NOT NULL THEN ({least})::int8 END"
            )
        return self.text(column)

    def exact(self, column: str) -> str:
        """Two int4 are an int4 and may be too large for one."""
        return f"{self.name(column)}::numeric"

    def whole(self, number: str) -> str:
        """From numeric to int8."""
        return f"({number})::int8"

    def is_number(self, value: str) -> str:
        """The types have told."""
        return "true"

    def sum_of(self, value: str, condition: str) -> str:
        """In the words that cost least."""
        return f"sum({value}) FILTER (WHERE {condition})"

    def kind(self, column: str) -> str:
        """The column's type."""
        return f"CASE WHEN {self.name(column)} IS NULL THEN 'null' ELSE '{self._types[column]}' END"

    def as_due(self, query: str, dues: Mapping[str, Due]) -> str:
        """The query itself: its columns have types."""
        return query

    def apart(self, column: str) -> str:
        """A column may have a collation that knows no upper and lower case."""
        return f'({self.text(column)})::text COLLATE "C"'

    def whole_sum(self, column: str) -> Sequence[str]:
        """All of it in one: sums of exact numbers are as long as they must be."""
        return "0", f"sum({self.exact(column)})"

    def decimal_sum(self, column: str) -> Sequence[str]:
        """All of it: there are decimals."""
        return "0", f"sum({self.name(column)})", "0"

    def _has_year(self, column: str) -> str:
        return f"{self.name(column)} BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999'"


def _listed(values: Collection[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
