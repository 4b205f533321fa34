"""SQLite's SQL: here each value has a type of its own, whatever its column says."""

import re
from collections.abc import Collection, Mapping, Sequence

from engine.sources.dialect import Due

QUOTED = re.compile(
    r"""
      '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | `(?:[^`]|``)*`
    | \[[^\]]*\]
    | --[^\n]*
    | /\*.*?(?:\*/|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What is between quotes, and comments."""

# What SQLite cannot work out, and so ends the query with an error.
_REFUSED = "abs(-9223372036854775808)"
REFUSAL = "integer overflow"
"""What its error says then."""
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


class SqliteSql:
    """Any columns."""

    def name(self, column: str) -> str:
        """The column itself, quoted."""
        return '"' + column.replace('"', '""') + '"'

    def key(self, column: str) -> str:
        """As it is."""
        return self.name(column)

    def text(self, column: str) -> str:
        """A number as its digits, a BLOB (a UUID, say) in hex."""
        name = self.name(column)
        return f"CASE typeof({name}) WHEN 'blob' THEN hex({name}) ELSE CAST({name} AS TEXT) END"

    def joined(self, texts: Sequence[str]) -> str:
        """Parts are told apart even if they hold the separator themselves."""
        escaped = [rf"replace(replace({each}, '\', '\\'), '/', '\/')" for each in texts]
        return " || '/' || ".join(escaped)

    def is_one_of(self, text: str, values: Collection[str]) -> str:
        """The column may have a collation that knows no upper and lower case."""
        return f"({text}) COLLATE BINARY IN ({_listed(values)})"

    def has_id(self, column: str, ids: Collection[str]) -> str:
        """A column without a type holds numbers and texts, and takes neither for the other."""
        numbers = [each for each in ids if _WHOLE_NUMBER.fullmatch(each)]
        return f"{self.name(column)} IN ({', '.join([_listed(ids), *numbers])})"

    def is_whole(self, column: str) -> str:
        """SQLite would take the text '12x' for 12."""
        return f"typeof({self.name(column)}) = 'integer'"

    def amount(self, column: str) -> str:
        """As it is: the reader refuses what is no number."""
        return self.name(column)

    def exact(self, column: str) -> str:
        """A sum that is past 64 bits is a REAL, and larger than any amount as well."""
        return self.name(column)

    def whole(self, number: str) -> str:
        """As it is."""
        return number

    def is_number(self, value: str) -> str:
        """A minus would turn a text into a number without a word.

        Texts sort behind all numbers, and comparing is cheaper than asking for the type; a REAL
        stays one, and is refused.
        """
        return f"{value} < ''"

    def sum_of(self, value: str, condition: str) -> str:
        """In the words that cost least."""
        return f"sum({value}) FILTER (WHERE {condition})"

    def kind(self, column: str) -> str:
        """The value's own type."""
        return f"typeof({self.name(column)})"

    def as_due(self, query: str, dues: Mapping[str, Due]) -> str:
        """With a limit that is none, for which SQLite keeps the query's order."""
        columns = [f"{self._due(name, due)} AS {self.name(name)}" for name, due in dues.items()]
        return f"SELECT {', '.join(columns)} FROM (SELECT * FROM ({query}\n) LIMIT -1)"  # noqa: S608

    def apart(self, column: str) -> str:
        """The column may have a collation that knows no upper and lower case."""
        return f"({self.text(column)}) COLLATE BINARY"

    def whole_sum(self, column: str) -> Sequence[str]:
        """Halves of 32 bits each: a sum past 64 bits ends the query."""
        return _halves(self.name(column))

    def decimal_sum(self, column: str) -> Sequence[str]:
        """Of texts, for SQLite has no decimals: their digits on both sides of the point."""
        name = f"CAST({self.name(column)} AS TEXT)"
        places = f"substr(substr({name}, instr({name}, '.') + 1) || '000000000', 1, 9)"
        sign = f"CASE WHEN {name} LIKE '-%' THEN -1 ELSE 1 END"
        part = f"CASE WHEN instr({name}, '.') THEN {sign} * CAST({places} AS INTEGER) ELSE 0 END"
        return *_halves(f"CAST({name} AS INTEGER)"), f"sum({part})"

    def _due(self, column: str, due: Due) -> str:
        name = self.name(column)
        if due in ("whole", "fraction"):
            return name  # the reader refuses what is none
        # It would take bytes for a text, and write six digits of a floating number.
        real = _REFUSED if due == "decimal" else f"CAST({name} AS TEXT)"
        kinds = f"WHEN 'text' THEN {name} WHEN 'real' THEN {real} WHEN 'blob' THEN {_REFUSED}"
        return f"CASE typeof({name}) {kinds} ELSE {name} END"


def _halves(value: str) -> Sequence[str]:
    return f"sum(({value}) >> 32)", f"sum(({value}) & {2**32 - 1})"


def _listed(values: Collection[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
