"""The SQL of MySQL and MariaDB, by the types of the columns.

Their own comparisons know no upper and lower case, and no spaces at the end; here bytes are
compared. Literals are in hex, which no `sql_mode` reads in another way.
"""

from collections.abc import Collection, Mapping, Sequence

from engine.sources.dialect import Due

_LEAST, _MOST = -(2**63), 2**63 - 1
_INSTANT = frozenset({"datetime", "timestamp", "date"})


class MysqlSql:
    """`types` are those of the columns, as `mysql.py` names them (int, unsigned, decimal ...)."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def name(self, column: str) -> str:
        """The column itself, quoted."""
        return "`" + column.replace("`", "``") + "`"

    def key(self, column: str) -> str:
        """A number or an instant as it is; everything else as text."""
        if self._types[column] in {"int", "unsigned", *_INSTANT}:
            return self.name(column)
        return self.text(column)

    def text(self, column: str) -> str:
        """A number as its digits without zeros behind them, bytes in hex."""
        name, kind = self.name(column), self._types[column]
        if kind == "text":
            return f"CONVERT({name} USING utf8mb4)"
        if kind == "binary":
            return f"HEX({name})"
        if kind == "bit":
            name = f"{name} + 0"
        text = f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
        if kind == "decimal":
            # A point is found in each only if one is found in any.
            short = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
            return f"CASE WHEN LOCATE('.', {text}) > 0 THEN {short} ELSE {text} END"
        return f"CONCAT({text}, '+00:00')" if kind == "timestamp" else text

    def joined(self, texts: Sequence[str]) -> str:
        """Parts are told apart even if they hold the separator themselves."""
        escape = "CHAR(92 USING utf8mb4)"
        escaped = [
            f"REPLACE(REPLACE({each}, {escape}, CONCAT({escape}, {escape})), "
            f"'/', CONCAT({escape}, '/'))"
            for each in texts
        ]
        parts = ", '/', ".join(escaped)
        return f"CONCAT({parts})"

    def is_one_of(self, text: str, values: Collection[str]) -> str:
        """Whatever the collation of the column."""
        listed = ", ".join(f"X'{value.encode().hex()}'" for value in values)
        return f"CAST(CONVERT({text} USING utf8mb4) AS BINARY) IN ({listed})"

    def has_id(self, column: str, ids: Collection[str]) -> str:
        """The literals take the character set of the column, or are numbers as it is."""
        whole = self._types[column] in {"int", "unsigned"}
        plain = whole and all(each.removeprefix("-").isdecimal() for each in ids)
        listed = [each if plain else f"_utf8mb4 X'{each.encode().hex()}'" for each in ids]
        return f"{self.name(column)} IN ({', '.join(listed)})"

    def is_whole(self, column: str) -> str:
        """By the type; of a DECIMAL, by the value."""
        name, kind = self.name(column), self._types[column]
        if kind in {"int", "unsigned"}:
            return f"{name} IS NOT NULL"
        return f"COALESCE({name} = TRUNCATE({name}, 0), FALSE)" if kind == "decimal" else "FALSE"

    def amount(self, column: str) -> str:
        """The cast alone would round a DECIMAL, and take a large unsigned number for negative."""
        name, kind = self.name(column), self._types[column]
        if kind == "int":
            return name
        fits = {
            "unsigned": f"{name} <= {_MOST}",
            "decimal": f"{name} = TRUNCATE({name}, 0) AND {name} BETWEEN {_LEAST} AND {_MOST}",
        }
        if kind not in fits:
            return self.text(column)
        return (
            f"CASE WHEN {fits[kind]} THEN CAST({name} AS SIGNED) "
            f"WHEN {name} IS NOT NULL THEN CAST({_LEAST} AS SIGNED) END"
        )

    def exact(self, column: str) -> str:
        """With room for every sum, and for differences of unsigned numbers."""
        return f"CAST({self.name(column)} AS DECIMAL(65, 0))"

    def whole(self, number: str) -> str:
        """From DECIMAL to BIGINT."""
        return f"CAST({number} AS SIGNED)"

    def is_number(self, value: str) -> str:
        """The types have told."""
        return "TRUE"

    def sum_of(self, value: str, condition: str) -> str:
        """There is no FILTER."""
        return f"sum(CASE WHEN {condition} THEN {value} END)"

    def kind(self, column: str) -> str:
        """The column's type."""
        return f"CASE WHEN {self.name(column)} IS NULL THEN 'null' ELSE '{self._types[column]}' END"

    def as_due(self, query: str, dues: Mapping[str, Due]) -> str:
        """The query itself: its columns have types."""
        return query

    def apart(self, column: str) -> str:
        """Whatever the collation of the column; the text comes as bytes."""
        return f"CAST(CONVERT({self.text(column)} USING utf8mb4) AS BINARY)"

    def whole_sum(self, column: str) -> Sequence[str]:
        """All of it in one: sums of exact numbers are as long as they must be."""
        return "0", f"sum({self.exact(column)})"

    def decimal_sum(self, column: str) -> Sequence[str]:
        """All of it: there are decimals."""
        return "0", f"sum({self.name(column)})", "0"
