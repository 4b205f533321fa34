"""Reconciling a small canteen."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.reconciliation.reconcile import DoubledWallet
from engine.reconciliation.staging import Staging, open_staging
from engine.reconciliation.totals import TotalsDoNotTie
from engine.sources.faults import InvalidQuery, SourceUnreachable
from engine.sources.sqlite_snapshot import SqliteSnapshot
from tests.builders.canteen import Canteen, chain_breaks, drifts

NOON = "2026-11-01 12:00:00"


def at(hour: int, day: int = 1) -> str:
    """An instant of November, as SQLite applications write it."""
    return f"2026-11-{day:02d} {hour:02d}:00:00"


@pytest.fixture
def canteen(tmp_path: Path) -> Canteen:
    """Two wallets that agree, of which the second moved twice in one second."""
    canteen = Canteen(tmp_path)
    canteen.wallets((1, 100, 130), (2, 0, 70))
    canteen.entries(
        (1, 1, "topup", 50, 150, at(8)),
        (2, 1, "purchase", 20, 130, at(9)),
        (3, 2, "topup", 100, 100, at(8)),
        (4, 2, "purchase", 10, 70, at(9)),
        (5, 2, "purchase", 20, 80, at(9)),
    )
    return canteen


def test_what_agrees_has_no_breaks_and_rows_of_one_second_may_come_in_any_order(
    canteen: Canteen,
) -> None:
    result = canteen.find()
    assert result.differences == []
    assert result.counts == {"ORDER_ONLY": 1}
    assert result.findings == []
    assert result.checks == ["balance", "chain"]


def test_a_stored_balance_that_drifts_is_found_with_both_amounts(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET balance = 999 WHERE id = 1")
    (drift,) = canteen.find().differences
    assert (drift.check, drift.code, drift.kind) == ("balance", "BALANCE_DRIFT", "amount")
    assert (drift.wallet, drift.entry, drift.currency) == ("1", None, "SAR")
    assert (drift.amount_minor, drift.expected_minor, drift.actual_minor) == (869, 130, 999)


def test_a_wallet_without_entries_must_store_what_it_opened_with(canteen: Canteen) -> None:
    canteen.wallets((3, 40, 40), (4, 40, 41))
    assert drifts(canteen.find()) == [("4", "SAR", 1)]


def test_a_chain_that_jumps_is_found_at_the_entry_where_it_does(canteen: Canteen) -> None:
    canteen.run("UPDATE entries SET balance_after = 137 WHERE id = 2")
    (broken,) = canteen.find().differences
    assert (broken.check, broken.code, broken.wallet, broken.entry) == (
        *("chain", "CHAIN_BREAK", "1", "2"),
    )
    assert (broken.amount_minor, broken.expected_minor, broken.actual_minor) == (7, 150, 157)


def test_a_chain_starts_at_the_opening_balance(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET opening = 90, balance = 120 WHERE id = 1")
    assert chain_breaks(canteen.find()) == [("1", "1", 10)]


def test_a_chain_carries_on_from_a_settled_second(canteen: Canteen) -> None:
    canteen.entries((6, 2, "topup", 5, 76, at(10)))
    canteen.run("UPDATE wallets SET balance = 75 WHERE id = 2")
    assert chain_breaks(canteen.find()) == [("2", "6", 1)]


def test_a_tolerance_is_how_far_apart_amounts_may_be(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET balance = balance + 5 WHERE id = 1")
    canteen.run("UPDATE wallets SET balance = balance + 6 WHERE id = 2")
    canteen.define(tolerance=5)
    result = canteen.find()
    assert drifts(result) == [("2", "SAR", 6)]
    assert result.counts["WITHIN_TOLERANCE"] == 1
    (totals,) = result.totals
    assert (totals.drift_minor, totals.gap_minor) == (11, 0)


def test_currencies_of_one_wallet_are_apart(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 8, "KWD"))
    canteen.entries((6, 1, "topup", 7, 7, at(8), "KWD"))
    result = canteen.find()
    assert drifts(result) == [("1", "KWD", 1)]
    assert chain_breaks(result) == []
    assert [(t.currency, t.entries_minor, t.drift_minor) for t in result.totals] == [
        ("KWD", 7, 1),
        ("SAR", 100, 0),
    ]


def test_entries_that_no_wallet_holds_are_totalled_by_the_reason(canteen: Canteen) -> None:
    canteen.entries((6, 77, "topup", 7, 7, at(8)), (7, 1, "topup", 3, 3, at(8), "USD"))
    result = canteen.find()
    assert drifts(result) == []
    totals = [(t.currency, t.orphans_minor, t.mismatched_minor, t.gap_minor) for t in result.totals]
    assert totals == [("SAR", 7, 0, 0), ("USD", 0, 3, 0)]


def test_the_totals_are_those_of_the_source(canteen: Canteen) -> None:
    (totals,) = canteen.find().totals
    assert (totals.stored_minor, totals.opening_minor, totals.entries_minor) == (200, 100, 100)
    assert (totals.wallets, totals.entries) == (2, 5)


def test_a_batch_that_is_lost_on_the_way_fails_the_run(
    canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = SqliteSnapshot.batches

    @contextmanager
    def without_the_first(self: SqliteSnapshot, query: str, **options: Any) -> Iterator[Any]:
        with batches(self, query, **options) as reader:
            if "posted_at" in reader.schema.names:
                kept = list(reader)[1:]
                reader = pa.RecordBatchReader.from_batches(reader.schema, kept)
            yield reader

    monkeypatch.setattr(SqliteSnapshot, "batches", without_the_first)
    with pytest.raises(TotalsDoNotTie, match=r"0 rows were compared, the source has 5") as told:
        canteen.find()
    assert "do not tie out" in str(told.value)


def test_a_row_that_is_lost_is_told_by_how_much(
    canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Staging.load

    def load_without_one(self: Staging, table: str, reader: Any, **options: Any) -> None:
        load(self, table, reader, **options)
        if table == "entries":
            self.run("DELETE FROM entries WHERE amount = 50")

    monkeypatch.setattr(Staging, "load", load_without_one)
    # The wallet then seems to drift by what was lost, which the source's own sum contradicts.
    with pytest.raises(TotalsDoNotTie, match=r"SAR is off by -0\.50"):
        canteen.find()


@pytest.mark.parametrize("stored", ["balance", "last_balance_after"])
def test_at_an_earlier_cut_off_balances_are_less_by_what_came_since(
    canteen: Canteen, stored: str
) -> None:
    canteen.define(stored=stored)
    canteen.run("UPDATE entries SET balance_after = 137 WHERE id = 2")
    result = canteen.find(cut_off=datetime(2026, 11, 1, 9, tzinfo=UTC))
    assert result.differences == []
    (totals,) = result.totals
    assert (totals.stored_minor, totals.entries_minor, totals.entries) == (250, 150, 2)
    assert totals.gap_minor == 0


def test_a_cut_off_is_an_instant_and_naive_texts_are_of_the_definitions_zone(
    canteen: Canteen,
) -> None:
    canteen.define(timezone="Asia/Riyadh")
    result = canteen.find(cut_off=datetime(2026, 11, 1, 6, tzinfo=UTC))  # 9:00 in Riyadh
    assert [totals.entries for totals in result.totals] == [2]


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("2026-11-01", "2026-11-02"),
        ("2026-11-01T08:59:59Z", "2026-11-01T09:00:00Z"),
        ("2026-11-01T11:59:59+03:00", "2026-11-01T12:00:00+03:00"),
        ("2026-11-01T08:59:59.999", "2026-11-01T09:00"),
        (1793523599, 1793523600),
        (1793523599999, 1793523600000),
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "Africa/Abidjan"])
def test_instants_are_understood_however_they_are_written(
    tmp_path: Path, early: object, late: object, timezone: str
) -> None:
    canteen = Canteen(tmp_path)
    canteen.define(timezone=timezone)
    canteen.wallets((1, 0, 30))
    canteen.entries((1, 1, "topup", 10, 10, early), (2, 1, "topup", 20, 30, late))
    result = canteen.find(cut_off=datetime(2026, 11, 1, 9, tzinfo=UTC))
    assert result.findings == []
    assert [(t.entries, t.entries_minor) for t in result.totals] == [(1, 10)]


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("amount", "20", "the text '20'"),
        ("amount", "abc", "the text 'abc'"),
        ("amount", 20.5, "the real '20.5'"),
        ("amount", 20.0, "the real '20.0'"),
        ("amount", None, "NULL"),
        ("amount", b"20", "the blob '3230'"),
        ("type", "gift", "the text 'gift'"),
        ("type", None, "NULL"),
        ("wallet", None, "NULL"),
        ("currency", None, "NULL"),
    ],
)
def test_a_value_that_is_not_as_due_is_found_where_it_is_and_never_cast(
    canteen: Canteen, column: str, value: object, shown: str
) -> None:
    canteen.run(f"UPDATE entries SET {column} = ? WHERE id = 2", [value])  # noqa: S608
    result = canteen.find()
    (finding,) = result.findings
    assert (finding.code, finding.side) == ("SOURCE_TYPE", "entries")
    assert finding.where == f"row 2, column {column}"
    assert finding.message.startswith(shown)
    # The row itself is left out, and the wallet lacks it.
    assert drifts(result) == [("1", "SAR", -20)]
    assert [totals.entries for totals in result.totals] == [4]


def test_a_stored_balance_that_is_no_whole_number_is_a_finding(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET balance = 130.5 WHERE id = 1")
    result = canteen.find()
    assert [(f.side, f.where) for f in result.findings] == [("wallets", "row 1, column balance")]
    assert [(t.wallets, t.orphans_minor, t.gap_minor) for t in result.totals] == [(1, 30, 0)]


@pytest.mark.parametrize("value", [None, "soon", "2026-02-30 10:00:00"])
def test_an_instant_that_is_none_is_a_finding_and_the_money_still_counts(
    canteen: Canteen, value: object
) -> None:
    canteen.run("UPDATE entries SET posted_at = ? WHERE id = 2", [value])
    result = canteen.find()
    assert [finding.where for finding in result.findings] == ["row 2, column posted_at"]
    assert result.differences == []


def test_many_bad_values_are_listed_once_and_then_counted(canteen: Canteen) -> None:
    canteen.entries(*((i, 1, "topup", "1", 0, NOON) for i in range(10, 260)))
    findings = canteen.find().findings
    assert len(findings) == 101
    assert findings[-1].message == "150 more like these"


def test_a_wallet_that_comes_twice_is_refused(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 0))
    with pytest.raises(DoubledWallet, match="gives wallet 1 in SAR 2 times"):
        canteen.find()


def test_ids_that_are_numbers_on_one_side_and_texts_on_the_other_still_meet(
    canteen: Canteen,
) -> None:
    canteen.run("UPDATE entries SET wallet = CAST(wallet AS TEXT)")
    assert canteen.find().differences == []
    canteen.wallets(("x", 0, 3))
    assert drifts(canteen.find()) == [("x", "SAR", 3)]


def test_amounts_beyond_a_float_stay_exact(tmp_path: Path) -> None:
    canteen = Canteen(tmp_path)
    canteen.wallets((1, 9007199254740993, 9007199254740995))
    canteen.entries((1, 1, "topup", 1, 9007199254740994, NOON))
    assert drifts(canteen.find()) == [("1", "SAR", 1)]


def test_a_column_that_the_query_does_not_give_is_named(canteen: Canteen) -> None:
    canteen.define(change=lambda text: text.replace("opening: opening", "opening: opened"))
    with pytest.raises(InvalidQuery, match="side wallets: it gives no column 'opened'"):
        canteen.find()


def test_a_database_that_is_gone_is_unreachable(canteen: Canteen) -> None:
    canteen.path.unlink()
    with pytest.raises(SourceUnreachable, match="canteen"):
        canteen.find()


def test_the_order_of_rows_in_the_source_changes_nothing(canteen: Canteen) -> None:
    canteen.run("UPDATE entries SET balance_after = 137 WHERE id = 2")
    before = canteen.find()
    with closing(sqlite3.connect(canteen.path)) as connection, connection:
        connection.execute("CREATE TABLE other AS SELECT * FROM entries ORDER BY id DESC")
        connection.execute("DROP TABLE entries")
        connection.execute("ALTER TABLE other RENAME TO entries")
    after = canteen.find()
    assert after.differences == before.differences
    assert [side.fingerprint for side in after.sides] == [s.fingerprint for s in before.sides]


def test_fingerprints_tell_changed_rows_apart(canteen: Canteen) -> None:
    before = canteen.find()
    canteen.run("UPDATE entries SET balance_after = 131 WHERE id = 2")
    wallets, entries = canteen.find().sides
    assert wallets.fingerprint == before.sides[0].fingerprint
    assert entries.fingerprint != before.sides[1].fingerprint


def test_a_period_ends_at_the_cut_off(canteen: Canteen) -> None:
    period = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 9, tzinfo=UTC))
    result = canteen.reconciler().find("wallets", period=period)
    assert (result.period, result.cut_off) == (period, period[1])


def test_progress_is_told(canteen: Canteen) -> None:
    told: list[tuple[int, int, str]] = []
    canteen.reconciler().find("wallets", progress=lambda *step: told.append(step))
    assert told[0] == (0, 5, "reading wallets")
    assert told[-1] == (5, 5, "done")


@pytest.mark.parametrize("on_disk", [False, True])
def test_staging_reaches_no_file_and_keeps_its_settings(tmp_path: Path, on_disk: bool) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n", encoding="utf-8")
    with open_staging(scratch=tmp_path, on_disk=on_disk) as staging:
        for statement in (
            f"SELECT * FROM '{tmp_path}/a.csv'",  # noqa: S608
            f"COPY (SELECT 1) TO '{tmp_path}/b.csv'",
            f"ATTACH '{tmp_path}/c.db'",
            "SET memory_limit = '10GB'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(Exception, match=r"(?i)disabled|locked|cannot"):
                staging.run(statement)


def test_what_is_staged_on_disk_is_compared_as_it_is_in_memory(canteen: Canteen) -> None:
    canteen.run("UPDATE wallets SET balance = 999 WHERE id = 1")
    canteen.run("UPDATE entries SET balance_after = 137 WHERE id = 2")
    in_memory = canteen.find()
    canteen.define(change=lambda text: "staging: disk\n" + text)
    on_disk = canteen.find()
    assert on_disk.differences == in_memory.differences
    assert on_disk.totals == in_memory.totals


def test_staging_spills_into_its_own_folder_and_leaves_nothing(tmp_path: Path) -> None:
    with open_staging(memory_limit="40MB", scratch=tmp_path) as staging:
        staging.run("CREATE TABLE t AS SELECT i, hash(i) AS h FROM range(3000000) r(i)")
        staging.rows("SELECT count(*) FROM (SELECT * FROM t ORDER BY h)")
        assert any(path.is_file() for path in tmp_path.rglob("*"))
    assert list(tmp_path.iterdir()) == []
