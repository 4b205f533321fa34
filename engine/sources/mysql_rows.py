"""Rows of MySQL or MariaDB as Arrow batches: each column by its own type, and no value rounded.

The server sends every value as text. PyMySQL makes an object of each, one at a time; here they stay
bytes until Arrow reads a whole column of them, which takes a third of the time.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

# What the protocol calls the types.
_INTS = (1, 2, 3, 8, 9, 13)
_DECIMALS = (0, 246)
_FLOATS = (4, 5)
_NAMED = {7: "timestamp", 10: "date", 11: "time", 12: "datetime", 14: "date", 16: "bit"}
_UNSIGNED = 32
_BINARY = 63  # the character set of what is no text
_TEXTS = (15, 245, 247, 248, 249, 250, 251, 252, 253, 254)

# Of how many bytes a length is, by its first byte, if that is not the length itself.
_SIZES = {252: 2, 253: 3, 254: 8}
_NULL = 251

# For the few rows that are no batches; everything else stays what the server sends.
DECODERS: Mapping[int, Any] = {
    **dict.fromkeys(_INTS, int),
    **dict.fromkeys(_DECIMALS, Decimal),
    **dict.fromkeys(_FLOATS, float),
}


class Columns:
    """The columns of what a cursor has carried out."""

    def __init__(self, cursor: Any) -> None:
        fields = cursor._result.fields  # noqa: SLF001 - `description` leaves out signs and charsets
        self.types: Mapping[str, str] = {each.name: _type_of(each) for each in fields}
        self._cursor = cursor
        self._kinds = [_type_of(each) for each in fields]
        self._names = [each.name for each in fields]

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the batches."""
        import pyarrow as pa

        types = map(_arrow_type, self._kinds)
        return pa.schema([pa.field(*each) for each in zip(self._names, types, strict=True)])

    def batches(self, most: int) -> Iterator[Any]:
        """The rows, at most so many in each batch.

        Raises ArrowInvalid for a value that has no room in the type of its column.
        """
        import pyarrow as pa

        schema = self.schema
        while columns := _fetched(self._cursor, len(self._names), most):
            arrays = map(_array, self._kinds, columns)
            yield pa.RecordBatch.from_arrays([*arrays], schema=schema)


def _fetched(cursor: Any, width: int, most: int) -> Sequence[Sequence[bytes | None]]:
    """The next values of each column, as the server sent them; nothing behind the last row."""
    result = cursor._result  # noqa: SLF001 - it has nothing public that leaves values as they are
    if not result.unbuffered_active:
        return []
    read = result.connection._read_packet  # noqa: SLF001
    columns: list[list[bytes | None]] = [[] for _ in range(width)]
    appending = [column.append for column in columns]
    for _ in range(most):
        packet = read()
        if result._check_packet_is_eof(packet):  # noqa: SLF001
            result.unbuffered_active = False
            result.connection = None
            break
        row, at = packet.get_all_data(), 0
        for append in appending:
            length = row[at]
            at += 1
            if length == _NULL:
                append(None)
                continue
            if length > _NULL:
                size = _SIZES[length]
                length = int.from_bytes(row[at : at + size], "little")
                at += size
            append(row[at : at + length])
            at += length
    return columns if columns[0] else []


def _type_of(field: Any) -> str:
    code = field.type_code
    if code in _INTS:
        return "unsigned" if field.flags & _UNSIGNED else "int"
    if code in _DECIMALS:
        return "decimal"
    if code in _FLOATS:
        return "float" if code == _FLOATS[0] else "double"
    if code in _TEXTS:
        return "binary" if field.charsetnr == _BINARY else "text"
    return _NAMED.get(code, "other")


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    types = {
        "int": pa.int64(),
        "unsigned": pa.int64(),
        "float": pa.float64(),
        "double": pa.float64(),
        "datetime": pa.timestamp("us"),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "binary": pa.binary(),
        "bit": pa.binary(),
        "other": pa.binary(),
    }
    return types.get(kind, pa.string())


def _array(kind: str, values: Sequence[bytes | None]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    array, due = pa.array(values, pa.binary()), _arrow_type(kind)
    if due == pa.binary():
        return array
    text = array.cast(pa.string())
    if kind == "timestamp":
        return pc.assume_timezone(text.cast(pa.timestamp("us")), "UTC")
    # A number that is too large, a day 0 or a month 0, which the server may hold, is an error here.
    return text.cast(due)
