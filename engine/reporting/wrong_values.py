"""Wrong values in a database without types for columns: which value it was that ended a reading.

Its driver says only that there is one. The query is read again, every value as text beside its
type, up to the first that is not what it is due as.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from engine.reporting.typed_rows import TypedRows
from engine.sources.database import Kind
from engine.sources.dialect import Dialect, Due

_AS_DUE: Mapping[Due, frozenset[str]] = {
    "whole": frozenset({"integer", "null"}),
    "decimal": frozenset({"integer", "text", "null"}),
    "fraction": frozenset({"integer", "real", "null"}),
    "text": frozenset({"integer", "real", "text", "null"}),
}
_MADE: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "real": float,
    "text": str,
    "blob": bytes.fromhex,
}

Read = Callable[[str, Mapping[str, Kind]], AbstractContextManager[Any]]


def refuse_first(
    rows: TypedRows, query: str, dues: Mapping[str, Due], sql: Dialect, read: Read
) -> None:
    """Raise WrongValue for the first value that is wrong by its type; return if there is none."""
    names = [f"{what}{at}" for at in range(len(dues)) for what in ("kind", "value")]
    asked = [
        f"{expression} AS {name}"
        for expression, name in zip(
            (each(column) for column in dues for each in (sql.kind, sql.text)), names, strict=True
        )
    ]
    selected = f"SELECT {', '.join(asked)} FROM ({query}\n) LIMIT -1"  # noqa: S608
    kinds: Mapping[str, Kind] = dict.fromkeys(names, "text")
    before = 0
    with read(f"SELECT * FROM ({selected})", kinds) as reader:  # noqa: S608
        for batch in reader:
            found = [
                (row, at)
                for at, due in enumerate(dues.values())
                if (row := _first(batch.column(2 * at), _AS_DUE[due])) >= 0
            ]
            if found:
                row, at = min(found)
                kind = batch.column(2 * at)[row].as_py()
                value = _MADE[kind](batch.column(2 * at + 1)[row].as_py())
                rows.refuse(at, before + row + 1, value)
            before += batch.num_rows


def _first(kinds: Any, allowed: frozenset[str]) -> int:
    """Where the first is that is not allowed; -1 if there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_in(kinds, pa.array(sorted(allowed)))
    return int(pc.index(known, False).as_py())
