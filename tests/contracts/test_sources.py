"""What every database that rows are read from must do, on real ones."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from engine.sources.catalog import Sources, open_source
from engine.sources.database import Database
from engine.sources.faults import InvalidQuery, SourceUnreachable
from engine.sources.folder import Folder
from tests.builders.mariadb import start_mariadb
from tests.builders.postgres import start_postgres
from tests.builders.reconciled import in_plain, reconciled
from tests.builders.source import BACKENDS, SourceDatabase, SqliteSource, a_source, copy_world
from tests.builders.world import AS_OF, a_world

NINE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
LARGE = 10**18 - 1


@pytest.fixture
def source(source_database: SourceDatabase) -> SourceDatabase:
    """Two tables with a row each."""
    source_database.make("wallets", {"id": "whole", "balance": "whole"})
    source_database.make("entries", {"id": "whole", "amount": "number", "type": "text"})
    source_database.fill("wallets", [(1, 100)])
    source_database.fill("entries", [(1, 100, "topup")])
    return source_database


@pytest.fixture
def database(source: SourceDatabase, tmp_path: Path) -> Database:
    return opened(source.url, tmp_path)


def opened(url: str, folder: Path) -> Database:
    database = open_source("canteen", url, folder)
    assert not isinstance(database, Folder)
    return database


def selected(columns: str, query: str, rest: str = "") -> str:
    """Columns of a query, as they are read of one."""
    return f"SELECT {columns} FROM ({query}\n) AS found {rest}"  # noqa: S608


def test_it_answers(database: Database) -> None:
    database.require_reachable()


def test_a_select_tells_its_columns_in_order(database: Database) -> None:
    assert [*database.columns("SELECT id, balance AS b FROM wallets -- all of them")] == ["id", "b"]
    assert [*database.columns("WITH a AS (SELECT 1 AS one) SELECT * FROM a")] == ["one"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM wallets",
        "INSERT INTO wallets VALUES (3, 3)",
        "UPDATE wallets SET balance = 0",
        "DROP TABLE wallets",
        "CREATE TABLE other (id INTEGER)",
        "SELECT 1 AS a; DELETE FROM wallets",
        "SELECT 1 AS a;",
        "SELECT 1 AS a) ; DELETE FROM wallets; --",
        "SELECT 1 AS a) AS a, (SELECT 2 AS b",
        "SELECT 1 AS a) AS a; DELETE FROM wallets; SELECT * FROM (SELECT 1 AS a",
        "WITH a AS (SELECT 1) DELETE FROM wallets",
        "COMMIT",
        "",
        "nonsense",
    ],
)
def test_a_query_is_one_select(database: Database, source: SourceDatabase, query: str) -> None:
    with pytest.raises(InvalidQuery, match="the query on source 'canteen' cannot be used"):
        database.columns(query)
    assert source.rows("SELECT id, balance FROM wallets") == [(1, 100)]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT nope FROM wallets", "nope"),
        ("SELECT * FROM nope", "nope"),
    ],
)
def test_what_is_not_there_is_named_on_one_line(database: Database, query: str, named: str) -> None:
    with pytest.raises(InvalidQuery, match=named) as raised:
        database.columns(query)
    assert "\n" not in str(raised.value)


def test_a_snapshot_gives_rows_and_batches(database: Database) -> None:
    with database.snapshot() as snapshot:
        assert [tuple(row) for row in snapshot.rows("SELECT id, balance FROM wallets")] == [
            (1, 100)
        ]
        with snapshot.batches("SELECT id, balance FROM wallets") as reader:
            assert reader.read_all().to_pylist() == [{"id": 1, "balance": 100}]


def test_two_reads_are_at_one_moment_whatever_is_committed_between_them(
    database: Database, source: SourceDatabase
) -> None:
    with database.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM wallets")[0][0] == 1
        source.run("INSERT INTO wallets VALUES (2, 5)", "INSERT INTO entries VALUES (2, 5, 'a')")
        seen = [snapshot.rows("SELECT count(*) FROM entries")[0][0]]
        for reading in (snapshot, snapshot.beside):
            with reading.batches("SELECT id FROM entries") as reader:
                seen.append(reader.read_all().num_rows)
    assert seen == [1, 1, 1]
    with database.snapshot() as snapshot:
        assert snapshot.rows("SELECT count(*) FROM entries")[0][0] == 2


def test_the_moment_is_fixed_before_anything_is_read(
    database: Database, source: SourceDatabase
) -> None:
    with database.snapshot() as snapshot:
        source.run("UPDATE wallets SET balance = 7")
        with snapshot.batches("SELECT balance FROM wallets") as reader:
            assert reader.read_all().to_pylist() == [{"balance": 100}]


def test_two_threads_may_read_it_at_once(database: Database, source: SourceDatabase) -> None:
    source.fill("entries", [(id_, id_, "topup") for id_ in range(2, 2_001)])
    found: list[int] = []

    def read(query: str) -> None:
        for _ in range(5):
            with snapshot.batches(query) as reader:
                found.append(sum(batch.num_rows for batch in reader))
            found.append(int(snapshot.rows(selected("count(*)", query))[0][0]))

    with database.snapshot() as snapshot:
        threads = [Thread(target=read, args=("SELECT id FROM entries",)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [2_000] * 20


def test_a_reading_that_is_given_up_leaves_the_moment_as_it_is(
    database: Database, source: SourceDatabase
) -> None:
    source.fill("wallets", [(id_, id_) for id_ in range(2, 5_001)])
    crossed = "SELECT a.id AS a, b.id AS b FROM wallets a CROSS JOIN wallets b WHERE b.id < 100"
    with database.snapshot() as snapshot:
        with snapshot.batches(crossed) as reader:
            next(iter(reader))
        source.run("INSERT INTO wallets VALUES (5001, 1)")
        assert snapshot.rows("SELECT count(*) FROM wallets")[0][0] == 5_000


def test_an_error_of_whoever_reads_is_not_taken_for_the_sources(database: Database) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        database.snapshot() as snapshot,
        snapshot.batches("SELECT id FROM wallets") as reader,
    ):
        assert next(iter(reader)).num_rows / 0


FLAT = """
import resource, sys
from pathlib import Path
from engine.sources.catalog import open_source

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

query = "SELECT a.id * 1000 + b.id AS id, '{text}' AS t FROM k a CROSS JOIN k b WHERE a.id < {many}"
with open_source("canteen", sys.argv[1], Path()).snapshot() as snapshot:
    for many in (60, 600):
        rows = 0
        with snapshot.batches(query.format(text="x" * 200, many=many)) as reader:
            for batch in reader:
                rows += batch.num_rows
        print(rows, peak())
"""


def test_batches_come_in_flat_memory(source: SourceDatabase) -> None:
    source.make("k", {"id": "whole"})
    source.fill("k", [(id_,) for id_ in range(1_000)])
    told = subprocess.run(  # noqa: S603
        [sys.executable, "-c", FLAT, source.url], capture_output=True, text=True, check=True
    ).stdout.split()
    few, least, many, most = map(int, told)
    assert (few, many) == (60_000, 600_000)
    assert most - least < 45  # megabytes; the rows are 120


def test_numbers_of_18_digits_are_exact(database: Database, source: SourceDatabase) -> None:
    source.fill("wallets", [(2, LARGE), (3, -LARGE)])
    source.fill("entries", [(2, LARGE, "topup"), (3, -LARGE, "topup")])
    query = "SELECT id, amount FROM entries"
    sql = database.dialect(database.columns(query))
    with database.snapshot() as snapshot:
        with snapshot.batches("SELECT balance FROM wallets WHERE id > 1 ORDER BY id") as reader:
            assert reader.read_all().column(0).to_pylist() == [LARGE, -LARGE]
        amounts = selected(f"{sql.amount('amount')} AS a", query, "ORDER BY id")
        with snapshot.batches(amounts) as reader:
            assert reader.read_all().column(0).to_pylist() == [100, LARGE, -LARGE]
        ((total,),) = snapshot.rows(selected(f"sum({sql.amount('amount')})", query))
        assert int(total) == 100


@pytest.mark.parametrize("value", [Decimal("0.5"), Decimal("-1.000001"), 10**19, None])
def test_what_is_no_amount_is_never_cast_to_one(
    database: Database, source: SourceDatabase, value: object
) -> None:
    source.run("DELETE FROM entries")
    source.fill("entries", [(1, value, "topup")])
    query = "SELECT id, amount FROM entries"
    sql = database.dialect(database.columns(query))
    asked = selected(f"{sql.amount('amount')} AS a, {sql.is_whole('amount')} AS w", query)
    with database.snapshot() as snapshot, snapshot.batches(asked) as reader:
        ((found, whole),) = [row.values() for row in reader.read_all().to_pylist()]
    if value is None:
        assert (found, bool(whole)) == (None, False)
    else:
        # SQLite gives the REAL that it is, the others the least of all numbers.
        assert found in (-(2**63), float(str(value)))
        assert bool(whole) == (value == 10**19 and not isinstance(found, float))


ODD = ["a b", 'quo"te', "back`tick", "apo'strophe", "محفظة", "100%", "%s", ":id", "order", "x;y"]


@pytest.mark.parametrize("name", ODD)
def test_columns_may_have_any_name(database: Database, name: str) -> None:
    sql = database.dialect({"id": ""})
    query = f"SELECT id AS {sql.name(name)} FROM wallets WHERE 'a%sb:c' <> ''"  # noqa: S608
    types = database.columns(query)
    assert [*types] == [name]
    sql = database.dialect(types)
    asked = selected(f"{sql.key(name)} AS a, {sql.text(name)} AS b", query)
    with database.snapshot() as snapshot:
        assert [tuple(row) for row in snapshot.rows(asked)] == [(1, "1")]


WORDS = ["topup", "TOPUP", "topup ", "tópup", "topuP", "it's", "back\\slash", "", "مرحبا", "%s"]


@pytest.mark.parametrize("word", WORDS)
def test_words_are_compared_byte_for_byte(
    database: Database, source: SourceDatabase, word: str
) -> None:
    source.run("DELETE FROM entries")
    source.fill("entries", [(at, 1, each) for at, each in enumerate(WORDS)])
    query = "SELECT id, type FROM entries"
    sql = database.dialect(database.columns(query))
    for text in (sql.key("type"), sql.text("type")):
        asked = selected("id", query, f"WHERE {sql.is_one_of(text, [word, 'other'])}")
        with database.snapshot() as snapshot:
            assert [row[0] for row in snapshot.rows(asked)] == [WORDS.index(word)]


def test_joined_texts_differ_if_any_part_does(database: Database, source: SourceDatabase) -> None:
    source.make("pairs", {"a": "text", "b": "text"})
    pairs = [("a/", "b"), ("a", "/b"), ("a\\/", "b"), ("a\\", "/b"), ("a", "b"), ("", "a/b")]
    source.fill("pairs", [*pairs, (None, "b")])
    query = "SELECT a, b FROM pairs"
    sql = database.dialect(database.columns(query))
    with database.snapshot() as snapshot:
        rows = snapshot.rows(selected(sql.joined([sql.text("a"), sql.text("b")]), query))
    assert len({row[0] for row in rows}) == 7
    assert None in {row[0] for row in rows}


def test_rows_are_found_by_their_ids(database: Database, source: SourceDatabase) -> None:
    source.fill("wallets", [(2, 5), (LARGE, 6)])
    query = "SELECT id, balance FROM wallets"
    sql = database.dialect(database.columns(query))
    some = sql.has_id("id", ["2", str(LARGE)])
    with database.snapshot() as snapshot:
        rows = snapshot.rows(selected("balance", query, f"WHERE {some} ORDER BY id"))
    assert [row[0] for row in rows] == [5, 6]


def test_a_snapshot_cannot_write(database: Database, source: SourceDatabase) -> None:
    for statement in ("DELETE FROM wallets", "UPDATE wallets SET balance = 0"):
        with pytest.raises((InvalidQuery, SourceUnreachable)), database.snapshot() as snapshot:
            snapshot.rows(statement)
        with (
            pytest.raises((InvalidQuery, SourceUnreachable)),
            database.snapshot() as snapshot,
            snapshot.batches(statement) as reader,
        ):
            reader.read_all()
    assert source.rows("SELECT id, balance FROM wallets") == [(1, 100)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:hunter2@127.0.0.1:9/canteen",
        "mariadb://reader:hunter2@127.0.0.1:9/canteen",
        "sqlite:///nowhere/canteen.db",
    ],
)
def test_a_source_that_is_away_is_one_line_without_the_password(url: str, tmp_path: Path) -> None:
    database = opened(url, tmp_path)
    for ask in (database.require_reachable, partial(database.columns, "SELECT 1 AS a")):
        with pytest.raises(SourceUnreachable, match="the source 'canteen' cannot be read") as told:
            ask()
        assert told.value.exit_code == 6
        assert "hunter2" not in str(told.value)
        assert "\n" not in str(told.value)


WRONG: list[Callable[[str], str]] = [
    lambda url: url.replace("s3cret%2F", "wrong%2F"),
    lambda url: url.replace("reader:", "nobody:"),
    lambda url: url.rpartition("/")[0] + "/nowhere",
]


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each != "sqlite"])
@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_password_or_name_is_unreachable(
    backend: str, change: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = a_source(backend, tmp_path, request.getfixturevalue)
    with pytest.raises(SourceUnreachable) as told:
        opened(change(source.url), tmp_path).require_reachable()
    assert "cret/@" not in str(told.value)
    assert "\n" not in str(told.value)


DEFINITION = """
title: Wallets
timezone: Asia/Riyadh
currency: SAR
source: canteen
sides:
  owners:
    query: SELECT id FROM owners
    columns: {owner: id}
  wallets:
    query: SELECT * FROM wallets
    columns: {wallet: [school, id], owner: owner, currency: currency,
              opening: opening, balance: {plus: [cash, meals], minus: [held]}, floor: floor}
  entries:
    query: SELECT * FROM entries
    columns: {wallet: [school, wallet], entry: id, amount: amount, currency: currency,
              reference: reference, code: type, balance_after: after, posted_at: posted_at}
sign: {column: type, plus: [topup, refund], minus: [purchase]}
stored: balance
checks:
  balance: {}
  chain: {}
  duplicate: {within: 60s}
  orphan: {}
  currency: {}
  negative: {}
"""


def a_canteen(source: SourceDatabase, *, bad: bool) -> None:
    """Wallets of two schools with every kind of break, and with bad rows among them."""
    source.make("owners", {"id": "whole"})
    source.make(
        "wallets",
        {
            "school": "text",
            "id": "whole",
            "owner": "whole",
            "currency": "text",
            **dict.fromkeys(("opening", "cash", "meals", "held", "floor"), "number"),
        },
    )
    source.make(
        "entries",
        {
            "id": "whole",
            "school": "text",
            "wallet": "whole",
            "type": "text",
            "amount": "number",
            "currency": "text",
            "reference": "text",
            "after": "number",
            "posted_at": "instant",
        },
    )
    source.fill("owners", [(1,), (2,), (3,)])
    source.fill(
        "wallets",
        [
            ("a", 1, 1, "SAR", 0, 100, 0, 0, None),
            ("A", 1, 1, "SAR", 0, 50, 10, 0, None),  # another school
            ("a/b", 1, 2, "KWD", 10**17, 10**17 + 1, 0, 0, 0),
            ("a", 2, 2, "SAR", 0, 7, 0, 17, 0),  # ten below its floor
            ("a", 3, 9, "SAR", 0, 5, 0, 0, None),  # nobody's
            ("a", 4, 3, "sar", 0, 30, 0, 0, -5),
            *([("a", 5, 3, "SAR", Decimal("0.5"), 1, 0, 0, None)] if bad else []),
            *([("a", 6, 3, "SAR", 0, None, 0, 0, None)] if bad else []),
            *([("a", 7, 3, "SAR", 0, 1, 0, 0, Decimal("1.5"))] if bad else []),
            *([("a", 8, 3, None, 0, 1, 0, 0, None)] if bad else []),
        ],
    )
    a, b = ("a", 1), ("A", 1)
    sar = ("SAR", "r1")
    source.fill(
        "entries",
        [
            (1, *a, "topup", 100, *sar, 100, NINE),
            (2, *a, "purchase", 40, "SAR", "r2", 60, NINE.replace(minute=1)),
            (3, *a, "purchase", 40, "SAR", "r2", 20, NINE.replace(minute=1, microsecond=1)),
            (4, *a, "topup", 40, "SAR", "r3", 60, NINE.replace(hour=10)),
            (5, *b, "topup", 60, "SAR", "r4", 60, NINE),
            (6, *b, "refund", 1, "SAR", "r5", 62, NINE.replace(hour=11)),
            (7, "a/b", 1, "topup", 1, "KWD", "r6", 10**17 + 1, NINE),
            (8, "a", 2, "purchase", 10, "SAR", "r7", -10, NINE),
            (9, "a", 99, "topup", 3, "SAR", "r8", 3, NINE),  # no such wallet
            (10, "a", 3, "topup", 5, "USD", "r9", 5, NINE),  # not its currency
            (11, "a", 4, "topup", 30, "SAR ", "r10", 30, NINE),
            *([(12, *a, "TOPUP", 1, "SAR", "r11", 1, NINE)] if bad else []),
            *([(13, *a, "topup", Decimal("1.25"), "SAR", "r12", 1, NINE)] if bad else []),
            *([(14, *a, "topup", None, "SAR", "r13", 1, NINE)] if bad else []),
            *([(15, *a, "topup", 2 * 10**18, "SAR", "r14", 1, NINE)] if bad else []),
            *([(16, *a, "topup", 1, "SAR", "r15", None, NINE)] if bad else []),
            *([(17, *a, "topup", 1, "SAR", "r16", 1, None)] if bad else []),
            *([(18, *a, None, 1, "SAR", "r17", 1, NINE)] if bad else []),
            *([(19, None, 1, "topup", 1, "SAR", None, 1, NINE)] if bad else []),
        ],
    )


@pytest.fixture(params=[False, True], ids=["good rows", "bad rows"])
def bad(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def expected(tmp_path: Path, bad: bool) -> dict[str, object]:
    """What is found in SQLite."""
    folder = tmp_path / "expected"
    folder.mkdir()
    source = SqliteSource(folder)
    a_canteen(source, bad=bad)
    return in_plain(reconciled(source.url, folder, DEFINITION))


def test_a_reconciliation_finds_the_same_in_every_kind_of_source(
    source_database: SourceDatabase, tmp_path: Path, bad: bool, expected: dict[str, object]
) -> None:
    a_canteen(source_database, bad=bad)
    found = in_plain(reconciled(source_database.url, tmp_path, DEFINITION))
    assert found == expected
    codes = {each.code for each in found["differences"]}
    assert {"BALANCE_DRIFT", "CHAIN_BREAK"} <= codes
    assert bool(found["findings"]) == bad


def test_bad_rows_are_findings_with_row_and_column(
    source_database: SourceDatabase, tmp_path: Path
) -> None:
    a_canteen(source_database, bad=True)
    found = reconciled(source_database.url, tmp_path, DEFINITION).findings
    assert {each.code for each in found} == {"SOURCE_TYPE"}
    assert sorted((each.side, each.where) for each in found) == [
        ("entries", "row 12, column type"),
        ("entries", "row 13, column amount"),
        ("entries", "row 14, column amount"),
        ("entries", "row 15, column amount"),
        ("entries", "row 16, column after"),
        ("entries", "row 17, column posted_at"),
        ("entries", "row 18, column type"),
        ("entries", "row 19, column school"),
        ("wallets", "row a/5, column opening"),
        ("wallets", "row a/6, column cash"),
        ("wallets", "row a/7, column floor"),
        ("wallets", "row a/8, column currency"),
    ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A demo world's file, and what is found in it."""
    folder = tmp_path_factory.mktemp("demo")
    path = a_world(folder, wallets=200, entries=4_000).path
    definition = Path("reconciliations/wallets.yaml").read_text(encoding="utf-8")
    found = reconciled(f"sqlite:///{path}", folder, definition, cut_off=AS_OF)
    return path, in_plain(found)


def test_the_demo_world_has_the_same_breaks_wherever_it_is(
    source_database: SourceDatabase, tmp_path: Path, demo: tuple[Path, dict[str, object]]
) -> None:
    path, expected = demo
    copy_world(path, source_database)
    definition = Path("reconciliations/wallets.yaml").read_text(encoding="utf-8")
    result = reconciled(source_database.url, tmp_path, definition, cut_off=AS_OF)
    assert in_plain(result) == expected
    assert len(result.differences) > 50


def test_sources_of_every_kind_are_known_by_their_url(tmp_path: Path) -> None:
    urls = {
        "a": "postgresql://h/d",
        "b": "postgres://h/d",
        "c": "mysql://h/d",
        "d": "mariadb://h/d",
        "e": "mysql+pymysql://h/d",
    }
    sources = Sources(urls, tmp_path)
    kinds = [type(sources.get(name)).__name__ for name in sorted(urls)]
    assert kinds == ["PostgresDatabase"] * 2 + ["MysqlDatabase"] * 3


@pytest.mark.parametrize("backend", [each for each in BACKENDS if each != "sqlite"])
@pytest.mark.parametrize("note", ["reading wallets", "reading entries", "comparing"])
def test_a_server_that_dies_while_a_reconciliation_runs_is_unreachable(
    backend: str, note: str, tmp_path: Path
) -> None:
    server = start_postgres() if backend == "postgresql" else start_mariadb()
    try:
        source = a_source(backend, tmp_path, lambda _: server)
        a_canteen(source, bad=False)

        def die(done: int, total: int, told: str) -> None:
            if told == note:
                server.kill()

        with pytest.raises(SourceUnreachable, match="the source 'canteen' cannot be read"):
            reconciled(source.url, tmp_path, DEFINITION, progress=die)
    finally:
        server.remove()
