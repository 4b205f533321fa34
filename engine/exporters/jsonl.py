"""JSON Lines: one table as UTF-8, an object a row, the columns' names as keys, for programs.

    {"wallet":"W-1","paid":{"minor":-123450,"currency":"SAR"},"share":0.125,"settled":true,
     "day":"2026-01-05","at":"2026-01-05T03:00:00Z","note":null}

(on one line). An amount is a whole number of the currency's minor unit beside its currency, as it
is everywhere in the engine: nobody has to know how many decimals a currency has, or to read money
as a float. Instants are RFC 3339 in UTC. A fraction is a number of at most nine decimals. Every
object has every key, and an empty cell is null. Whole numbers have up to 64 bits, more than a
JavaScript number holds exactly.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO, ClassVar

from engine.exporters.batches import Batches, bounded
from engine.exporters.cells import CheckedRows, encodable, percent_plain
from engine.exporters.document import Document, Kind, Table
from engine.exporters.memory import lean_memory

Write = Callable[[Any, str | None], str]


@dataclass(frozen=True, kw_only=True)
class JsonLinesExporter:
    """Writes the main table, or the one named `table`."""

    suffix: ClassVar[str] = ".jsonl"
    media_type: ClassVar[str] = "application/x-ndjson; charset=utf-8"
    streams: ClassVar[bool] = True

    table: str | None = None

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write an object for each row; return how many rows there are."""
        table = document.named(self.table)
        if not isinstance(table.rows, Batches):
            return _write_rows(table, target)
        from engine.exporters.jsonl_batches import JsonBatches

        form = JsonBatches(table.columns)
        rows = 0
        with lean_memory():
            for batch in bounded(table.rows.make()):
                target.write(form.lines(batch))
                rows += batch.num_rows
        return rows


def literal(text: str) -> str:
    """A text as JSON, other letters than ASCII as they are."""
    return json.dumps(encodable(text), ensure_ascii=False)


def _write_rows(table: Table, target: BinaryIO) -> int:
    keys = [f"{literal(column.name)}:" for column in table.columns]
    writers = [_WRITERS[column.kind] for column in table.columns]
    rows = 0
    for row, currencies in CheckedRows(table):
        cells = [
            key + ("null" if cell is None else write(cell, currency))
            for key, cell, write, currency in zip(keys, row, writers, currencies, strict=True)
        ]
        target.write(f"{{{','.join(cells)}}}\n".encode())
        rows += 1
    return rows


def _money(minor: int, currency: str | None) -> str:
    return f'{{"minor":{minor},"currency":{literal(currency) if currency else "null"}}}'


_WRITERS: dict[Kind, Write] = {
    Kind.TEXT: lambda cell, _: literal(cell),
    Kind.INTEGER: lambda cell, _: str(cell),
    Kind.MONEY: _money,
    Kind.PERCENT: lambda cell, _: percent_plain(cell),
    Kind.DATE: lambda cell, _: f'"{cell.isoformat()}"',
    Kind.DATETIME: lambda cell, _: f'"{cell.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"',
    Kind.BOOLEAN: lambda cell, _: "true" if cell else "false",
}
