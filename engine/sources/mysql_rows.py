"""Rows of MySQL or MariaDB as Arrow batches: each column by its own type, and no value rounded."""

from collections.abc import Mapping, Sequence
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

# Everything else stays what the server sends: text, or bytes.
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
        self._kinds = [_type_of(each) for each in fields]
        self._names = [each.name for each in fields]

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the batches."""
        import pyarrow as pa

        types = map(_arrow_type, self._kinds)
        return pa.schema([pa.field(*each) for each in zip(self._names, types, strict=True)])

    def batch(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """Rows as one batch; raises ArrowInvalid or OverflowError for what has no room in it."""
        import pyarrow as pa

        columns = zip(self._kinds, zip(*rows, strict=True), strict=True)
        arrays = [_array(kind, values) for kind, values in columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


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


def _array(kind: str, values: Sequence[Any]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind in {"datetime", "timestamp"}:
        # A day 0 or a month 0, which the server may hold, is no instant and an error here.
        local = pa.array(values, pa.string()).cast(pa.timestamp("us"))
        return local if kind == "datetime" else pc.assume_timezone(local, "UTC")
    if kind == "date":
        return pa.array(values, pa.string()).cast(pa.date32())
    if kind == "decimal":
        values = [None if value is None else str(value) for value in values]
    return pa.array(values, _arrow_type(kind))
