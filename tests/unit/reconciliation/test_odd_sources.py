"""Sources as they really are: early years, wallets at rest, circles, writers that do not stop."""

import multiprocessing
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from engine.reconciliation.definitions import Definitions
from engine.reconciliation.reconcile import Reconciler
from engine.reconciliation.result import Result
from engine.sources.catalog import Sources
from engine.sources.faults import UnreadableFile
from engine.sources.sqlite import SqliteDatabase
from tests.builders.canteen import Canteen, chain_breaks, drifts
from tests.builders.clock import FakeClock

NINE, TEN = "2026-11-01 09:00:00", "2026-11-01 10:00:00"

FILE = """
title: A statement
timezone: UTC
currency: SAR
source: files
sides:
  entries:
    file: entries.csv
    columns: {wallet: w, entry: e, amount: a, currency: c, balance_after: b, posted_at: t}
stored: last_balance_after
checks: {balance: {}, chain: {}}
"""
HEADER = "w,e,a,c,b,t\n"


@pytest.fixture
def canteen(tmp_path: Path) -> Canteen:
    return Canteen(tmp_path)


def find_in_file(folder: Path, rows: str | bytes) -> Result:
    """What is found in a file of these rows."""
    (folder / "reconciliations").mkdir()
    (folder / "reconciliations" / "statement.yaml").write_text(FILE, encoding="utf-8")
    data = rows if isinstance(rows, bytes) else rows.encode()
    (folder / "entries.csv").write_bytes(HEADER.encode() + data)
    definitions = Definitions(folder / "reconciliations", Sources({"files": "."}, folder))
    return Reconciler(definitions=definitions, clock=FakeClock()).find("statement")


@pytest.mark.parametrize("day", ["1970-01-02", "1970-02-01", "1972-06-01", "1969-12-31"])
def test_a_file_may_begin_in_the_first_years_of_the_epoch(tmp_path: Path, day: str) -> None:
    result = find_in_file(tmp_path, f"1,1,5.00,SAR,5.00,{day}\n1,2,5.00,SAR,10.00,2026-01-01\n")
    assert (result.differences, result.findings) == ([], [])
    assert [(t.entries, t.stored_minor) for t in result.totals] == [(2, 1000)]


def test_a_wallet_at_rest_stores_what_it_opened_with(canteen: Canteen) -> None:
    canteen.define(stored="last_balance_after")
    canteen.wallets((1, 100, 0), (2, 0, 0))
    canteen.entries((1, 2, "topup", 5, 5, NINE))
    result = canteen.find()
    assert result.differences == []
    assert [(t.stored_minor, t.gap_minor) for t in result.totals] == [(105, 0)]


def test_a_balance_that_nothing_says_is_drift_and_the_totals_tie_out(tmp_path: Path) -> None:
    result = find_in_file(tmp_path, "1,1,5.00,SAR,5.00,soon\n")
    assert drifts(result) == [("1", "SAR", -500)]
    assert [finding.code for finding in result.findings] == ["SOURCE_TYPE"]


@pytest.mark.parametrize("later", [((TEN, 7, 7),), ((TEN, 3, 3), (TEN, 4, 7)), ()])
def test_a_circle_starts_where_the_rows_after_it_go_on(
    canteen: Canteen, later: tuple[tuple[str, int, int], ...]
) -> None:
    # The opening balance is unknown, and the entry with the lowest id came second.
    canteen.define(
        stored="last_balance_after", change=lambda text: text.replace("opening: opening, ", "")
    )
    canteen.wallets((1, 0, 0))
    canteen.entries(
        ("z", 1, "topup", 10, 10, "2026-11-01 08:00:00"),
        ("a", 1, "purchase", 10, 0, "2026-11-01 08:00:00"),
        *((f"b{i}", 1, "topup", amount, after, at) for i, (at, amount, after) in enumerate(later)),
    )
    assert canteen.find().differences == []


def test_a_circle_that_nothing_goes_on_from_is_a_break(canteen: Canteen) -> None:
    canteen.define(change=lambda text: text.replace("opening: opening, ", ""))
    canteen.wallets((1, 0, 7))
    canteen.entries(
        (1, 1, "topup", 10, 10, NINE),
        (2, 1, "purchase", 10, 0, NINE),
        (3, 1, "topup", 7, 10, TEN),
    )
    assert chain_breaks(canteen.find()) == [("1", "3", 3)]


@pytest.mark.parametrize("posted_at", [1700000000.7, "1700000000.7", "1e3", 2**63 - 1, -(2**63)])
def test_a_number_that_is_no_instant_is_never_rounded_to_one(
    canteen: Canteen, posted_at: object
) -> None:
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "topup", 5, 5, posted_at))
    assert [f.where for f in canteen.find().findings] == ["row 1, column posted_at"]


def _move_money(path: Path, began: Any, seconds: float) -> None:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        began.set()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.execute("BEGIN IMMEDIATE")
            for wallet, kind, amount in ((1, "purchase", -1), (2, "topup", 1)):
                connection.execute(
                    "UPDATE wallets SET balance = balance + ? WHERE id = ?", (amount, wallet)
                )
                connection.execute(
                    "INSERT INTO entries SELECT (SELECT max(id) + 1 FROM entries), id, ?, 1, "
                    "'SAR', balance, '2026-11-01', NULL FROM wallets WHERE id = ?",
                    (kind, wallet),
                )
            time.sleep(0.002)  # in the middle of it, where a lock is held
            connection.execute("COMMIT")


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_writer_that_does_not_stop_neither_fails_a_run_nor_shows_in_it(
    canteen: Canteen, journal: str
) -> None:
    canteen.run(f"PRAGMA journal_mode = {journal}")
    canteen.wallets((1, 1000, 1000), (2, 0, 0))
    canteen.entries((1, 1, "topup", 0, 1000, "2026-11-01"))
    context = multiprocessing.get_context("spawn")
    began = context.Event()
    writer = context.Process(target=_move_money, args=(canteen.path, began, 3))
    writer.start()
    assert began.wait(60), "the writer did not begin"
    until = time.monotonic() + 3
    seen = set()
    while time.monotonic() < until:
        result = canteen.find(cut_off=datetime(2027, 1, 1, tzinfo=UTC))
        assert (result.differences, result.findings) == ([], [])
        seen.add(result.totals[0].entries)
    writer.join()
    assert writer.exitcode == 0
    assert len(seen) > 1


def test_columns_that_begin_empty_are_read_all_the_same(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 0))
    with closing(sqlite3.connect(canteen.path)) as connection, connection:
        connection.executemany(
            "INSERT INTO entries VALUES (?, 1, 'topup', 0, 'SAR', 0, ?, NULL)",
            ((i, None if i < 66_000 else NINE) for i in range(66_010)),
        )
    result = canteen.find()
    assert {finding.code for finding in result.findings} == {"SOURCE_TYPE"}
    assert [totals.entries for totals in result.totals] == [66_010]


@pytest.mark.parametrize(
    ("kind", "amount"),
    [("purchase", -(2**63)), ("topup", 2**63 - 1), ("topup", -(10**18) - 1)],
)
def test_an_amount_past_what_can_be_added_is_a_finding(
    canteen: Canteen, kind: str, amount: int
) -> None:
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, kind, amount, 5, NINE), (2, 1, "topup", 5, 5, TEN))
    result = canteen.find()
    assert result.differences == []
    (finding,) = result.findings
    assert finding.where == "row 1, column amount"
    assert "larger than any amount can be" in finding.message


@pytest.mark.parametrize("wallet", [1, "one"])
def test_a_row_left_out_may_have_any_id(canteen: Canteen, wallet: object) -> None:
    canteen.wallets((wallet, 0, 5))
    canteen.entries((1, wallet, "topup", 5, 5, NINE), ("x", "TEST", "topup", "12.5", 0, TEN))
    result = canteen.find()
    assert result.differences == []
    assert [finding.where for finding in result.findings] == ["row x, column amount"]


def test_every_row_may_be_left_out(canteen: Canteen) -> None:
    canteen.wallets(("one", 5, 5))
    canteen.entries(("x", "one", "topup", 1.5, 5, NINE), ("y", "one", "topup", "5", 5, TEN))
    result = canteen.find()
    assert result.differences == []
    assert [finding.where for finding in result.findings] == [
        "row x, column amount",
        "row y, column amount",
    ]


def test_a_balance_past_what_can_be_added_breaks_no_run(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 5))
    canteen.entries((1, 1, "topup", 5, -(2**63) + 1, NINE))
    assert [f.where for f in canteen.find().findings] == ["row 1, column balance_after"]


def test_ids_may_be_blobs_and_are_shown_in_hex(canteen: Canteen) -> None:
    wallet, entry = b"\xff\x00ab", b"\x01\xfe"
    canteen.wallets((wallet, 0, 6))
    canteen.entries((entry, wallet, "topup", 5, 5, NINE))
    assert drifts(canteen.find()) == [("FF006162", "SAR", 1)]


def test_currencies_may_be_numbers_or_compared_without_case(canteen: Canteen) -> None:
    canteen.run("DROP TABLE entries")
    canteen.run(
        "CREATE TABLE entries (id, wallet, type, amount, currency COLLATE NOCASE, "
        "balance_after, posted_at)"
    )
    canteen.wallets((1, 0, 5, 682), (1, 0, 10, "SAR"))
    canteen.entries(
        (1, 1, "topup", 5, 5, NINE, 682),
        (2, 1, "topup", 5, 5, NINE, "SAR"),
        (3, 1, "topup", 5, 10, TEN, "sar"),
    )
    result = canteen.find()
    assert (result.differences, result.findings) == ([], [])
    assert [(t.currency, t.entries_minor) for t in result.totals] == [("682", 5), ("SAR", 10)]


def test_entries_that_share_an_id_keep_a_break_each(canteen: Canteen) -> None:
    canteen.wallets((1, 0, 10))
    canteen.entries((7, 1, "topup", 5, 6, NINE), (7, 1, "topup", 5, 20, TEN))
    result = canteen.find()
    assert chain_breaks(result) == [("1", "7", 1), ("1", "7 (2)", 9)]
    assert len({each.identity("wallets") for each in result.differences}) == 2


@pytest.mark.parametrize("ending", ["\n", ""])
def test_a_quote_inside_of_a_field_cuts_nothing(tmp_path: Path, ending: str) -> None:
    rows = '5" plate,1,5.00,SAR,5.00,2026-01-01\n"a ""b""",2,5.00,SAR,5.00,2026-01-01'
    result = find_in_file(tmp_path, rows + ending)
    assert result.findings == []
    assert [totals.entries for totals in result.totals] == [2]


@pytest.mark.parametrize("end", ["محفظة,2", "1,2,5.00,SAR,5.00,مح", '"1', '1,2,"5'])
def test_a_file_may_be_cut_anywhere_even_inside_of_a_letter(tmp_path: Path, end: str) -> None:
    whole = "1,1,5.00,SAR,5.00,2026-01-01\n"
    cut = end.encode()
    result = find_in_file(tmp_path, whole.encode() + (cut if cut.isascii() else cut[:-1]))
    assert [(f.code, f.where) for f in result.findings] == [("SOURCE_TRUNCATED", "entries.csv:3")]
    assert [totals.entries for totals in result.totals] == [1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,1,5.00,SAR,5.00,2026-01-01,9\n", "line 2 has 7 fields instead of 6"),
        (b"\xe9,1,5.00,SAR,5.00,2026-01-01\n", "can't decode byte 0xe9"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_its_own_words(
    tmp_path: Path, rows: str | bytes, message: str
) -> None:
    with pytest.raises(UnreadableFile, match=message):
        find_in_file(tmp_path, rows)


def test_two_columns_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.reconciliation.test_odd_sources.HEADER", "w,e,a,c,b,t,a\n")
    with pytest.raises(UnreadableFile, match="more than one column 'a'"):
        find_in_file(tmp_path, "1,1,5.00,SAR,5.00,2026-01-01,7.00\n")


def test_threads_of_one_process_take_none_of_each_others_locks(canteen: Canteen) -> None:
    # Closing a file drops every lock of the process on it, those of other threads included.
    canteen.run("PRAGMA journal_mode = delete")
    database = SqliteDatabase("canteen", canteen.path)
    looked = Thread(target=database.require_reachable)
    with database.snapshot():
        looked.start()
        looked.join(0.3)
        assert _cannot_write(canteen.path)
    looked.join()
    assert not _cannot_write(canteen.path)


def _cannot_write(path: Path) -> bool:
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "try: c.execute('DELETE FROM wallets'); c.commit()\n"
        "except sqlite3.OperationalError: sys.exit(7)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)  # noqa: S603
    return done.returncode == 7
