"""The same rows have the same breaks, whatever database they lie in, and the right ones."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.reconciliation.result import Result
from tests.builders.ledger import Ledger
from tests.builders.ledger_source import COLUMNS, definition, tables
from tests.builders.random_ledger import ledgers, shuffled
from tests.builders.reconciled import in_plain, reconciled
from tests.builders.reference.breaks import Break
from tests.builders.reference.expected import Expected, expected_of
from tests.builders.source import BACKENDS, SourceDatabase, a_source

ALL = ("balance", "chain", "currency", "duplicate", "negative", "orphan")
# Half of them ask for all checks, half of those have no ties but between copies.
ANY = st.one_of(ledgers(), ledgers(ties=False), ledgers(asked=ALL), ledgers(asked=ALL, ties=False))
LARGE = st.one_of(
    ledgers(most=16, faults=12),
    ledgers(most=16, faults=12, ties=False),
    ledgers(most=16, faults=12, asked=ALL),
)
RANDOM = st.integers(0, 2**32).map(Random)
MANY = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@dataclass(frozen=True)
class Shelf:
    """A source of each kind, with the tables of any ledger in it."""

    folder: Path
    sources: Mapping[str, SourceDatabase]

    def found(self, backend: str, ledger: Ledger) -> Result:
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


def require_true(shelf: Shelf, ledger: Ledger) -> None:
    """Everything that is found is there, and the other way round."""
    result = shelf.found("sqlite", ledger)
    found = breaks_of(result)
    identities = [each.identity("any") for each in result.differences]
    assert len({*identities}) == len(identities), "two breaks are taken for one"
    if "duplicate" not in ledger.shape.checks:
        # Each check tells those with one id apart, by numbers that mean nothing beyond it.
        found = [replace(each, entry=without_number(each.entry)) for each in found]
    chained = {
        (each.wallet, each.currency, each.entry or "")
        for each in found
        if each.code == "CHAIN_BREAK"
    }
    expected = expected_of(ledger, chained)
    assert told(found, expected) == told(expected.breaks, expected)
    reasons = [
        ((each.wallet, each.currency, each.entry), each.code)
        for each in found
        if each.entry is not None
    ]
    names = {name for name, _ in reasons}
    assert len(names) == len({*reasons}), "an entry is listed for two reasons"
    if "duplicate" in ledger.shape.checks:
        assert len(names) == len(reasons), "an entry is listed twice"
    assert names <= expected.names, "what is listed is no row"
    assert [total.gap_minor for total in result.totals] == [0] * len(result.totals)
    if not expected.open_ends:
        assert totals_of(result) == expected.totals


def without_number(entry: str | None) -> str | None:
    """The id of an entry, without what tells it from others that bear the same."""
    return None if entry is None else re.sub(r" \(\d+\)$", "", entry)


def breaks_of(result: Result) -> list[Break]:
    """The differences, in the words of the reference."""
    return [
        Break(
            check=each.check,
            code=each.code,
            wallet=each.wallet,
            entry=each.entry,
            currency=each.currency,
            amount=each.amount_minor,
            expected=each.expected_minor,
            actual=each.actual_minor,
            severity=each.severity,
            details=each.details,
        )
        for each in result.differences
    ]


def told(breaks: Iterable[Break], expected: Expected) -> list[str]:
    """As texts, which can be sorted, without those that hang on an order that nobody knows."""
    return sorted(
        json.dumps(asdict(each), sort_keys=True)
        for each in breaks
        if not (each.code == "CHAIN_BREAK" and (each.wallet, each.currency) in expected.open_lanes)
        if not (each.entry is None and (each.wallet, each.currency) in expected.open_ends)
    )


def totals_of(result: Result) -> Mapping[str, tuple[int, ...]]:
    """By currency, in the order of the reference."""
    return {
        each.currency: (
            each.stored_minor,
            each.opening_minor,
            each.entries_minor,
            each.drift_minor,
            each.orphans_minor,
            each.mismatched_minor,
            each.wallets,
            each.entries,
        )
        for each in result.totals
    }


@settings(MANY, max_examples=50)
@given(ledger=ANY, random=RANDOM)
def test_the_same_rows_have_the_same_breaks_in_every_source(
    shelf: Shelf, ledger: Ledger, random: Random
) -> None:
    require_equal(shelf, ledger, random)


@settings(MANY, max_examples=50)
@given(ledger=ANY)
def test_what_is_found_is_what_a_look_at_every_row_finds(shelf: Shelf, ledger: Ledger) -> None:
    require_true(shelf, ledger)


@pytest.mark.soak
@settings(MANY, max_examples=1000)
@given(ledger=st.one_of(ANY, LARGE), random=RANDOM)
def test_a_thousand_ledgers_have_the_same_breaks_in_every_source(
    shelf: Shelf, ledger: Ledger, random: Random
) -> None:
    require_equal(shelf, ledger, random)


@pytest.mark.soak
@settings(MANY, max_examples=1000)
@given(ledger=st.one_of(ANY, LARGE))
def test_what_is_found_in_a_thousand_ledgers_is_there(shelf: Shelf, ledger: Ledger) -> None:
    require_true(shelf, ledger)
