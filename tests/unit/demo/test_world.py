import sqlite3
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from engine.demo.school_days import RIYADH, is_school_day
from engine.demo.world import World, WorldTooSmall, build_world
from tests.builders.world import AS_OF, a_world, rows_of

from .brute_force import chains_by_id, signed


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("untouched"), faults=0)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    worlds = [a_world(tmp_path / name, seed=5) for name in ("one", "two")]
    assert _sha256(worlds[0].path) == _sha256(worlds[1].path)
    assert _sha256(worlds[0].truth_path) == _sha256(worlds[1].truth_path)


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    assert _sha256(a_world(tmp_path, seed=1).path) != _sha256(a_world(tmp_path, seed=2).path)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_rows_grow_exactly_as_asked_whatever_was_planted(tmp_path: Path, times: int) -> None:
    world = a_world(tmp_path, wallets=200 * times, entries=4_000 * times)
    counted = {
        table: rows_of(world, f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608
        for table in ("schools", "guardians", "students", "wallets", "entries")
    }
    assert counted == {
        "schools": world.schools,
        "guardians": world.guardians,
        "students": 200 * times,
        "wallets": 200 * times,
        "entries": 4_000 * times,
    }


def test_every_entry_of_an_untouched_world_chains_and_sums_to_the_balance(
    untouched: World,
) -> None:
    for wallet in rows_of(untouched, "SELECT * FROM wallets"):
        mine = rows_of(
            untouched,
            f"SELECT * FROM entries WHERE wallet_id = {wallet['id']} ORDER BY posted_at, id",  # noqa: S608
        )
        assert chains_by_id(wallet["opening_minor"], mine)
        total = wallet["opening_minor"] + sum(signed(row) for row in mine)
        assert total == wallet["balance_minor"]


def test_amounts_are_positive_integers_and_no_balance_is_negative_by_chance(
    tmp_path: Path, untouched: World
) -> None:
    world = a_world(tmp_path)
    odd = "SELECT * FROM entries WHERE typeof(amount_minor) <> 'integer' OR amount_minor <= 0"
    assert rows_of(world, odd) == []
    assert rows_of(untouched, f"{odd} OR balance_after_minor < 0") == []
    assert rows_of(untouched, "SELECT * FROM wallets WHERE balance_minor < 0") == []


def test_nobody_trades_twice_alike_within_a_minute_by_chance(tmp_path: Path) -> None:
    # So crowded that it would happen all the time.
    world = a_world(tmp_path, wallets=50, entries=20_000, faults=0)
    rows = rows_of(
        world,
        "SELECT count(*) AS n FROM entries a JOIN entries b ON b.wallet_id = a.wallet_id"
        " AND b.type = a.type AND b.amount_minor = a.amount_minor AND b.id > a.id"
        " AND unixepoch(b.posted_at) - unixepoch(a.posted_at) <= 60",
    )
    assert rows == [{"n": 0}]


def test_ids_follow_time(untouched: World) -> None:
    rows = rows_of(untouched, "SELECT posted_at FROM entries ORDER BY id")
    assert rows == sorted(rows, key=lambda row: row["posted_at"])


def test_students_buy_on_school_days_in_the_breaks_of_their_stage(untouched: World) -> None:
    breaks = {
        "primary": [(time(9, 0), time(9, 25)), (time(11, 30), time(11, 45))],
        "intermediate": [(time(9, 45), time(10, 10)), (time(11, 50), time(12, 5))],
        "secondary": [(time(10, 30), time(10, 55)), (time(12, 10), time(12, 25))],
    }
    purchases = rows_of(
        untouched,
        "SELECT posted_at, stage FROM entries JOIN wallets ON wallets.id = wallet_id"
        " JOIN students ON students.id = student_id JOIN schools ON schools.id = school_id"
        " WHERE type = 'purchase'",
    )
    assert {row["stage"] for row in purchases} == set(breaks)
    for row in purchases:
        local = datetime.fromisoformat(row["posted_at"]).astimezone(RIYADH)
        assert local.strftime("%A") in ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday")
        assert any(start <= local.time() < end for start, end in breaks[row["stage"]])


def test_national_days_and_weekends_have_no_school() -> None:
    week = [datetime(2026, 9, 20, tzinfo=UTC).date() + timedelta(days=n) for n in range(7)]
    open_days = [day.strftime("%a %d") for day in week if is_school_day(day)]
    assert open_days == ["Sun 20", "Mon 21", "Tue 22", "Thu 24"]


@pytest.mark.parametrize(
    "as_of",
    [
        AS_OF,
        datetime(2026, 11, 22, 21, 0, tzinfo=UTC),  # the end of a Sunday
        datetime(2026, 11, 21, 21, 0, tzinfo=UTC),  # the end of a Saturday: a day of top-ups
        datetime(2026, 11, 23, 7, 30, tzinfo=UTC),  # in the middle of a morning
    ],
)
def test_the_world_ends_within_a_day_before_its_instant(tmp_path: Path, as_of: datetime) -> None:
    world = a_world(tmp_path, as_of=as_of)
    ends = rows_of(
        world, "SELECT max(posted_at) AS last, max(created_at) AS made FROM entries, wallets"
    )
    last = datetime.fromisoformat(ends[0]["last"])
    assert as_of - timedelta(days=1) < last < as_of
    assert datetime.fromisoformat(ends[0]["made"]) < world.starts_at


def test_topups_carry_the_references_of_their_gateways(untouched: World) -> None:
    references = [
        row["reference"]
        for row in rows_of(untouched, "SELECT reference FROM entries WHERE type = 'topup'")
    ]
    gateways = Counter(reference.partition("-")[0] for reference in references)
    assert [name for name, _ in gateways.most_common()] == ["MADA", "APPLEPAY", "STCPAY"]
    assert len(set(references)) == len(references)


def test_a_refund_pays_back_a_purchase_of_its_wallet_once(untouched: World) -> None:
    refunds = rows_of(
        untouched,
        "SELECT r.reference, r.wallet_id, r.amount_minor,"
        " p.wallet_id AS buyer, p.amount_minor AS paid"
        " FROM entries r LEFT JOIN entries p"
        " ON p.reference = replace(r.reference, 'REF', 'POS')"
        " WHERE r.type = 'refund'",
    )
    assert len(refunds) > 20
    assert len({row["reference"] for row in refunds}) == len(refunds)
    for row in refunds:
        assert (row["wallet_id"], row["amount_minor"]) == (row["buyer"], row["paid"])


def test_every_row_belongs_to_somebody(untouched: World) -> None:
    assert rows_of(untouched, "PRAGMA foreign_key_check") == []


def test_names_are_in_arabic_and_in_english(untouched: World) -> None:
    for row in rows_of(untouched, "SELECT name_ar, name_en FROM students"):
        assert all("\u0600" <= letter <= "\u06ff" or letter == " " for letter in row["name_ar"])
        assert row["name_en"].isascii()


def test_progress_only_grows_and_ends_complete(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    build_world(
        tmp_path / "canteen.db",
        wallets=500,
        entries=50_000,
        seed=1,
        as_of=AS_OF,
        progress=lambda done, total, note: told.append((done, total, note)),
    )
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)
    assert told[-1][0] == told[-1][1]
    assert [*dict.fromkeys(note for *_, note in told)] == ["people", "entries", "indexes", "faults"]


def test_a_build_that_breaks_off_leaves_the_world_that_was_there(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    before = _sha256(world.path), _sha256(world.truth_path)

    def give_up(done: int, total: int, note: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_world(world.path, wallets=100, entries=1_000, seed=9, as_of=AS_OF, progress=give_up)
    assert (_sha256(world.path), _sha256(world.truth_path)) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "canteen-1.db",
        "canteen-1.db.truth.json",
    ]


def test_a_world_too_small_to_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldTooSmall, match="at least 50 wallets and ten entries for each"):
        a_world(tmp_path, wallets=49)
    with pytest.raises(WorldTooSmall, match="200 wallets and 100 entries"):
        a_world(tmp_path, wallets=200, entries=100)
    assert list(tmp_path.iterdir()) == []


def test_a_wallet_finds_its_entries_by_an_index(untouched: World) -> None:
    with sqlite3.connect(untouched.path) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM entries WHERE wallet_id = 1 ORDER BY posted_at, id"
        ).fetchall()
    connection.close()
    assert [row[3] for row in plan] == [
        "SEARCH entries USING INDEX entries_by_wallet (wallet_id=?)"
    ]


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
