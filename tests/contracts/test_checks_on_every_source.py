"""The same rows have the same breaks, whatever database they lie in, and the right ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.ledger import Ledger
from tests.builders.ledger_source import COLUMNS, definition, tables
from tests.builders.random_ledger import ledgers, shuffled
from tests.builders.reconciled import in_plain, reconciled
from tests.builders.source import BACKENDS, SourceDatabase, a_source


@dataclass(frozen=True)
class Shelf:
    """A source of each kind, with the tables of any ledger in it."""

    folder: Path
    sources: Mapping[str, SourceDatabase]

    def found(self, backend: str, ledger: Ledger) -> Any:
        """What a reconciliation finds in the rows of a ledger, as they are given."""
        source, decimals = self.sources[backend], backend != "sqlite"
        for table, rows in tables(ledger, decimals=decimals).items():
            source.clear(table)
            source.fill(table, rows)
        text = definition(ledger.shape, decimals=decimals)
        return reconciled(source.url, self.folder, text, cut_off=ledger.shape.cut_off)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Shelf:
    """The tables are made once, the rows in them replaced by each example."""
    folder = tmp_path_factory.mktemp("shelf")
    sources = {kind: a_source(kind, folder, request.getfixturevalue) for kind in BACKENDS}
    for source in sources.values():
        for table, columns in COLUMNS.items():
            source.make(table, columns)
    return Shelf(folder, sources)


def require_equal(shelf: Shelf, ledger: Ledger, random: Random) -> None:
    """The rows come in another order to each source."""
    found = {kind: in_plain(shelf.found(kind, shuffled(ledger, random))) for kind in shelf.sources}
    for kind, plain in found.items():
        assert plain == found["sqlite"], kind


RANDOM = st.integers(0, 2**32).map(Random)
MANY = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@settings(MANY, max_examples=50)
@given(ledger=ledgers(), random=RANDOM)
def test_the_same_rows_have_the_same_breaks_in_every_source(
    shelf: Shelf, ledger: Ledger, random: Random
) -> None:
    require_equal(shelf, ledger, random)
