"""What is proved while entries are read, beside what a walk in order finds of the same entries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.reconciliation import arrivals, lanes, walk
from engine.reconciliation.definition import (
    Amount,
    Definition,
    QueryRows,
    Settings,
    Side,
    Tolerance,
    Window,
)
from engine.reconciliation.lanes import add_up, drop_lanes
from engine.reconciliation.proofs import Proofs, expect_proofs
from engine.reconciliation.staging import Staging, open_staging

Row = tuple[int | None, int | None, int | None, int | None, str]
"""Wallet, seconds, amount, balance after, currency."""

WALLETS = (5, 6, 7, 9)
STRANGERS = (1, 100)
CUT_OFF = 1_000
COLUMNS = "wallet, currency, total, counted, later_rows, first_pre, last_balance, suspect, crowded"


@dataclass(frozen=True)
class Given:
    """Entries as they come: rows of each reader, and how many make a batch."""

    readers: Sequence[Sequence[Row]]
    batch: int
    window: int | None
    in_currencies: bool

    @property
    def definition(self) -> Definition:
        """Of the checks that walk."""
        checks: dict[str, Settings] = {"balance": Tolerance(), "chain": Tolerance()}
        if self.window is not None:
            checks["duplicate"] = Window(within=timedelta(seconds=self.window))
        keys = {"wallet": ["wallet"], "posted_at": ["posted_at"]}
        keys |= {"currency": ["currency"]} if self.in_currencies else {}
        amounts = ("amount", "balance_after")
        return Definition(
            name="wallets",
            title="Wallets",
            timezone="UTC",
            currency="SAR",
            entries=_side("entries", keys, amounts),
            wallets=_side("wallets", {"wallet": ["wallet"]}, ("opening", "balance")),
            stored="balance",
            checks=checks,
        )


def _side(name: str, keys: Mapping[str, Sequence[str]], amounts: Sequence[str]) -> Side:
    columns = {each: Amount(plus=[each]) for each in amounts}
    return Side(name=name, source="bench", rows=QueryRows(query="-"), keys=keys, amounts=columns)


@st.composite
def givens(draw: st.DrawFn) -> Given:
    """Mostly in order, and mostly right."""
    gaps = draw(st.sampled_from([(1, 40, 90), (0, 1, 40, 90), (90,)]))
    second, balances = 0, dict.fromkeys((*WALLETS, *STRANGERS), 0)
    rows: list[Any] = []
    for _ in range(draw(st.integers(0, 30))):
        second += draw(st.sampled_from(gaps))
        wallet = draw(st.sampled_from((*WALLETS, *WALLETS, *WALLETS, *STRANGERS)))
        amount = draw(st.sampled_from([5, 5, -5, 7, 10**18]))
        balances[wallet] += amount
        wrong = draw(st.sampled_from([0] * 20 + [1, -7]))
        balance = max(-(10**18), min(10**18, balances[wallet] + wrong))
        rows.append((wallet, second, amount, balance, "SAR"))
    rows = draw(st.one_of(st.just(rows), st.permutations(rows)))
    if rows and draw(st.integers(0, 5)) == 0:
        at, column = draw(st.integers(0, len(rows) - 1)), draw(st.sampled_from([1, 3, 4]))
        odd = "sar" if column == 4 else None
        rows[at] = (*rows[at][:column], odd, *rows[at][column + 1 :])
    cut = draw(st.one_of(st.none(), st.integers(0, len(rows))))
    return Given(
        readers=[rows] if cut is None else [rows[:cut], rows[cut:]],
        batch=draw(st.integers(1, 12)),
        window=draw(st.sampled_from([None, 60])),
        in_currencies=draw(st.booleans()),
    )


def batches_of(given: Given, rows: Sequence[Row]) -> Any:
    """The rows as a reader of batches."""
    kinds = [
        ("wallet", pa.int64()),
        ("posted_at", pa.timestamp("us", "UTC")),
        ("amount", pa.int64()),
        ("balance_after", pa.int64()),
        ("currency", pa.string()),
    ]
    schema = pa.schema(kinds if given.in_currencies else kinds[:4])
    batches = []
    for start in range(0, len(rows), given.batch):
        columns: list[Any] = list(zip(*rows[start : start + given.batch], strict=True))
        columns[1] = [None if second is None else second * 10**6 for second in columns[1]]
        arrays = [
            pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=False)
        ]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.RecordBatchReader.from_batches(schema, batches)


def lanes_of(given: Given, staging: Staging, proofs: Proofs | None) -> list[tuple[Any, ...]]:
    """The lanes, in the order of wallet and currency."""
    watch = proofs.watch if proofs else lambda reader: reader
    readers = [watch(batches_of(given, rows)) for rows in given.readers]
    batches = [batch for reader in readers for batch in reader]
    entries = pa.RecordBatchReader.from_batches(readers[0].schema, batches)
    staging.load("entries", entries, zone="UTC")
    add_up(given.definition, staging, cut_off=CUT_OFF * 10**6, proofs=proofs)
    found = staging.rows(f"SELECT {COLUMNS} FROM lanes ORDER BY wallet, currency")  # noqa: S608
    drop_lanes(staging)
    return found


def proofs_of(given: Given, staging: Staging) -> Proofs:
    """What is expected to be proved of the wallets."""
    wallets = [[*WALLETS]]
    staging.run("CREATE OR REPLACE TABLE wallets AS SELECT unnest(?)::BIGINT AS wallet", wallets)
    proofs = expect_proofs(given.definition, staging, cut_off=CUT_OFF * 10**6)
    assert proofs is not None
    return proofs


def walked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The tables that are walked from now on, and how many rows they have."""
    tables: list[tuple[str, int]] = []

    def noted(
        definition: Definition, staging: Staging, *, table: str = "entries", **options: Any
    ) -> None:
        tables.append((table, staging.count(table)))
        walk.walk(definition, staging, table=table, **options)

    monkeypatch.setattr(lanes, "walk", noted)
    return tables


@pytest.fixture(scope="module")
def staging() -> Iterator[Staging]:
    """One for all ledgers, which take each other's place."""
    with open_staging() as staging:
        yield staging


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=givens())
def test_lanes_are_those_that_a_walk_in_order_finds(staging: Staging, given: Given) -> None:
    expected = lanes_of(given, staging, None)
    assert lanes_of(given, staging, proofs_of(given, staging)) == expected


IN_ORDER: Sequence[Row] = [
    (5, 1, 10, 10, "SAR"),
    (6, 1, 20, 25, "SAR"),
    (5, 70, -3, 7, "SAR"),
    (6, 2, 5, 30, "SAR"),
    (5, 200, 4, 11, "SAR"),
]


@pytest.mark.parametrize("in_currencies", [False, True])
@pytest.mark.parametrize("cut", range(len(IN_ORDER) + 1))
def test_entries_in_order_are_not_walked(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, in_currencies: bool, cut: int
) -> None:
    tables = walked(monkeypatch)
    given = Given([IN_ORDER[:cut], IN_ORDER[cut:]], 2, None, in_currencies)
    assert lanes_of(given, staging, proofs_of(given, staging)) == [
        (5, "SAR", 11, 11, 0, 0, 11, False, False),
        (6, "SAR", 25, 25, 0, 5, 30, False, False),
    ]
    assert tables == [("unproved", 0)]


@pytest.mark.parametrize(
    ("row", "window"),
    [
        ((5, 300, 4, 16, "SAR"), None),  # its balance does not follow
        ((5, 200, 4, 15, "SAR"), None),  # of the same instant
        ((5, 100, 4, 15, "SAR"), None),  # from before
        ((5, CUT_OFF, 4, 15, "SAR"), None),  # after the cut-off
        ((5, 230, 4, 15, "SAR"), 60),  # in the window of a look-alike
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_only_lanes_in_doubt_are_walked(
    staging: Staging,
    monkeypatch: pytest.MonkeyPatch,
    row: Row,
    window: int | None,
    apart: bool,
) -> None:
    tables = walked(monkeypatch)
    rows = [each for each in IN_ORDER if each[0] == 5]
    given = Given([rows, [row]] if apart else [[*rows, row]], 10, window, False)
    lanes_of(given, staging, proofs_of(given, staging))
    assert tables == [("unproved", 4)]


def test_wallets_beyond_those_that_are_known_are_walked(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = walked(monkeypatch)
    given = Given([[*IN_ORDER, (100, 1, 1, 1, "SAR"), (1, 1, 1, 1, "SAR")]], 10, None, False)
    assert len(lanes_of(given, staging, proofs_of(given, staging))) == 4
    assert tables == [("unproved", 2)]


@pytest.mark.parametrize(
    "row", [(5, None, 4, 15, "SAR"), (5, 300, 4, None, "SAR"), (5, 300, 4, 15, "KWD")]
)
def test_everything_is_walked_where_something_is_missing_or_in_another_currency(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, row: Row
) -> None:
    tables = walked(monkeypatch)
    given = Given([IN_ORDER, [row]], 10, None, True)
    lanes_of(given, staging, proofs_of(given, staging))
    assert tables == [("entries", 6)]


def test_everything_is_walked_where_much_is_in_doubt(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = walked(monkeypatch)
    monkeypatch.setattr(arrivals, "_FEW", 0)
    given = Given([[*reversed(IN_ORDER)]], 10, None, False)
    lanes_of(given, staging, proofs_of(given, staging))
    assert tables == [("entries", 5)]


def test_everything_is_walked_where_other_rows_were_staged_than_were_seen(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = walked(monkeypatch)
    given = Given([IN_ORDER], 10, None, False)
    proofs = proofs_of(given, staging)
    [*proofs.watch(batches_of(given, IN_ORDER[:1]))]
    lanes_of(given, staging, proofs)
    assert tables == [("entries", 5)]
