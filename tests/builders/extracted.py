"""Datasets as a report asks for them, and extracts of sources of tests."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from engine.exporters.document import Kind
from engine.reporting.extract import DatasetQuery, Extract, open_extract
from engine.sources.catalog import Sources
from engine.sources.parameters import Params
from tests.builders.clock import FakeClock


@dataclass(frozen=True, kw_only=True)
class AColumn:
    """A column as it is read."""

    name: str
    kind: Kind = Kind.TEXT
    currency: str | None = None
    currency_column: str | None = None
    unit: Literal["minor", "major"] = "minor"
    total: bool = False
    personal: bool = False


def a_query(query: str, *columns: AColumn, **given: Any) -> DatasetQuery:
    """A dataset `rows` of the source `canteen`, in Riyadh's time."""
    fields: Mapping[str, Any] = {
        "name": "rows",
        "source": "canteen",
        "query": query,
        "columns": columns,
        "timezone": "Asia/Riyadh",
        **given,
    }
    return DatasetQuery(**fields)


@contextmanager
def an_extract(url: str, folder: Path, *queries: DatasetQuery) -> Iterator[Extract]:
    """Of the database of that URL."""
    clock = FakeClock(datetime(2026, 11, 2, tzinfo=UTC))
    sources = Sources({"canteen": url}, folder)
    with open_extract(queries, sources, scratch=folder / "scratch", clock=clock) as extract:
        yield extract


def rows_of(
    url: str, folder: Path, query: str, *columns: AColumn, params: Params | None = None
) -> list[Sequence[Any]]:
    """The typed rows of a query."""
    with an_extract(url, folder, a_query(query, *columns, params=params or {})) as extract:
        return list(extract.rows("rows"))
